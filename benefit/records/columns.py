"""列をまとめて見る・読む・書く: 項目の宣言から、Polars の式と正規表現を作る。一件ずつの Python は通らない。

読むときは、バイト列を latin-1 の文字列（一バイト一文字）にして切る。半角カナと漢字の列だけ、後でまとめて CP932 に直す。
"""

from __future__ import annotations

import re

import polars as pl

from benefit.records.fields import UNWRITABLE, Field, Kind
from benefit.records.file_layout import Part
from benefit.records.forms import FORMS
from benefit.records.layout import ENCODING, Layout

_JOIN = "\n"
#: CP932 で一バイトの字（英数字・記号・半角カナ）でない字。
_DOUBLE = r"[^\x20-\x7e｡-ﾟ]"
#: latin-1 で読んだときの、文字の項目に許すバイト。どの字が許されるかは、その中でさらに絞る。
_ANY_WIDE = r"[^\x00-\x1f\x7f]"


def _class_of(characters: frozenset[str], *, raw: bool) -> str:
    """文字の組の正規表現。raw なら、半角カナを latin-1 で読んだ字にする。"""
    letters = {*characters, " "}
    if raw:
        letters = {letter.encode(ENCODING).decode("latin-1") for letter in letters}
    return "[" + "".join(sorted(f"\\x{{{ord(letter):x}}}" for letter in letters)) + "]"


def _pattern(field: Field) -> str:
    if not field.holds_value:
        return re.escape(field.value)
    length = field.length
    if field.kind is Kind.NUMBER:
        return f"[0-9]{{{length}}}"
    if field.kind is Kind.DIGITS:
        # 空きを許すのは、全部が空白のときだけ。
        return f"(?:{_digits(field)}| {{{length}}})" if field.blank_ok else f"(?:{_digits(field)})"
    allowed = _class_of(field.allowed.characters, raw=True) if field.allowed is not None else _ANY_WIDE
    return f"{allowed}{{{length}}}"


def _digits(field: Field) -> str:
    return "|".join(re.escape(choice) for choice in field.choices) or f"[0-9]{{{field.length}}}"


def record_pattern(layout: Layout) -> str:
    """レコード全体の正規表現（latin-1 で読んだ文字列に当てる）。これに合わないレコードは、必ず様式に合わない。"""
    return "^" + "".join(_pattern(field) for field in layout.fields) + "$"


def decode_column(column: pl.Series) -> pl.Series:
    """latin-1 で切った列を CP932 に直す。読めない値は null。"""
    whole = _JOIN.join(column.to_list())
    if whole.isascii():
        return column
    try:
        # 改行（0x0A）は二バイト目になりえないので、つないだまま一度に直せる。
        values: list[str | None] = list(whole.encode("latin-1").decode(ENCODING).split(_JOIN))
    except UnicodeDecodeError:
        values = [_decoded(value) for value in column]
    read = pl.Series(column.name, values, dtype=pl.String)
    if UNWRITABLE.search("".join(value for value in values if value)):
        read = pl.Series(column.name, [None if v is None or UNWRITABLE.search(v) else v for v in values], pl.String)
    return read


def _decoded(value: str) -> str | None:
    try:
        return value.encode("latin-1").decode(ENCODING)
    except UnicodeDecodeError:
        return None


def slices(layout: Layout, source: str) -> list[pl.Expr]:
    """レコードの列から、項目の列を切り出す式。数は Int64。"""
    found = []
    for placed in layout.placed:
        field = placed.field
        if not field.holds_value:
            continue
        cut = pl.col(source).str.slice(placed.start - 1, field.length)
        if field.kind is Kind.NUMBER:
            cut = cut.cast(pl.Int64, strict=False)
        elif field.kind is Kind.TEXT or (field.kind is Kind.DIGITS and field.blank_ok):
            cut = cut.str.strip_chars_end(" ")
        found.append(cut.alias(field.name))
    return found


def restore_text(frame: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """文字と漢字の列を CP932 に直し、漢字の列の末尾の空白を落とす。"""
    texts = [field for field in layout.fields if field.kind in {Kind.TEXT, Kind.WIDE}]
    restored = [decode_column(frame[field.name]) for field in texts]
    frame = frame.with_columns(restored)
    return frame.with_columns(pl.col(field.name).str.strip_chars_end(" ") for field in texts if field.kind is Kind.WIDE)


def meant(frame: pl.DataFrame, layout: Layout) -> pl.Series:
    """形の合った列の、値の決まり（最小、空、選べる値、書き方）を全部の行に。合えば True。"""
    checks = [check for field in layout.fields if field.holds_value for check in _meaning(frame, field)]
    if not checks:
        return pl.Series("meant", [True], dtype=pl.Boolean).new_from_index(0, frame.height)
    return frame.select(pl.all_horizontal(checks).fill_null(value=False).alias("meant"))["meant"]


def _meaning(frame: pl.DataFrame, field: Field) -> list[pl.Expr]:
    column = pl.col(field.name)
    if field.kind is Kind.NUMBER:
        return [column >= field.minimum] if field.minimum else []
    blank = column == ""
    checks: list[pl.Expr] = []
    if field.kind is Kind.WIDE:
        checks.append(column.is_not_null())
    if field.kind is not Kind.DIGITS and not field.blank_ok:
        checks.append(~blank)
    if field.choices and field.kind is Kind.TEXT:
        checks.append(column.is_in(field.choices) | blank)
    form = FORMS[field.form] if field.form else None
    if form is not None and form.expr is not None:
        checks.append(form.expr(column) | blank)
    elif field.form or field.valid:
        distinct = frame[field.name].unique().to_list()
        # 書く前の表では、形の合わない値も来る。決まりの関数には、桁の合ったものだけを渡す。
        bad = [value for value in distinct if value and field.problem(value) is not None]
        if bad:
            checks.append(~column.is_in(bad))
    return checks


def writable(field: Field) -> pl.Expr:
    """書く前の列が、この項目に書けるか（書き方と選べる値は `meant` が見る）。null は書けない。"""
    column = pl.col(field.name)
    if field.kind is Kind.NUMBER:
        good = column.is_between(field.minimum, 10**field.length - 1)
    elif field.kind is Kind.DIGITS:
        good = column.str.contains(f"^(?:{_digits(field)})$")
        good = good | (column == "") if field.blank_ok else good
    else:
        if field.allowed is not None:
            good = column.str.contains(f"^{_class_of(field.allowed.characters, raw=False)}*$")
        else:
            good = ~column.str.contains(r"[\x00-\x1f\x7f-\x{a0}\x{f8f0}-\x{f8f3}]")
        good = good & (byte_width(field) <= field.length) & ~column.str.ends_with(" ")
        good = good if field.blank_ok else good & (column != "")
    return good.fill_null(value=False)


def encodable(column: pl.Series) -> pl.Series:
    """漢字の列のそれぞれが CP932 で書けるか。"""
    try:
        _JOIN.join(value or "" for value in column).encode(ENCODING)
    except UnicodeEncodeError:
        return pl.Series(column.name, [value is None or _fits(value) for value in column], dtype=pl.Boolean)
    return pl.Series(column.name, [True], dtype=pl.Boolean).new_from_index(0, len(column))


def _fits(value: str) -> bool:
    try:
        value.encode(ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def byte_width(field: Field) -> pl.Expr:
    """CP932 で書いたときのバイト数。"""
    column = pl.col(field.name)
    width = column.str.len_chars()
    return width + column.str.count_matches(_DOUBLE) if field.kind is Kind.WIDE else width


def cell(field: Field) -> pl.Expr:
    """検査の済んだ列を、項目の長さちょうどの文字列にする。"""
    column = pl.col(field.name)
    if not field.holds_value:
        return pl.lit(field.value)
    if field.kind is Kind.NUMBER:
        return column.cast(pl.String).str.zfill(field.length)
    if field.kind is Kind.WIDE:
        # 漢字の分だけ、詰める空白は少ない。
        kept = field.length - column.str.count_matches(_DOUBLE).cast(pl.Int64)
        return (column + " " * field.length).str.slice(0, kept)
    return column.str.pad_end(field.length, " ")


def part(declared: Part) -> pl.Expr:
    """部分項目の式。数は Int64、ほかは末尾の空白を落とした文字列。"""
    cut = pl.col(declared.of).str.slice(declared.start - 1, declared.length)
    cut = cut.cast(pl.Int64, strict=False) if declared.number else cut.str.strip_chars_end(" ")
    return cut.alias(declared.name)
