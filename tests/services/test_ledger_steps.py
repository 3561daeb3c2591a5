"""台帳のどの順の仕事でも: 仕訳は釣り合い、どの権利の残りも負にならず、支払の状態と一円も違わない。

作る・承認・送り出し・取消・結果・組戻し・終わり・返還の請求と入金・判定し直しを、でたらめな順に行う。断られてもよいが、
台帳が壊れてはならない。種は印字し、環境変数 SEED と LEDGER_STEPS で、同じ列・長い列を回せる。
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.domain.transfer import LIVE_STATES, POSTINGS
from benefit.records.transfer_result_row import Outcome
from benefit.services import bank_reports, endings, recalls, repayments, transfers
from benefit.services.undo_facts import positions
from benefit.store import ward
from tests.services.conftest import FIRST, JUDGED, MAKER, PROGRAMME, SECOND, Office, answered

STEPS = int(os.environ.get("LEDGER_STEPS", "45"))
OUTCOMES = (
    Outcome.CREDITED,
    Outcome.CREDITED,
    Outcome.FAILED,
    Outcome.INQUIRING,
    Outcome.RECALLED,
    Outcome.RECALL_FAILED,
)
#: 残りが負になってはならない勘定。
NEVER_NEGATIVE = ("未払", "振込中", "振込不能", "支給済", "返還債権", "戻入", "返還")


class Clerks:
    """でたらめに仕事をする職員たち。"""

    def __init__(self, office: Office, dice: random.Random) -> None:
        self.office, self.dice, self.files, self.day = office, dice, 100, date(2024, 8, 5)
        self.done: Counter[str] = Counter()
        with office.home.ward.connect() as connection:
            table = ward.entitlement
            rows = connection.execute(
                sa.select(table.c.id, table.c.case_number)
                .join(ward.verdict, ward.verdict.c.entitlement_id == table.c.id)
                .where(ward.verdict.c.verdict == "支給可")
            ).all()
        self.cases = {row.id: row.case_number for row in rows}

    def rows(self, table: sa.Table, *where: Any) -> list[dict[str, Any]]:
        with self.office.home.ward.connect() as connection:
            return [dict(row) for row in connection.execute(table.select().where(*where)).mappings()]

    def released(self) -> list[int]:
        return [row["transfer_id"] for row in self.rows(ward.transfer_release)]

    def verdict(self) -> None:
        """もう一度、支給可と判定されたことにする（新しい支給予定情報の番号で）。"""
        self.files += 1
        chosen = self.dice.sample(sorted(self.cases), k=self.dice.randint(1, len(self.cases)))
        with self.office.home.ward.begin() as connection:
            old = connection.execute(ward.verdict.select().where(ward.verdict.c.verdict == "支給可")).mappings().all()
            first = {row["entitlement_id"]: row for row in reversed(old)}
            connection.execute(ward.planned_file.insert().values(
                id=self.files, programme=PROGRAMME.id, file_number=f"x{self.files}", sha256=f"{self.files:064d}",
                row_count=len(chosen), total_yen=1, judged_on=JUDGED, rule_version="試験", judged_at=self.office.clock(),
            ))  # fmt: skip
            connection.execute(
                ward.verdict.insert(),
                [
                    {**first[one], "planned_file_id": self.files, "line_number": place}
                    for place, one in enumerate(chosen, 1)
                ],
            )

    def make(self) -> None:
        self.office.make()

    def release(self) -> None:
        for number in {row["id"] for row in self.rows(ward.transfer)} - set(self.released()):
            for actor in (FIRST, SECOND):
                self.office.approve(number, actor)
            self.office.release(number)

    def cancel(self) -> None:
        numbers = [row["id"] for row in self.rows(ward.transfer)]
        if numbers:
            transfers.cancel(
                self.office.home, self.dice.choice(numbers), reason="試験", actor=MAKER, clock=self.office.clock
            )

    def results(self) -> None:
        if not self.released():
            return
        number = self.dice.choice(self.released())
        self.day += timedelta(days=1)
        count = len(self.rows(ward.transfer_line, ward.transfer_line.c.transfer_id == number))
        told = [(outcome, "00" if outcome in {Outcome.CREDITED, Outcome.RECALL_FAILED} else "04")
                for outcome in self.dice.choices(OUTCOMES, k=count)]  # fmt: skip
        path = answered(self.office, number, *told, created_on=self.day)
        bank_reports.take(self.office.home, "results", path, clock=self.office.clock)

    def recall(self) -> None:
        if not self.released():
            return
        asked = recalls.ask(
            self.office.home, self.dice.choice(self.released()), case_numbers=None, reason="試験", actor=MAKER,
            clock=self.office.clock,
        )  # fmt: skip
        recalls.approve(self.office.home, asked.id, out=self.office.root / "r", actor=FIRST, clock=self.office.clock)

    def end(self) -> None:
        number = self.dice.choice(sorted(self.cases.values()))
        asked = endings.ask(self.office.home, number, "不支給", reason="試験", actor=MAKER, clock=self.office.clock)
        endings.approve(self.office.home, asked, actor=FIRST, clock=self.office.clock)

    def claim(self) -> None:
        paid = self.rows(ward.payment, ward.payment.c.state == "F42")
        if not paid:
            return
        payment = self.dice.choice(paid)
        asked = repayments.ask(
            self.office.home, self.cases[payment["entitlement_id"]], cause="過払", due_on=date(2024, 12, 27),
            amount_yen=self.dice.choice([None, None, 1, 4_999, payment["amount_yen"]]), today=JUDGED, reason="試験",
            actor=MAKER, clock=self.office.clock,
        )  # fmt: skip
        repayments.approve(self.office.home, asked, actor=SECOND, clock=self.office.clock)

    def receive(self) -> None:
        claims = self.rows(ward.repayment)
        if not claims:
            return
        claim = self.dice.choice(claims)
        repayments.receive(
            self.office.home, claim["id"], amount_yen=self.dice.choice([claim["amount_yen"], claim["amount_yen"], 1]),
            received_on=JUDGED, reference=f"S-{self.dice.randrange(40)}", actor=MAKER, clock=self.office.clock,
        )  # fmt: skip

    def step(self) -> str:
        names = ("verdict", "make", "release", "release", "cancel", "results", "results", "recall", "end")
        name = self.dice.choice([*names, "claim", "claim", "receive", "receive"])
        try:
            getattr(self, name)()
            self.done[name] += 1
        except RefusedByRule:
            self.done[f"{name} を断る"] += 1
        return name


def check(office: Office) -> None:
    """いまの台帳が守っていること。"""
    with office.home.ward.connect() as connection:
        postings = connection.execute(ward.posting.select()).mappings().all()
        payments = connection.execute(ward.payment.select()).mappings().all()
        rights = {row["entitlement_id"] for row in payments}
        # 支払の状態から求めた残りと、仕訳の残りが、権利ごとに一円も違わない（違えば positions が断る）。
        positions(connection, PROGRAMME, sorted(rights))
        back = dict(connection.execute(
            sa.select(ward.repayment.c.payment_id, sa.func.sum(ward.repayment_receipt.c.amount_yen))
            .join(ward.repayment, ward.repayment.c.id == ward.repayment_receipt.c.repayment_id)
            .group_by(ward.repayment.c.payment_id)
        ).all())  # fmt: skip
    held: dict[int, Counter[str]] = defaultdict(Counter)
    for row in postings:
        assert (row["debit"], row["credit"]) == POSTINGS[row["kind"]]
        held[row["entitlement_id"]][row["debit"]] += row["amount_yen"]
        held[row["entitlement_id"]][row["credit"]] -= row["amount_yen"]
    for accounts in held.values():
        assert sum(accounts.values()) == 0
        assert all(accounts[name] >= 0 for name in NEVER_NEGATIVE), accounts
        # 予算から出たお金 = 途中 + 支給済 + 戻入 + 返ってくる・返ってきた返還。
        assert -accounts["予算"] == sum(accounts[name] for name in NEVER_NEGATIVE)
    live = Counter(row["slot"] for row in payments if row["state"] in LIVE_STATES)
    assert all(count == 1 for count in live.values())
    for row in payments:
        assert back.get(row["id"], 0) <= row["amount_yen"]
        assert (row["state"] == "F48") == (back.get(row["id"], 0) == row["amount_yen"])


@pytest.mark.parametrize("part", ["first", "second"])
def test_no_order_of_deeds_breaks_the_ledger(office: Office, part: str) -> None:
    seed = int(os.environ.get("SEED", random.randrange(10**9)))
    print(f"SEED={seed} part={part} LEDGER_STEPS={STEPS}")
    office.judge()
    clerks = Clerks(office, random.Random(f"{seed}{part}"))
    clerks.make()
    clerks.release()
    for _turn in range(STEPS):
        name = clerks.step()
        try:
            check(office)
        except (AssertionError, BenefitError):
            print(f"{name} の後に壊れた: {dict(clerks.done)}")
            raise
    print(dict(clerks.done))
