"""紙に載せる三つの符号を、一通あたり数マイクロ秒で作る: QR、Code 128、カスタマバーコード。

QR は番号（11 桁）だけを持つ、1 型・誤り訂正 M・決まったマスク。マスクを選ばなければ、QR の升目は
数字のビットの GF(2) 上の一次式になる。だから 3・3・3・2 桁ごとの表を先に作り、四つの排他的論理和で
一枚の QR ができる（letters §4）。試験は、同じマスクの segno の升目と一つ残らず比べる。
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence

import segno

from benefit.domain.errors import WrongUse
from benefit.records import code128, customer_barcode

QR_MODULES = 21
#: 決めたマスク。マスクは読みやすさのために選ぶもので、どれでも正しい QR である。0 が選ばれる番号が一番多い。
QR_MASK = 0
NUMBER_DIGITS = 11
#: 数字の組。QR の数字モードは 3 桁を 10 ビット、2 桁を 7 ビットに詰める。
_GROUPS = ((0, 3, 10), (3, 3, 10), (6, 3, 10), (9, 2, 7))
_ROWS = struct.Struct(f">{QR_MODULES}I")


def _matrix(number: str) -> int:
    """segno の升目を一つの整数に（一行 32 ビット、上の行から）。"""
    code = segno.make_qr(number, version=1, error="m", mask=QR_MASK, mode="numeric", boost_error=False)
    return int.from_bytes(_ROWS.pack(*(int("".join(map(str, row)), 2) for row in code.matrix)), "big")


@functools.cache
def _tables() -> tuple[tuple[int, ...], ...]:
    """組ごとの、値 → 升目の差。全部 0 の番号の升目は、一つ目の表に含めておく。"""
    zero = _matrix("0" * NUMBER_DIGITS)
    tables = []
    for at, width, bits in _GROUPS:
        units = []
        for bit in range(bits):
            digits = f"{1 << bit:0{width}d}"
            units.append(_matrix(f"{'0' * at}{digits}{'0' * (NUMBER_DIGITS - at - width)}") ^ zero)
        table = [zero if at == 0 else 0]
        for value in range(1, 10**width):
            # 一番上のビットを落とした値は、もう表にある。
            top = value.bit_length() - 1
            table.append(table[value ^ (1 << top)] ^ units[top])
        tables.append(tuple(table))
    return tuple(tables)


def qr_rows(number: str) -> tuple[int, ...]:
    """11 桁の番号の QR の、上からの 21 行。各行は 21 ビットで、一番上のビット（2^20）が左の升、1 が黒。"""
    if len(number) != NUMBER_DIGITS or not (number.isascii() and number.isdigit()):
        raise WrongUse("QR に載せる番号の形が違います", code="qr-number", allowed="11 桁の数字")
    first, second, third, fourth = _tables()
    code = first[int(number[:3])] ^ second[int(number[3:6])] ^ third[int(number[6:9])] ^ fourth[int(number[9:])]
    return _ROWS.unpack(code.to_bytes(_ROWS.size, "big"))


def qr_matrix(number: str) -> tuple[tuple[int, ...], ...]:
    """`qr_rows` の升目（0 か 1）。"""
    return tuple(tuple(row >> at & 1 for at in range(QR_MODULES - 1, -1, -1)) for row in qr_rows(number))


def code128_bars(digits: str) -> tuple[int, ...]:
    """数字の Code 128 の、線と間の幅（線から始まる。左右の空きは含まない）。奇数桁の最後の一字は CODE B に替える。"""
    return code128.plain_widths(digits)


def customer_bars(words: tuple[int, ...]) -> str:
    """カスタマバーコードの 21 語（`customer_barcode.customer_words`）の、67 本の線。L・D・U・T の並び。"""
    return customer_barcode.bars(words)


def address_bars(postal_code: str, address: str, address2: str = "") -> str:
    """宛先の 67 本の線。刷らない宛先（町域を表さない郵便番号）では空。address2 は紙に刷る方書だけを渡す。"""
    words = customer_barcode.customer_words(postal_code, address, address2)
    return customer_barcode.bars(words) if words is not None else ""


def bars_svg(widths: Sequence[int], *, quiet: int = 0) -> str:
    """線と間の幅の並びを、塗りだけの SVG に（一番細い線が 1、高さが 1。引き伸ばして使う）。"""
    marks, at = [], quiet
    for place, width in enumerate(widths):
        if place % 2 == 0:
            marks.append(f"M{at} 0h{width}v1h-{width}z")
        at += width
    return _svg(at + quiet, 1, "".join(marks))


#: 線の上の端と高さ（1 = 10 ポイントの大きさで 0.6 mm）。formats §8.6。
_BAR_SPANS = {"L": (0, 6), "U": (0, 4), "D": (2, 4), "T": (2, 2)}
CUSTOMER_UNITS = (customer_barcode.BARS * 2 - 1, 6)


def customer_svg(bars: str) -> str:
    """67 本の線を、塗りだけの SVG に。幅 133、高さ 6 の升目で、1 は 10 ポイントの大きさで 0.6 mm。"""
    marks = []
    for place, bar in enumerate(bars):
        top, height = _BAR_SPANS[bar]
        marks.append(f"M{place * 2} {top}h1v{height}h-1z")
    return _svg(*CUSTOMER_UNITS, "".join(marks))


def _svg(width: int, height: int, path: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
        f'<path d="{path}"/></svg>'
    )
