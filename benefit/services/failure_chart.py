"""まだ終わっていない不能を、届いてからの日数で分けた一枚の図（SVG）。外の部品も文字の組込みも要らない。"""

from __future__ import annotations

from xml.sax.saxutils import escape

import polars as pl

#: 日数の区切り: 名と、その中で一番長い日数。
AGES = (("7 日まで", 7), ("14 日まで", 14), ("30 日まで", 30), ("60 日まで", 60), ("61 日以上", 10**6))
_WIDTH, _LEFT, _BAR, _GAP, _TOP = 960, 140, 26, 18, 84
_OTHER, _OWN, _LATE = "#0017C1", "#4D4D4D", "#B00000"


def by_age(book: pl.DataFrame) -> pl.DataFrame:
    """終わっていない不能の、日数ごとの件数と額: 日数、件数、額、期限を過ぎた件数。区切りは、なくても並ぶ。"""
    still = book.filter(pl.col("open_yen") > 0)
    rows, longer_than = [], -1
    for name, longest in AGES:
        part = still.filter(pl.col("days_open").is_between(longer_than + 1, longest))
        rows.append((name, part.height, int(part["open_yen"].sum()), int(part["overdue"].sum())))
        longer_than = longest
    schema = {"日数": pl.String, "件数": pl.Int64, "額（円）": pl.Int64, "期限を過ぎた件数": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def render(book: pl.DataFrame, *, title: str) -> str:
    """SVG の文字列。棒は 0 から始まり、色のほかに模様と数字でも読める。"""
    rows = by_age(book).rows()
    most = max(1, *(count for _, count, _, _ in rows))
    room, height = _WIDTH - _LEFT - 260, _TOP + len(rows) * (_BAR + _GAP) + 20
    told = "、".join(
        f"{name} {count:,} 件 {yen:,} 円（期限を過ぎた {late:,} 件）" for name, count, yen, late in rows if count
    )
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
            f'aria-labelledby="title desc" font-family="sans-serif" font-size="15">'
        ),
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(told or "終わっていない不能はありません")}</desc>',
        (
            '<defs><pattern id="late" width="6" height="6" patternUnits="userSpaceOnUse">'
            f'<rect width="6" height="6" fill="#FFFFFF"/><path d="M0 6L6 0" stroke="{_LATE}" stroke-width="2"/>'
            "</pattern></defs>"
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#FFFFFF"/>',
        f'<text x="16" y="30" font-size="19" font-weight="bold">{escape(title)}</text>',
        (
            f'<rect x="16" y="46" width="14" height="14" fill="{_OTHER}"/><text x="36" y="58">期限の内</text>'
            f'<rect x="136" y="46" width="14" height="14" fill="url(#late)" stroke="{_LATE}"/>'
            '<text x="156" y="58">回答期限・見直す日を過ぎた</text>'
        ),
    ]
    for place, (name, count, yen, late) in enumerate(rows):
        top = _TOP + place * (_BAR + _GAP)
        parts.append(
            f'<text x="{_LEFT - 12}" y="{top + _BAR - 8}" text-anchor="end" fill="{_OWN}">{escape(name)}</text>'
        )
        fresh, past = round((count - late) / most * room), round(late / most * room)
        parts.append(f'<rect x="{_LEFT}" y="{top}" width="{fresh}" height="{_BAR}" fill="{_OTHER}"/>')
        if past:
            parts.append(
                f'<rect x="{_LEFT + fresh}" y="{top}" width="{past}" height="{_BAR}" '
                f'fill="url(#late)" stroke="{_LATE}"/>'
            )
        parts.append(
            f'<text x="{_LEFT + fresh + past + 10}" y="{top + _BAR - 8}" font-size="13">{count:,} 件 {yen:,} 円</text>'
        )
    parts.append(f'<line x1="{_LEFT}" y1="{_TOP - 8}" x2="{_LEFT}" y2="{height - 16}" stroke="#1A1A1A"/></svg>')
    return "\n".join(parts) + "\n"
