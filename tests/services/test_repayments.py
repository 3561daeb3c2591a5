"""返還: 請求は払った額まで、入金は請求の額まで。全額が返れば返還済（F48）、払い直しには新しい判定が要る。"""

from __future__ import annotations

import os
import random
from datetime import date

import pytest
import sqlalchemy as sa

from benefit.domain.entitlement import check_digit
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, endings, repayments, repayments_list
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, SECOND, Office, answered, refused_by_the_store

TODAY, DUE = date(2024, 8, 20), date(2024, 9, 20)


def pay(office: Office) -> tuple[str, dict[str, object]]:
    """全部を入金済にし、初めの支払の給付管理番号と支払を返す。"""
    sent = office.send()
    bank_reports.take(office.home, "results", answered(office, sent.id), clock=office.clock)
    payment = office.payments()[0]
    with office.home.ward.connect() as connection:
        query = sa.select(ward.entitlement.c.case_number).where(ward.entitlement.c.id == payment["entitlement_id"])
        return connection.execute(query).scalar_one(), payment


def ask(office: Office, number: str, yen: int | None = None) -> int:
    return repayments.ask(
        office.home, number, amount_yen=yen, cause="対象外", due_on=DUE, today=TODAY, reason="試験", actor=MAKER,
        clock=office.clock,
    )  # fmt: skip


def claim(office: Office, number: str, yen: int | None = None) -> int:
    asked = ask(office, number, yen)
    repayments.approve(office.home, asked, actor=FIRST, clock=office.clock)
    return asked


def receive(office: Office, claimed: int, yen: int, reference: str) -> repayments.Received:
    return repayments.receive(
        office.home, claimed, amount_yen=yen, received_on=TODAY, reference=reference, actor=MAKER, clock=office.clock
    )


def state_of(office: Office, payment: dict[str, object]) -> str:
    return next(row["state"] for row in office.payments() if row["id"] == payment["id"])


def test_paid_back_in_full_in_instalments(office: Office) -> None:
    number, payment = pay(office)
    whole = int(str(payment["amount_yen"]))
    claimed = claim(office, number)
    assert office.balances()["返還債権"] == whole
    first = receive(office, claimed, whole - 1, "S-1")
    assert (first.outstanding_yen, first.repaid_in_full) == (1, False)
    assert state_of(office, payment) == "F42"
    last = receive(office, claimed, 1, "S-2")
    assert (last.outstanding_yen, last.repaid_in_full) == (0, True)
    assert state_of(office, payment) == "F48"
    totals = office.balances()
    assert (totals["返還"], totals["返還債権"]) == (whole, 0)
    assert sum(totals.values()) == 0
    # 同じ収納の番号は、二度数えない。違う中身なら断る。
    assert receive(office, claimed, 1, "S-2").repeated
    with pytest.raises(RefusedByRule, match="ほかの入金"):
        receive(office, claimed, 2, "S-2")
    assert office.balances() == totals


def test_an_overpaid_part_leaves_the_payment_paid(office: Office) -> None:
    number, payment = pay(office)
    claimed = claim(office, number, 9_000)
    assert receive(office, claimed, 9_000, "S-1").repaid_in_full is False
    assert state_of(office, payment) == "F42"
    # 残りも請求でき、合わせて全額になれば返還済になる。
    rest = claim(office, number)
    assert receive(office, rest, int(str(payment["amount_yen"])) - 9_000, "S-2").repaid_in_full
    assert state_of(office, payment) == "F48"


def test_claims_never_exceed_what_was_paid(office: Office) -> None:
    number, payment = pay(office)
    whole = int(str(payment["amount_yen"]))
    for wrong in (0, -1, whole + 1):
        with pytest.raises(RefusedByRule, match="払った額"):
            ask(office, number, wrong)
    # 二つの申し出は並べられるが、承認されるのは、合わせて払った額まで。
    one, two = ask(office, number, whole), ask(office, number, 1)
    repayments.approve(office.home, one, actor=FIRST, clock=office.clock)
    with pytest.raises(RefusedByRule, match="払った額"):
        repayments.approve(office.home, two, actor=FIRST, clock=office.clock)
    with pytest.raises(RefusedByRule, match="全額を請求済み"):
        ask(office, number)
    assert office.balances()["返還債権"] == whole


def test_one_person_cannot_claim_and_no_money_comes_to_an_unapproved_claim(office: Office) -> None:
    number, _payment = pay(office)
    asked = repayments.ask(
        office.home, number, amount_yen=None, cause="二重", due_on=DUE, today=TODAY, reason="試験", actor=FIRST,
        clock=office.clock,
    )  # fmt: skip
    with pytest.raises(RefusedByRule, match="申し出た人"):
        repayments.approve(office.home, asked, actor=FIRST, clock=office.clock)
    with pytest.raises(WrongUse, match="承認された"):
        receive(office, asked, 1, "S-1")
    with office.home.ward.begin() as connection:
        straight = ward.repayment_receipt.insert().values(
            repayment_id=asked, amount_yen=1, received_on=TODAY, reference="x", recorded_by=MAKER.id,
            recorded_at=office.clock(),
        )  # fmt: skip
        assert refused_by_the_store(connection, straight)
        connection.rollback()
    assert office.balances().get("返還債権", 0) == 0


def test_only_paid_money_is_claimed(office: Office) -> None:
    office.send()
    with office.home.ward.connect() as connection:
        number = connection.execute(sa.select(ward.entitlement.c.case_number)).scalars().first()
    assert number
    with pytest.raises(RefusedByRule, match="振込済"):
        ask(office, number)


def test_receipts_never_exceed_the_claim_whatever_the_order(office: Office) -> None:
    """でたらめな額と番号の入金を並べる。数えた合計は請求を超えず、台帳の返還と一致する。"""
    seed = int(os.environ.get("SEED", random.randrange(10**9)))
    print(f"SEED={seed}")
    dice = random.Random(seed)
    number, payment = pay(office)
    whole = int(str(payment["amount_yen"]))
    claims = [claim(office, number, whole // 2), claim(office, number)]
    amounts = [whole // 2, whole - whole // 2]
    counted: dict[str, tuple[int, int]] = {}
    for _turn in range(60):
        which = dice.randrange(2)
        reference, yen = f"S-{dice.randrange(25)}", dice.choice([1, 1_000, 9_999, whole // 4, whole])
        left = amounts[which] - sum(y for place, y in counted.values() if place == which)
        try:
            done = receive(office, claims[which], yen, reference)
        except RefusedByRule:
            assert yen > left or (reference in counted and counted[reference] != (which, yen))
        else:
            assert done.repeated == (reference in counted)
            assert done.repeated or yen <= left
            counted[reference] = (which, yen)
        totals = office.balances()
        assert totals.get("返還", 0) == sum(y for _place, y in counted.values())
        assert totals["返還債権"] == whole - totals.get("返還", 0) >= 0
        assert (state_of(office, payment) == "F48") == (totals["返還債権"] == 0)


def test_what_came_back_is_paid_again_only_by_a_newer_verdict_and_not_after_the_end(office: Office) -> None:
    number, payment = pay(office)
    claimed = claim(office, number)
    receive(office, claimed, int(str(payment["amount_yen"])), "S-1")
    assert office.make(pay_date=date(2024, 9, 10), today=date(2024, 8, 21)) is None
    # 返ってきた後に判定が支給可なら（CHK34 を二人が解除したとき）、初めから払い直せる。
    with office.home.ward.begin() as connection:
        connection.execute(ward.planned_file.insert().values(
            id=50, programme="r6-2024", file_number="again", sha256="5" * 64, row_count=1,
            total_yen=payment["amount_yen"], judged_on=TODAY, rule_version="試験", judged_at=office.clock(),
        ))  # fmt: skip
        row = connection.execute(
            ward.verdict.select().where(ward.verdict.c.entitlement_id == payment["entitlement_id"])
        ).mappings().one()  # fmt: skip
        connection.execute(
            ward.verdict.insert().values(
                {**row, "planned_file_id": 50, "line_number": 1, "verdict": "支給可", "checks": ""}
            )
        )
    from benefit.services.transfer_lines import pending_verdicts

    with office.home.ward.begin() as connection:
        pending = [line["case_number"] for line in pending_verdicts(connection)]
    assert pending == [number]
    ended = endings.ask(office.home, number, "不支給", reason="試験", actor=MAKER, clock=office.clock)
    assert endings.approve(office.home, ended, actor=SECOND, clock=office.clock) == (number, 0)
    with office.home.ward.begin() as connection:
        assert pending_verdicts(connection) == []


def test_the_list_says_what_is_outstanding_and_how_late(office: Office) -> None:
    number, payment = pay(office)
    claimed = claim(office, number)
    receive(office, claimed, 1, "S-1")
    whole = int(str(payment["amount_yen"]))
    row = repayments_list.claims(office.home, today=date(2024, 9, 25)).row(0, named=True)
    assert (row["state"], row["outstanding_yen"], row["days_over"]) == ("R51", whole - 1, 5)
    assert row["slip"] == f"{claimed:010d}" + check_digit(f"{claimed:010d}")
    repayments.step(office.home, claimed, "分納", done_on=TODAY, note="月 1 万円", actor=MAKER, clock=office.clock)
    assert repayments_list.claims(office.home, today=TODAY)["state"].to_list() == ["R53"]
    receive(office, claimed, whole - 1, "S-2")
    row = repayments_list.claims(office.home, today=date(2024, 9, 25)).row(0, named=True)
    assert (row["state"], row["outstanding_yen"], row["days_over"]) == ("R52", 0, 0)
    shown = repayments_list.shown(repayments_list.claims(office.home, today=TODAY))
    assert shown["状態"].to_list() == ["返還済"]


def test_a_failure_that_comes_after_the_claim_goes_to_people(office: Office) -> None:
    """返還を請求した後に届いた不能で、支給済が負にならない。人が請求をどうするかを決める。"""
    sent = office.send()
    bank_reports.take(office.home, "results", answered(office, sent.id), clock=office.clock)
    payment = office.payments()[0]
    with office.home.ward.connect() as connection:
        query = sa.select(ward.entitlement.c.case_number).where(ward.entitlement.c.id == payment["entitlement_id"])
        number = connection.execute(query).scalar_one()
    claim(office, number, 1_000)
    before = office.balances()
    late = answered(office, sent.id, (Outcome.FAILED, "04"), created_on=date(2024, 8, 6))
    done = bank_reports.take(office.home, "results", late, clock=office.clock)
    assert done.unmatched == 1
    assert state_of(office, payment) == "F42"
    assert office.balances() == before


def test_words_and_dates(office: Office) -> None:
    number, _payment = pay(office)
    told = {"amount_yen": 1, "cause": "対象外", "due_on": DUE, "today": TODAY, "reason": "試験"}
    for wrong in ({"cause": "なんとなく"}, {"due_on": TODAY}, {"reason": " "}):
        with pytest.raises(WrongUse):
            repayments.ask(office.home, number, **{**told, **wrong}, actor=MAKER, clock=office.clock)
    claimed = claim(office, number)
    with pytest.raises(WrongUse, match="言葉"):
        repayments.step(office.home, claimed, "電話", done_on=TODAY, note="", actor=MAKER, clock=office.clock)
    with pytest.raises(WrongUse, match="1 円以上"):
        receive(office, claimed, 0, "S-1")
    with pytest.raises(WrongUse, match="収納の番号"):
        receive(office, claimed, 1, " ")
