"""宛名を、窓からいつも見える所に収める。

字の大きさを段々に下げ、それでも収まらなければ None（その手紙は止めて、人が見る）。折り返しは
ここで決める: 組版に任せると、入らない宛名が黙って窓の外へ出る。
"""

from __future__ import annotations

from dataclasses import dataclass

from letters.fonts import is_variation_selector, width_em
from letters.geometry import ALWAYS_SEEN

MM_PER_POINT = 25.4 / 72
#: 行の高さは字の大きさの何倍か。
LINE_PITCH = 1.25
#: 大きい順に試す、(住所, 氏名) の字の大きさ（pt）。下限 8.5 pt は窓越しに読める大きさ。
SIZES = ((10.5, 13.0), (10.0, 12.0), (9.5, 11.0), (9.0, 10.0), (8.5, 9.0))
#: 組版の道具との計り方の差をみて、幅は 1 % 控える。
_WIDTH = ALWAYS_SEEN.width * 0.99
_MARGIN_AFTER_ADDRESS = 1.0
HONORIFIC = "　様"


@dataclass(frozen=True)
class Line:
    """宛名の一行。y は窓の枠の上からの mm、size は pt。"""

    text: str
    y: float
    size: float
    bold: bool = False


def postal_mark(postal_code: str) -> str:
    """「〒160-8484」。"""
    return f"〒{postal_code[:3]}-{postal_code[3:]}"


def _holds_together(before: str, after: str) -> bool:
    """この二字の間で行を分けないか: 番地の数字、建物名の英字、異体字。"""
    if is_variation_selector(after):
        return True
    return all(c.isdigit() or c in "-－ー−‐" or (c.isalpha() and c.upper() != c.lower()) for c in (before, after))


def _limit_em(size: float) -> float:
    return _WIDTH / (size * MM_PER_POINT)


def break_lines(text: str, size: float, *, bold: bool = False) -> list[str]:
    """幅に入るように折り返す（`size` は pt）。番地の途中では、ほかに手がある限り分けない。"""
    limit = _limit_em(size)
    lines = []
    rest = text
    while width_em(rest, bold=bold) > limit:
        end = 1
        while width_em(rest[: end + 1], bold=bold) <= limit:
            end += 1
        cut = end
        while cut > 1 and _holds_together(rest[cut - 1], rest[cut]):
            cut -= 1
        # 一行がまるごと切れ目のない英数字なら、仕方なく幅で切る。
        cut = cut if cut > 1 else end
        while cut > 1 and is_variation_selector(rest[cut]):
            cut -= 1
        lines.append(rest[:cut].rstrip(" "))
        rest = rest[cut:].lstrip(" ")
    return [*lines, rest] if rest else lines


def lay_out(
    postal_code: str, address: str, address2: str, name: str, *, reserve: float = 0.0
) -> tuple[Line, ...] | None:
    """郵便番号、住所、方書、氏名（様）の行。収まらなければ None。reserve: 枠の下に空けておく高さ（mm）。"""
    # 氏名は小さくしてでも一行がよい。それでも入らない長い氏名だけ、二行に分ける。
    for name_lines, (small, large) in ((n, sizes) for n in (1, 2) for sizes in SIZES):
        body = [postal_mark(postal_code), *break_lines(address, small)]
        body += break_lines(address2, small) if address2 else []
        person = break_lines(name, large, bold=True)
        person[-1] += HONORIFIC
        if len(person) > name_lines or width_em(person[-1], bold=True) > _limit_em(large):
            continue
        lines = []
        y = 0.0
        for text in body:
            lines.append(Line(text, y, small))
            y += small * MM_PER_POINT * LINE_PITCH
        y += _MARGIN_AFTER_ADDRESS
        for text in person:
            lines.append(Line(text, y, large, bold=True))
            y += large * MM_PER_POINT * LINE_PITCH
        if y <= ALWAYS_SEEN.height - reserve:
            return tuple(lines)
    return None
