"""符号を、塗った四角の並びとして描く（PDF の演算子）。升目は 1 を単位に描き、置き場所へ cm で合わせる。

四角の文は前もって作っておき、一通では表を引いてつなぐだけにする。一続きの道を一度に塗るので、継ぎ目の筋は出ない。
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from letters import codes
from letters.stamp.slots import AreaSlot

#: QR の一行を、表を引くときに分ける幅（7 ビットずつ三つ）。
_CHUNK = 7
_CHUNKS = codes.QR_MODULES // _CHUNK
#: カスタマバーコードの線の、下の端と高さ（上下に三等分）。
_BAR = {"L": (0, 3), "U": (1, 2), "D": (0, 2), "T": (1, 1)}
CUSTOMER_BARS = 67
#: 線と間が同じ幅なので、67 本で 133 倍になる。
CUSTOMER_UNITS = CUSTOMER_BARS * 2 - 1


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def fit(area: AreaSlot, across: float, up: float) -> str:
    """across × up の升目を、置き場所いっぱいに合わせる cm（升目の原点は左下）。"""
    sizes = (area.width / across, area.height / up)
    return f"{sizes[0]:.5f} 0 0 {sizes[1]:.5f} {_number(area.left)} {_number(area.bottom)} cm"


def _runs(bits: int) -> Iterable[tuple[int, int]]:
    """黒い升の続き（左からの位置、長さ）。"""
    at = 0
    while at < _CHUNK:
        start = at
        while at < _CHUNK and bits >> (_CHUNK - 1 - at) & 1:
            at += 1
        if at > start:
            yield start, at - start
        at += 1


@functools.cache
def _qr_table() -> tuple[tuple[tuple[str, ...], ...], ...]:
    """行、行の中の組、7 ビットの値 → 四角。"""
    size = codes.QR_MODULES
    return tuple(
        tuple(
            tuple(
                "".join(f"{chunk * _CHUNK + x} {size - 1 - row} {length} 1 re " for x, length in _runs(bits))
                for bits in range(1 << _CHUNK)
            )
            for chunk in range(_CHUNKS)
        )
        for row in range(size)
    )


@functools.lru_cache(maxsize=4)
def qr(number: str) -> str:
    """番号の QR の四角（21 × 21 の升目）。"""
    parts = []
    for tables, row in zip(_qr_table(), codes.qr_rows(number), strict=True):
        first, second, third = tables
        parts.append(first[row >> 14])
        parts.append(second[row >> 7 & 127])
        parts.append(third[row & 127])
    return "".join(parts)


@functools.lru_cache(maxsize=4096)
def _bar(at: int, width: int) -> str:
    return f"{at} 0 {width} 1 re "


def code128(widths: Sequence[int]) -> tuple[str, int]:
    """線と間の幅の列の四角と、全体の幅。"""
    parts = []
    at = 0
    dark = True
    for width in widths:
        if dark:
            parts.append(_bar(at, width))
        dark = not dark
        at += width
    return "".join(parts), at


@functools.cache
def _customer_table() -> tuple[dict[str, str], ...]:
    return tuple(
        {state: f"{at * 2} {low} 1 {height} re " for state, (low, height) in _BAR.items()}
        for at in range(CUSTOMER_BARS)
    )


def customer(bars: str) -> str:
    """カスタマバーコードの四角（133 × 3 の升目）。"""
    return "".join([table[bar] for table, bar in zip(_customer_table(), bars, strict=True)])
