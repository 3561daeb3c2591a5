"""CSV の様式: 見出しの一行と、列の並びを表として宣言する。検査は固定長と同じ項目の宣言でする。

列の数が違う行、形の合わない値は全部挙げ、ファイルごと断る（`CsvReading.require`）。
読んだ行 = 良い行 + 断った行（見出しは数えない）。
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import columns, csv_reader
from benefit.records.faults import FAULTS_MAX, Fault, RefusedFile
from benefit.records.fields import Field, Kind
from benefit.records.layout import Layout
from benefit.records.layout_view import meaning_of

_CP932 = "cp932"


@dataclass(frozen=True)
class Rule:
    """列どうしの決まり: 合わない行を断る。"""

    label: str
    says: str
    holds: Callable[[], pl.Expr]


@dataclass(frozen=True)
class CsvLayout:
    """一つの CSV の様式。長さは、その列に入る最大のバイト数（番号はちょうどの桁）。

    own_convention: 公開の様式がなく、自分たちで決めた。utf8_too: CP932 のほか、UTF-8（BOM は自由）でも受け取る。
    """

    id: str
    title: str
    fields: tuple[Field, ...]
    sources: tuple[str, ...]
    read_on: date
    rules: tuple[Rule, ...] = ()
    made: Callable[[], list[pl.Expr]] | None = None
    own_convention: bool = False
    utf8_too: bool = False

    @property
    def standing(self) -> str:
        """一覧に出す、様式の身分。"""
        return "自分たちの取り決め" if self.own_convention else "公開の一例"

    @property
    def record(self) -> Layout:
        """列の検査に使う、項目の並び。"""
        length = sum(field.length for field in self.fields)
        return Layout(self.title, length, self.fields, self.sources, verified=False, read_on=self.read_on)

    def markdown(self) -> str:
        """仕様書。"""
        code = "CP932 か UTF-8" if self.utf8_too else "CP932"
        lines = [f"## {self.title}（CSV、見出しあり、{code}・CRLF）", "", f"- 様式の名: {self.id}（{self.standing}）"]
        lines += [f"- 出典: {'、'.join(self.sources)}（{self.read_on} に読んだ）", ""]
        lines += ["| 列 | 項目名 | 最大の長さ | 型 | 値・意味 | 英語名 |", "|---|---|---|---|---|---|"]
        for at, field in enumerate(self.fields, start=1):
            cells = (at, field.label, field.length, field.kind.value, meaning_of(field), f"`{field.name}`")
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
        return "\n".join([*lines, "", *(f"- {rule.label}: {rule.says}" for rule in self.rules), ""])


@dataclass(frozen=True)
class CsvReading:
    """読んだ CSV。data は良い行（`record` はファイルの行）。"""

    file: str
    data: pl.DataFrame
    faults: tuple[Fault, ...]
    more_faults: int
    read: int
    rejected: int

    @property
    def good(self) -> int:
        """良い行の数。"""
        return self.data.height

    def require(self) -> pl.DataFrame:
        """良い行。悪い所が一つでもあれば、ファイルごと断る。"""
        if self.faults or self.more_faults:
            raise RefusedFile(self.file, self.faults, self.more_faults)
        return self.data


def read(content: bytes, layout: CsvLayout, *, file: str = "", encoding: str | None = _CP932) -> CsvReading:
    """全部の行を確かめる。見出しが様式と違えば `RefusedInput`。

    encoding: None なら、中身から UTF-8 か CP932 に決める。UTF-8 なら、漢字の列に CP932 にない字があってよい。
    """
    raw = csv_reader.read(content, file_name=file, encoding=None if layout.utf8_too else encoding)
    narrow = raw.encoding == _CP932
    wanted = tuple(field.label for field in layout.fields)
    if raw.header != wanted:
        raise RefusedInput(
            "見出しの列が様式と違います", code="csv-header", place=Place(file, 1), allowed="、".join(wanted)
        )
    faults = [
        Fault(line, "", "列の数が違います", f"{count} 列", f"{len(wanted)} 列", code="csv-width")
        for line, count in raw.misfits
    ]
    names = {str(at): field.name for at, field in enumerate(layout.fields)}
    texts = raw.frame.rename({**names, csv_reader.LINE: "record"}).with_columns(
        pl.col("record").cast(pl.Int64), pl.col(list(names.values())).fill_null("")
    )
    numbers = [field for field in layout.fields if field.kind is Kind.NUMBER]
    shaped = [pl.col(field.name).str.contains(f"^[0-9]{{1,{field.length}}}$") for field in numbers]
    table = texts.with_columns(
        pl.when(shape).then(pl.col(field.name)).cast(pl.Int64).alias(field.name)
        for field, shape in zip(numbers, shaped, strict=True)
    )
    good = _good(table, layout, narrow=narrow)
    for at in (~good).arg_true().head(FAULTS_MAX):
        faults += _problems(texts.row(at, named=True), table.row(at, named=True), layout, narrow=narrow)
    data = table.filter(good)
    if layout.made is not None:
        data = data.with_columns(layout.made())
    unlisted = max(0, table.height - data.height - FAULTS_MAX) + max(0, len(faults) - FAULTS_MAX)
    rejected = len(raw.misfits) + table.height - data.height
    assert raw.rows_read == data.height + rejected, "読んだ行が、良い行と断った行に合わない"
    listed = tuple(sorted(faults, key=lambda fault: fault.record)[:FAULTS_MAX])
    return CsvReading(file, data, listed, unlisted, raw.rows_read, rejected)


def _good(table: pl.DataFrame, layout: CsvLayout, *, narrow: bool) -> pl.Series:
    if not table.height:
        return pl.Series("good", [], dtype=pl.Boolean)
    checks = [columns.writable(field) for field in layout.fields]
    good = table.select(pl.all_horizontal(checks).alias("good"))["good"] & columns.meant(table, layout.record)
    for field in layout.fields:
        good = good & columns.encodable(table[field.name]) if narrow and field.kind is Kind.WIDE else good
    held = table.select(pl.all_horizontal(pl.lit(value=True), *(rule.holds() for rule in layout.rules)).alias("held"))
    return good & held["held"].fill_null(value=False)


def _problems(text: dict[str, Any], row: dict[str, Any], layout: CsvLayout, *, narrow: bool) -> list[Fault]:
    record, found = int(str(row["record"])), []
    for at, field in enumerate(layout.fields, start=1):
        title, value = f"{field.label}（{at} 列目）", row[field.name]
        if value is None:
            found.append(Fault(record, title, "数字ではありません", field.show(str(text[field.name])), "整数"))
        elif (
            problem := field.problem(_within(value) if not narrow and field.kind is Kind.WIDE else value)
        ) is not None:
            found.append(Fault(record, title, problem.says, problem.found, problem.allowed))
    if not found:
        one = pl.DataFrame([row])
        broken = [rule for rule in layout.rules if not one.select(rule.holds()).item()]
        assert broken, "まとめて見た答えと、一件ずつ見た答えが違う"
        found = [Fault(record, rule.label, rule.says) for rule in broken]
    return found


def _within(value: str) -> str:
    """CP932 にない字を、あっても断られない字に（長さと制御文字だけを見るとき）。"""
    return value.encode(_CP932, "replace").decode(_CP932).replace("?", "〓")
