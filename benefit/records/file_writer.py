"""表からファイルを書く: 列ごとにまとめて書き、件数・金額・全レコードの件数は必ず行から数える（渡されない）。

書いたものは、送り出す前に `file_reader` で読み直せる。書けない値が一つでもあれば、何も作らずに全部の行を挙げて断る。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from benefit.domain.errors import WrongUse
from benefit.records import columns
from benefit.records.faults import FAULTS_MAX, Fault, RefusedFile
from benefit.records.fields import Field, Kind, Problem, Value
from benefit.records.file_layout import GROUP, FileLayout
from benefit.records.frame_records import sum_of
from benefit.records.layout import ENCODING

#: 見出しの値と、その組の明細。
Group = tuple[Mapping[str, Value], pl.DataFrame]


def write(layout: FileLayout, groups: Sequence[Group], *, file: str = "", newline: str | None = None) -> bytes:
    """ファイルのバイト列。`groups` は（見出しの値、明細の表）の並び。明細には様式の項目の列が全部要る。"""
    if layout.read_only:
        raise WrongUse(f"様式「{layout.title}」は読むだけです", code="read-only", found=layout.incomplete)
    if not groups or (len(groups) > 1 and not layout.groups):
        raise WrongUse(f"様式「{layout.title}」の組の数が合いません", found=f"{len(groups)}")
    records: list[bytes] = []
    breaks = (layout.newline if newline is None else newline).encode()
    count = 0
    for header, table in groups:
        if layout.header is not None:
            count += 1
            records.append(layout.header.encode(header, file=file, record=count))
        if table.height:
            records.append(_data(layout, table, file, count + 1, breaks))
            count += table.height
        if layout.trailer is not None:
            count += 1
            records.append(layout.trailer.encode(totals_of(layout, table), file=file, record=count))
    if layout.end is not None:
        count += 1
        ends: dict[str, Value] = {layout.end_count: _as_field(layout, count)} if layout.end_count else {}
        records.append(layout.end.encode(ends, file=file, record=count))
    return b"".join(record + breaks for record in records)


def totals_of(layout: FileLayout, table: pl.DataFrame) -> dict[str, Value]:
    """明細から数えた、合計レコードの値。"""
    assert layout.trailer is not None
    values: dict[str, Value] = {}
    whole = table.with_columns(*(columns.part(part) for part in layout.parts), pl.lit(1, dtype=pl.Int64).alias(GROUP))
    for at, total in enumerate(layout.totals):
        sums = whole.select(sum_of(total, at)).unnest(f"total{at}").row(0)
        values |= {name: int(value or 0) for name, value in zip((total.count, total.yen), sums, strict=True) if name}
    fields = {field.name: field for field in layout.trailer.fields if field.holds_value}
    # 空白でもよい合計（番号の項目）には、桁を揃えて書く。足す列のない項目は空白のままにする。
    return {
        name: (value if isinstance(value := values.get(name, ""), str) or _is_number(field) else _padded(value, field))
        for name, field in fields.items()
    }


def _is_number(field: Field) -> bool:
    return field.kind is Kind.NUMBER


def _padded(value: int, field: Field) -> str:
    return f"{value:0{field.length}d}"


def _as_field(layout: FileLayout, count: int) -> Value:
    assert layout.end is not None
    field = next(field for field in layout.end.fields if field.name == layout.end_count)
    return count if _is_number(field) else _padded(count, field)


def _data(layout: FileLayout, table: pl.DataFrame, file: str, first: int, breaks: bytes) -> bytes:
    data = layout.data
    if missing := set(data.names) - set(table.columns):
        raise WrongUse(f"様式「{layout.title}」に要る列がありません", found="、".join(sorted(missing)))
    wrong = [
        f"{field.label}（{table.schema[field.name]}）"
        for field in data.fields
        if field.holds_value and table.schema[field.name] != (pl.Int64 if field.kind is Kind.NUMBER else pl.String)
    ]
    if wrong:
        raise WrongUse(
            f"様式「{layout.title}」の列の型が違います", found="、".join(wrong), allowed="数は Int64、ほかは String"
        )
    valued = [field for field in data.fields if field.holds_value]
    good = table.select(pl.all_horizontal(columns.writable(field) for field in valued).alias("good"))["good"]
    good = good & columns.meant(table, data)
    for field in valued:
        good = good & columns.encodable(table[field.name]) if field.kind is Kind.WIDE else good
    if not good.all():
        raise _refused(layout, table.with_row_index("at", offset=first).filter(~good), file)
    lines = table.select(pl.concat_str(columns.cell(field) for field in data.fields).alias("line"))["line"].to_list()
    return breaks.decode().join(lines).encode(ENCODING)


def _refused(layout: FileLayout, rows: pl.DataFrame, file: str) -> RefusedFile:
    faults = []
    for row in rows.head(FAULTS_MAX).iter_rows(named=True):
        for placed in layout.data.placed:
            if placed.field.holds_value:
                value = row[placed.field.name]
                problem = Problem("値がありません", "null", "") if value is None else placed.field.problem(value)
                if problem is not None:
                    faults.append(Fault(row["at"], placed.title, problem.says, problem.found, problem.allowed))
    return RefusedFile(file, faults, max(0, rows.height - FAULTS_MAX))
