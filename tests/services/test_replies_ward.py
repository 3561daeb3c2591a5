"""区直轄の人の返事: 区の職員二人が、別々に、同じ中身を入れたときだけ効き、口座の分からなかった人にも払える。"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import endings, handback_lists, judgment, replies_ward, transfers
from benefit.services.desk_accounts import Account
from benefit.services.handback_propose import propose_ward_refusals
from benefit.services.replies_ward import Reply
from benefit.store import ward
from tests.services.conftest import FIRST, ISSUED, JUDGED, MAKER, PAY, PROGRAMME, SECOND, Office
from tests.support.handback import Exchange
from tests.support.small_ward import read

SQLITE = pytest.mark.parametrize("office", ["sqlite"], indirect=True)
AUDITOR = Actor("kansa", "auditor")


def unknown_account(office: Office) -> dict[str, Any]:
    """区直轄で、口座の分からない人の権利。"""
    table, letter = ward.entitlement, ward.letter
    query = (
        sa.select(table)
        .join(letter, letter.c.entitlement_id == table.c.id)
        .where(table.c.route == "WARD", table.c.account_flag == "0", letter.c.lot_id.is_not(None))
        .order_by(table.c.id)
    )
    with office.home.ward.connect() as connection:
        return dict(connection.execute(query).mappings().first())  # type: ignore[arg-type]


def kana_of(office: Office, person: int) -> str:
    return next(row["カナ氏名"] for row in read(office.root / "in" / "residents.csv") if int(row["住民番号"]) == person)


def form(office: Office, row: dict[str, Any], **changed: Any) -> Reply:
    account = Account(
        "9999", "001", "1", changed.pop("account_number", "9000123"), kana_of(office, row["payee_number"])
    )
    given = {"kind": "確認書", "received_on": ISSUED + timedelta(days=7), "account": account} | changed
    return Reply(row["case_number"], **given)


def enter(office: Office, reply: Reply, actor: Actor = MAKER) -> int:
    with office.home.ward.begin() as connection:
        return replies_ward.enter(connection, reply, reason="棚 3 の封筒", actor=actor, at=office.clock())


def check(office: Office, number: int, reply: Reply, actor: Actor = FIRST) -> replies_ward.Checked:
    with office.home.ward.begin() as connection:
        return replies_ward.check(connection, number, reply, actor=actor, at=office.clock())


def judge_ward(office: Office, out: str = "ward", *, later: int = 0) -> judgment.Judged | None:
    today = JUDGED + timedelta(days=later)
    return judgment.judge_ward_rows(
        office.home, PROGRAMME, out=office.root / out, today=today, bank_master=office.banks, clock=office.clock
    )


def verdicts(office: Office, out: str = "ward") -> dict[str, str]:
    path = office.root / out / "verdicts.csv"
    return {row["給付管理番号"]: row["判定"] for row in read(path)} if path.exists() else {}


def test_a_protected_person_whose_account_was_unknown_is_paid(office: Office) -> None:
    row = unknown_account(office)
    judge_ward(office)
    assert row["case_number"] not in verdicts(office)
    reply = form(office, row)
    number = enter(office, reply)
    judge_ward(office, "one-person")
    assert row["case_number"] not in verdicts(office, "one-person")
    assert check(office, number, reply).agreed
    judge_ward(office, "two-people")
    assert verdicts(office, "two-people") == {row["case_number"]: "支給可"}
    made = transfers.make(
        office.home, PROGRAMME, pay_date=PAY, today=JUDGED, bank_master=office.banks, actor=MAKER, clock=office.clock
    )
    assert made is not None
    paid = {payment["entitlement_id"]: payment for payment in office.payments()}
    assert paid[row["id"]]["account_number"] == "9000123"
    # 委託先へ行くものには、番号も口座も載らない。
    days = Exchange(office)
    days.export_and_load()
    days.day()
    for folder in days.folders:
        for path in folder.iterdir():
            assert row["case_number"].encode() not in path.read_bytes()
            assert b"9000123" not in path.read_bytes()


@SQLITE
def test_two_keyings_that_differ_change_nothing_and_name_only_the_field(office: Office) -> None:
    row = unknown_account(office)
    number = enter(office, form(office, row))
    done = check(office, number, form(office, row, account_number="9000124"))
    assert (done.agreed, done.differing) == (False, ("口座番号",))
    judge_ward(office)
    assert row["case_number"] not in verdicts(office)
    with office.home.ward.connect() as connection:
        rows = connection.execute(sa.select(ward.audit_log).order_by(ward.audit_log.c.sequence.desc())).mappings()
        last = next(row for row in rows if row["action"].startswith("reply."))
    assert last["action"] == "reply.mismatch"
    assert "9000124" not in last["detail"]
    assert check(office, number, form(office, row), SECOND).agreed


def test_the_same_person_cannot_key_twice_even_in_the_store(office: Office) -> None:
    row = unknown_account(office)
    reply = form(office, row)
    number = enter(office, reply)
    with pytest.raises(RefusedByRule, match="同じ人"):
        check(office, number, reply, MAKER)
    with pytest.raises(RefusedByRule, match="担当か承認"):
        check(office, number, reply, AUDITOR)
    line = {"reply_id": number, "asked_by": MAKER.id, "digest": reply.digest, "checked_at": office.clock()}
    for wrong in (
        line | {"checked_by": MAKER.id},
        line | {"checked_by": FIRST.id, "digest": "0" * 64},
        line | {"checked_by": FIRST.id, "asked_by": FIRST.id},
    ):
        with office.home.ward.connect() as connection, pytest.raises(sa.exc.IntegrityError):
            connection.execute(ward.ward_reply_check.insert().values(**wrong))


@SQLITE
def test_a_refusal_and_a_returned_letter_make_no_line(office: Office) -> None:
    table = ward.entitlement
    with office.home.ward.connect() as connection:
        query = sa.select(table).where(table.c.route == "WARD", table.c.account_flag != "0").order_by(table.c.id)
        first, second, *_ = (dict(row) for row in connection.execute(query).mappings())
    for row, kind in ((first, "辞退"), (second, "返戻")):
        reply = Reply(row["case_number"], kind, ISSUED + timedelta(days=3))
        assert check(office, enter(office, reply), reply).agreed
    with office.home.ward.connect() as connection:
        assert handback_lists.ward_refusals(connection, PROGRAMME)["case_number"].to_list() == [first["case_number"]]
        assert handback_lists.ward_returned(connection, PROGRAMME)["case_number"].to_list() == [second["case_number"]]
        # 委託先の件の一覧に、区直轄の人は混ざらない。
        assert handback_lists.refusals(connection, PROGRAMME).is_empty()
    judge_ward(office)
    found = verdicts(office)
    assert first["case_number"] not in found
    assert second["case_number"] not in found
    assert set(found.values()) <= {"支給可", "保留"}
    # 返戻の後に確認書が届けば、払える。辞退は、取り消せば、お知らせのとおりに払える。
    answer = form(office, second, received_on=ISSUED + timedelta(days=20))
    assert check(office, enter(office, answer), answer).agreed
    with office.home.ward.connect() as connection:
        refusal = replies_ward.listed(connection, PROGRAMME.id).row(0, named=True)
    undo = Reply(first["case_number"], "取消", ISSUED + timedelta(days=21), cancels=refusal["番号"])
    assert check(office, enter(office, undo), undo).agreed
    judge_ward(office, "after")
    assert {number: verdicts(office, "after")[number] for number in (first["case_number"], second["case_number"])} == {
        first["case_number"]: "支給可", second["case_number"]: "支給可",
    }  # fmt: skip


@SQLITE
def test_a_refusal_of_a_ward_person_ends_by_two_people(office: Office) -> None:
    row = unknown_account(office)
    reply = Reply(row["case_number"], "辞退", ISSUED + timedelta(days=3))
    assert check(office, enter(office, reply), reply).agreed
    done = propose_ward_refusals(office.home, PROGRAMME, actor=MAKER, clock=office.clock)
    endings.approve(office.home, done.asked[row["case_number"]], actor=FIRST, clock=office.clock)
    assert propose_ward_refusals(office.home, PROGRAMME, actor=MAKER, clock=office.clock).asked == {}
    with pytest.raises(RefusedByRule, match="もう終わって"):
        enter(office, form(office, row))


@SQLITE
def test_what_may_not_be_entered(office: Office) -> None:
    row = unknown_account(office)
    outside = office.rows()[0]["給付管理番号"]
    good = form(office, row)
    for reply, says in (
        (Reply(outside, "辞退", good.received_on), "委託先"),
        (Reply("99999999999", "辞退", good.received_on), "ありません"),
        (form(office, row, kind="辞退"), "口座は"),
        (Reply(row["case_number"], "確認書", good.received_on), "口座は"),
        (form(office, row, received_on=date(2024, 12, 1)), "今日より後"),
        (form(office, row, received_on=date(2024, 1, 1)), "手紙の日より前"),
        (Reply(row["case_number"], "取消", good.received_on, cancels=77), "打ち消す返事"),
        (Reply(row["case_number"], "口頭", good.received_on), "種類"),
    ):
        with pytest.raises(BenefitError, match=says):
            enter(office, reply)
    with pytest.raises(RefusedByRule, match="担当か承認"):
        enter(office, good, AUDITOR)
    with office.home.ward.connect() as connection:
        assert connection.execute(sa.select(ward.ward_reply)).all() == []


@SQLITE
def test_a_refused_account_can_be_keyed_again(office: Office) -> None:
    """確認書の口座が店舗の表になく不可になった人は、もう一度届いた確認書で判定し直す。"""
    row = unknown_account(office)
    good = form(office, row)
    bad = Reply(row["case_number"], "確認書", good.received_on, Account("9998", "999", "1", "9000123", "ｱ"))
    assert check(office, enter(office, bad), bad).agreed
    judge_ward(office)
    assert verdicts(office)[row["case_number"]] == "不可"
    # 同じ日のうちに口座だけが変わった行は、審査をやり直していない（CHK84）。次の日に届いた紙である。
    office.clock.now += timedelta(days=1)
    again = form(office, row, received_on=ISSUED + timedelta(days=12))
    assert check(office, enter(office, again), again).agreed
    judge_ward(office, "again", later=1)
    assert verdicts(office, "again")[row["case_number"]] == "支給可"
