"""人と端末の検知（L12〜L14）: 一人が二台、一台から何人もの失敗、電話があるのに無言のログ。"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from benefit.services.log_findings import NOTHING, told
from benefit.services.log_frames import Logs
from benefit.services.log_look_ups import LOOK_UPS

#: L12。この間に端末を移るなら、ログインし直しているはずである。行って戻るのは、二台を同時に使っている。
MOVED_WITHIN, BACK_WITHIN = timedelta(minutes=10), "30m"
#: L13
IDS, UNKNOWN_IDS = 3, 5
#: L14。電話がこれだけあった一時間に、見た跡が一つもない。
CALLS = 3


def two_terminals(logs: Logs) -> pl.DataFrame:
    """L12: 一人が、同じころに二台の端末を使った。"""
    deeds = logs.now.filter(pl.col("terminal") != "", ~pl.col("role").is_in(["batch", "none"])).sort(
        "actor", "sequence"
    )
    if deeds.is_empty():
        return NOTHING
    before, earlier = pl.col("terminal").shift(1).over("actor"), pl.col("at").shift(1).over("actor")
    moves = deeds.with_columns(before=before, gap=pl.col("at") - earlier).filter(
        pl.col("before").is_not_null(), pl.col("before") != pl.col("terminal")
    )
    if moves.is_empty():
        return NOTHING
    back = moves.sort("at").rolling("at", period=BACK_WITHIN, group_by="actor").agg(times=pl.len())
    silent = moves.filter((pl.col("gap") <= MOVED_WITHIN) & (pl.col("action") != "login.accepted"))
    found = (
        pl.concat([back.filter(pl.col("times") >= 2).select("actor", "at"), silent.select("actor", "at")])
        .with_columns(day=pl.col("at").dt.date())
        .group_by("day", "actor")
        .agg(time=pl.col("at").min().dt.strftime("%H:%M"))
    )
    return told(found, "actor", "{} ごろ、二台の端末を同時に使っています", "time")


def failed_from_one_terminal(logs: Logs) -> pl.DataFrame:
    """L13: 一台の端末から、いくつもの ID でログインに失敗した。"""
    failed = logs.now.filter(pl.col("action") == "login.refused").sort("at")
    if failed.is_empty():
        return NOTHING
    unknown = pl.col("subject") == "unknown"
    found = (
        failed.rolling("at", period="1h", group_by="terminal")
        .agg(ids=pl.col("subject").filter(~unknown).n_unique(), unknown=unknown.sum())
        .filter((pl.col("ids") >= IDS) | (pl.col("unknown") >= UNKNOWN_IDS))
        .with_columns(day=pl.col("at").dt.date(), who=pl.col("terminal").replace("", "（端末なし）"))
        .group_by("day", "who")
        .agg(pl.col("ids").max(), pl.col("unknown").max())
    )
    return told(found, "who", "一時間に、{} 人の ID と、知らない ID {} 回でログインに失敗しました", "ids", "unknown")


def silence(logs: Logs) -> pl.DataFrame:
    """L14: 電話を受けていた一時間に、探した跡も見た跡もない（ログが止まっていた、抜かれた）。"""
    hour = pl.col("at").dt.truncate("1h").alias("begins")
    calls = logs.calls.filter(pl.col("at").dt.date().is_between(logs.since, logs.until)).group_by(hour).len("calls")
    looked = logs.now.filter(pl.col("action").is_in(LOOK_UPS)).select(hour).unique()
    found = (
        calls.filter(pl.col("calls") >= CALLS)
        .join(looked, on="begins", how="anti")
        .with_columns(day=pl.col("begins").dt.date(), who=pl.lit("監査ログ"), time=pl.col("begins").dt.strftime("%H"))
    )
    return told(found, "who", "{} 時台に電話が {} 本ありましたが、閲覧の跡がありません", "time", "calls")
