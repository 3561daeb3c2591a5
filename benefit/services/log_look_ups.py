"""見ることの検知（L01〜L08）: 数、空振り、普段との差、電話の外、時間の外、まとめ読み、縁のある人、何人もが見た人。

数の境は reliability §4.7 のとおり。見ることそのものは仕事なので、検知は疑いではなく、確かめる順番である。
"""

from __future__ import annotations

import math
from datetime import date

import polars as pl

from benefit.domain.access import DeskRole
from benefit.domain.business_days import is_bank_business_day
from benefit.services.log_findings import NOTHING, told
from benefit.services.log_frames import MANY, Logs

SEARCHES = ("case.search", "person.search", "payment.search")
VIEWS = ("case.view", "case.glimpse", "person.view", "payment.view", "failure.view", "account.reveal")
LOOK_UPS = (*SEARCHES, *VIEWS)
#: L01
PER_HOUR = 30
#: L02
LAST_SEARCHES, MISS_RATIO = 20, 0.4
#: L03。役割の平均と散らばりを言うのに要る人日と、これより少なければ問わない件数。
SIGMAS, ENOUGH_DAYS, FEW = 4.0, 10, 20
#: L04
OUTSIDE_CALLS = 0.02
#: L05。職員が働く時間（日本の時刻）。
OPENS, CLOSES = 8, 20
#: L06
MANY_ROWS = 50
#: L06: 名のある一括処理。出すものは受渡管理簿や承認に載る。
NAMED_BATCHES = (
    "audit.", "beneficiaries.", "changes.", "collection.", "extract.", "failure.out", "form.", "forms.", "handover.",
    "inquiry.", "letters.", "look-up.", "payments.", "planned.", "receivable.", "recall.", "repayment.letters",
    "transfer.", "undo.", "login.", "staff.", "terminal.",
)  # fmt: skip
#: L07。たまたま同じ名字の人に当たる見込みが、これより小さいときに知らせる。
CHANCE = 0.01
#: L08
OPERATORS = 3


def _people(log: pl.DataFrame) -> pl.DataFrame:
    """人のしたこと（夜間処理と、誰か分からないログインの失敗を除く）。"""
    return log.filter(~pl.col("role").is_in(["batch", "none"]))


def _look_ups(log: pl.DataFrame) -> pl.DataFrame:
    return _people(log).filter(pl.col("action").is_in(LOOK_UPS))


def per_hour(logs: Logs) -> pl.DataFrame:
    """L01: 一時間に探した回数か、見た人の数が 30 を越えた。"""
    seen = _look_ups(logs.now).sort("at")
    if seen.is_empty():
        return NOTHING
    searched = pl.col("action").is_in(SEARCHES)
    hours = (
        seen.with_columns(subject=pl.when(~searched & (pl.col("subject") != "")).then("subject"), searched=searched)
        .rolling("at", period="1h", group_by="actor")
        .agg(searches=pl.col("searched").sum(), people=pl.col("subject").drop_nulls().n_unique())
        .with_columns(most=pl.max_horizontal("searches", "people"), day=pl.col("at").dt.date())
        .filter(pl.col("most") > PER_HOUR)
        .group_by("day", "actor")
        .agg(pl.col("most").max())
    )
    return told(hours, "actor", "一時間に {} 件を調べました", "most")


def misses(logs: Logs) -> pl.DataFrame:
    """L02: 続けた 20 回の検索の、四割を越えて当たらない。"""
    searches = _people(logs.now).filter(pl.col("action").is_in(SEARCHES), pl.col("hits").is_not_null())
    missed = ((pl.col("hits") == 0) | (pl.col("hits") >= MANY)).cast(pl.Int64)
    found = (
        searches.sort("sequence")
        .with_columns(missed=missed.rolling_sum(LAST_SEARCHES).over("actor"))
        .filter(pl.col("missed") > MISS_RATIO * LAST_SEARCHES)
        .group_by("day", "actor")
        .agg(pl.col("missed").max())
    )
    return told(found, "actor", f"続けた {LAST_SEARCHES} 回の検索のうち {{}} 回が当たりませんでした", "missed")


def more_than_usual(logs: Logs) -> pl.DataFrame:
    """L03: 一日に見た人の数が、同じ役割の平均から標準偏差の四倍を越えて多い（本人のその日は、平均に入れない）。"""
    days = (
        _look_ups(logs.log)
        .filter(pl.col("subject") != "")
        .group_by("role", "actor", "day")
        .agg(people=pl.col("subject").n_unique().cast(pl.Float64))
    )
    x, n = pl.col("people"), pl.len().over("role") - 1
    mean = (x.sum().over("role") - x) / n
    square = ((x * x).sum().over("role") - x * x) / n
    sigma = (square - mean * mean).clip(lower_bound=0).sqrt()
    found = days.with_columns(mean=mean.round(1), limit=mean + SIGMAS * sigma, others=n).filter(
        pl.col("others") >= ENOUGH_DAYS,
        x > pl.col("limit"),
        x > FEW,
        pl.col("day").is_between(logs.since, logs.until),
    )
    return told(
        found.with_columns(pl.col("people").cast(pl.Int64)),
        "actor",
        "一日に {} 人を見ました（同じ役割の普段は {} 人）",
        "people",
        "mean",
    )


def outside_calls(logs: Logs) -> pl.DataFrame:
    """L04: 受けている電話のない閲覧（区では、用件のない閲覧）が、二分を越える。"""
    seen = _look_ups(logs.now)
    if logs.store == "desk":
        seen = seen.filter(pl.col("role") == DeskRole.OPERATOR.value)
        begun = logs.calls.select("actor", "at", reference="reference", ended="ended").sort("at")
        joined = seen.sort("at").join_asof(begun, on="at", by="actor", strategy="backward", check_sortedness=False)
        open_then = (pl.col("reference") == pl.col("call")) & (
            pl.col("ended").is_null() | (pl.col("ended") >= pl.col("at"))
        )
        marked = joined.with_columns(outside=~open_then.fill_null(value=False))
    else:
        marked = seen.with_columns(outside=pl.col("reason") == "")
    found = (
        marked.group_by("actor")
        .agg(
            outside=pl.col("outside").sum(),
            every=pl.len(),
            day=pl.col("day").filter(pl.col("outside")).min(),
        )
        .filter(pl.col("outside") > OUTSIDE_CALLS * pl.col("every"))
    )
    return told(found, "actor", "閲覧 {} 件のうち {} 件に、受けている電話か用件がありません", "every", "outside")


def outside_hours(logs: Logs) -> pl.DataFrame:
    """L05: 働く時間の外、閉庁日。"""
    deeds = _people(logs.now)
    closed = [day for day in deeds["day"].unique().to_list() if not _open_on(day)]
    late = ~pl.col("hour").is_between(OPENS, CLOSES - 1)
    found = (
        deeds.filter(late | pl.col("day").is_in(closed))
        .group_by("day", "actor")
        .agg(count=pl.len(), time=pl.col("at").min().dt.strftime("%H:%M"))
    )
    return told(found, "actor", "時間の外に {} 件（{} から）", "count", "time")


def _open_on(day: date) -> bool:
    return is_bank_business_day(day)


def read_in_bulk(logs: Logs) -> pl.DataFrame:
    """L06: 名のある一括処理でないのに、一度に 50 行を越えて読んだ。"""
    found = (
        _people(logs.now)
        .with_columns(count=pl.max_horizontal("hits", "rows"))
        .filter(pl.col("count") > MANY_ROWS, ~pl.any_horizontal(*_named()))
    )
    return told(found, "actor", "一度に {} 行を読みました（{}）", "count", "action")


def _named() -> list[pl.Expr]:
    return [pl.col("action").str.starts_with(prefix) for prefix in NAMED_BATCHES]


def acquainted(logs: Logs) -> pl.DataFrame:
    """L07: 見た人が職員自身・同僚か、名字が同じ人を、たまたまとは言えないほど見た。

    名字だけなら、よくある名字の人は毎日たまたま当たる。だから、その名字の多さから見込みを数える。
    職員の住まいと勤め先は台帳にないので、建物と勤め先は比べられない。
    """
    surname = pl.col("name").str.replace_all("　", " ").str.split(" ").list.first()
    whole = pl.col("name").str.replace_all(r"[\s　]", "")
    cases = logs.cases.with_columns(surname=surname, whole=whole)
    if cases.is_empty():
        return NOTHING
    staff = logs.people.with_columns(surname=surname, whole=whole)
    seen = (
        _look_ups(logs.now)
        .filter(pl.col("action").is_in(VIEWS))
        .join(cases.select("case_number", "surname", "whole"), left_on="subject", right_on="case_number")
    )
    colleagues = (
        seen.filter(pl.col("whole").is_in(staff["whole"].implode())).group_by("day", "actor").agg(count=pl.len())
    )
    known = told(colleagues, "actor", "職員と同じ氏名の人を {} 回見ました", "count")
    counts = cases.group_by("surname").len("alike").with_columns(share=pl.col("alike") / cases.height)
    mine = seen.join(staff.select(actor="id", mine="surname"), on="actor")
    every = mine.group_by("actor").agg(views=pl.col("subject").n_unique())
    same = (
        mine.filter(pl.col("surname") == pl.col("mine"))
        .group_by("actor", "surname")
        .agg(people=pl.col("subject").n_unique(), day=pl.col("day").min())
        .join(every, on="actor")
        .join(counts, on="surname")
    )
    odd = [one for one in same.iter_rows(named=True) if _chance(one["people"], one["views"] * one["share"]) < CHANCE]
    says = "同じ名字の人を {} 人見ました（見た人は {} 人）"
    return pl.concat([known, told(pl.DataFrame(odd, schema=same.schema), "actor", says, "people", "views")])


def _chance(people: int, expected: float) -> float:
    """見込みが `expected` 人のとき、たまたま `people` 人以上になる確からしさ（ポアソン分布）。"""
    term, below = math.exp(-expected), 0.0
    for number in range(people):
        below += term
        term *= expected / (number + 1)
    return 1.0 - below


def asked_by_many(logs: Logs) -> pl.DataFrame:
    """L08: 一日に三人以上のコールセンターの人が、同じ人を見た（本人を装う電話のかけ直し）。"""
    found = (
        logs.now.filter(
            pl.col("role") == DeskRole.OPERATOR.value, pl.col("action").is_in(VIEWS), pl.col("subject") != ""
        )
        .group_by("day", "subject")
        .agg(operators=pl.col("actor").n_unique())
        .filter(pl.col("operators") >= OPERATORS)
    )
    return told(found, "subject", "一日に {} 人のコールセンターの人が見ました", "operators")
