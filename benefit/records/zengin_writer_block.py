"""総合振込の明細を、列のまままとめて書く。様式の宣言（zengin.DATA）と同じバイト列を作るか、少しでも疑わしければ None。

None のときは、宣言のとおりに一行ずつ書く道（`zengin`）が、書くか、どの行のどの項目がいけないかを言う。
同じバイト列であることは試験が確かめる。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benefit.records.layout import ENCODING, Kind, Layout
from benefit.records.zengin_text import CONVERSIONS, CharacterClass, cut

#: 一度に並べる行の数（主記憶の手前に収まる大きさ）。
BLOCK = 4096
NEWLINE = b"\r\n"


def encode(layout: Layout, columns: Mapping[str, Sequence[Any]]) -> bytes | None:
    """様式の全部の値の列（英語名 → 読み替える前の値）を、改行つきのレコードの並びに。"""
    count = len(next(iter(columns.values())))
    cells: list[tuple[int, int, bytes]] = []
    template = bytearray()
    for placed in layout.placed:
        field = placed.field
        template += field.value.encode(ENCODING) if not field.holds_value else b" " * field.length
        if not field.holds_value:
            continue
        column = columns[field.name]
        if field.valid or field.form:
            return None
        try:
            if field.kind is Kind.NUMBER:
                written = _numbers(column, field.length, field.minimum)
            elif field.kind is Kind.DIGITS:
                written = _digits(column, field.length, field.choices, blank_ok=field.blank_ok)
            else:
                written = _names(column, field.length, field.allowed, blank_ok=field.blank_ok)
        except (TypeError, ValueError):
            return None
        if len(written) != field.length * count:
            return None
        cells.append((placed.start - 1, field.length, written))
    return _laid_out(bytes(template) + NEWLINE, cells, count)


def _laid_out(template: bytes, cells: Sequence[tuple[int, int, bytes]], count: int) -> bytes:
    """一項目ずつの列を、レコードの決まった位置に飛び飛びに置く。"""
    width = len(template)
    blocks = []
    for start in range(0, count, BLOCK):
        rows = min(BLOCK, count - start)
        block = bytearray(template * rows)
        for at, length, written in cells:
            part = written[start * length : (start + rows) * length]
            for byte in range(length):
                block[at + byte :: width] = part[byte::length]
        blocks.append(bytes(block))
    return b"".join(blocks)


def _numbers(column: Sequence[Any], length: int, minimum: int) -> bytes:
    if {*map(type, column)} != {int} or min(column) < minimum or max(column) >= 10**length:
        raise ValueError
    return ((f"%0{length}d" * len(column)) % tuple(column)).encode("ascii")


def _digits(column: Sequence[str], length: int, choices: Sequence[str], *, blank_ok: bool) -> bytes:
    joined = "".join(column)
    if blank_ok and not joined:
        return b" " * (length * len(column))
    if {*map(len, column)} != {length} or not (joined.isascii() and joined.isdigit()):
        raise ValueError
    if choices and not {*column} <= {*choices}:
        raise ValueError
    return joined.encode("ascii")


def _names(column: Sequence[str], length: int, allowed: CharacterClass | None, *, blank_ok: bool) -> bytes:
    distinct = [*dict.fromkeys(column)]
    half = "\n".join(distinct).translate(CONVERSIONS)
    if allowed is None or not allowed.characters | {"\n"} >= {*half}:
        raise ValueError
    names = half.split("\n")
    if len(names) != len(distinct):
        raise ValueError
    written = [cut(name, length) if len(name := text.strip(" ")) > length else name for text in names]
    if not blank_ok and "" in written:
        raise ValueError
    cells = {name: text.ljust(length) for name, text in zip(distinct, written, strict=True)}
    return "".join([cells[name] for name in column]).encode(ENCODING)
