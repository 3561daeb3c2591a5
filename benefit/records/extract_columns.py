"""表の一つの列: 種類、許されるもの、検査、型。どの様式の列も、この言葉で書く。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import polars as pl

#: これより前の日付は、桁の壊れた日付とみなす（生きている人の生年月日も、住民となった日も、これより後にしかない）。
EARLIEST_DATE = date(1800, 1, 1)
#: 名前にも住所にもない字: タブと改行のほかの制御文字。
_CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_DATE_SHAPE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


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
    """一つの列。

    heading は見出し、name は中の名前。blank は空白に意味があるか（何を意味するか。空の文字列なら、空白は許されない）。
    length は桁数、pattern は正規表現、words は許される言葉、integer は中で Int64 にする番号か。
    """

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
                printable = ~value.str.contains(_CONTROLS)
                # 空白の字だけの欄は、空白である。空白に意味があれば、空白として通す（`typed` が null にする）。
                return printable if self.blank else value.str.contains(r"\S") & printable
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
                # 形と、暦にあること。「2024-2-3」や「2024-02-30」を通さない。
                return value.str.contains(_DATE_SHAPE) & (_date(value) >= EARLIEST_DATE)
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
        return pl.when((exact.dt.to_string("%Y-%m-%d") == first) & (exact >= EARLIEST_DATE)).then(exact)

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
        shaped = value.str.contains(_DATE_SHAPE)
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
            case Kind.TEXT if self.blank:
                return [pl.when(value.str.contains(r"\S")).then(value).alias(self.name)]
            case _:
                return [value.alias(self.name)]


def _date(value: pl.Expr) -> pl.Expr:
    return value.str.to_date("%Y-%m-%d", strict=False)
