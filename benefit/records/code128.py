"""GS1-128 と、ただの Code 128（どちらも CODE-C）: 数字の列を、線と間の幅の列にし、SVG にする。

依存の部品に一次元バーコードを描くものはない（segno は QR だけ）。型の表は ISO/IEC 15417 の 107 個で、
試験では別の読み取り機（zxing）に読ませて確かめる。
"""

from __future__ import annotations

from benefit.domain.errors import WrongUse

_START_C, _FNC1, _STOP = 105, 102, 106
#: CODE B の数字 0 の値。CODE C から CODE B に替える値。
_CODE_B, _ZERO_IN_B = 100, 16
#: 文字の値 → 線と間の幅（線から始まる）。最後だけ 7 つ。
_PATTERNS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 "
    "113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 "
    "212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 "
    "113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 "
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 "
    "241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 "
    "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 "
    "211232 2331112"
)
_WIDTHS = tuple(_PATTERNS.split())
_NUMBERS = tuple(tuple(map(int, widths)) for widths in _WIDTHS)
#: 左右の空き（線の幅の何倍か）。
QUIET = 10
#: 一番細い線の幅。44 桁で 308 倍になり、60 mm に収まる。
MODULE_MM = 0.19
HEIGHT_MM = 10.0


def values(digits: str) -> list[int]:
    """文字の値の並び: 開始（C）、FNC1、二桁ずつ、検査（103 を法とする）、終わり。"""
    if len(digits) % 2 or not (digits.isascii() and digits.isdigit()):
        raise WrongUse("CODE-C には、偶数桁の数字だけを載せられます", found=f"{len(digits)} 桁")
    body = [_FNC1, *(int(digits[at : at + 2]) for at in range(0, len(digits), 2))]
    check = (_START_C + sum(place * value for place, value in enumerate(body, start=1))) % 103
    return [_START_C, *body, check, _STOP]


def widths(digits: str) -> list[int]:
    """線と間の幅を、線から順に交互に。空き（quiet zone）は含まない。"""
    return [int(width) for value in values(digits) for width in _WIDTHS[value]]


def plain_values(digits: str) -> list[int]:
    """FNC1 のない Code 128（番号や封入の符号）の文字の値。奇数桁なら、最後の一字だけ CODE B に替える。"""
    if not digits or not (digits.isascii() and digits.isdigit()):
        raise WrongUse("Code 128 には、数字だけを載せます", found=f"{len(digits)} 文字")
    pairs = len(digits) // 2 * 2
    body = [int(digits[at : at + 2]) for at in range(0, pairs, 2)]
    if len(digits) % 2:
        body += [_CODE_B, _ZERO_IN_B + int(digits[-1])]
    check = (_START_C + sum(place * value for place, value in enumerate(body, start=1))) % 103
    return [_START_C, *body, check, _STOP]


def plain_widths(digits: str) -> tuple[int, ...]:
    """`plain_values` の、線と間の幅。線から始まり線で終わる。空きは含まない。"""
    return tuple([width for value in plain_values(digits) for width in _NUMBERS[value]])


def svg(digits: str, *, module_mm: float = MODULE_MM, height_mm: float = HEIGHT_MM) -> str:
    """印刷できる SVG。大きさは mm、左右の空きを含む。線は塗りで描く。"""
    bars, at = [], QUIET
    for place, width in enumerate(widths(digits)):
        if place % 2 == 0:
            bars.append(f"M{at} 0h{width}v1h-{width}z")
        at += width
    total = at + QUIET
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total * module_mm:.2f}mm" height="{height_mm:.2f}mm"'
        f' viewBox="0 0 {total} 1" preserveAspectRatio="none"><path d="{"".join(bars)}"/></svg>'
    )
