"""受渡管理簿の紙（A4 横、PDF/A-2u）: 一件一行の管理簿と、歩みごとの確認記録票。"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from benefit.domain.clock import TOKYO
from benefit.domain.wareki import wareki
from benefit.services.handover_book import Item
from benefit.services.handover_book_sheet import TITLE, book, steps
from letters.fonts import FAMILY
from letters.glyphs import clusters, missing
from letters.render import compile_pages

KIND = "handover_book"


def render(found: Sequence[Item], *, made: datetime) -> bytes:
    """管理簿の PDF。同じ中身と時刻からは、同じバイト列ができる。"""
    at = made.astimezone(TOKYO)
    data: dict[str, Any] = {
        "title": TITLE,
        "font": FAMILY,
        "date": [at.year, at.month, at.day],
        "at": f"{wareki(at.date())} {at:%H:%M} 現在",
        "count": f"{len(found):,} 件",
        "late": [f"{each.label} {each.waiting}が {each.days_late} 日遅れ" for each in found if each.days_late],
        "book": _texts(book(found)),
        "steps": _texts(steps(found)),
    }
    return compile_pages(KIND, data)


def _texts(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """見出しと、字にした行。"""
    return {"heads": frame.columns, "rows": [[_text(value) for value in row] for row in frame.iter_rows()]}


def _text(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value or "")
    # 職員の書いた名や理由に、書体にない字があれば、黙って抜かずに符号位置で書く。
    return text if not missing(text) else "".join(_shown(one) for one in clusters(text))


def _shown(cluster: str) -> str:
    return f"〔{missing(cluster)[0]}〕" if missing(cluster) else cluster
