"""判定の差を、一枚の図（SVG）にする。給付ごとの前と今の額を横棒で並べる。外の部品も文字の組込みも要らない。"""

from __future__ import annotations

from xml.sax.saxutils import escape

from benefit.rules.difference import Difference

_WIDTH, _LEFT, _BAR, _GAP, _TOP = 960, 250, 18, 26, 84
_BEFORE, _NOW = "#4D4D4D", "#0017C1"


def render(difference: Difference, *, title: str, names: dict[str, str]) -> str:
    """SVG の文字列。棒は 0 から始まり、色のほかに模様と数字でも読める。"""
    rows = difference.benefits.rows(named=True)
    most = max([1, *(max(row["before_yen"], row["now_yen"]) for row in rows)])
    room = _WIDTH - _LEFT - 190
    height = _TOP + max(1, len(rows)) * (2 * _BAR + _GAP) + 20
    told = "、".join(
        f"{names.get(row['benefit'], row['benefit'])} 前 {row['before_yen']:,} 円 今 {row['now_yen']:,} 円"
        for row in rows
    )
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
            f'aria-labelledby="title desc" font-family="sans-serif" font-size="15">'
        ),
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(told or "対象はありません")}</desc>',
        (
            '<defs><pattern id="before" width="6" height="6" patternUnits="userSpaceOnUse">'
            f'<rect width="6" height="6" fill="#E6E6E6"/><path d="M0 6L6 0" stroke="{_BEFORE}"/></pattern></defs>'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#FFFFFF"/>',
        f'<text x="16" y="30" font-size="19" font-weight="bold">{escape(title)}</text>',
        (
            f'<rect x="16" y="46" width="14" height="14" fill="url(#before)" stroke="{_BEFORE}"/>'
            '<text x="36" y="58">前に承認した判定</text>'
        ),
        f'<rect x="176" y="46" width="14" height="14" fill="{_NOW}"/><text x="196" y="58">今回の判定</text>',
    ]
    for place, row in enumerate(rows):
        top = _TOP + place * (2 * _BAR + _GAP)
        name = names.get(row["benefit"], row["benefit"])
        parts.append(f'<text x="{_LEFT - 12}" y="{top + _BAR + 5}" text-anchor="end">{escape(name)}</text>')
        for order, (yen, count, fill) in enumerate(
            (
                (row["before_yen"], row["before_rows"], f'fill="url(#before)" stroke="{_BEFORE}"'),
                (row["now_yen"], row["now_rows"], f'fill="{_NOW}"'),
            )
        ):
            length, y = round(yen / most * room), top + order * _BAR
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{length}" height="{_BAR - 2}" {fill}/>')
            parts.append(
                f'<text x="{_LEFT + length + 8}" y="{y + 14}" font-size="13">{yen:,} 円（{count:,} 件）</text>'
            )
    if not rows:
        parts.append(f'<text x="16" y="{_TOP + 16}">対象はありません</text>')
    parts.append(f'<line x1="{_LEFT}" y1="{_TOP - 8}" x2="{_LEFT}" y2="{height - 16}" stroke="#1A1A1A"/></svg>')
    return "\n".join(parts) + "\n"
