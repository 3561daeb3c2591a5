"""職員が見る表（xlsx）。式は一つもなく、番号は文字のまま、同じ中身なら同じバイト列になる。"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl
import xlsxwriter

#: 一枚の表に入る行（見出しの分を残す）。
MOST_ROWS = 1_000_000


def render(sheets: Mapping[str, pl.DataFrame], *, made: datetime, title: str = "", notes: Sequence[str] = ()) -> bytes:
    """名前 → 表。数は数、ほかは文字。`made` は作った時刻、`title` と `notes` は一枚目の上に載る。"""
    buffer = io.BytesIO()
    # 氏名や理由が = で始まっても、式にならない。数字に見える番号も、番号のまま。
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"title": title, "created": made.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bg_color": "#E8F1FE", "border": 1, "text_wrap": True, "valign": "top"})
    number, large = book.add_format({"num_format": "#,##0"}), book.add_format({"bold": True, "font_size": 14})
    for place, (name, frame) in enumerate(sheets.items()):
        page = book.add_worksheet(name)
        start = 0
        if place == 0 and title:
            page.write_string(0, 0, title, large)
            for row, note in enumerate(notes, 1):
                page.write_string(row, 0, note)
            start = 2 + len(notes)
        page.write_row(start, 0, frame.columns, head)
        shown = frame.head(MOST_ROWS)
        for row, values in enumerate(shown.iter_rows(), start + 1):
            for column, value in enumerate(values):
                if isinstance(value, int):
                    page.write_number(row, column, value, number)
                elif value is not None:
                    page.write_string(row, column, str(value))
        for column, heading in enumerate(frame.columns):
            longest = max([len(heading) * 2, *(_width(value) for value in shown[:, column].head(200).to_list())])
            page.set_column(column, column, min(60, longest + 2))
        page.freeze_panes(start + 1, 0)
        if shown.height:
            page.autofilter(start, 0, start + shown.height, frame.width - 1)
    book.close()
    return buffer.getvalue()


def _width(value: object) -> int:
    """半角で数えた長さ。"""
    text = f"{value:,}" if isinstance(value, int) else str(value or "")
    return sum(1 if ord(character) < 0x100 else 2 for character in text)
