"""消込の計算: 入金一つずつの状態と、債権への割り当て。どれも、届いたものの全部から毎回同じように導く。

順番や回数によらない関数なので、台帳は「導いた姿」と「もう仕訳した姿」の差だけを書き足せばよい。速報が取り消されれば
逆の仕訳が、先の入金が消えれば後の入金の割り当てが、ひとりでに直る。

導く順: 支払日、時刻、入金の名（`event`）。早い入金から、本税（調定）、延滞金の順に充て、残りが過誤納になる。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.collection import APPLIED, ASSET_OF_STATE, STATE_OF_NOTICES, CollectionState

#: 導いた割り当ての一行。一つの入金が、いくつかの行に分かれる。
ALLOCATION = {
    "event": pl.String,
    "asset": pl.String,
    "received_as": pl.String,
    "receivable_id": pl.Int64,
    "amount_yen": pl.Int64,
}


def state() -> pl.Expr:
    """`provisional`・`final`・`cancelled`（届いたか）から、入金の状態。"""
    expr = pl.lit(CollectionState.UNSETTLED.value)
    for (provisional, final, cancelled), found in STATE_OF_NOTICES.items():
        expr = (
            pl.when(
                (pl.col("provisional") == provisional) & (pl.col("final") == final) & (pl.col("cancelled") == cancelled)
            )
            .then(pl.lit(found.value))
            .otherwise(expr)
        )
    return expr.alias("state")


def asset() -> pl.Expr:
    """状態から、入金の側の勘定。取消と要確認は null。"""
    return (
        pl.col("state")
        .replace_strict({one.value: name for one, name in ASSET_OF_STATE.items()}, default=None, return_dtype=pl.String)
        .alias("asset")
    )


def allocate(events: pl.DataFrame, receivables: pl.DataFrame) -> pl.DataFrame:
    """入金を債権に割り当てる。

    events: event（入金の名）、receivable_id（分からなければ null）、amount_yen、paid_on、paid_time、asset（入金の側の
    勘定。null は、取消と要確認で、どこにも充てない）。
    receivables: receivable_id、principal_yen（本税）、late_charge_yen（延滞金）。取り消した調定は 0 円で渡す。
    返す行の合計は、asset のある入金の合計に必ず等しい。
    """
    live = events.filter(pl.col("asset").is_not_null()).join(
        receivables, on="receivable_id", how="left", maintain_order="left"
    )
    known = live.filter(pl.col("principal_yen").is_not_null()).sort(
        "receivable_id", "paid_on", "paid_time", "event", nulls_last=True
    )
    before = pl.col("amount_yen").cum_sum().over("receivable_id") - pl.col("amount_yen")
    known = known.with_columns(before=before).with_columns(
        to_principal=_fill(pl.lit(0), pl.col("principal_yen")),
        to_late_charge=_fill(pl.col("principal_yen"), pl.col("late_charge_yen")),
    )
    known = known.with_columns(over=pl.col("amount_yen") - pl.col("to_principal") - pl.col("to_late_charge"))
    parts = [
        known.select("event", "asset", pl.lit(name).alias("received_as"), "receivable_id", amount_yen=pl.col(column))
        for column, name in (("to_principal", "調定"), ("to_late_charge", "延滞金"), ("over", "過誤納"))
    ]
    unknown = live.filter(pl.col("principal_yen").is_null()).select(
        "event",
        "asset",
        pl.lit("不明金").alias("received_as"),
        pl.lit(None, dtype=pl.Int64).alias("receivable_id"),
        "amount_yen",
    )
    return pl.concat([*parts, unknown]).filter(pl.col("amount_yen") > 0)


def moved(allocated: pl.DataFrame, moves: pl.DataFrame) -> pl.DataFrame:
    """承認された還付・充当を、過誤納から移す。

    moves: event、kind（還付・充当）、receivable_id（充当する先）、amount_yen。充当は、先の債権への入金（充当金）として
    `allocate` にも渡しておく。移した後の過誤納が負になったら（元の入金が消えたとき）、負のまま残して人に見せる。
    """
    total = moves.group_by("event", "kind").agg(pl.col("amount_yen").sum())
    over = allocated.filter((pl.col("received_as") == "過誤納") & (pl.col("asset") != APPLIED))
    owner = over.select("event", "asset", "receivable_id").unique("event", maintain_order=True)
    where = total.join(owner, on="event", how="left").with_columns(asset=pl.col("asset").fill_null("預金"))
    columns = list(ALLOCATION)
    out = where.with_columns(received_as="kind").select(columns)
    less = where.with_columns(received_as=pl.lit("過誤納"), amount_yen=-pl.col("amount_yen")).select(columns)
    return (
        pl.concat([allocated.select(columns), out, less])
        .group_by(columns[:-1], maintain_order=True)
        .agg(pl.col("amount_yen").sum())
        .filter(pl.col("amount_yen") != 0)
    )


def _fill(start: pl.Expr, room: pl.Expr) -> pl.Expr:
    """積み上げた入金のうち、`start` から始まる `room` 円の枠に入る分。"""
    end = pl.col("before") + pl.col("amount_yen")
    return (pl.min_horizontal(end, start + room) - pl.max_horizontal(pl.col("before"), start)).clip(lower_bound=0)


def corrections(derived: pl.DataFrame, posted: pl.DataFrame) -> pl.DataFrame:
    """台帳に書き足す差: 導いた姿（derived）から、仕訳済みの姿（posted）を引く。同じなら空。

    どちらも `ALLOCATION` の列。返す `amount_yen` は、正なら足し、負なら取り消す（逆の仕訳）。0 の行はない。
    """
    key = ["event", "asset", "received_as", "receivable_id"]
    return (
        pl.concat(
            [
                derived.select(*key, "amount_yen"),
                posted.select(*key, amount_yen=-pl.col("amount_yen")),
            ]
        )
        .group_by(key, maintain_order=True)
        .agg(pl.col("amount_yen").sum())
        .filter(pl.col("amount_yen") != 0)
        .sort(key, nulls_last=True)
    )
