"""毎日の突き合わせ: 経路ごと・入金予定日ごとに、銀行の入金 = 消込 + 保留 を見る。合わない日が、調べる日である。"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.collection import Channel
from benefit.domain.errors import RefusedByRule
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import reading
from benefit.store.temporary import fetch

#: 確報の入金を、入金予定日（なければ支払日）ごとに: 消し込んだ分と、人が見る分。
_DAYS = """
    SELECT e.channel, CAST(COALESCE(n.settle_on, e.paid_on) AS VARCHAR(10)) AS day,
           CAST(SUM(e.amount_yen) AS BIGINT), CAST(SUM(COALESCE(p.posted, 0)) AS BIGINT), COUNT(*)
    FROM collection_notice n JOIN collection_event e ON e.event = n.event
    LEFT JOIN (
        SELECT event, SUM(CASE WHEN debit = '預金' AND credit IN ('調定', '延滞金', '還付', '充当') THEN amount_yen
                               WHEN credit = '預金' AND debit IN ('調定', '延滞金', '還付', '充当') THEN -amount_yen
                               ELSE 0 END) AS posted
        FROM collection_posting GROUP BY event
    ) p ON p.event = e.event
    WHERE n.kind = '確報' AND n.outcome <> '既収'
    GROUP BY e.channel, COALESCE(n.settle_on, e.paid_on)
"""
_CREDITS = """
    SELECT channel, CAST(credited_on AS VARCHAR(10)) AS day, CAST(SUM(amount_yen) AS BIGINT)
    FROM bank_credit GROUP BY channel, credited_on
"""


def credit(
    home: Home, channel: Channel, credited_on: date, amount_yen: int, reference: str, *, actor: Actor, clock: Clock
) -> None:
    """銀行の口座に入ったお金を記録する。`reference`（取引の番号）が同じものは、二度記録できない。"""
    try:
        with home.ward.begin() as connection:
            connection.execute(
                ward.bank_credit.insert().values(
                    channel=channel.value,
                    credited_on=credited_on,
                    amount_yen=amount_yen,
                    reference=reference,
                    recorded_by=actor.id,
                    recorded_at=clock(),
                )
            )
            audit.record(
                connection,
                ward.audit_log,
                at=clock(),
                actor=actor,
                action="collection.credit",
                subject=reference[:64],
                detail={"amount_yen": amount_yen},
            )
    except IntegrityError:
        raise RefusedByRule("この入金は、もう記録してあります", code="credit-twice", found=reference) from None


def days(home: Home) -> pl.DataFrame:
    """経路・日ごとに: 届いた件数、届いた額 = 消込 + 保留、銀行の入金、差（0 なら合っている）。"""
    with reading(home.ward) as connection:
        arrived = fetch(
            connection,
            _DAYS,
            {
                "channel": pl.String,
                "day": pl.String,
                "arrived_yen": pl.Int64,
                "posted_yen": pl.Int64,
                "count": pl.Int64,
            },
        )
        credits_ = fetch(connection, _CREDITS, {"channel": pl.String, "day": pl.String, "credited_yen": pl.Int64})
    return (
        arrived.join(credits_, on=["channel", "day"], how="full", coalesce=True)
        .with_columns(pl.col(pl.Int64).fill_null(0))
        .with_columns(
            held_yen=pl.col("arrived_yen") - pl.col("posted_yen"),
            difference_yen=pl.col("credited_yen") - pl.col("arrived_yen"),
        )
        .select("channel", "day", "count", "arrived_yen", "posted_yen", "held_yen", "credited_yen", "difference_yen")
        .sort("day", "channel")
    )
