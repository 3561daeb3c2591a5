"""印刷所の結果と、渡したロットを、集まりとして突き合わせる。合わない一枚は、番号とわけで名ざす。

    渡した = 良 + 損      再作成 + 抜き取り = 損      投函 = 良 + 再作成

抜き取り: 刷った後に出し直しで無効になった手紙。損とだけ書き、作り直しも投函もしない。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from benefit.domain import print_result as words
from benefit.domain.print_result import GOOD, POSTED, REMADE, SHEET_FAULTS, SPOILED

#: 渡したロットの一枚。`letter` は手紙（番号・枝番・種類）、`void_on` は手紙を無効にした日（なければ null）。
EXPECTED = {"code": pl.String, "letter": pl.String, "sheets": pl.Int64, "void_on": pl.Date}
#: ロットにない番号の、わけ（`code`、`why`）。知っているのは台帳なので、呼ぶ側が渡す。
STRANGERS = {"code": pl.String, "why": pl.String}
FAULTS = {"code": pl.String, "fault": pl.String, "record": pl.Int64}
#: 封入の符号の頭の 15 桁（給付管理番号 11、枝番 2、種類 2）が、一通の手紙。
LETTER_DIGITS = 15


@dataclass(frozen=True)
class Counted:
    """突き合わせの結果。数はロットの一枚（`sent`）について、同じ一枚の二度目は数えない。`faults` は `FAULTS` の列。"""

    sent: int
    good: int
    spoiled: int
    remade: int
    posted: int
    pulled: int
    faults: pl.DataFrame
    posted_from: date | None
    posted_to: date | None

    @property
    def wrong(self) -> int:
        """名ざした番号の数（一つの番号に、わけが二つあることがある）。"""
        return int(self.faults["code"].n_unique())

    @property
    def state(self) -> str:
        """閉じたか、止まったか。"""
        return words.STOPPED if self.faults.height else words.CLOSED


def reconcile(
    expected: pl.DataFrame, rows: pl.DataFrame, strangers: pl.DataFrame, *, made_on: date, today: date
) -> Counted:
    """`rows`（records.print_result.ROWS）を `expected` と突き合わせる。`made_on` はロットを作った日。"""
    sheets = _by_sheet(expected, rows)
    found = [
        _strange(rows, strangers),
        *_missing(sheets),
        *_twice(sheets),
        *_dates(sheets, made_on, today),
        *_void(sheets),
        *_envelopes(expected, rows),
    ]
    faults = pl.concat([frame.select(pl.col(name).cast(kind) for name, kind in FAULTS.items()) for frame in found])
    rank = {fault: place for place, fault in enumerate(SHEET_FAULTS)}
    faults = faults.unique(["code", "fault"], keep="first", maintain_order=True).sort(
        "code", pl.col("fault").replace_strict(rank, return_dtype=pl.Int64)
    )
    has = sheets.select(
        good=(pl.col("goods") > 0).sum(),
        spoiled=(pl.col("spoils") > 0).sum(),
        remade=(pl.col("remakes") > 0).sum(),
        posted=(pl.col("posts") > 0).sum(),
        pulled=_pulled().sum(),
        first=pl.col("posted_on").min(),
        last=pl.col("posted_on").max(),
    ).row(0, named=True)
    first, last = has.pop("first"), has.pop("last")
    done = Counted(expected.height, **has, faults=faults, posted_from=first, posted_to=last)
    whole = (
        done.sent == done.good + done.spoiled
        and done.spoiled == done.remade + done.pulled
        and done.posted == done.good + done.remade
    )
    assert whole or faults.height, "数が合わないのに、名ざしがない"
    return done


def _by_sheet(expected: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """渡した一枚ごとに、四つの区分の行の数と日、初めの行。"""
    deeds = {"goods": GOOD, "spoils": SPOILED, "remakes": REMADE, "posts": POSTED}
    counted = rows.group_by("code").agg(
        *((pl.col("deed") == deed).sum().cast(pl.Int64).alias(name) for name, deed in deeds.items()),
        record=pl.col("record").min(),
        good_on=pl.col("on").filter(pl.col("deed") == GOOD).max(),
        spoiled_on=pl.col("on").filter(pl.col("deed") == SPOILED).min(),
        remade_on=pl.col("on").filter(pl.col("deed") == REMADE).max(),
        posted_on=pl.col("on").filter(pl.col("deed") == POSTED).min(),
        last_on=pl.col("on").max(),
        first_on=pl.col("on").min(),
    )
    return expected.join(counted, on="code", how="left").with_columns(pl.col(list(deeds)).fill_null(0))


def _pulled() -> pl.Expr:
    """無効にした手紙で、全部の紙に損とだけ書かれたもの。"""
    only_spoiled = (pl.col("spoils") > 0) & (pl.col("goods") + pl.col("remakes") + pl.col("posts") == 0)
    return pl.col("void_on").is_not_null() & only_spoiled.all().over("letter")


def _named(sheets: pl.DataFrame, fault: str, when: pl.Expr) -> pl.DataFrame:
    return sheets.filter(when).select("code", "record", fault=pl.lit(fault))


def _strange(rows: pl.DataFrame, strangers: pl.DataFrame) -> pl.DataFrame:
    return strangers.join(rows.group_by("code").agg(pl.col("record").min()), on="code", how="left").rename(
        {"why": "fault"}
    )


def _missing(sheets: pl.DataFrame) -> list[pl.DataFrame]:
    made = (pl.col("goods") > 0) | (pl.col("remakes") > 0)
    return [
        _named(sheets, words.MISSING, (pl.col("goods") == 0) & (pl.col("spoils") == 0)),
        _named(sheets, words.NOT_REMADE, (pl.col("spoils") > 0) & (pl.col("remakes") == 0) & ~_pulled()),
        _named(sheets, words.REMADE_WITHOUT_SPOILING, (pl.col("remakes") > 0) & (pl.col("spoils") == 0)),
        _named(sheets, words.NOT_POSTED, made & (pl.col("posts") == 0)),
        _named(sheets, words.POSTED_FROM_NOTHING, (pl.col("posts") > 0) & ~made),
    ]


def _twice(sheets: pl.DataFrame) -> list[pl.DataFrame]:
    again = pl.any_horizontal(pl.col(name) > 1 for name in ("goods", "spoils", "remakes", "posts"))
    return [_named(sheets, words.TWICE, again | ((pl.col("goods") > 0) & (pl.col("spoils") > 0)))]


def _dates(sheets: pl.DataFrame, made_on: date, today: date) -> list[pl.DataFrame]:
    backwards = pl.any_horizontal(
        pl.col("remade_on") < pl.col("spoiled_on"),
        pl.col("posted_on") < pl.col("good_on"),
        pl.col("posted_on") < pl.col("remade_on"),
        pl.col("first_on") < made_on,
        pl.col("last_on") > today,
    )
    return [_named(sheets, words.DATE_ORDER, backwards.fill_null(value=False))]


def _void(sheets: pl.DataFrame) -> list[pl.DataFrame]:
    late = pl.max_horizontal("posted_on", "remade_on") >= pl.col("void_on")
    return [_named(sheets, words.VOID_BRANCH, late.fill_null(value=False))]


def _envelopes(expected: pl.DataFrame, rows: pl.DataFrame) -> list[pl.DataFrame]:
    """封筒は一通のためにあり、一通は一つの封筒に、全部の紙で入る。"""
    posted = rows.filter(pl.col("deed") == POSTED).join(expected, on="code", how="left")
    # ロットにない番号も、封筒の中では、よその手紙の一枚である。
    posted = posted.with_columns(letter=pl.col("letter").fill_null(pl.col("code").str.slice(0, LETTER_DIGITS)))
    counted = (
        posted.with_columns(inside=pl.col("letter").n_unique().over("envelope"))
        .filter(pl.col("sheets").is_not_null())
        .with_columns(
            places=pl.col("envelope").n_unique().over("letter"), there=pl.col("code").n_unique().over("letter")
        )
    )
    return [
        _named(counted, words.MIXED_ENVELOPE, pl.col("inside") > 1),
        _named(counted, words.SPLIT_LETTER, pl.col("places") > 1),
        _named(counted, words.HALF_ENVELOPE, pl.col("there") < pl.col("sheets")),
    ]
