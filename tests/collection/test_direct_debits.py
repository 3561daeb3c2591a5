"""口座振替（seed 004）: 納めた人からも、止めた人からも、結果待ちの人からも引き落とさず、二度は引き落とさない。"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from benefit.domain.debit_terms import EXAMPLE, DebitTerms
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.services import debit_accounts, debit_letters, debit_terms_file, direct_debits, restricted_queue, slips
from benefit.services.debit_accounts import Change
from benefit.services.extracts import import_file
from benefit.services.home import Home
from benefit.store import ward
from tests.collection.conftest import APPROVER, CLERK, accounts
from tests.collection.debit_world import FIRST, SECOND, THIRD, DebitWorld, ready
from tests.conftest import WARD_3K, StepClock


@pytest.fixture
def debit(staffed: Home, clock: StepClock, tmp_path: Path) -> DebitWorld:
    return ready(staffed, clock, tmp_path / "bank")


def test_from_the_request_to_the_letter(debit: DebitWorld) -> None:
    """三人に請求し、一人が振り替わり、二人が不能。一人は次で振り替わり、一人は納付書になる。"""
    debit.owe((1, 1_000), (2, 2_000), (3, 3_000))
    for person in (1, 2, 3):
        debit.change(person)
    sent = debit.send()
    assert (sent.line_count, sent.total_yen) == (3, 6_000)
    rows = debit.rows(sent)
    assert rows["customer_number"].to_list()[0] == "10202603000000000001"
    assert rows["new_code"].to_list() == ["1", "1", "1"]
    done = debit.take(debit.answer(sent, "0", "1", "9"))
    assert {name: done.counts[name] for name in ("told_yen", "paid_yen", "failed_yen", "undecided_yen")} == {
        "told_yen": 6_000, "paid_yen": 1_000, "failed_yen": 5_000, "undecided_yen": 0,
    }  # fmt: skip
    assert done.codes == {"1": 1, "9": 1}
    assert accounts(debit.home) == {"預金": 1_000, "調定": -1_000}
    debit.clock.now = datetime(2026, 8, 3, tzinfo=UTC)
    assert debit_letters.due(debit.home, today=date(2026, 8, 3)).is_empty(), "再請求の前に納付書を送った"
    again = debit.send(SECOND)
    assert debit.rows(again)["new_code"].to_list() == ["0", "0"]
    assert debit.take(debit.answer(again, "0", "1"), "b").counts["paid_count"] == 1
    debit.clock.now = datetime(2026, 9, 3, tzinfo=UTC)
    made = debit.make(THIRD)
    assert (made.request, made.left_out) == (None, {"paid": (2, 0), "attempts": (1, 3_000)})
    due = debit_letters.take(debit.home, actor=CLERK, clock=debit.clock)
    assert due.select("receivable_id", "left_yen", "failures", "code").rows() == [(3, 3_000, 2, "1 資金不足")]
    assert debit_letters.take(debit.home, actor=CLERK, clock=debit.clock).is_empty()
    assert debit.make(THIRD).left_out["letter"] == (1, 3_000)


def test_no_slip_is_given_while_a_debit_waits_for_its_result(debit: DebitWorld) -> None:
    """口座から引き落とされる人に、同じ調定の納付書を渡さない（二重に納めさせない）。不能の後には出せる。"""

    def slip() -> slips.Issued:
        return slips.issue(debit.home, [1], payable_until=THIRD, actor=CLERK, clock=debit.clock, reason="窓口の申出")

    debit.owe((1, 1_000))
    debit.change(1)
    sent = debit.send()
    assert "結果を待っています" in slip().refused[1]
    debit.take(debit.answer(sent, "1"))
    assert "結果を待っています" not in slip().refused.get(1, "")


def test_who_is_left_out_and_why(debit: DebitWorld) -> None:
    """請求しないわけが、件数と額で出る。速報の届いた人・止めた人・開始がまだの人・依頼のない人には請求しない。"""
    debit.owe(*((person, 1_000) for person in range(1, 8)))
    for person in (1, 2, 3, 4):
        debit.change(person)
    debit.change(5, on=date(2026, 7, 1))
    debit.change(6, approve=False)
    debit.change(4, "停止", date(2026, 7, 10))
    debit.paid_elsewhere(1, 1_000)
    debit.paid_elsewhere(2, 1_000, kind="確報")
    made = debit.make()
    assert made.left_out == {"paid": (1, 0), "promised": (1, 0), "stopped": (1, 1_000), "before_start": (1, 1_000)}
    assert made.request is not None
    assert (made.request.line_count, made.request.total_yen) == (1, 1_000)


def test_a_person_who_died_by_the_register_is_not_debited(debit: DebitWorld) -> None:
    """住民記録で亡くなっている人には請求せず、わけを言う。"""
    import_file(debit.home, "residents", WARD_3K / "residents.csv", clock=debit.clock, levy_year=2024)
    frame = restricted_queue.residents(debit.home)
    assert frame is not None
    gone = frame.select("person_number", "removed_reason").collect()
    dead = int(gone.filter(pl.col("removed_reason") == "死亡")["person_number"].min() or 0)
    alive = int(gone.filter(pl.col("removed_reason").is_null())["person_number"].min() or 0)
    debit.owe((dead, 1_000), (alive, 2_000))
    for person in (dead, alive):
        debit.change(person, account="9000001")
    made = debit.make()
    assert made.left_out == {"deceased": (1, 1_000)}
    assert made.request is not None
    assert made.request.total_yen == 2_000


def test_only_what_is_left_is_requested(debit: DebitWorld) -> None:
    debit.owe((1, 1_000))
    debit.change(1)
    debit.paid_elsewhere(1, 300)
    made = debit.make().request
    assert made is not None
    assert made.total_yen == 700


def test_a_payment_after_the_file_was_made_stops_the_whole_file(debit: DebitWorld) -> None:
    """作ってから速報が届いたら、承認も送り出しもできない。取り消して作り直せば、その人は入らない。"""
    debit.owe((1, 1_000), (2, 2_000))
    debit.change(1)
    debit.change(2)
    made = debit.make().request
    assert made is not None
    assert debit.make().request is None, "同じ請求を二度作れた"
    direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)
    debit.paid_elsewhere(1, 1_000)
    with pytest.raises(RefusedByRule, match="が届いている 1 件"):
        direct_debits.release(debit.home, made.id, out=debit.out, actor=CLERK, clock=debit.clock)
    assert not list(debit.out.glob("*"))
    assert direct_debits.cancel(debit.home, made.id, reason="納付あり", actor=CLERK, clock=debit.clock) == 2
    with pytest.raises(RefusedByRule, match="取り消され"):
        direct_debits.release(debit.home, made.id, out=debit.out, actor=CLERK, clock=debit.clock)
    sent = debit.send()
    assert sent.total_yen == 2_000
    assert debit.rows(sent)["new_code"].to_list() == ["0"]


def test_a_changed_account_or_a_stop_after_the_file_was_made_stops_it(debit: DebitWorld) -> None:
    debit.owe((1, 1_000))
    debit.change(1)
    made = debit.make().request
    assert made is not None
    debit.change(1, "変更", date(2026, 7, 1), account="9000099")
    with pytest.raises(RefusedByRule, match="口座が変わった 1 件"):
        direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)
    debit.change(1, "停止", date(2026, 7, 2))
    with pytest.raises(RefusedByRule, match="停止している 1 件"):
        direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)


def test_the_maker_cannot_approve_and_nothing_leaves_without_approval_or_twice(debit: DebitWorld) -> None:
    debit.owe((1, 1_000))
    debit.change(1)
    made = direct_debits.make(debit.home, debit_on=FIRST, reason="7 月", actor=APPROVER, clock=debit.clock).request
    assert made is not None
    with pytest.raises(RefusedByRule, match="別の人の承認"):
        direct_debits.release(debit.home, made.id, out=debit.out, actor=CLERK, clock=debit.clock)
    with pytest.raises(RefusedByRule, match="申し出た人"):
        direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)
    direct_debits.approve(debit.home, made.id, actor=replace(APPROVER, id="shonin2"), clock=debit.clock)
    direct_debits.release(debit.home, made.id, out=debit.out, actor=CLERK, clock=debit.clock)
    with pytest.raises(RefusedByRule, match="もう送り出されています"):
        direct_debits.release(debit.home, made.id, out=debit.out, actor=CLERK, clock=debit.clock)
    with pytest.raises(RefusedByRule, match="もう送り出されています"):
        direct_debits.cancel(debit.home, made.id, reason="やめる", actor=CLERK, clock=debit.clock)


def test_a_rewritten_file_does_not_leave_and_a_lost_one_is_made_again(debit: DebitWorld) -> None:
    debit.owe((1, 1_000))
    debit.change(1)
    made = debit.make().request
    assert made is not None
    whole = made.path.read_bytes()
    made.path.write_bytes(whole.replace(b"9000001", b"9000002"))
    with pytest.raises(RefusedByRule, match="書き換えられています"):
        direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)
    made.path.unlink()
    direct_debits.approve(debit.home, made.id, actor=APPROVER, clock=debit.clock)
    assert made.path.read_bytes() == whole


def test_a_result_that_differs_from_the_request_is_refused_whole(debit: DebitWorld) -> None:
    debit.owe((1, 1_000), (2, 2_000))
    debit.change(1)
    debit.change(2)
    sent = debit.send()
    with pytest.raises(RefusedInput, match="請求だけ 1 件"):
        debit.take(debit.answer(sent, only=[0]))
    good = debit.answer(sent)
    with pytest.raises(RefusedInput, match="合いません"):
        debit.take(good.replace(b"9000001", b"9000007"))
    with pytest.raises(RefusedByRule, match="送り出した請求がありません"):
        debit.take(good.replace(b"0731", b"0831", 1))
    assert accounts(debit.home) == {}
    debit.take(good)
    assert debit.take(good).collected.repeated
    assert accounts(debit.home) == {"預金": 3_000, "調定": -3_000}


def test_an_undecided_line_is_neither_paid_nor_requested_again_until_the_bank_tells(debit: DebitWorld) -> None:
    debit.owe((1, 1_000), (2, 2_000))
    debit.change(1)
    debit.change(2)
    sent = debit.send()
    first = debit.take(debit.answer(sent, "0", "N"))
    assert (first.counts["undecided_count"], first.counts["undecided_yen"]) == (1, 2_000)
    assert debit.make(SECOND).left_out == {"paid": (1, 0), "waiting": (1, 2_000)}
    with pytest.raises(RefusedByRule, match="前の結果と違う"):
        debit.take(debit.answer(sent, "1", "0"), "b")
    debit.take(debit.answer(sent, "0", "0", only=[1]), "c")
    assert accounts(debit.home) == {"預金": 3_000, "調定": -3_000}


def test_an_unknown_code_is_never_paid(debit: DebitWorld) -> None:
    debit.owe((1, 1_000))
    debit.change(1)
    done = debit.take(debit.answer(debit.send(), "X"))
    assert (done.codes, done.counts["paid_count"], done.counts["undecided_count"]) == ({"X": 1}, 0, 1)
    assert accounts(debit.home) == {}


def test_no_such_account_waits_for_a_new_account(debit: DebitWorld) -> None:
    """「取引なし」は、口座が変わるまで請求しない。変われば請求する（新規コード 2）。変わらなければ納付書。"""
    debit.owe((1, 1_000), (2, 2_000))
    debit.change(1)
    debit.change(2)
    debit.take(debit.answer(debit.send(), "2", "2"))
    assert debit.make(SECOND).left_out == {"no_use": (2, 3_000)}
    due = debit_letters.due(debit.home, today=date(2026, 8, 3))
    assert due["receivable_id"].to_list() == [1, 2]
    debit.change(1, "変更", date(2026, 8, 1), account="9000099")
    debit.clock.now = datetime(2026, 8, 3, tzinfo=UTC)
    sent = debit.send(SECOND)
    assert debit.rows(sent).select("account_number", "new_code").rows() == [("9000099", "2")]
    debit.paid_elsewhere(2, 2_000)
    assert debit_letters.due(debit.home, today=date(2026, 8, 3)).is_empty(), "速報の届いた人に納付書を送る"


def put(home: Home, rows: list[tuple[sa.Table, dict[str, object]]]) -> None:
    with home.ward.begin() as connection:
        for table, values in rows:
            connection.execute(table.insert().values(**values))


def test_the_ledger_itself_refuses_a_second_request(debit: DebitWorld) -> None:
    """どの仕事を通らなくても、結果のない請求や振替済の後の二回目の行は、台帳が受け付けない。"""
    debit.owe((1, 1_000))
    debit.change(1)
    debit.take(debit.answer(debit.send(), "0"))
    line, order = ward.debit_line, ward.debit_order
    with debit.home.ward.connect() as connection:
        row = dict(connection.execute(sa.select(line)).mappings().one())
    again = {"id": 2, "request_id": 1, "receivable_id": 1, "amount_yen": 1_000}
    for attempt, more in (
        (1, {}),
        (2, {}),
        (2, {"after_order": 1, "after_attempt": 1, "after_unpaid": 1}),
        (2, {"after_order": 1, "after_attempt": 1, "after_unpaid": 0}),
    ):
        told = {"order_id": 2, "attempt": attempt, "line_number": 2, "customer_number": "9"}
        rows = [(order, {**again, "attempt": attempt}), (line, {**row, **told, **more})]
        with pytest.raises(DBAPIError):
            put(debit.home, rows)


def test_enrolments_need_another_person_and_follow_their_order(debit: DebitWorld) -> None:
    number = debit.change(1, approve=False)
    with pytest.raises(RefusedByRule, match="承認の役割"):
        debit_accounts.approve(debit.home, number, actor=CLERK, clock=debit.clock)
    debit_accounts.approve(debit.home, number, actor=APPROVER, clock=debit.clock)
    with pytest.raises(RefusedByRule, match="もう始まっています"):
        debit.change(1)
    with pytest.raises(RefusedByRule, match="始まっていません"):
        debit.change(2, "変更")
    with pytest.raises(RefusedByRule, match="前の異動の適用日より前"):
        debit.change(1, "変更", date(2026, 3, 1))
    debit.change(1, "変更", date(2026, 5, 1), account="9000055")
    told = debit_accounts.history(debit.home, "0001")
    assert [(row["kind"], row["account_number"], row["approved_by"]) for row in told] == [
        ("変更", "9000055", "shonin1"), ("開始", "9000001", "shonin1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"bank_code": "0000"}, "金融機関の表にない銀行"),
        ({"branch_code": "999"}, "表にない支店"),
        ({"account_number": "123"}, "7 桁"),
        ({"account_type": "4"}, "預金種目"),
        ({"holder_kana": "架空"}, "読み替えられない字"),
        ({"subject": "999"}, "科目ではありません"),
        ({"kind": "再開"}, "異動の言葉"),
        ({"person_number": "１２"}, "宛名番号"),
    ],
)
def test_a_wrong_account_is_refused_in_words(debit: DebitWorld, wrong: dict[str, str], says: str) -> None:
    good = Change("1", "101", "開始", date(2026, 4, 1), "9999", "101", "1", "9000001", "ｶｸｳ ﾀﾛｳ")
    terms = debit_terms_file.load(debit.home)
    with pytest.raises((RefusedInput, WrongUse), match=says):
        debit_accounts.ask(debit.home, terms, replace(good, **wrong), reason="x", actor=CLERK, clock=debit.clock)


@pytest.mark.parametrize("day", [date(2026, 8, 1), date(2026, 7, 10)])
def test_the_day_must_be_a_coming_bank_day(debit: DebitWorld, day: date) -> None:
    with pytest.raises(WrongUse, match="引落日"):
        debit.make(day)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('code = "20"', 'code = "10"', "ほかの科目と同じ"),
        ("requests_max = 2", "requests_max = 0", "requests_max"),
        ('"1234567890"', '"123"', "桁が違います"),
        ('no_use_codes = ["2"', 'no_use_codes = ["0"', "振替済"),
        ("[subjects]", "[subject]", "項目が合いません"),
        ("client_name =", "client_name ", "TOML"),
    ],
)
def test_wrong_terms_are_refused_by_their_name(old: str, new: str, says: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(RefusedInput, match=says):
        DebitTerms.parse(EXAMPLE.replace(old, new, 1), file="direct-debit.toml")
