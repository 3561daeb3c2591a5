"""返還の督促（L14）の相手: 納期限を過ぎ、納付の知らせが一つも届いていない請求。"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection

from benefit.domain.letter import DUNNING_LETTER
from benefit.services import repayments_list
from benefit.services.gate import Standing
from benefit.services.home import Home
from benefit.services.notices_made import papers
from benefit.store.frames import fetch

#: 督促の期限までの日数（決定 0030）。
DUNNING_DAYS = 14
#: 一度目と、二度目からの題。
DEMANDS = ("督促状", "催告書")
CROSSING = "納付の知らせ（速報）が届いている"
_PROMISED = """
    SELECT r.repayment_id,
        CAST(SUM(CASE WHEN p.debit = '決済待ち' AND p.credit IN ('調定', '延滞金') THEN p.amount_yen
                      WHEN p.credit = '決済待ち' AND p.debit IN ('調定', '延滞金') THEN -p.amount_yen
                      ELSE 0 END) AS BIGINT),
        CAST(SUM(CASE WHEN p.debit IN ('預金', '充当金') AND p.credit IN ('調定', '延滞金') THEN p.amount_yen
                      WHEN p.credit IN ('預金', '充当金') AND p.debit IN ('調定', '延滞金') THEN -p.amount_yen
                      ELSE 0 END) AS BIGINT)
    FROM collection_posting p JOIN receivable r ON r.id = p.receivable_id
    WHERE r.repayment_id IS NOT NULL GROUP BY r.repayment_id
"""


def overdue(home: Home, connection: Connection, standing: Standing, today: date) -> pl.DataFrame:
    """納期限を過ぎた返還の請求: amount_yen（残り）、slip、first_due、demand。

    速報（決済待ち）や、まだ返還に数えていない確報が一円でもあれば、行き違いになるので出さない。分納・法的措置の
    件（R53）には送らない。二度目からは、前の紙の期限が過ぎた後に送る。
    """
    claims = repayments_list.claims(home, today=today).filter(
        (pl.col("state") == "R51") & (pl.col("outstanding_yen") > 0) & (pl.col("days_over") > 0)
    )
    arrived = fetch(connection, _PROMISED, {"id": pl.Int64, "promised_yen": pl.Int64, "settled_yen": pl.Int64})
    sent = (
        papers(connection, DUNNING_LETTER)
        .filter(~pl.col("pulled"))
        .with_columns(id=pl.col("occasion").str.split("-").list.first().cast(pl.Int64), before="due_on")
    )
    turns = sent.group_by("id").agg(turn=pl.len(), before=pl.col("before").max())
    return (
        claims.join(arrived, on="id", how="left")
        .join(turns, on="id", how="left")
        .with_columns(
            turn=pl.col("turn").fill_null(0),
            crossing=(pl.col("promised_yen").fill_null(0) > 0)
            | (pl.col("settled_yen").fill_null(0) > pl.col("received_yen")),
        )
        # 前の紙の期限の前なら、いまの紙はその紙である（もう作ってある）。
        .with_columns(turn=pl.when(pl.col("before") >= today).then(pl.col("turn") - 1).otherwise("turn"))
        .select(
            "entitlement_id",
            "slip",
            occasion=pl.format("{}-{}", "id", pl.col("turn") + 1),
            due_on=pl.lit(today + timedelta(days=DUNNING_DAYS)),
            account_flag=pl.lit("0"),
            amount_yen="outstanding_yen",
            first_due="due_on",
            counted_on=pl.lit(today),
            demand=pl.when(pl.col("turn") == 0).then(pl.lit(DEMANDS[0])).otherwise(pl.lit(DEMANDS[1])),
            why=pl.when("crossing").then(pl.lit(CROSSING)),
        )
    )
