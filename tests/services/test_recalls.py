"""組戻し: 送り出した支払だけを、二人で、一生に一度だけ頼める。返事が来るまで台帳は動かない。"""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, recalls, recalls_list
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, PAY, SECOND, Office, answered, refused_by_the_store

TODAY = date(2024, 7, 30)


def ask(office: Office, number: int, *cases: str) -> recalls.Recall:
    return recalls.ask(
        office.home, number, case_numbers=cases or None, reason="試験の組戻し", actor=MAKER, clock=office.clock
    )


def approve(office: Office, number: int, actor: object = FIRST) -> recalls.Recall:
    return recalls.approve(office.home, number, out=office.root / "recall", actor=actor, clock=office.clock)  # type: ignore[arg-type]


def case_numbers(office: Office) -> list[str]:
    with office.home.ward.connect() as connection:
        query = (
            sa.select(ward.entitlement.c.case_number)
            .join(ward.payment, ward.payment.c.entitlement_id == ward.entitlement.c.id)
            .order_by(ward.payment.c.id)
        )
        return list(connection.execute(query).scalars())


def listed(office: Office, number: int) -> list[dict[str, str]]:
    text = (office.root / "recall" / recalls_list.file_name(number)).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_file_not_released_is_cancelled_not_recalled(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    with pytest.raises(RefusedByRule, match="transfer cancel"):
        ask(office, made.id)
    row = ward.recall.insert().values(
        transfer_id=made.id, payments="1", line_count=1, total_yen=1, largest_yen=1, reason="試験",
        asked_by=MAKER.id, asked_at=office.clock(),
    )  # fmt: skip
    with office.home.ward.begin() as connection:
        # 台帳も、送り出していない振込の組戻しを知らない。
        assert refused_by_the_store(connection, row)
        connection.rollback()


def test_the_whole_file_is_asked_for_and_the_list_says_what_it_is(office: Office) -> None:
    sent = office.send()
    asked = ask(office, sent.id)
    assert (asked.line_count, asked.total_yen, asked.largest_yen) == (sent.line_count, sent.total_yen, sent.largest_yen)
    assert (asked.left_out, asked.approved_by) == (0, None)
    done = approve(office, asked.id)
    assert done.approved_by == FIRST.id
    rows = listed(office, asked.id)
    assert len(rows) == sent.line_count
    assert sum(int(row["振込金額"]) for row in rows) == sent.total_yen
    payments = office.payments()
    assert [row["口座番号"] for row in rows] == [row["account_number"] for row in payments]
    assert {row["元振込指定日"] for row in rows} == {PAY.isoformat()}
    # 頼んだだけでは、お金は動かない。
    assert {row["state"] for row in office.payments()} == {"F41"}
    assert office.balances()["振込中"] == sent.total_yen
    with office.home.ward.connect() as connection:
        given = connection.execute(ward.handover.select().where(ward.handover.c.crossing == "recall_out")).one()
    assert (given.row_count, given.total_yen) == (sent.line_count, sent.total_yen)
    assert given.sha256 == recalls_list.sha256_of((office.root / "recall" / given.folder).read_bytes())
    # 一覧は何度書いても同じ。
    before = {path.name: path.read_bytes() for path in (office.root / "recall").iterdir()}
    recalls_list.write(office.home, asked.id, office.root / "again")
    assert {path.name: path.read_bytes() for path in (office.root / "again").iterdir()} == before
    # 一度頼んだ支払は、二度は頼めない。
    with pytest.raises(RefusedByRule, match="頼める支払"):
        ask(office, sent.id)
    with pytest.raises(RefusedByRule, match="もう頼んで"):
        ask(office, sent.id, case_numbers(office)[0])


def test_one_person_cannot_recall_and_nothing_is_written(office: Office) -> None:
    sent = office.send()
    asked = ask(office, sent.id, case_numbers(office)[0])
    with pytest.raises(RefusedByRule, match="承認の役割"):
        approve(office, asked.id, MAKER)
    again = recalls.ask(office.home, sent.id, case_numbers=None, reason="二人目", actor=FIRST, clock=office.clock)
    with pytest.raises(RefusedByRule, match="申し出た人"):
        approve(office, again.id, FIRST)
    assert not (office.root / "recall").exists()
    payment = office.payments()[0]["id"]
    with office.home.ward.begin() as connection:
        own = ward.recall_approval.insert().values(
            release_id=again.id, asked_by=FIRST.id, approved_by=FIRST.id, approved_at=office.clock()
        )
        assert refused_by_the_store(connection, own)
        # 承認のない依頼には、行が立たない。
        line = ward.recall_line.insert().values(recall_id=again.id, payment_id=payment)
        assert refused_by_the_store(connection, line)
        connection.rollback()


def test_a_mistaken_request_does_not_block_the_right_one(office: Office) -> None:
    sent = office.send()
    ask(office, sent.id)  # 取り違えて全部を頼んだ。承認されない。
    one = case_numbers(office)[1]
    right = ask(office, sent.id, one)
    assert right.line_count == 1
    approve(office, right.id)
    assert [row["振込金額"] for row in listed(office, right.id)] == [str(office.payments()[1]["amount_yen"])]
    # 取り違えた依頼は、もう承認できない（一つの支払は一生に一度）。
    with pytest.raises(RefusedByRule, match="もう頼んで"):
        approve(office, 1, SECOND)


def test_what_the_bank_answers_moves_the_ledger(office: Office) -> None:
    sent = office.send()
    cases = case_numbers(office)
    asked = ask(office, sent.id, cases[0], cases[1])
    approve(office, asked.id)
    told = recalls.waiting(office.home, today=date(2024, 8, 1))
    assert told["いま"].to_list() == ["返事待ち"] * 2
    assert set(told["待っている日数"].to_list()) == {6}
    bank_reports.take(
        office.home,
        "results",
        answered(office, sent.id, (Outcome.RECALLED, "09"), (Outcome.RECALL_FAILED, "00")),
        clock=office.clock,
    )
    states = [row["state"] for row in office.payments()]
    assert states[:2] == ["F43", "F42"]
    assert recalls.waiting(office.home, today=TODAY)["いま"].to_list() == ["戻った", "不成立（入金済）"]
    assert office.balances()["振込不能"] == office.payments()[0]["amount_yen"]


def test_credited_payments_are_claimed_back_not_recalled(office: Office) -> None:
    sent = office.send()
    one = case_numbers(office)[0]
    asked = ask(office, sent.id, one)
    bank_reports.take(office.home, "results", answered(office, sent.id), clock=office.clock)
    with pytest.raises(RefusedByRule, match="repayment ask"):
        ask(office, sent.id, one)
    # 申し出の後に入金されていたら、承認もできない。
    with pytest.raises(RefusedByRule, match="repayment ask"):
        approve(office, asked.id)
    with pytest.raises(RefusedByRule, match="頼める支払"):
        ask(office, sent.id)


def test_unknown_numbers_and_no_reason_are_refused(office: Office) -> None:
    sent = office.send()
    with pytest.raises(WrongUse, match="入っていません"):
        ask(office, sent.id, "00000000000")
    with pytest.raises(WrongUse, match="理由"):
        recalls.ask(office.home, sent.id, case_numbers=None, reason=" ", actor=MAKER, clock=office.clock)
    with pytest.raises(RefusedByRule, match="送り出していません"):
        ask(office, 99)


@pytest.mark.parametrize(
    ("today", "word"), [(date(2024, 8, 1), "前です"), (PAY, "間に合わない"), (date(2024, 8, 3), "承諾")]
)
def test_the_advice_says_when_it_is_probably_too_late(today: date, word: str) -> None:
    assert word in recalls.advice(PAY, today)
