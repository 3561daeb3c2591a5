"""振込不能の試験の部品: ほかの課の不能が届いた仕事場と、その回答・再振込。"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit.records.transfer_result_row import Account
from benefit.services import bank_reports, failure_answers, failures, transfers
from benefit.services.failure_answers import Answer
from tests.services.conftest import FIRST, MAKER, PROGRAMME, SECOND, Office, noticed

TODAY, DUE, PAY_AGAIN = date(2024, 8, 6), date(2024, 8, 30), date(2024, 8, 13)
SECTION = "子育て支援課"


@dataclass
class Book:
    """帳簿と、それを動かす人たち。"""

    office: Office
    turn: int = 0

    def take(self, *rows: dict[str, Any], **told: Any) -> bank_reports.Taken:
        """銀行の知らせ（六項目の CSV）。"""
        self.turn += 1
        path = noticed(self.office, *rows, name=f"notice-{self.turn}")
        return bank_reports.take(self.office.home, "failures", path, clock=self.office.clock, **told)

    def results(self, path: Path) -> bank_reports.Taken:
        return bank_reports.take(self.office.home, "results", path, clock=self.office.clock)

    def rows(self, today: date = TODAY) -> pl.DataFrame:
        return failures.register(self.office.home, today)

    def statuses(self, today: date = TODAY) -> list[str]:
        return self.rows(today)["status"].to_list()

    def ask(self, *numbers: int, due_on: date = DUE) -> int:
        return failure_answers.ask(
            self.office.home, numbers, section=SECTION, due_on=due_on, actor=MAKER, clock=self.office.clock
        )

    def answer(self, number: int, kind: str, **told: Any) -> int:
        given = Answer(number, kind, told.pop("reason", "担当課の回答"), **told)
        return failure_answers.answer(
            self.office.home, [given], bank_master=self.office.banks, actor=MAKER, clock=self.office.clock
        )[0]

    def agree(self, number: int) -> tuple[int, str]:
        return failure_answers.approve(self.office.home, number, actor=FIRST, clock=self.office.clock)

    def resend(self, pay_date: date = PAY_AGAIN) -> transfers.Transfer | None:
        return transfers.make_resend(
            self.office.home,
            PROGRAMME,
            pay_date=pay_date,
            today=self.office.clock.now.date(),
            bank_master=self.office.banks,
            actor=MAKER,
            clock=self.office.clock,
        )

    def send(self, pay_date: date = PAY_AGAIN) -> transfers.Transfer:
        """再振込を作り、二人が承認し、送り出す。"""
        made = self.resend(pay_date)
        assert made is not None
        self.office.approve(made.id, FIRST)
        self.office.approve(made.id, SECOND)
        return self.office.release(made.id)

    def new_account(self, number: str = "9111111", kana: str = "ホカノ カ") -> Account:
        bank_code, branch_code = next(iter(self.office.banks.branches()))
        return Account(bank_code, branch_code, "1", number, kana)


def stranger(office: Office, number: str = "9876543", amount_yen: int = 12_345) -> dict[str, Any]:
    """ほかの課の支払の一件（私たちの台帳にない口座）。"""
    bank_code, branch_code = next(iter(office.banks.branches()))
    return {
        "bank_code": bank_code,
        "branch_code": branch_code,
        "account_type": "1",
        "account_number": number,
        "holder_kana": "ﾎｶﾉ ｶ",
        "amount_yen": amount_yen,
    }


def lone(office: Office) -> dict[str, Any]:
    """口座と金額が同じ支払がほかにない、送った支払の一つ（同じ世帯の二人の児童の支払は、口座も額も同じになる）。"""
    names = ("bank_code", "branch_code", "account_type", "account_number", "amount_yen")
    rows = [row for row in office.payments() if row["entitlement_id"] is not None]
    seen = Counter(tuple(row[name] for name in names) for row in rows)
    return next(row for row in rows if seen[tuple(row[name] for name in names)] == 1)


def place(office: Office, payment: dict[str, Any]) -> int:
    """その支払の、ファイルの中の位置（0 から）。"""
    return [row["id"] for row in office.payments()].index(payment["id"])


def closes(book: Book) -> bool:
    """どの一件も、返った額 = 再振込 + 戻入 + 未処理。"""
    rows = book.rows()
    parts = rows["resent_yen"] + rows["reversed_yen"] + rows["open_yen"]
    return bool((parts == rows["returned_yen"]).all())
