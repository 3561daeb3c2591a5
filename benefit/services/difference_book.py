"""判定の差を、表計算で見る形（xlsx）にする。式は一つもない。同じ差なら、同じバイト列になる。"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl
import xlsxwriter

from benefit.rules.difference import Difference

_YEN = "#,##0"
#: 差の行の列: 中の名前 → 見出し。
COLUMNS = {
    "subject_kind": "対象区分",
    "subject_number": "対象番号",
    "kind": "差",
    "moved_yen": "増減（円）",
    "benefit_before": "前の給付",
    "benefit_now": "今の給付",
    "verdict_before": "前の判定",
    "verdict_now": "今の判定",
    "reasons_before": "前の理由",
    "reasons_now": "今の理由",
    "amount_yen_before": "前の額（円）",
    "amount_yen_now": "今の額（円）",
    "payee_number_before": "前の受給者",
    "payee_number_now": "今の受給者",
    "route_before": "前の経路",
    "route_now": "今の経路",
}
BENEFITS = {
    "benefit": "給付種別",
    "before_rows": "前の件数",
    "now_rows": "今の件数",
    "entering_rows": "入る",
    "leaving_rows": "外れる",
    "before_yen": "前の額（円）",
    "now_yen": "今の額（円）",
    "entering_yen": "入る額（円）",
    "leaving_yen": "外れる額（円）",
}
_NUMBERS = ("subject_number", "payee_number_before", "payee_number_now")


def render(
    difference: Difference,
    *,
    title: str,
    names: dict[str, str],
    checks: Sequence[tuple[str, str, int, int]],
    made: datetime,
) -> bytes:
    """Excel のバイト列。`checks` は（区分、検査、前に外した数、今外した数）。`made` は作った時刻として残る。"""
    buffer = io.BytesIO()
    # 氏名や理由が = で始まっても、式にならない。数字に見える番号も、番号のまま。
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": title, "created": made.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bg_color": "#E8F1FE", "border": 1, "text_wrap": True, "valign": "top"})
    yen, bold = book.add_format({"num_format": _YEN}), book.add_format({"bold": True, "font_size": 14})

    def sheet(name: str, headings: list[str], rows: list[tuple[Any, ...]], *, above: str = "") -> None:
        page = book.add_worksheet(name)
        start = 0
        if above:
            page.write_string(0, 0, above, bold)
            start = 2
        page.write_row(start, 0, headings, head)
        for number, row in enumerate(rows, start + 1):
            for place, value in enumerate(row):
                if isinstance(value, int):
                    page.write_number(number, place, value, yen)
                else:
                    page.write_string(number, place, "" if value is None else str(value))
        for place, heading in enumerate(headings):
            longest = max(
                [len(heading), *(len(str(row[place])) for row in rows[:200] if row[place] is not None)], default=8
            )
            page.set_column(place, place, min(40, 4 + longest * (1 if heading in {"対象番号"} else 1.6)))
        page.freeze_panes(start + 1, 0)
        if rows:
            page.autofilter(start, 0, start + len(rows), len(headings) - 1)

    benefits = difference.benefits.with_columns(pl.col("benefit").replace_strict(names, default=pl.col("benefit")))
    sheet("まとめ", list(BENEFITS.values()), benefits.select(list(BENEFITS)).rows(), above=title)
    sheet("差の種類", ["差", "件数", "増減（円）"], difference.moves.rows())
    told = [(*row, "誰も外していません" if row[3] == 0 else "") for row in checks]
    sheet("検査", ["区分", "検査", "前に外した数", "今外した数", "注意"], told)
    padded = difference.rows.with_columns(
        [pl.col(name).cast(pl.String).str.zfill(10).alias(name) for name in _NUMBERS]
    ).select(list(COLUMNS))
    for kind in difference.moves["kind"].to_list():
        rows = padded.filter(pl.col("kind") == kind)
        if rows.height:
            # 一枚の上限（1,048,576 行）を超える差は、承認する前に分けて見るものではない。件数はまとめにある。
            sheet(kind, list(COLUMNS.values()), rows.head(1_000_000).rows())
    book.close()
    return buffer.getvalue()
