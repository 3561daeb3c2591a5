"""表（CSV）の様式: 列を一度だけ、仕様の順に書く。検査、型、断り、仕様書の印字は、みなここから出る。"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import csv_reader, people_csv
from benefit.records.extract_columns import Column, Kind
from benefit.records.individual_number import suspected_columns

__all__ = ["Column", "Kind", "Reading", "Table", "Together", "read", "rejects_csv"]


@dataclass(frozen=True)
class Together:
    """二つの列をまたぐ決まり。bad が真の行は不採用。heading は、言う列。"""

    heading: str
    says: str
    bad: pl.Expr


@dataclass(frozen=True)
class Table:
    """一つの様式。key は重なってはならない列の見出し。source は出典。"""

    kind: str
    title: str
    columns: tuple[Column, ...]
    source: str
    key: tuple[str, ...] = ()
    together: tuple[Together, ...] = field(default=())

    def specification(self) -> str:
        """仕様書（Markdown の表）。"""
        lines = [
            f"### {self.title}（{self.kind}.csv）",
            "",
            f"出典: {self.source}",
            "",
            "| 列 | 種類 | 許されるもの |",
            "|---|---|---|",
        ]
        lines += [f"| {c.heading} | {c.kind.value} | {c.allowed} |" for c in self.columns]
        if self.key:
            lines += ["", f"重なってはならないもの: {' + '.join(self.key)}"]
        return "\n".join(lines) + "\n"


_REJECTS = pl.Schema({"行": pl.Int64, "列": pl.String, "コード": pl.String, "内容": pl.String})


@dataclass(frozen=True)
class Reading:
    """読んだ結果。read = kept + rejected がいつも成り立つ。

    frame: 採用した行（型つき、ファイルの順）。rejects: 不採用のわけ（行、列、コード、内容）。一行に幾つもありうる。
    """

    frame: pl.DataFrame
    rejects: pl.DataFrame
    rows_read: int
    encoding: str
    warnings: tuple[str, ...]

    @property
    def rows_rejected(self) -> int:
        """不採用の行の数。"""
        return self.rejects["行"].n_unique() if self.rejects.height else 0

    @property
    def rows_kept(self) -> int:
        """採用の行の数。"""
        return self.frame.height

    def without(self, lines: pl.Series, *, column: str, code: str, detail: str) -> Reading:
        """この行を不採用に移す。"""
        if lines.is_empty():
            return self
        more = pl.DataFrame({"行": lines}).with_columns(
            pl.lit(column).alias("列"), pl.lit(code).alias("コード"), pl.lit(detail).alias("内容")
        )
        return replace(
            self,
            frame=self.frame.filter(~pl.col("line").is_in(lines.implode())),
            rejects=pl.concat([self.rejects, more.cast(_REJECTS)]).sort("行"),
        )


def read(table: Table, data: bytes, *, file_name: str, encoding: str | None = None) -> Reading:
    """様式に照らして読む。ファイルごと断るときは RefusedInput（個人番号、見出し、文字コード、引用符）。"""
    raw = csv_reader.read(data, file_name=file_name, encoding=encoding)
    suspects = suspected_columns(raw.frame)
    if suspects:
        raise RefusedInput(
            "個人番号らしい列があります。この仕組みは個人番号を持ちません。列を除いて、出し直してください",
            code="individual-number",
            place=Place(file=file_name),
            found="、".join(_shown(raw.header, int(number)) for number in suspects),
        )
    missing = [column.heading for column in table.columns if column.heading not in raw.header]
    if missing:
        raise RefusedInput(
            f"見出しに足りない列があります: {'、'.join(missing)}",
            code="missing-columns",
            place=Place(file=file_name, record=1),
            found=f"{len(raw.header)} 列",
            allowed="、".join(column.heading for column in table.columns),
        )
    twice = [n for n, name in enumerate(raw.header) if name and name in raw.header[:n]]
    if twice:
        raise RefusedInput(
            "同じ見出しが二つあります",
            code="header-twice",
            place=Place(file=file_name, record=1),
            found="、".join(_shown(raw.header, number) for number in twice),
            allowed="一つの見出しは一度だけ",
        )
    known = {column.heading for column in table.columns}
    warnings = tuple(
        f"知らない{_shown(raw.header, number)}は読みません"
        for number, name in enumerate(raw.header)
        if name not in known
    )
    return _validated(table, raw, warnings)


def _shown(header: Sequence[str], number: int) -> str:
    """列の呼び方。見出しのないファイルでは一行目が人の記録なので、番号の入った見出しは写さない。"""
    name = header[number]
    if not name.strip() or re.search(r"\d{4}", name):
        return f"{number + 1} 列目"
    return f"列「{name[:20]}」"


def _validated(table: Table, raw: csv_reader.RawTable, warnings: tuple[str, ...]) -> Reading:
    frame = raw.frame.select(
        *(pl.col(str(raw.header.index(column.heading))).alias(column.heading) for column in table.columns), "line"
    )
    for column in table.columns:
        if column.kind is Kind.BIRTH:
            frame = column.births(frame)
    bad = [column.bad.alias(column.heading) for column in table.columns]
    # ふだんは、一回の計算で「どこにも問題がない」と分かる。
    counts = frame.select(expr.sum() for expr in bad).row(0) if frame.height else (0,) * len(bad)
    rejects: list[pl.DataFrame] = [_misfits(raw)] if raw.misfits else []
    for column, count in zip(table.columns, counts, strict=True):
        if count:
            rejects.append(_values(frame, column))
    for rule in table.together:
        broken = frame.filter(rule.bad.fill_null(value=False))
        if broken.height:
            rejects.append(_said(broken["line"], rule.heading, "together", rule.says))
    # 問題のない表は、型を付けてから番号の重なりを数える（数は、字の何分の一かの時間で数えられる）。
    if not rejects:
        typed = _typed(table, frame)
        if not table.key or _unique(table, typed):
            return Reading(typed, pl.DataFrame(schema=_REJECTS), raw.rows_read, raw.encoding, warnings)
    if table.key:
        rejects += _duplicates(frame, table)
    listed = pl.concat(rejects).sort("行", maintain_order=True) if rejects else pl.DataFrame(schema=_REJECTS)
    kept = frame
    if listed.height:
        kept = frame.filter(~pl.col("line").is_in(listed["行"].unique().implode()))
    return Reading(_typed(table, kept), listed, raw.rows_read, raw.encoding, warnings)


def _typed(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(*(expr for column in table.columns for expr in column.typed), "line")


def _unique(table: Table, typed: pl.DataFrame) -> bool:
    """検査の済んだ表で、番号が重なっていないと言い切れるか。言い切れなければ、字のままで数え直す。"""
    key = pl.lit(0, dtype=pl.Int64)
    largest = 1
    for column in table.columns:
        if column.heading not in table.key:
            continue
        value = pl.col(column.name)
        if column.integer:
            size = 10**column.length
        elif column.kind is Kind.WORD and not column.blank:
            size = len(column.words)
            value = value.cast(pl.Enum(column.words)).to_physical().cast(pl.Int64)
        else:
            return False
        key = key * size + value
        largest *= size
    return largest < 2**63 and bool(typed.select(key.n_unique()).item() == typed.height)


def _misfits(raw: csv_reader.RawTable) -> pl.DataFrame:
    headings = len(raw.header)
    return pl.DataFrame(
        [(line, "", "field-count", f"列の数が {found}（{headings} のはず）") for line, found in raw.misfits],
        schema=_REJECTS,
        orient="row",
    )


def _values(frame: pl.DataFrame, column: Column) -> pl.DataFrame:
    """合わない値の行と、見つかった値。職員が直すための一覧なので、値を写す（60 文字まで）。

    12 桁以上の数字は個人番号かもしれないので写さない。この仕組みは、断りの一覧にも個人番号を残さない。
    """
    value = pl.col(column.heading)
    blank = value.is_null() | ~value.str.contains(r"\S") if column.kind is Kind.TEXT else value.is_null()
    shown = value.str.slice(0, 60).str.replace_all(r"\d{12,}|\d{4}([\s\-－‐])\d{4}([\s\-－‐])\d{4}", "（12 桁の番号）")
    return frame.filter(column.bad).select(
        pl.col("line").alias("行"),
        pl.lit(column.heading).alias("列"),
        pl.when(blank).then(pl.lit("blank")).otherwise(pl.lit(f"not-{column.kind.name.lower()}")).alias("コード"),
        pl.when(blank)
        .then(pl.lit(f"空白です。許されるもの: {column.allowed}"))
        .otherwise(pl.format("「{}」は許されません。許されるもの: {}", shown, pl.lit(column.allowed)))
        .alias("内容"),
    )


def _said(lines: pl.Series, heading: str, code: str, says: str) -> pl.DataFrame:
    return (
        pl.DataFrame({"行": lines})
        .with_columns(pl.lit(heading).alias("列"), pl.lit(code).alias("コード"), pl.lit(says).alias("内容"))
        .cast(_REJECTS)
    )


def _duplicates(frame: pl.DataFrame, table: Table) -> list[pl.DataFrame]:
    """同じ番号の行は、どちらが正しいか分からないので、全部を不採用にする。"""
    keys: Sequence[str] = table.key
    distinct = pl.struct(keys).n_unique() if len(keys) > 1 else pl.col(keys[0]).n_unique()
    if frame.select(distinct).item() == frame.height:
        return []
    # 番号の空白な行は、空白として断ってある。空白どうしは、同じ番号ではない。
    numbered = frame.drop_nulls(keys)
    clash = numbered.filter(pl.len().over(keys) > 1)
    return [_said(clash["line"], "+".join(keys), "duplicate", "同じ番号の行がほかにもあります")] if clash.height else []


def rejects_csv(reading: Reading) -> bytes:
    """不採用の一覧 `<file>.rejects.csv`。表計算ソフトで開くので BOM を付け、式に見える値は無害にする。"""
    return b"\xef\xbb\xbf" + people_csv.render(reading.rejects)
