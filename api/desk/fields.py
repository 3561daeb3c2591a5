"""画面の項目の読み方: 日付、番号の一覧。読めなければ、項目の名を言って断る。"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Form

from benefit.domain.errors import Place, RefusedInput

#: 貼られた番号の一覧（200 行まで）。
Numbers = Annotated[str, Form(max_length=6000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
MOST_LINES = 200


def day(text: str, name: str, *, latest: date | None = None, earliest: date | None = None) -> date:
    """YYYY-MM-DD の日付。"""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise RefusedInput("日付の形が違います", place=Place(field=name), allowed="YYYY-MM-DD", code="date") from None
    if latest is not None and found > latest:
        raise RefusedInput("先の日付です", place=Place(field=name), allowed=f"{latest} まで", code="date")
    if earliest is not None and found < earliest:
        raise RefusedInput("過ぎた日付です", place=Place(field=name), allowed=f"{earliest} から", code="date")
    return found


def day_or_none(text: str, name: str, *, latest: date | None = None) -> date | None:
    """空なら None。"""
    return day(text, name, latest=latest) if text.strip() else None


def lines_of(text: str) -> list[str]:
    """空でない行。多すぎれば断る（半分だけ入れない）。"""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MOST_LINES:
        raise RefusedInput(
            "番号の一覧の行の数が違います", found=f"{len(lines)} 行", allowed=f"1 から {MOST_LINES} 行", code="lines"
        )
    return lines
