"""バイト列の塊を、レコードの塊（latin-1 の文字列: 一バイト一文字）に切る。

改行は CRLF・LF・なし。末尾の 0x1A は読み飛ばす。
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benefit.domain.errors import Place, RefusedInput

#: 一度に表にするレコードの数。
CHUNK = 100_000
_LONGEST_LINE = 1 << 20
_END_OF_FILE = b"\x1a"


def split(blocks: Iterable[bytes], length: int, *, file: str = "") -> Iterator[list[str]]:
    """`length` バイトのレコードの塊を順に出す。どの塊も、レコードの切れ目で終わる（長さの違う行も、そのまま出す）。"""
    kept, newline = b"", None
    for block in blocks:
        kept += block
        if newline is None and len(kept) >= length + 2:
            newline = _newline_of(kept, length)
        if newline is not None:
            end = _last_break(kept, newline, length, file)
            yield from _cut(kept[:end], newline, length)
            kept = kept[end:]
    kept = kept.removesuffix(_END_OF_FILE)
    yield from _cut(kept, _newline_of(kept, length) if newline is None else newline, length)


def _newline_of(start: bytes, length: int) -> bytes:
    after = start[length : length + 2]
    if after == b"\r\n":
        return after
    # 一行目の長さが違うときは、最初の改行で見る。
    at = length if after[:1] == b"\n" else start.find(b"\n")
    if at < 0:
        return b""
    return b"\r\n" if start[at - 1 : at] == b"\r" else b"\n"


def _last_break(kept: bytes, newline: bytes, length: int, file: str) -> int:
    """ここまでなら切ってよい、という長さ。"""
    if not newline:
        return len(kept) // length * length
    at = kept.rfind(newline)
    if at < 0 and len(kept) > _LONGEST_LINE:
        raise RefusedInput("改行のない長すぎる行があります", code="newline", place=Place(file))
    return at + len(newline) if at >= 0 else 0


def _cut(content: bytes, newline: bytes, length: int) -> Iterator[list[str]]:
    if not content:
        return
    whole = content.decode("latin-1")
    if newline:
        lines = whole.split(newline.decode())
        # 最後のレコードの後の改行は、あってもなくてもよい。
        if not lines[-1]:
            lines.pop()
    else:
        lines = [whole[at : at + length] for at in range(0, len(whole), length)]
    for at in range(0, len(lines), CHUNK):
        yield lines[at : at + CHUNK]
