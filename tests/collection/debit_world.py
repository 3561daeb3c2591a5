"""口座振替の試験の区: 約束、架空の銀行、調定、承認された依頼。銀行の役もする。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from benefit.domain.collection import Channel
from benefit.records import direct_debit, file_reader, file_writer
from benefit.rules.collection_notices import NOTICE
from benefit.services import (
    bank_master,
    collections,
    debit_accounts,
    debit_results,
    debit_terms_file,
    direct_debits,
    receivables,
)
from benefit.services.debit_accounts import Change
from benefit.services.debit_request_file import Request
from benefit.services.home import Home
from tests.collection.conftest import APPROVER, CLERK
from tests.conftest import StepClock

#: 納期限（2026-06-30 火曜）と引落日。
DUE, FIRST, SECOND, THIRD = date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30)
START = date(2026, 4, 1)


@dataclass
class DebitWorld:
    """口座振替をする区。"""

    home: Home
    clock: StepClock
    out: Path

    def owe(self, *debts: tuple[int, int]) -> None:
        """(人の番号, 額) の調定。調定の番号は 1 から、通知書番号は人の番号。"""
        rows = [("101", 2026, 3, f"{number}", f"{number:015d}", yen, 0, DUE) for number, yen in debts]
        receivables.register(
            self.home, pl.DataFrame(rows, schema=receivables.RECEIVABLE, orient="row"), reason="更正", clock=self.clock
        )

    def change(
        self, person: int, kind: str = "開始", on: date = START, *, account: str = "", approve: bool = True
    ) -> int:
        """依頼の異動。"""
        where = ("", "", "", "", "") if kind == "停止" else ("9999", "101", "1", account or f"9{person:06d}", "ｶｸｳ ﾀﾛｳ")
        number = debit_accounts.ask(
            self.home, debit_terms_file.load(self.home), Change(f"{person}", "101", kind, on, *where),
            reason="依頼書", actor=CLERK, clock=self.clock,
        )  # fmt: skip
        if approve:
            debit_accounts.approve(self.home, number, actor=APPROVER, clock=self.clock)
        return number

    def paid_elsewhere(self, person: int, yen: int, *, kind: str = "速報") -> None:
        """ほかの道（コンビニ）で納めた。"""
        at = self.clock()
        channel = Channel.E_MONEY.value
        row = (1, channel, kind, f"KEY:101-2026-03-{person}", at.date(), f"{at:%H%M%S}", "0012345", yen, FIRST)
        frame = pl.DataFrame([row], schema=NOTICE, orient="row")
        sha256 = f"{at:%Y%m%d%H%M%S}{person}".ljust(64, "0")
        collections.take(self.home, Channel.E_MONEY, frame, file_name="cvs", sha256=sha256, clock=self.clock)

    def make(self, on: date = FIRST) -> direct_debits.Made:
        return direct_debits.make(self.home, debit_on=on, reason="7 月分", actor=CLERK, clock=self.clock)

    def send(self, on: date = FIRST) -> Request:
        """作って、承認して、送り出す。"""
        made = self.make(on).request
        assert made is not None
        direct_debits.approve(self.home, made.id, actor=APPROVER, clock=self.clock)
        direct_debits.release(self.home, made.id, out=self.out, actor=CLERK, clock=self.clock)
        return made

    def rows(self, request: Request) -> pl.DataFrame:
        """銀行が読む請求。"""
        return file_reader.read((self.out / request.path.name).read_bytes(), direct_debit.REQUEST).require()

    def answer(self, request: Request, *codes: str, only: list[int] | None = None) -> bytes:
        """銀行の返す結果（請求の順のコード。足りない分は 0）。`only` は、返す行（0 から）。"""
        rows = self.rows(request).drop("record", "group")
        told = pl.Series([*codes, *["0"] * (rows.height - len(codes))])
        rows = rows.with_columns(result_code=told)
        if only is not None:
            rows = rows[only]
        header = debit_terms_file.header(debit_terms_file.load(self.home), f"{request.debit_on:%m%d}")
        columns = rows.select(direct_debit.RESULT.data.names)
        return file_writer.write(direct_debit.RESULT, [(header, columns)])

    def take(self, data: bytes, name: str = "kekka.dat") -> debit_results.Taken:
        return debit_results.take(self.home, data, file_name=name, clock=self.clock)


def ready(home: Home, clock: StepClock, out: Path) -> DebitWorld:
    """約束と架空の銀行を置いた区。"""
    debit_terms_file.put_example(home)
    bank_master.use_rehearsal(home, [("9999", "101"), ("9999", "102")])
    return DebitWorld(home, clock, out)
