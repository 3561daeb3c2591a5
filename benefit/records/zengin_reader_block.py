"""二人目の読み手が、たくさんの行を一度に比べる所。同じなら真、少しでも違えば偽で、わけは一行ずつの読み手が言う。

ファイルの一列（どの行でも同じ位置の一バイト）を飛び飛びに取り出し、期待から作った同じ列と比べる。数万行でも、
一行ずつの Python を回さない。書き手の部品は一つも使わない（import-linter が守る）。
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

RECORD = 122
#: ー のほかの横線。まれなので、あるときだけ読み替える。
_OTHER_DASHES = str.maketrans(dict.fromkeys("－‐‑‒–—―−", "-"))


def _tables() -> tuple[bytes, bytes]:
    """UTF-16 の下の一バイト → ファイルの一バイトと、そのときの上の一バイト（使う字は、下だけで見分けられる）。"""
    low, high = bytearray(b"\xff" * 256), bytearray(b"\xff" * 256)
    written = {chr(code): code for code in range(0x20, 0x60)}
    written |= {unicodedata.normalize("NFKD", chr(byte + 0xFEC0)): byte for byte in range(0xA1, 0xE0)}
    # 小さい字は大きい字に、長音は横線に。
    written |= {
        small: written[large]
        for small, large in zip("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ", strict=True)
    }
    written["ー"] = 0x2D
    for letter, byte in written.items():
        if ord(letter) >> 8 in {0x00, 0x30} and not 0x00 <= ord(letter) - 0x3000 < 0x99:
            low[ord(letter) & 0xFF], high[ord(letter) & 0xFF] = byte, ord(letter) >> 8
    return bytes(low), bytes(high)


_LOW, _HIGH = _tables()
_MARKS = "\u3099\u309a"
_AMOUNT = (80, 90)
_DIGITS = (*range(1, 5), *range(20, 23), *range(38, 50), *range(80, 111))


def same(
    raw: bytes,
    lines: Sequence[Sequence[str | int]],
    parts: Sequence[tuple[int, int, str]],
    bank: bytes,
    party: bytes,
) -> bool:
    """`raw`（改行を含む何行か）が、期待の行と一バイトも違わないか。parts は項目の位置、bank・party は許すバイト。"""
    try:
        columns = [*zip(*lines, strict=True)]
        if len(columns) == len(parts) - 1:
            columns.append(("7",) * len(lines))
        told = [_told(column, end - start, name) for (start, end, name), column in zip(parts, columns, strict=True)]
    except (ValueError, TypeError):
        # 項目の数や型が揃わない、バイトにできない字がある。一行ずつの読み手が見る。
        return False
    for (start, end, _name), column_bytes in zip(parts, told, strict=True):
        width = end - start
        if len(column_bytes) != width * len(lines):
            return False
        if any(raw[start + at :: RECORD] != column_bytes[at::width] for at in range(width)):
            return False
    return _shaped(raw, len(lines), bank, party)


def _shaped(raw: bytes, count: int, bank: bytes, party: bytes) -> bool:
    """期待と関係なく、様式として正しいか: 数字、使える字、決まった中身、空でない名。"""
    return (
        all(raw[at::RECORD].isdigit() for at in _DIGITS)
        and not any(raw[at::RECORD].translate(None, bank) for at in (*range(5, 20), *range(23, 38)))
        and not any(raw[at::RECORD].translate(None, party) for at in range(50, 80))
        and all(raw[at::RECORD] == b"0" * count for at in range(38, 42))
        and all(raw[at::RECORD] == b" " * count for at in range(112, 120))
        and b" " not in raw[50::RECORD]
    )


def total_yen(raw: bytes) -> int:
    """金額の足し直し。桁ごとの数字を足し、桁の重みを掛ける（数字であることは、先に見てある）。"""
    count = len(raw) // RECORD
    start, end = _AMOUNT
    return sum((sum(raw[at::RECORD]) - 0x30 * count) * 10 ** (end - 1 - at) for at in range(start, end))


def _told(column: Sequence[str | int], width: int, name: str) -> bytes:
    if name == "振込金額":
        return _amounts(column)
    texts = [value for value in column if isinstance(value, str)]
    if len(texts) != len(column):
        raise TypeError(name)
    if name.endswith("名"):
        return _names(texts, width)
    if {*map(len, texts)} != {width}:
        raise ValueError(name)
    return "".join(texts).encode("ascii")


def _amounts(column: Sequence[str | int]) -> bytes:
    yen = tuple(value for value in column if isinstance(value, int))
    if len(yen) != len(column) or min(yen) < 1 or max(yen) > 9_999_999_999:
        raise ValueError("振込金額")
    return (("%010d" * len(yen)) % yen).encode("ascii")


def _names(names: Sequence[str], width: int) -> bytes:
    """台帳の名の列を、ファイルにあるべきバイト列に。違う名だけを、まとめて読み替える。"""
    distinct = [*dict.fromkeys(names)]
    joined = "\n".join(distinct).replace("゛", "\u3099").replace("゜", "\u309a")
    if not {*joined}.isdisjoint("－‐‑‒–—―−"):
        joined = joined.translate(_OTHER_DASHES)
    written = unicodedata.normalize("NFKD", joined).upper().split("\n")
    if len(written) != len(distinct):
        raise ValueError("改行のある名")
    cells = dict(zip(distinct, [_cut(text, width) for text in written], strict=True))
    pairs = "".join([cells[name] for name in names]).encode("utf-16-le")
    low = pairs[::2]
    if pairs[1::2] != low.translate(_HIGH):
        raise ValueError("全銀の字にならない名")
    return low.translate(_LOW)


def _cut(text: str, width: int) -> str:
    text = text.strip(" ")
    if len(text) > width:
        end = width
        while end > 0 and text[end] in _MARKS:
            end -= 1
        text = text[:end].rstrip(" ")
    return text.ljust(width)
