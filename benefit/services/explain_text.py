"""端末に出す文を、桁数に収める。"""

from __future__ import annotations

import unicodedata

COLUMNS = 100
#: 行の頭に来ると読みにくい字。切れ目をその前に置かない。
_NOT_FIRST = "、。）〕」：:,"


def width(text: str) -> int:
    """端末での桁数。全角（と、あいまいな幅の記号）は二桁。"""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def folded(page: str, columns: int = COLUMNS) -> str:
    """長い行を折り返す。続きの行は、元の行より四桁深く始まる。"""
    return "\n".join(part for line in page.split("\n") for part in _fold(line, columns))


def _fold(line: str, columns: int) -> list[str]:
    if width(line) <= columns:
        return [line]
    # 続きの行も、同じだけ字下げして四桁深くする。どの行の続きかが、目で追える。
    deeper = " " * (len(line) - len(line.lstrip(" ")) + 4)
    place = line.rfind(" 〔")
    if place > 0 and width(line[:place]) <= columns:
        # 出どころは一まとまりで読むものなので、途中で切らない。
        return [line[:place], *_fold(deeper + line[place + 1 :], columns)]
    fits, used = 0, 0
    for position, character in enumerate(line):
        used += width(character)
        if used > columns:
            break
        fits = position + 1
    while fits > len(deeper) and line[fits] in _NOT_FIRST:
        fits -= 1
    cut = line.rfind("、", len(deeper) + 20, fits) + 1 or line.rfind(" ", len(deeper) + 20, fits) + 1 or fits
    return [line[:cut].rstrip(" "), *_fold(deeper + line[cut:].lstrip(" "), columns)]
