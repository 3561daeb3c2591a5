"""印刷所の結果の試験の部品: 台帳の組から、ロットのフォルダ（目録と sheets.csv）と、印刷所の結果を作る。"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from batch.letters_counts import checker, lot_folder
from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.print_result import GOOD, POSTED, REMADE, SPOILED
from benefit.services import mailing_lots, print_results
from benefit.services.home import Home
from benefit.services.mailing_lots import letters_in
from benefit.services.print_letters import KIND_NUMBERS
from benefit.services.print_results import SHEETS_FILE, Taken
from benefit.store.engine import reading
from letters.sheet_code import KEY, SheetCode

Rows = list[tuple[str, str, date, str]]
HEADING = "封入の符号,区分,日付,封筒番号"


def folder_of(home: Home, place: str, out: Path, *, layout: int = 123) -> Path:
    """`place` で刷る手紙の組の全部（額の頁を除く）を、一つのロットのフォルダに。一通は一枚。"""
    out.mkdir(parents=True)
    key = home.key(KEY)
    with reading(home.ward) as connection:
        lots = [
            one for one in mailing_lots.lots_of(connection).values() if one.place == place and one.kind in KIND_NUMBERS
        ]
        rows = letters_in(connection, lots).sort("case_number_written").iter_rows(named=True)
        codes = [
            SheetCode.of(
                key, row["case_number_written"], row["letter_branch"],
                int(KIND_NUMBERS[row["letter_kind"]]), 1, 1, layout,
            ).digits
            for row in rows
        ]  # fmt: skip
    (out / SHEETS_FILE).write_text("\n".join(["封入の符号", *codes, ""]), encoding="utf-8")
    (out / "manifest.json").write_text(json.dumps({"組": [{"sha256": one.sha256} for one in lots]}), encoding="utf-8")
    return out


def codes_of(home: Home, folder: Path) -> list[str]:
    return print_results.expected_codes([lot_folder(folder).sheets], right=checker(home))


def clean(codes: list[str], printed: date, posted: date) -> Rows:
    """まちがいのない結果。初めの一枚は損じて作り直した。"""
    rows: Rows = [(codes[0], SPOILED, printed, ""), (codes[0], REMADE, printed, "")]
    rows += [(code, GOOD, printed, "") for code in codes[1:]]
    return rows + [(code, POSTED, posted, f"E{at:05d}") for at, code in enumerate(codes)]


def written(rows: Rows, encoding: str = "cp932") -> bytes:
    """結果のファイル。"""
    lines = [f"{code},{deed},{on:%Y%m%d},{envelope}" for code, deed, on, envelope in rows]
    return "\r\n".join([HEADING, *lines, ""]).encode(encoding)


def take(home: Home, folder: Path, rows: Rows, file: Path, *, actor: Actor, clock: Clock, reason: str = "") -> Taken:
    file.write_bytes(written(rows))
    return print_results.take(
        home, [lot_folder(folder)], file, right=checker(home), reason=reason, actor=actor, clock=clock
    )
