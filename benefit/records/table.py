"""表（CSV）の様式: 列を一度だけ、仕様の順に書く。検査、型、断り、仕様書の印字は、みなここから出る。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import csv_reader
from benefit.records.individual_number import suspected_columns


class Kind(StrEnum):
    """欄の種類。値は仕様書に載る言葉。"""

    DIGITS = "番号（数字）"
    PATTERN = "番号（英数字）"
    TEXT = "文字"
    WORD = "言葉（一覧から）"
    MONEY = "円"
    SIGNED_MONEY = "円（負もある）"
    COUNT = "人数"
    FLAG = "0 か 1"
    DATE = "日付"
    BIRTH = "生年月日（00 は不詳）"
    SUPPORTER = "宛名番号か「区外」"


@dataclass(frozen=True)
class Column:
    """一つの列。heading は見出し、name は中の名前。blank は空白に意味があるか（何を意味するか）。"""

    heading: str
    name: str
    kind: Kind
    blank: str = ""
    length: int = 0
    pattern: str = ""
    words: tuple[str, ...] = ()
    integer: bool = False

    @property
    def allowed(self) -> str:
        """許されるものを、職員に言う文。"""
        said = {
            Kind.DIGITS: "、".join(self.words) or f"{self.length} 桁の数字",
            Kind.PATTERN: f"{self.pattern} の形",
            Kind.TEXT: "空でない文字",
            Kind.WORD: "、".join(self.words),
            Kind.MONEY: "コンマのない 0 以上の整数（円）",
            Kind.SIGNED_MONEY: "コンマのない整数（円）",
            Kind.COUNT: "0 から 99 の整数",
            Kind.FLAG: "0 か 1",
            Kind.DATE: "YYYY-MM-DD の日付",
            Kind.BIRTH: "YYYY-MM-DD（不詳の月・日は 00）",
            Kind.SUPPORTER: "10 桁の宛名番号か「区外」",
        }[self.kind]
        return f"{said}、または空白（{self.blank}）" if self.blank else said

    @property
    def bad(self) -> pl.Expr:
        """合わない値なら真。空白に意味があれば、空白は合う。"""
        value = pl.col(self.heading)
        # 読めない日付も null になる。空白かどうかは、もとの値だけが言える。
        fits = self._fits(value).fill_null(value=False)
        return pl.when(value.is_null()).then(pl.lit(not self.blank)).otherwise(~fits)

    def _fits(self, value: pl.Expr) -> pl.Expr:
        match self.kind:
            case Kind.DIGITS if self.words:
                return value.is_in(self.words)
            case Kind.DIGITS:
                return value.str.contains(rf"^[0-9]{{{self.length}}}$")
            case Kind.PATTERN:
                return value.str.contains(f"^{self.pattern}$")
            case Kind.TEXT:
                # タブと改行のほかの制御文字は、名前でも住所でもない。
                return value.str.contains(r"\S") & ~value.str.contains(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
            case Kind.WORD:
                return value.is_in(self.words)
            case Kind.MONEY:
                return value.str.contains(r"^[0-9]{1,12}$")
            case Kind.SIGNED_MONEY:
                return value.str.contains(r"^-?[0-9]{1,12}$")
            case Kind.COUNT:
                return value.str.contains(r"^[0-9]{1,2}$")
            case Kind.FLAG:
                return value.is_in(["0", "1"])
            case Kind.DATE:
                # 読んだ日付を書き戻して、一字も違わないこと。「2024-2-3」や「2024-02-30」を通さない。
                return _date(value).dt.to_string("%Y-%m-%d") == value
            case Kind.BIRTH:
                # 読める範囲は、値の種類ごとに一度だけ計算してある（`_births`）。
                return pl.col(f"{self.name}_earliest").is_not_null()
            case Kind.SUPPORTER:
                return value.str.contains(r"^([0-9]{10}|区外)$")

    @staticmethod
    def _earliest(value: pl.Expr) -> pl.Expr:
        month, day = value.str.slice(5, 2), value.str.slice(8, 2)
        first = pl.concat_str(
            value.str.slice(0, 5),
            pl.when(month == "00").then(pl.lit("01")).otherwise(month),
            pl.lit("-"),
            pl.when(day == "00").then(pl.lit("01")).otherwise(day),
        )
        exact = _date(first)
        return pl.when(exact.dt.to_string("%Y-%m-%d") == first).then(exact)

    @staticmethod
    def _latest(value: pl.Expr) -> pl.Expr:
        month, day = value.str.slice(5, 2), value.str.slice(8, 2)
        start = pl.concat_str(
            value.str.slice(0, 5),
            pl.when(month == "00").then(pl.lit("12")).otherwise(month),
            pl.lit("-"),
            pl.when(day == "00").then(pl.lit("01")).otherwise(day),
        )
        begun = _date(start)
        return pl.when(day == "00").then(begun.dt.month_end()).otherwise(begun)

    def births(self, frame: pl.DataFrame) -> pl.DataFrame:
        """生年月日が取りうる範囲を、値の種類ごとに一度だけ計算して付ける。読めない値は null。"""
        value = pl.col(self.heading)
        shaped = value.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
        ranges = (
            frame.select(value.unique())
            .drop_nulls()
            .with_columns(
                pl.when(shaped).then(self._earliest(value)).alias(f"{self.name}_earliest"),
                pl.when(shaped).then(self._latest(value)).alias(f"{self.name}_latest"),
            )
        )
        both = pl.col(f"{self.name}_earliest").is_not_null() & pl.col(f"{self.name}_latest").is_not_null()
        return frame.join(ranges.filter(both), on=self.heading, how="left", maintain_order="left")

    @property
    def typed(self) -> list[pl.Expr]:
        """検査の済んだ値を、型のついた列にする。"""
        value = pl.col(self.heading)
        match self.kind:
            case Kind.DIGITS if self.integer:
                return [value.cast(pl.Int64).alias(self.name)]
            case Kind.MONEY | Kind.SIGNED_MONEY | Kind.COUNT:
                return [value.cast(pl.Int64).alias(self.name)]
            case Kind.FLAG:
                return [(value == "1").alias(self.name)]
            case Kind.DATE:
                return [_date(value).alias(self.name)]
            case Kind.BIRTH:
                return [value.alias(self.name), pl.col(f"{self.name}_earliest"), pl.col(f"{self.name}_latest")]
            case Kind.SUPPORTER:
                return [
                    value.replace("区外", None).cast(pl.Int64).alias("supporter_number"),
                    (value == "区外").fill_null(value=False).alias("supporter_outside"),
                ]
            case _:
                return [value.alias(self.name)]


def _date(value: pl.Expr) -> pl.Expr:
    return value.str.to_date("%Y-%m-%d", strict=False)


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
    place = Place(file=file_name)
    headings = [name for name in raw.frame.columns if name != "line"]
    suspects = suspected_columns(raw.frame)
    if suspects:
        raise RefusedInput(
            "個人番号らしい列があります。この仕組みは個人番号を持ちません。列を除いて、出し直してください",
            code="individual-number",
            place=place,
            found=f"列「{'」「'.join(s[:20] for s in suspects)}」",
        )
    missing = [column.heading for column in table.columns if column.heading not in headings]
    if missing:
        raise RefusedInput(
            f"見出しに足りない列があります: {'、'.join(missing)}",
            code="missing-columns",
            place=Place(file=file_name, record=1),
            found=f"{len(headings)} 列",
            allowed="、".join(column.heading for column in table.columns),
        )
    known = {column.heading for column in table.columns}
    warnings = tuple(f"知らない列「{name[:20]}」は読みません" for name in headings if name not in known)
    return _validated(table, raw, warnings)


def _validated(table: Table, raw: csv_reader.RawTable, warnings: tuple[str, ...]) -> Reading:
    frame = raw.frame.select(*(column.heading for column in table.columns), "line")
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
    if table.key:
        rejects += _duplicates(frame, table)
    listed = pl.concat(rejects).sort("行", maintain_order=True) if rejects else pl.DataFrame(schema=_REJECTS)
    kept = frame
    if listed.height:
        kept = frame.filter(~pl.col("line").is_in(listed["行"].unique().implode()))
    typed = kept.select(*(expr for column in table.columns for expr in column.typed), "line")
    return Reading(typed, listed, raw.rows_read, raw.encoding, warnings)


def _misfits(raw: csv_reader.RawTable) -> pl.DataFrame:
    headings = raw.frame.width - 1
    return pl.DataFrame(
        [(line, "", "field-count", f"列の数が {found}（{headings} のはず）") for line, found in raw.misfits],
        schema=_REJECTS,
        orient="row",
    )


def _values(frame: pl.DataFrame, column: Column) -> pl.DataFrame:
    """合わない値の行と、見つかった値。職員が直すための一覧なので、値を写す（60 文字まで）。"""
    value = pl.col(column.heading)
    blank = value.is_null()
    return frame.filter(column.bad).select(
        pl.col("line").alias("行"),
        pl.lit(column.heading).alias("列"),
        pl.when(blank).then(pl.lit("blank")).otherwise(pl.lit(f"not-{column.kind.name.lower()}")).alias("コード"),
        pl.when(blank)
        .then(pl.lit(f"空白です。許されるもの: {column.allowed}"))
        .otherwise(pl.format("「{}」は許されません。許されるもの: {}", value.str.slice(0, 60), pl.lit(column.allowed)))
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
    if (
        frame.select(pl.struct(table.key).n_unique() if len(table.key) > 1 else pl.col(table.key[0]).n_unique()).item()
        == frame.height
    ):
        return []
    keys: Sequence[str] = table.key
    clash = frame.filter(pl.len().over(keys) > 1)
    return [_said(clash["line"], "+".join(keys), "duplicate", "同じ番号の行がほかにもあります")] if clash.height else []


_FORMULA = r"^([=+\-@\t\r＝＋－＠])"


def rejects_csv(reading: Reading) -> bytes:
    """不採用の一覧 `<file>.rejects.csv`。表計算ソフトで開くので BOM を付け、式に見える値は無害にする。"""
    safe = reading.rejects.with_columns(pl.col("列", "内容").str.replace(_FORMULA, "'${1}"))
    return b"\xef\xbb\xbf" + safe.write_csv(quote_style="necessary").encode()
