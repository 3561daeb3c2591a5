"""画面の項目の読み方: 日付、番号の一覧。読めなければ、項目の名を言って断る。"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import Form

from benefit.domain.errors import Place, RefusedInput

#: 貼られた番号の一覧（200 行まで）。
Numbers = Annotated[str, Form(max_length=6000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
MOST_LINES = 200
#: これより前の日は、年の打ち間違い。0024-06-20 をそのまま入れると、和暦で言えず、件の画面まで開かなくなる。
_OLDEST = timedelta(days=3 * 365)


def day(text: str, name: str, *, latest: date) -> date:
    """YYYY-MM-DD の日付。`latest` まで。"""
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise RefusedInput("日付の形が違います", place=Place(field=name), allowed="YYYY-MM-DD", code="date") from None
    return past(found, name, latest=latest)


def past(found: date, name: str, *, latest: date) -> date:
    """済んだことの日付: 先の日でも、何年も前の日でもない。"""
    if found > latest:
        raise RefusedInput("先の日付です", place=Place(field=name), allowed=f"{latest} まで", code="date")
    if found < latest - _OLDEST:
        allowed = f"{latest - _OLDEST} から"
        raise RefusedInput(
            "古すぎる日付です。年を確かめてください", place=Place(field=name), allowed=allowed, code="date"
        )
    return found


def day_or_none(text: str, name: str, *, latest: date) -> date | None:
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
