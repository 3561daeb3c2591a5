"""番号の書き方: 桁のほかに守る決まり（暦にある日付、時刻、44 桁のバーコード）。名前で様式に書く、閉じた一覧。

一件ずつの検査 `valid` と、列をまとめて見る検査 `expr`（あるものだけ）は、同じ答えを出す（試験が比べる）。
`expr` のないものは、違う値だけを一件ずつ見る: 日付や時刻は、百万件あっても違う値は少ない。
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

NO_LIMIT = "999999"
BARCODE_DIGITS = 44
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True)
class Form:
    """書き方の一つ。says は断りの「許されるもの」。`check` は、数字だけの値に当てる決まり。"""

    says: str
    check: Callable[[str], bool]
    expr: Callable[[pl.Expr], pl.Expr] | None = None

    def valid(self, value: str) -> bool:
        """決まりに合うか。数字でない値は、合わない。"""
        return value.isascii() and value.isdigit() and self.check(value)


def is_date(value: str) -> bool:
    """YYYYMMDD が暦にある日か。"""
    if len(value) != 8 or not (value.isascii() and value.isdigit()):
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


def is_short_date(value: str) -> bool:
    """YYMMDD（西暦の下二桁）が 2000 年代の暦にある日か。"""
    return is_date("20" + value)


def is_month_day(value: str) -> bool:
    """MMDD が暦にある月日か。年がないので 0229 は許す。"""
    month = int(value[:2])
    return 1 <= month <= 12 and 1 <= int(value[2:4]) <= _DAYS[month - 1]


def is_era_date(value: str) -> bool:
    """和暦の YYMMDD（元号はない）。"""
    return value[:2] != "00" and is_month_day(value[2:])


def is_era_month(value: str) -> bool:
    """和暦の YYMM（元号はない）。"""
    return value[:2] != "00" and 1 <= int(value[2:]) <= 12


def is_time(value: str) -> bool:
    """HHMM か HHMMSS。"""
    pairs = [int(value[at : at + 2]) for at in range(0, len(value), 2)]
    return pairs[0] < 24 and all(pair < 60 for pair in pairs[1:])


def is_deadline(value: str) -> bool:
    """支払期限の YYMMDD。999999 は期限なし。"""
    return value == NO_LIMIT or is_short_date(value)


def check_digit(body: str) -> int:
    """モジュラス 10、重み 3・1（右端が 3）の検査数字（formats §4.2）。"""
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(body)))
    return -total % 10


def is_barcode(value: str) -> bool:
    """44 桁の料金代理収納バーコード: 91 で始まり、期限と検査数字が正しい（formats §4.1・4.2）。"""
    return (
        len(value) == BARCODE_DIGITS
        and value.startswith("91")
        and is_deadline(value[30:36])
        and value[36] in "01"
        and check_digit(value[:-1]) == int(value[-1])
    )


#: 四桁の数 → 重み 3・1・3・1 の和を 10 で割った余り。44 桁は、検査数字も重み 1 で足すと、四桁ずつ 11 個に切れる。
_WEIGHTED = pl.Series(
    "weighted",
    [(3 * (n // 1000) + n // 100 % 10 + 3 * (n // 10 % 10) + n % 10) % 10 for n in range(10_000)],
    dtype=pl.UInt8,
)


def _barcode_expr(column: pl.Expr) -> pl.Expr:
    pieces = [
        pl.lit(_WEIGHTED).gather(column.str.slice(at, 4).cast(pl.UInt16, strict=False))
        for at in range(0, BARCODE_DIGITS, 4)
    ]
    return pl.sum_horizontal(pieces, ignore_nulls=False) % 10 == 0


def _check_barcode(column: pl.Expr) -> pl.Expr:
    deadline = column.str.slice(30, 6)
    written = ("20" + deadline).str.to_date("%Y%m%d", strict=False).is_not_null()
    shaped = column.str.starts_with("91") & column.str.slice(36, 1).is_in(["0", "1"])
    return (shaped & _barcode_expr(column) & ((deadline == NO_LIMIT) | written)).fill_null(value=False)


#: 書き方の一覧。様式の TOML に書けるのも、この名だけ。
FORMS: dict[str, Form] = {
    "date": Form("暦にある年月日（YYYYMMDD）", is_date),
    "short_date": Form("暦にある年月日（YYMMDD）", is_short_date),
    "month_day": Form("暦にある月日（MMDD）", is_month_day),
    "era_date": Form("和暦の年月日（YYMMDD）", is_era_date),
    "era_month": Form("和暦の年月（YYMM）", is_era_month),
    "time": Form("時刻（HHMM か HHMMSS）", is_time),
    "deadline": Form("暦にある年月日（YYMMDD）か 999999", is_deadline),
    "barcode": Form("91 で始まり検査数字の合う 44 桁", is_barcode, _check_barcode),
}
