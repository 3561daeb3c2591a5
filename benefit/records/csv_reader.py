"""外から来た CSV を、全部の欄を文字として読む。当て推量も、直しも、黙って捨てることもしない。

判定者は標準の `csv`（厳格）である。次の二つの素直な形だけは、同じ答えになることを数で確かめてから Polars で速く読む。

1. 引用符も単独の CR もないファイル。行の数が改行の数に合い、区切りの総数が列の数に合うこと（列が多い行は Polars が
   断るので、総数が合えば、どの行の列の数も合っている。空行は区切りを持たないので、総数が合わない）。区切りの総数は、
   全体のバイト数から、読んだ欄のバイト数と改行を引いて知る。
2. 見出しの次の行から、全部の欄が引用符で囲まれたファイル。引用符の総数が欄の数の二倍で、それが全部 `","` と改行の
   つなぎ目と両端で使い切られること（欄の中に引用符も改行もない）。

UTF-8 でないバイトは Polars が断る。出典: building.md §8。
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from benefit.domain.errors import Place, RefusedInput

UTF8_MARKED = "utf-8（BOM つき）"
LINE = "line"
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "cp932": "cp932",
    "shift_jis": "cp932",
    "sjis": "cp932",
}
#: Python の cp932 が、文字のない単独のバイト（80、A0、FD、FE、FF）に当てる字。文字として読めたとはみなさない。
_CP932_HOLES = "\x80\uf8f0\uf8f1\uf8f2\uf8f3"
#: 引用符を外した後の区切り。CSV に現れない制御文字で、もとのファイルにあれば速い道を通らない。
_FIELD_END, _ROW_END = b"\x1f", b"\x1e"
#: 厳格な読み手が一度に表にする行の数。全部を Python の文字列で持つと、377 万人で 6 GiB を超える。
_BATCH = 50_000


@dataclass(frozen=True)
class RawTable:
    """読んだままの表。

    `frame` は全部 String（空の欄は null）で、列の名前は見出しの順の "0"、"1"、… と `line`（レコードの始まる行）。
    見出しを名前にしないのは、どんな見出しの列が来ても、こちらの名前とぶつからないため。
    misfits は列の数が合わない行と、その列の数。
    """

    header: tuple[str, ...]
    frame: pl.DataFrame
    encoding: str
    misfits: tuple[tuple[int, int], ...] = ()

    @property
    def rows_read(self) -> int:
        """読んだ行（見出しを除く）。"""
        return self.frame.height + len(self.misfits)


def read(data: bytes, *, file_name: str, encoding: str | None = None) -> RawTable:
    """読む。ファイルごと受け付けられないとき（空、文字コード、引用符、行の終わり）は RefusedInput。"""
    place = Place(file=file_name)
    wanted = _wanted(encoding, place)
    if not data or data.isspace() or data == _UTF8_BOM:
        raise RefusedInput("ファイルが空です（見出しもありません）", code="empty", place=place)
    if data.startswith(_UTF16_BOMS):
        raise RefusedInput(
            "UTF-16 のファイルです", code="encoding", place=Place(file=file_name, record=1), allowed="UTF-8 か CP932"
        )
    if wanted != "cp932":
        # 素直な UTF-8 なら、全体を Python の文字列にせずに済む（半分の時間で読める）。
        quick = _quick(data, place)
        if quick is not None:
            return quick
    text, used = _as_utf8(data, wanted, place)
    header = _header(text, place)
    fast = _fast(text, header)
    if fast is not None:
        return RawTable(header, fast, used)
    frame, misfits = _strict(text, header, place)
    return RawTable(header, frame, used, tuple(misfits))


def _wanted(encoding: str | None, place: Place) -> str | None:
    if encoding is None:
        return None
    if encoding.lower() not in _ENCODINGS:
        raise RefusedInput(
            "知らない文字コードです", code="encoding", place=place, found=encoding[:20], allowed="utf-8、cp932"
        )
    return _ENCODINGS[encoding.lower()]


def _quick(data: bytes, place: Place) -> RawTable | None:
    marked = data.startswith(_UTF8_BOM)
    body = data[len(_UTF8_BOM) :] if marked else data
    try:
        _first_line(body).decode("utf-8")
    except UnicodeDecodeError:
        return None
    header = _header(body, place)
    frame = _fast(body, header)
    return None if frame is None else RawTable(header, frame, UTF8_MARKED if marked else "utf-8")


def _as_utf8(data: bytes, wanted: str | None, place: Place) -> tuple[bytes, str]:
    """BOM、UTF-8、CP932 の順に、厳格に読めたもの。読めなければ、どこで読めないかを言う。"""
    body = data.removeprefix(_UTF8_BOM)
    marked = len(body) != len(data)
    failures: list[tuple[int, str]] = []
    if wanted != "cp932":
        try:
            body.decode("utf-8")
            return body, UTF8_MARKED if marked else "utf-8"
        except UnicodeDecodeError as error:
            failures.append((error.start + len(data) - len(body), "UTF-8"))
    # BOM は UTF-8 であることのしるしなので、続きが読めなくても CP932 を試さない。
    if wanted == "cp932" or (wanted is None and not marked):
        try:
            text = data.decode("cp932")
            holes = [at for at in map(text.find, _CP932_HOLES) if at >= 0]
            if not holes:
                return text.encode("utf-8"), "cp932"
            failures.append((len(text[: min(holes)].encode("cp932")), "CP932"))
        except UnicodeDecodeError as error:
            failures.append((error.start, "CP932"))
    # 両方とも読めないときは、先まで読めた方の場所を言う（混ざったファイルの、混ざり始めの行になる）。
    at, name = max(failures)
    raise RefusedInput(
        f"{name} として読めない文字があります",
        code="encoding",
        place=Place(file=place.file, record=data.count(b"\n", 0, at) + 1),
        found=f"バイト列 {data[at : at + 4].hex(' ')}",
        allowed="全体が UTF-8、または全体が CP932",
    )


def _first_line(text: bytes) -> bytes:
    end = text.find(b"\n")
    return text if end < 0 else text[:end]


def _header(text: bytes, place: Place) -> tuple[str, ...]:
    first = _first_line(text)
    # 見出しの中に引用符つきの改行があるかもしれないので、そのときは先頭を少し長く読む。
    head = first.removesuffix(b"\r") if first.count(b'"') % 2 == 0 else text[:100_000]
    try:
        return tuple(next(csv.reader(_lines(head.decode("utf-8", "ignore")), strict=True), []))
    except csv.Error as error:
        raise RefusedInput(
            "見出しの行を読めません",
            code="header",
            place=Place(file=place.file, record=1),
            found=_told(error),
            allowed="カンマで区切った見出し",
        ) from None


def _lines(text: str) -> Iterator[str]:
    # 行の終わりは LF か CRLF だけ。単独の CR で行を分けると、欄の途中の CR が黙って新しい行になる。
    return io.StringIO(text, newline="\n")


def _fast(text: bytes, header: tuple[str, ...]) -> pl.DataFrame | None:
    """素直なファイルなら Polars で読む。一つでも疑いがあれば None。"""
    if b"\r" in text:
        if text.count(b"\r") != text.count(b"\r\n"):
            return None
        text = text.replace(b"\r\n", b"\n")
    if b'"' not in text:
        return _polars(text, len(header), skip=1, comma=b",", end=b"\n")
    top, _, body = text.partition(b"\n")
    body = body.removesuffix(b"\n")
    if not _all_quoted(body, len(header)) or top.count(b'"') % 2:
        return None
    bare = body[1:-1].replace(b'"\n"', _ROW_END).replace(b'","', _FIELD_END)
    # 引用符つきの欄の中の改行は、行の番号を狂わせる。厳格な読み手に数えさせる。
    return None if b"\n" in bare else _polars(bare, len(header), skip=0, comma=_FIELD_END, end=_ROW_END)


def _all_quoted(body: bytes, columns: int) -> bool:
    """全部の欄が囲まれ、欄の中に引用符がないか。引用符の総数が、つなぎ目と両端の分にちょうど等しいこと。

    行の中のつなぎ目の数は、区切りに置き換えた後で `_polars` が数える。
    """
    if not (body.startswith(b'"') and body.endswith(b'"')) or len(body) < 2 or _FIELD_END in body or _ROW_END in body:
        return False
    rows = body.count(b'"\n"') + 1
    return body.count(b'"') == 2 * rows * columns


def _polars(text: bytes, columns: int, *, skip: int, comma: bytes, end: bytes) -> pl.DataFrame | None:
    names = [str(number) for number in range(columns)]
    if not skip or not text.endswith(end):
        # 行の終わりのない最後の行では、Polars は、余分な空の欄を断らない。
        text += end
    rows = text.count(end) - skip
    # Polars は、読み始めの BOM を（見出しを飛ばした後でも）黙って捨てる。
    if text.startswith(_UTF8_BOM, text.find(end) + 1 if skip else 0):
        return None
    if columns < 2:
        return None
    if rows == 0:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String) | {LINE: pl.Int64})
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            skip_lines=skip,
            new_columns=names,
            infer_schema=False,
            quote_char=None,
            separator=comma.decode(),
            eol_char=end.decode(),
            row_index_name=LINE,
            row_index_offset=2,
            low_memory=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        # PanicException は Exception の仲間ではない。疑わしいので、厳格な読み手に渡す。
        return None
    if frame.height != rows or frame.columns != [LINE, *names]:
        return None
    start = text.find(end) + 1 if skip else 0
    fields = frame.select(pl.sum_horizontal(pl.col(name).str.len_bytes().cast(pl.Int64).sum() for name in names)).item()
    if len(text) - start - fields - rows != rows * (columns - 1):
        return None
    return frame.with_columns(pl.col(LINE).cast(pl.Int64))


def _strict(text: bytes, header: tuple[str, ...], place: Place) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """厳格に読む。列の数が合わない行は、行ごとに外して返す。"""
    schema = {str(number): pl.String for number in range(len(header))} | {LINE: pl.Int64}
    misfits: list[tuple[int, int]] = []
    frames = [pl.DataFrame(schema=schema)]
    records = _records(text, len(header), misfits, place)
    while batch := list(itertools.islice(records, _BATCH)):
        frames.append(pl.DataFrame(dict(zip(schema, map(list, zip(*batch, strict=True)), strict=True)), schema=schema))
    return pl.concat(frames), misfits


def _records(
    text: bytes, columns: int, misfits: list[tuple[int, int]], place: Place
) -> Iterator[tuple[str | int | None, ...]]:
    """列の数が合うレコードと、その始まる行。合わないものは misfits に入れる。"""
    last = [""]

    def remembered() -> Iterator[str]:
        for line in _lines(text.decode("utf-8")):
            last[0] = line
            yield line

    rows = csv.reader(remembered(), strict=True)
    start = 1
    try:
        for number, row in enumerate(rows):
            if last[0].endswith(("\r", "\r\r\n")):
                _refuse_ending(place, rows.line_num)
            if number and len(row) == columns:
                yield *(value or None for value in row), start
            elif number:
                misfits.append((start, len(row)))
            start = rows.line_num + 1
    except csv.Error as error:
        if "new-line character" in str(error):
            _refuse_ending(place, rows.line_num)
        raise RefusedInput(
            "引用符が壊れています。ここから先を読めません",
            code="quoting",
            place=Place(file=place.file, record=start),
            found=_told(error),
            allowed="RFC 4180 の CSV",
        ) from None


def _refuse_ending(place: Place, line: int) -> None:
    raise RefusedInput(
        "行の終わりが読めません",
        code="line-ending",
        place=Place(file=place.file, record=line),
        found="単独の CR",
        allowed="CRLF か LF",
    ) from None


def _told(error: csv.Error) -> str:
    known = {
        "unexpected end of data": "閉じていない引用符",
        "field larger than field limit (131072)": "131,072 文字より長い欄",
    }
    if "new-line character" in str(error):
        return "単独の CR"
    return known.get(str(error), "引用符の後の余分な文字" if "expected after" in str(error) else "読めない並び")
