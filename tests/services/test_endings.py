"""権利の終わり: 二人で終わらせ、残っていたお金は予算へ戻り、もう二度と払われない。"""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, endings, reissue, transfers
from benefit.services.gate import stand
from benefit.services.transfer_lines import pending_verdicts
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, PROGRAMME, SECOND, Office, answered, refused_by_the_store


def cases(office: Office) -> list[str]:
    """支給可になった権利の給付管理番号。"""
    return [number for number, row in office.verdicts().items() if row["判定"] == "支給可"]


def paid_cases(office: Office) -> list[str]:
    with office.home.ward.connect() as connection:
        query = (
            sa.select(ward.entitlement.c.case_number)
            .join(ward.payment, ward.payment.c.entitlement_id == ward.entitlement.c.id)
            .order_by(ward.payment.c.id)
        )
        return list(connection.execute(query).scalars())


def end(office: Office, number: str, kind: str = "不支給") -> int:
    asked = endings.ask(office.home, number, kind, reason="試験", actor=MAKER, clock=office.clock)
    case_number, back = endings.approve(office.home, asked, actor=FIRST, clock=office.clock)
    assert case_number == number
    return back


def test_a_payable_verdict_of_an_ended_right_is_never_paid(office: Office) -> None:
    judged = office.judge()
    ended, kept = cases(office)[0], cases(office)[1:]
    assert end(office, ended) == 0
    made = office.make()
    assert made is not None
    assert made.line_count == judged.payable - 1
    assert sorted(paid_cases(office)) == sorted(kept)
    # もう一度届いても、判定が支給可でも、振込にはならない。
    rows = [row for row in office.rows() if row["給付管理番号"] == ended]
    office.judge(office.replan([{**rows[0], "行番号": "1"}]), out="j2")
    assert office.make() is None
    # 守りは二つ、別々に効く: 振込にできる判定の行に出てこないことと、関門を通らないこと。
    with office.home.ward.begin() as connection:
        assert ended not in {line["case_number"] for line in pending_verdicts(connection)}
    standing = stand(office.home, PROGRAMME, JUDGED).entitlements
    closed = standing.filter(standing["case_number"] == ended)
    assert closed["why_closed"].to_list() == ["権利が終わっている"]


def test_one_person_cannot_end_a_right(office: Office) -> None:
    office.judge()
    number = cases(office)[0]
    asked = endings.ask(office.home, number, "辞退", reason="本人の電話", actor=FIRST, clock=office.clock)
    with pytest.raises(RefusedByRule, match="申し出た人"):
        endings.approve(office.home, asked, actor=FIRST, clock=office.clock)
    with pytest.raises(RefusedByRule, match="承認の役割"):
        endings.approve(office.home, asked, actor=MAKER, clock=office.clock)
    with office.home.ward.begin() as connection:
        own = ward.ending_approval.insert().values(
            release_id=asked, asked_by=FIRST.id, approved_by=FIRST.id, approved_at=office.clock()
        )
        assert refused_by_the_store(connection, own)
        connection.rollback()
    made = office.make()
    assert made is not None
    assert number in paid_cases(office)  # 承認されない申し出は、何も止めない。


@pytest.mark.parametrize("state", ["F40", "F41", "F42"])
def test_a_live_payment_is_withdrawn_first_and_the_refusal_says_how(office: Office, state: str) -> None:
    if state == "F40":
        office.judge()
        office.make()
    else:
        sent = office.send()
        if state == "F42":
            bank_reports.take(office.home, "results", answered(office, sent.id), clock=office.clock)
    number = paid_cases(office)[0]
    word = {"F40": "transfer cancel 1", "F41": "recall ask 1", "F42": "repayment ask"}[state]
    with pytest.raises(RefusedByRule, match=word):
        endings.ask(office.home, number, "不支給", reason="試験", actor=MAKER, clock=office.clock)


def test_a_payment_made_after_the_request_stops_the_approval(office: Office) -> None:
    office.judge()
    number = cases(office)[0]
    asked = endings.ask(office.home, number, "不支給", reason="試験", actor=MAKER, clock=office.clock)
    office.make()
    with pytest.raises(RefusedByRule, match="transfer cancel"):
        endings.approve(office.home, asked, actor=FIRST, clock=office.clock)
    transfers.cancel(office.home, 1, reason="試験", actor=MAKER, clock=office.clock)
    endings.approve(office.home, asked, actor=FIRST, clock=office.clock)


def test_a_failed_payment_goes_back_to_the_budget_line(office: Office) -> None:
    sent = office.send()
    report = answered(office, sent.id, (Outcome.FAILED, "04"), (Outcome.FAILED, "05"))
    bank_reports.take(office.home, "results", report, clock=office.clock)
    failed = office.payments()[:2]
    numbers = paid_cases(office)[:2]
    assert end(office, numbers[0], "契約不成立") == failed[0]["amount_yen"]
    totals = office.balances()
    assert totals["戻入"] == failed[0]["amount_yen"]
    assert totals["振込不能"] == failed[1]["amount_yen"]
    assert sum(totals.values()) == 0
    with pytest.raises(RefusedByRule, match="もう終わって"):
        end(office, numbers[0])
    # 終わらせた権利は、新しい口座で判定し直しても、振込にならない。もう一方は再振込できる。
    rows = {row["給付管理番号"]: row for row in office.rows()}
    again = [{**rows[number], "行番号": str(place), "口座番号": "9000001"} for place, number in enumerate(numbers, 1)]
    office.judge(office.replan(again), out="j2", today=date(2024, 8, 6))
    judged = office.verdicts("j2")
    made = office.make(pay_date=date(2024, 8, 13), today=date(2024, 8, 6))
    payable = [number for number in numbers if judged[number]["判定"] == "支給可"]
    assert (made.line_count if made else 0) == len([number for number in payable if number != numbers[0]])
    assert [row["state"] for row in office.payments() if row["entitlement_id"] == failed[0]["entitlement_id"]] == [
        "F43"
    ]


def test_a_cancelled_payment_is_dropped(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    transfers.cancel(office.home, made.id, reason="試験", actor=MAKER, clock=office.clock)
    number, payment = paid_cases(office)[0], office.payments()[0]
    assert end(office, number) == payment["amount_yen"]
    totals = office.balances()
    assert totals["未払"] == made.total_yen - payment["amount_yen"]
    assert totals["予算"] == -totals["未払"]
    again = office.make()
    assert again is not None
    assert again.line_count == made.line_count - 1


def test_words_numbers_and_reasons(office: Office) -> None:
    office.judge()
    number = cases(office)[0]
    with pytest.raises(WrongUse, match="終わり方"):
        endings.ask(office.home, number, "取消", reason="試験", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="理由"):
        endings.ask(office.home, number, "不支給", reason="  ", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="ありません"):
        endings.ask(office.home, "00000000000", "不支給", reason="試験", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="ありません"):
        endings.approve(office.home, 99, actor=SECOND, clock=office.clock)
    end(office, number)
    with pytest.raises(RefusedByRule, match="終わっている"):
        reissue.reissue(office.home, PROGRAMME, number, reason="試験", actor=MAKER, clock=office.clock)
    shown = endings.listed(office.home)
    assert shown.rows() == [(1, number, "不支給", shown["支給額"][0], "試験", MAKER.id, FIRST.id)]
