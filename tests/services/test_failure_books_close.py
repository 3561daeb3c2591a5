"""どんな順に何が起きても、どの一件も 返った額 = 再振込 + 戻入 + 未処理、同じお金の生きた再振込は一つ（formats §3.5-4）。"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import date, timedelta

import pytest

from benefit.domain.business_days import bank_business_day_on_or_after
from benefit.domain.errors import BenefitError
from benefit.records.transfer_result_row import Outcome
from benefit.services import failure_matches, transfers
from tests.services.conftest import FIRST, MAKER, SECOND, Office, answered
from tests.services.failure_ward import Book, closes, stranger

SEED = int(os.environ.get("SEED", "4"))
STEPS = int(os.environ.get("FAILURE_STEPS", "30"))


class Clerks:
    """でたらめに仕事をする職員と銀行。断られた仕事は、何も変えない。"""

    def __init__(self, book: Book, chance: random.Random) -> None:
        self.book, self.chance = book, chance
        self.pay_date = date(2024, 8, 2)
        self.sent: list[int] = []
        self.answers: list[int] = []
        self.matches: list[int] = []

    def number(self) -> int:
        return self.chance.randint(1, max(1, self.book.rows().height))

    def notice(self) -> None:
        row = stranger(self.book.office, f"98765{self.chance.randint(0, 2):02d}", 10_000)
        self.book.take({**row, "holder_kana": f"ﾀﾞﾚｶ {self.book.turn}"})

    def answer(self) -> None:
        kind = self.chance.choice(["再振込", "再振込", "戻入", "保留"])
        told = {
            "再振込": {"account": self.book.new_account(f"98765{self.chance.randint(0, 2):02d}")},
            "保留": {"review_on": date(2025, 3, 3)},
            "戻入": {},
        }[kind]
        self.answers.append(self.book.answer(self.number(), kind, not_ours=self.chance.random() < 0.7, **told))

    def agree(self) -> None:
        if self.answers:
            self.book.agree(self.chance.choice(self.answers))

    def resend(self) -> None:
        self.pay_date = bank_business_day_on_or_after(self.pay_date + timedelta(days=1))
        made = self.book.resend(self.pay_date)
        if made is None:
            return
        if self.chance.random() < 0.2:
            transfers.cancel(self.book.office.home, made.id, reason="試験", actor=MAKER, clock=self.book.office.clock)
            return
        for approver in (FIRST, SECOND):
            self.book.office.approve(made.id, approver)
        self.book.office.release(made.id)
        self.sent.append(made.id)

    def result(self) -> None:
        if self.sent:
            number = self.sent.pop()
            word = self.chance.choice([Outcome.CREDITED, Outcome.FAILED])
            reason = "00" if word is Outcome.CREDITED else "04"
            self.book.results(answered(self.book.office, number, (word, reason), created_on=date(2024, 12, 2)))

    def match(self) -> None:
        lines = [row for row in failure_matches.unmatched(self.book.office.home) if row["candidates"]]
        if lines:
            line = self.chance.choice(lines)
            payment = self.chance.choice(line["candidates"])["id"]
            told = {"reason": "試験", "actor": MAKER, "clock": self.book.office.clock}
            place = (line["bank_report_id"], line["line_number"])
            self.matches.append(failure_matches.propose(self.book.office.home, *place, payment, **told))

    def agree_match(self) -> None:
        if self.matches:
            number = self.chance.choice(self.matches)
            failure_matches.approve(self.book.office.home, number, actor=FIRST, clock=self.book.office.clock)


@pytest.mark.parametrize("turn", range(2))
def test_the_books_close_after_every_step(office: Office, turn: int) -> None:
    seed = SEED * 100 + turn
    print(f"SEED={SEED} 種 {seed}")
    chance = random.Random(seed)  # 試験の乱数
    book = Book(office)
    clerks = Clerks(book, chance)
    clerks.notice()
    deeds = [clerks.notice, clerks.answer, clerks.answer, clerks.agree, clerks.agree, clerks.resend, clerks.resend]
    deeds += [clerks.result, clerks.result, clerks.match, clerks.agree_match]
    refused = 0
    for _ in range(STEPS):
        try:
            chance.choice(deeds)()
        except BenefitError:
            refused += 1
        assert closes(book)
        payments = office.payments()
        live = Counter(row["slot"] for row in payments if row["state"] in {"F40", "F41", "F42"})
        assert set(live.values()) <= {1}
        # 台帳も同じことを言う: 預かったお金は、どれも帳簿のどこかにある。
        balances, rows = office.balances(), book.rows()
        assert balances.get("振込不能", 0) >= 0
        taken = -balances.get("他課", 0)
        kept = sum(balances.get(name, 0) for name in ("振込不能", "未払", "振込中", "支給済", "戻入"))
        assert taken == kept
        credited = sum(row["amount_yen"] for row in payments if row["state"] == "F42")
        assert balances.get("支給済", 0) == credited
        # 一件が生む振込は、取り消しを除けば一つまで。
        made = Counter(row["failure_id"] for row in payments if row["state"] != "F49")
        assert set(made.values()) <= {1}
        assert rows.filter(rows["status"] == "再振込済")["resent_yen"].sum() == credited
