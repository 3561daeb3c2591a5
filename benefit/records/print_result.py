"""印刷所の結果のファイル: 一行が、一枚のシートにした一つのこと（私たちの取り決め。委託仕様書に付ける）。

封入の符号の 24 桁の形と検は、様式では見ない。合わない番号は断るのでなく、名ざして束を止めるためである
（benefit.rules.print_result）。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.domain.print_result import POSTED, SHEET_DEEDS
from benefit.records import csv_layout
from benefit.records.csv_layout import CsvLayout, Rule
from benefit.records.fields import digits, text, wide
from benefit.records.zengin_text import ANY_JISX0201

CODE_DIGITS = 24
#: 読んだ行の列。
ROWS = {"record": pl.Int64, "code": pl.String, "deed": pl.String, "on": pl.Date, "envelope": pl.String}


def _posted() -> pl.Expr:
    return pl.col("deed") == POSTED


PRINT_RESULT = CsvLayout(
    id="print-result",
    title="印刷所の結果",
    fields=(
        text("code", "封入の符号", 40, ANY_JISX0201, blank_ok=False, note="紙の足の 24 桁の数字を、読み取ったまま"),
        wide(
            "deed", "区分", 6, blank_ok=False, note="、".join(f"{deed}: {says}" for deed, says in SHEET_DEEDS.items())
        ),
        digits("on", "日付", 8, form="date"),
        text("envelope", "封筒番号", 20, ANY_JISX0201, note="投函の行だけ。封入機の通し番号"),
    ),
    sources=("私たちの取り決め（渡した = 良 + 損、損 = 再作成 + 抜き取り、投函 = 良 + 再作成）",),
    read_on=date(2026, 11, 21),
    rules=(
        Rule("区分", "良、損、再作成、投函のどれか", lambda: pl.col("deed").is_in(list(SHEET_DEEDS))),
        Rule(
            "封筒番号",
            "投函の行には封筒番号があり、ほかの行にはない",
            lambda: _posted() == (pl.col("envelope") != ""),
        ),
    ),
    made=lambda: [pl.col("on").str.to_date("%Y%m%d")],
    own_convention=True,
    utf8_too=True,
)


def read(content: bytes, *, file: str = "") -> pl.DataFrame:
    """読んだ行（`ROWS` の列）。文字コードは CP932 か UTF-8。形の違う行が一つでもあれば、ファイルごと断る。"""
    rows = csv_layout.read(content, PRINT_RESULT, file=file).require()
    if rows.is_empty():
        raise RefusedInput("行が一つもありません", code="empty-file", place=Place(file))
    return rows.select(ROWS.keys()).cast(pl.Schema(ROWS))
