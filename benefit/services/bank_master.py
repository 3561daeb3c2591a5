"""いま使う金融機関の表。

ふだんは導入された配布物の表（日付つき）。作業場所に rehearsal-branches.csv があれば、そこは架空のデータの練習用で、
その表だけを使う（架空の銀行を、本物の表に混ぜない）。
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date

from benefit.records.bank_master import BankMaster, BranchRow
from benefit.services.files import write_atomic
from benefit.services.home import Home

REHEARSAL = "rehearsal-branches.csv"
_AS_OF = date(2024, 6, 3)


def in_use(home: Home) -> BankMaster:
    """この作業場所で使う表。"""
    path = home.path / REHEARSAL
    if not path.exists():
        return BankMaster.installed()
    rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    return BankMaster.from_rows(_AS_OF, [BranchRow(*row) for row in rows], source="練習用の架空の表")


def use_rehearsal(home: Home, branches: Iterable[tuple[str, str]]) -> None:
    """架空のデータに出てくる銀行と店舗で、練習用の表を作る。"""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for bank, branch in sorted(set(branches)):
        writer.writerow([bank, "カクウギンコウ", branch, "カクウシテン"])
    write_atomic(home.path / REHEARSAL, buffer.getvalue().encode())
