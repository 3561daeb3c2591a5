"""外から来た CSV を、全部の欄を文字として読む。当て推量も、直しも、黙って捨てることもしない。

判定者は標準の `csv`（厳格）である。引用符も単独の CR もない素直なファイルだけ、同じ答えになることを数で確かめて
から Polars で速く読む: 行の数が改行の数に合い、区切りの総数が列の数に合うこと（列が多い行は Polars が断るので、
総数が合えば、どの行の列の数も合っている。空行は区切りを持たないので、総数が合わない）。UTF-8 でないバイトは
Polars が断る。出典: building.md §8。
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import polars as pl

from benefit.domain.errors import Place, RefusedInput

UTF8_MARKED = "utf-8（BOM つき）"
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class RawTable:
    """読んだままの表。`frame` は全部 String（空の欄は null）と `line`。misfits は列の数が合わない行と、その列の数。"""

    frame: pl.DataFrame
    encoding: str
    misfits: tuple[tuple[int, int], ...]

    @property
    def rows_read(self) -> int:
        """読んだ行（見出しを除く）。"""
        return self.frame.height + len(self.misfits)


def read(data: bytes, *, file_name: str, encoding: str | None = None) -> RawTable:
    """読む。ファイルごと受け付けられないときは RefusedInput。"""
    place = Place(file=file_name)
    if not data[:1_000_000].strip() and not data.strip():
        raise RefusedInput("ファイルが空です（見出しもありません）", code="empty", place=place)
    if encoding is None or encoding.lower().startswith("utf"):
        # 素直な UTF-8 なら、全体を Python の文字列にせずに済む（半分の時間で読める）。
        quick = _quick(data, place)
        if quick is not None:
            return quick
    text, used = _as_utf8(data, encoding, place)
    header = _header(text, place)
    fast = _fast(text, header)
    if fast is not None:
        return RawTable(fast, used, ())
    frame, misfits = _strict(text, header, place)
    return RawTable(frame, used, tuple(misfits))


def _quick(data: bytes, place: Place) -> RawTable | None:
    marked = data.startswith(_UTF8_BOM)
    body = data[len(_UTF8_BOM) :] if marked else data
    try:
        _first_line(body).decode("utf-8")
    except UnicodeDecodeError:
        return None
    frame = _fast(body, _header(body, place))
    return None if frame is None else RawTable(frame, UTF8_MARKED if marked else "utf-8", ())


def _as_utf8(data: bytes, encoding: str | None, place: Place) -> tuple[bytes, str]:
    """BOM、UTF-8、CP932 の順に、厳格に読めたもの。読めなければ、どこで読めないかを言う。"""
    names = {
        "utf-8": "utf-8",
        "utf8": "utf-8",
        "utf-8-sig": "utf-8",
        "cp932": "cp932",
        "shift_jis": "cp932",
        "sjis": "cp932",
    }
    if encoding is not None and encoding.lower() not in names:
        raise RefusedInput(
            "知らない文字コードです", code="encoding", place=place, found=encoding, allowed="utf-8、cp932"
        )
    wanted = names[encoding.lower()] if encoding else None
    body = data.removeprefix(_UTF8_BOM)
    marked = len(body) != len(data)
    failures: list[tuple[int, str]] = []
    if wanted in {None, "utf-8"} or marked:
        try:
            body.decode("utf-8")
            return body, UTF8_MARKED if marked else "utf-8"
        except UnicodeDecodeError as error:
            failures.append((error.start + len(data) - len(body), "UTF-8"))
    if wanted in {None, "cp932"} and not marked:
        try:
            return data.decode("cp932").encode("utf-8"), "cp932"
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


def _header(text: bytes, place: Place) -> list[str]:
    first = _first_line(text)
    # 見出しの中に引用符つきの改行があるかもしれないので、そのときは先頭を少し長く読む。
    head = first.rstrip(b"\r") if first.count(b'"') % 2 == 0 else text[:100_000]
    try:
        names = next(csv.reader(io.StringIO(head.decode("utf-8", "ignore"), newline=""), strict=True), [])
    except csv.Error as error:
        raise RefusedInput(
            "見出しの行を読めません",
            code="header",
            place=Place(file=place.file, record=1),
            found=_told(error),
            allowed="カンマで区切った見出し",
        ) from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedInput(
            "同じ見出しが二つあります",
            code="header-twice",
            place=Place(file=place.file, record=1),
            found="、".join(name[:20] for name in twice),
        )
    return names


def _fast(text: bytes, header: list[str]) -> pl.DataFrame | None:
    """素直なファイルなら Polars で読む。一つでも疑いがあれば None。"""
    if b'"' in text:
        return None
    if b"\r" in text:
        if text.count(b"\r") != text.count(b"\r\n"):
            return None
        text = text.replace(b"\r\n", b"\n")
    rows = text.count(b"\n") + (not text.endswith(b"\n")) - 1
    if text.count(b",") != (rows + 1) * (len(header) - 1) or len(header) < 2:
        return None
    if rows == 0:
        return pl.DataFrame(schema=dict.fromkeys(header, pl.String) | {"line": pl.Int64})
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            skip_lines=1,
            new_columns=header,
            infer_schema=False,
            quote_char=None,
            row_index_name="line",
            row_index_offset=2,
            low_memory=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        # PanicException は Exception の仲間ではない。疑わしいので、厳格な読み手に渡す。
        return None
    if frame.height != rows or frame.width != len(header) + 1:
        return None
    return frame.with_columns(pl.col("line").cast(pl.Int64))


def _strict(text: bytes, header: list[str], place: Place) -> tuple[pl.DataFrame, list[tuple[int, int]]]:
    """厳格に読む。列の数が合わない行は、行ごとに外して返す。"""
    rows = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), strict=True)
    columns: list[list[str | None]] = [[] for _ in header]
    lines: list[int] = []
    misfits: list[tuple[int, int]] = []
    start = 1
    try:
        next(rows, None)
        start = rows.line_num + 1
        for row in rows:
            if len(row) == len(header):
                for column, value in zip(columns, row, strict=True):
                    column.append(value or None)
                lines.append(start)
            else:
                misfits.append((start, len(row)))
            start = rows.line_num + 1
    except csv.Error as error:
        raise RefusedInput(
            "引用符か行の終わりが壊れています。ここから先を読めません",
            code="quoting",
            place=Place(file=place.file, record=start),
            found=_told(error),
            allowed="RFC 4180 の CSV",
        ) from None
    frame = pl.DataFrame(
        dict(zip(header, columns, strict=True)) | {"line": lines},
        schema=dict.fromkeys(header, pl.String) | {"line": pl.Int64},
    )
    return frame, misfits


def _told(error: csv.Error) -> str:
    known = {
        "unexpected end of data": "閉じていない引用符",
        "field larger than field limit (131072)": "131,072 文字より長い欄",
        "line contains NUL": "NUL 文字",
    }
    return known.get(str(error), "引用符の後の余分な文字" if "expected after" in str(error) else "読めない並び")
