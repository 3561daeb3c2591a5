"""いま使う金融機関の表。

ふだんは導入された配布物の表（日付つき）。作業場所に rehearsal-branches.csv があれば、そこは架空のデータの練習用で、
その表だけを使う（架空の銀行を、本物の表に混ぜない）。
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date

from benefit.records.bank_master import STALE_DAYS, BankMaster, BranchRow
from benefit.services.files import write_atomic
from benefit.services.home import Home

REHEARSAL = "rehearsal-branches.csv"
REHEARSAL_SOURCE = "練習用の架空の表"
_AS_OF = date(2024, 6, 3)


def in_use(home: Home) -> BankMaster:
    """この作業場所で使う表。"""
    path = home.path / REHEARSAL
    if not path.exists():
        return BankMaster.installed()
    rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
    return BankMaster.from_rows(_AS_OF, [BranchRow(*row) for row in rows], source=REHEARSAL_SOURCE)


def told(master: BankMaster, today: date) -> list[str]:
    """口座を見た表を、日付とともに言う。古ければ、古いことと、すること。"""
    lines = [f"口座は、{master.source} の金融機関・店舗の表（{master.as_of} 現在）で見ました。"]
    if master.source != REHEARSAL_SOURCE and master.age(today) > STALE_DAYS:
        lines.append(
            f"注意: 表が {master.age(today)} 日前のものです。"
            "統廃合された店舗の口座が通り、新しい店舗の口座が不可になります。"
            "zengin-code を新しい版に入れ替えて（requirements.lock）、judge --again で判定し直してください。"
        )
    return lines


def use_rehearsal(home: Home, branches: Iterable[tuple[str, str]]) -> None:
    """架空のデータに出てくる銀行と店舗で、練習用の表を作る。"""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for bank, branch in sorted(set(branches)):
        writer.writerow([bank, "カクウギンコウ", branch, "カクウシテン"])
    write_atomic(home.path / REHEARSAL, buffer.getvalue().encode())
