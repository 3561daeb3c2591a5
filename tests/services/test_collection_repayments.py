"""返還が収納の道で返ってくる: 請求が調定になり、納付書で払われ、返還済になる。"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.collection import Channel
from benefit.rules.collection_notices import NOTICE
from benefit.services import collection_repayments, collections, repayments
from tests.services.conftest import MAKER, Office
from tests.services.test_repayments import claim, pay, state_of


def paid_at_a_bank(office: Office, number: str, yen: int, name: str) -> collections.Collected:
    row = (1, "ペイジー", "確報", f"MPN:{number}", date(2024, 9, 10), "101500", "9999-101", yen, date(2024, 9, 12))
    return collections.take(
        office.home, Channel.PAYEASY, pl.DataFrame([row], schema=NOTICE, orient="row"),
        file_name=name, sha256=name.ljust(64, "0"), clock=office.clock,
    )  # fmt: skip


def test_a_claim_becomes_a_receivable_and_its_payment_a_repayment(office: Office) -> None:
    number, payment = pay(office)
    whole = int(str(payment["amount_yen"]))
    claimed = claim(office, number)
    first = collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    assert (first.opened, first.received) == (1, 0)
    done = paid_at_a_bank(office, repayments.slip_number(claimed), whole, "a")
    assert (done.rows_posted, done.rows_held) == (1, 0)
    joined = collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    assert (joined.opened, joined.received, joined.received_yen, joined.to_people) == (0, 1, whole, ())
    assert state_of(office, payment) == "F48"
    assert office.balances()["返還債権"] == 0
    # もう一度つないでも、同じ入金を二度は数えない。
    again = collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    assert (again.opened, again.received) == (0, 0)


def test_more_than_was_claimed_stays_an_overpayment_in_the_collections(office: Office) -> None:
    number, payment = pay(office)
    whole = int(str(payment["amount_yen"]))
    claimed = claim(office, number, 1_000)
    collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    done = paid_at_a_bank(office, repayments.slip_number(claimed), whole, "a")
    assert done.rows_held == 1
    joined = collection_repayments.join(office.home, actor=MAKER, clock=office.clock)
    assert (joined.received_yen, joined.to_people) == (1_000, ())
    assert state_of(office, payment) == "F42"
