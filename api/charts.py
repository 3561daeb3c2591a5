"""図（SVG）: 横棒、積み棒、折れ線。色のほかに模様・印・直接の名で読め、棒は 0 から始まり、下に同じ数の表が付く。

外の部品も、文字の組込みも、style 属性も使わない（CSP で止まるため）。図の番号（`key`）は一枚の画面の中で一つだけ使う。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from markupsafe import Markup, escape

#: 五つまで。これより多い系列は、図では読めない（ecosystem 35）。
COLOURS = ("#0017C1", "#C74700", "#197A4B", "#8B008B", "#4D4D4D")
_PALE = ("#0017C1", "#FCE8DC", "#E6F5EC", "#F7E6F7", "#EDEDED")
_DASHES = ("", "8 4", "2 4", "12 4 2 4", "4 2")
_HATCHES = ("", "M0 8L8 0M-2 2L2-2M6 10L10 6", "M0 4H8", "M4 0V8", "M0 0L8 8M0 8L8 0")
_WIDTH, _RIGHT, _INK = 760, 110, "#1A1A1A"
_BAR, _GAP = 22, 18


@dataclass(frozen=True)
class Series:
    """一つの系列: 名と、`labels` と同じ数の値。"""

    name: str
    values: Sequence[int]


@dataclass(frozen=True)
class Chart:
    """一枚の図と、その表。`rows` は（見出し、値の並び）。templates/shared/chart.html の figure に渡す。"""

    key: str
    title: str
    head: str
    unit: str
    labels: Sequence[str]
    series: Sequence[Series]
    svg: Markup

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """表の行。"""
        return [(label, [one.values[place] for one in self.series]) for place, label in enumerate(self.labels)]

    @property
    def long(self) -> bool:
        """表が長いか（長ければ、開くまで畳んでおく）。"""
        return len(self.labels) > 8


def bars(key: str, title: str, labels: Sequence[str], series: Sequence[Series], *, unit: str, head: str) -> Chart:
    """横棒。一つの見出しに、系列の数だけ棒が並ぶ。`head` は見出しの列の名。"""
    _check(labels, series)
    most = max([1, *(value for one in series for value in one.values)])
    left = _margin(labels)
    room, top = _WIDTH - left - _RIGHT, 34 if len(series) > 1 else 8
    tall = len(series) * _BAR + _GAP
    parts = _legend(key, series) if len(series) > 1 else []
    for place, label in enumerate(labels):
        start = top + place * tall
        parts.append(_text(left - 10, start + _BAR * len(series) / 2 + 5, label, anchor="end"))
        for order, one in enumerate(series):
            value, y = one.values[place], start + order * _BAR
            length = round(value / most * room)
            parts.append(_rect(key, order, left, y, length, _BAR - 4))
            parts.append(_text(left + length + 8, y + _BAR / 2 + 3, f"{value:,}{unit}"))
    if not labels:
        parts.append(_text(left + 16, top + _BAR, "まだありません"))
    height = top + max(1, len(labels)) * tall
    parts.append(_axis(left, top - 4, left, height - _GAP + 4))
    return _chart(key, title, head, unit, labels, series, parts, height)


def stacked(key: str, title: str, labels: Sequence[str], series: Sequence[Series], *, unit: str, head: str) -> Chart:
    """積み棒。一つの見出しに一本で、系列が順に積まれる（段階の内訳）。"""
    _check(labels, series)
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    left = _margin(labels)
    most, room, top = max([1, *totals]), _WIDTH - left - _RIGHT, 34
    parts = _legend(key, series)
    for place, label in enumerate(labels):
        y = top + place * (_BAR + 10 + _GAP)
        parts.append(_text(left - 10, y + 21, label, anchor="end"))
        ends = [round(done / most * room) for done in accumulate(one.values[place] for one in series)]
        for order, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if end > begin:
                parts.append(_rect(key, order, left + begin, y, end - begin, _BAR + 8))
        parts.append(_text(left + ends[-1] + 8, y + 21, f"{totals[place]:,}{unit}"))
    if not labels:
        parts.append(_text(left + 16, top + _BAR, "まだありません"))
    height = top + max(1, len(labels)) * (_BAR + 10 + _GAP)
    parts.append(_axis(left, top - 4, left, height - _GAP + 4))
    return _chart(key, title, head, unit, labels, series, parts, height)


def line(key: str, title: str, days: Sequence[date], series: Sequence[Series], *, unit: str, head: str) -> Chart:
    """日ごとの折れ線。横の間は日数のとおり。名は線の終わりに直接書く。"""
    labels = [day.isoformat() for day in days]
    _check(labels, series)
    high, step = _ticks(max([1, *(value for one in series for value in one.values)]))
    left, top, bottom, height = 76, 16, 236, 270
    room = _WIDTH - left - _RIGHT
    span = max(1, (days[-1] - days[0]).days) if days else 1
    across = [left + round((day - days[0]).days / span * room) for day in days]
    parts = []
    for tick in range(0, high + 1, step):
        y = bottom - round(tick / high * (bottom - top))
        parts.append(f'<line x1="{left}" y1="{y}" x2="{left + room}" y2="{y}" stroke="#D8D8D8"/>')
        parts.append(_text(left - 8, y + 5, f"{tick:,}", anchor="end"))
    parts += [_axis(left, top, left, bottom), _axis(left, bottom, left + room, bottom)]
    # 年をまたぐ図では、同じ月日が二度出るので、年も書く。
    many = bool(days) and days[0].year != days[-1].year
    for place in _marks(across, 130 if many else 84):
        day = f"{days[place].year}/" * many + f"{days[place].month}/{days[place].day}"
        parts.append(_text(across[place], bottom + 22, day, anchor="middle"))
    ends: list[tuple[int, int]] = []
    for order, one in enumerate(series):
        points = [
            (x, bottom - round(value / high * (bottom - top))) for x, value in zip(across, one.values, strict=True)
        ]
        joined = " ".join(f"{x},{y}" for x, y in points)
        dash = f' stroke-dasharray="{_DASHES[order]}"' if _DASHES[order] else ""
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{COLOURS[order]}" stroke-width="2.5"{dash}/>')
        parts += [_marker(order, *points[place]) for place in _marks(across, 40)]
        if points:
            ends.append((points[-1][1], order))
    for y, order in _apart(ends, 19, top, bottom):
        parts.append(_marker(order, left + room + 16, y))
        parts.append(_text(left + room + 28, y + 5, series[order].name, colour=COLOURS[order], bold=True))
    if not days:
        parts.append(_text(left + 16, top + 40, "まだありません"))
    return _chart(key, title, head, unit, labels, series, parts, height)


def _check(labels: Sequence[str], series: Sequence[Series]) -> None:
    if len(series) > len(COLOURS) or any(len(one.values) != len(labels) for one in series):
        raise ValueError("系列は五つまで、値は見出しと同じ数")


def _chart(
    key: str,
    title: str,
    head: str,
    unit: str,
    labels: Sequence[str],
    series: Sequence[Series],
    parts: Sequence[str],
    height: float,
) -> Chart:
    told = "。".join(
        f"{label}: " + "、".join(f"{one.name} {one.values[place]:,}{unit}" for one in series)
        for place, label in enumerate(labels)
    )
    if len(labels) > 31:
        # 読み上げが長すぎると、誰も聞かない。終わりの日だけを言い、残りは表にある。
        told = f"{labels[0]} から {labels[-1]} まで。終わりの日は、" + "、".join(
            f"{one.name} {one.values[-1]:,}{unit}" for one in series
        )
    svg = (
        f'<svg viewBox="0 0 {_WIDTH} {round(height)}" role="img" aria-labelledby="{key}-title {key}-desc" '
        f'font-size="15"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-desc">{escape(told or "まだありません")}</desc>'
        f'<defs>{_patterns(key)}</defs><rect width="{_WIDTH}" height="{round(height)}" fill="#FFFFFF"/>'
        + "".join(parts)
        + "</svg>"
    )
    return Chart(key, title, head, unit, labels, series, Markup(svg))  # noqa: S704 — 中の文字はすべて escape してある


def _patterns(key: str) -> str:
    return "".join(
        f'<pattern id="{key}-{order}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<rect width="8" height="8" fill="{_PALE[order]}"/><path d="{hatch}" stroke="{COLOURS[order]}" '
        f'stroke-width="2" fill="none"/></pattern>'
        for order, hatch in enumerate(_HATCHES)
        if hatch
    )


def _rect(key: str, order: int, x: float, y: float, width: float, height: float) -> str:
    fill = f"url(#{key}-{order})" if _HATCHES[order] else COLOURS[order]
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}" stroke="{COLOURS[order]}" '
        f'stroke-width="{1 if width else 0}"/>'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = _INK, bold: bool = False) -> str:
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{x}" y="{round(y)}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(words)}</text>'


def _axis(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{_INK}"/>'


def _margin(labels: Sequence[str]) -> int:
    """見出しの入る左の余白。"""
    return min(320, max([60, *(_long(label) for label in labels)]) + 26)


def _long(words: str) -> int:
    return sum(15 if ord(letter) > 0xFF else 9 for letter in words)


def _legend(key: str, series: Sequence[Series]) -> list[str]:
    parts, x = [], 16
    for order, one in enumerate(series):
        parts += [_rect(key, order, x, 4, 16, 16), _text(x + 22, 18, one.name)]
        x += 46 + _long(one.name)
    return parts


def _marker(order: int, x: float, y: float) -> str:
    colour = COLOURS[order]
    if order == 0:
        return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
    if order == 1:
        return f'<rect x="{x - 4}" y="{y - 4}" width="8" height="8" fill="#FFFFFF" stroke="{colour}" stroke-width="2"/>'
    path = {2: f"M{x} {y - 5}L{x + 5} {y + 4}H{x - 5}Z", 3: f"M{x} {y - 6}L{x + 6} {y}L{x} {y + 6}L{x - 6} {y}Z"}.get(
        order, f"M{x - 4} {y - 4}L{x + 4} {y + 4}M{x - 4} {y + 4}L{x + 4} {y - 4}"
    )
    return f'<path d="{path}" fill="{"none" if order == 4 else colour}" stroke="{colour}" stroke-width="2"/>'


def _ticks(most: int) -> tuple[int, int]:
    """0 から始まる縦の目盛り: 一番上と、間。"""
    step = 1
    while most / step > 5:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return -(-most // step) * step, step


def _marks(across: Sequence[int], apart: int) -> list[int]:
    """重ならない間で、印を付ける場所。終わりは必ず入る。"""
    chosen: list[int] = []
    for place in reversed(range(len(across))):
        if not chosen or across[chosen[-1]] - across[place] >= apart:
            chosen.append(place)
    return chosen


def _apart(ends: Sequence[tuple[int, int]], least: int, top: int, bottom: int) -> list[tuple[int, int]]:
    """線の終わりの名が重ならないように、縦にずらす。"""
    placed: list[tuple[int, int]] = []
    for y, order in sorted(ends):
        placed.append((max(y, placed[-1][0] + least) if placed else max(y, top), order))
    # 下にあふれたら、下から順に押し上げる（離れた線の名まで動かすと、図の外へ出る）。
    limit, shifted = bottom, []
    for y, order in reversed(placed):
        limit = min(y, limit)
        shifted.append((limit, order))
        limit -= least
    return shifted[::-1]
