"""毎日の突き合わせ: 経路ごと・入金予定日ごとに、銀行の入金 = 消込 + 保留 を見る。合わない日が、調べる日である。"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

from benefit.services import sheet
from benefit.services.files import write_atomic
from benefit.services.home import Home
from benefit.store.engine import reading
from benefit.store.frames import fetch

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
#: 立替金から差し引かれた手数料。区の口座に入るのは、引いた残りである。
_FEES = """
    SELECT 'クレジット', CAST(l.remitted_on AS VARCHAR(10)) AS day, CAST(SUM(l.fee_yen) AS BIGINT)
    FROM card_remittance_line l WHERE l.outcome <> 'もう届いている' GROUP BY l.remitted_on
"""
_CREDITS = """
    SELECT c.channel, CAST(c.credited_on AS VARCHAR(10)) AS day, CAST(SUM(c.amount_yen) AS BIGINT)
    FROM bank_credit c JOIN bank_credit_approval a ON a.release_id = c.id GROUP BY c.channel, c.credited_on
"""


#: 突き合わせの表の列。
DAYS = (
    "channel",
    "day",
    "count",
    "arrived_yen",
    "posted_yen",
    "held_yen",
    "credited_yen",
    "fee_yen",
    "difference_yen",
)


def days(home: Home) -> pl.DataFrame:
    """経路・日ごとに: 届いた件数、届いた額 = 消込 + 保留 = 銀行の入金 + 手数料、差（0 なら合っている）。"""
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
        fees = fetch(connection, _FEES, {"channel": pl.String, "day": pl.String, "fee_yen": pl.Int64})
    return (
        arrived.join(credits_, on=["channel", "day"], how="full", coalesce=True)
        .join(fees, on=["channel", "day"], how="full", coalesce=True)
        .with_columns(pl.col(pl.Int64).fill_null(0))
        .with_columns(
            held_yen=pl.col("arrived_yen") - pl.col("posted_yen"),
            difference_yen=pl.col("credited_yen") + pl.col("fee_yen") - pl.col("arrived_yen"),
        )
        .select(DAYS)
        .sort("day", "channel")
    )


def write(table: pl.DataFrame, out: Path, *, made: datetime) -> None:
    """突き合わせの表（Excel）と図（SVG）を書く。"""
    shown = table.rename(
        {
            "channel": "経路",
            "day": "日",
            "count": "件数",
            "arrived_yen": "届いた額（円）",
            "posted_yen": "消込（円）",
            "held_yen": "保留（円）",
            "credited_yen": "銀行の入金（円）",
            "fee_yen": "手数料（円）",
            "difference_yen": "差（円）",
        }
    )
    title = "収納の毎日の突き合わせ"
    write_atomic(out / "balance.xlsx", sheet.render({"突き合わせ": shown}, made=made, title=title))
    write_atomic(out / "balance.svg", chart(table, title=title).encode())


def chart(table: pl.DataFrame, *, title: str) -> str:
    """日ごとの、届いた額と銀行の入金の横棒（SVG）。合わない日は、差を書く。"""
    days_ = table.group_by("day").agg(pl.col("arrived_yen").sum(), pl.col("credited_yen").sum()).sort("day").tail(31)
    most = max([1, *days_["arrived_yen"].to_list(), *days_["credited_yen"].to_list()])
    height = 70 + 44 * max(1, days_.height)
    told = "、".join(f"{d} 届いた {a:,} 円 銀行 {c:,} 円" for d, a, c in days_.iter_rows())
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {height}" role="img" '
            'aria-labelledby="title desc" font-family="sans-serif" font-size="14">'
        ),
        f'<title id="title">{escape(title)}</title><desc id="desc">{escape(told or "届いたものはありません")}</desc>',
        f'<rect width="960" height="{height}" fill="#FFFFFF"/>',
        f'<text x="16" y="28" font-size="19" font-weight="bold">{escape(title)}</text>',
        '<rect x="16" y="42" width="14" height="14" fill="#0017C1"/><text x="36" y="54">届いた額</text>',
        (
            '<rect x="126" y="42" width="14" height="14" fill="#E6E6E6" stroke="#4D4D4D"/>'
            '<text x="146" y="54">銀行の入金</text>'
        ),
    ]
    for place, (on, arrived, credited) in enumerate(days_.iter_rows()):
        top = 70 + 44 * place
        parts.append(f'<text x="16" y="{top + 20}">{escape(on)}</text>')
        for order, (yen, paint) in enumerate(
            ((arrived, 'fill="#0017C1"'), (credited, 'fill="#E6E6E6" stroke="#4D4D4D"'))
        ):
            length, y = round(yen / most * 560), top + order * 17
            parts.append(f'<rect x="120" y="{y}" width="{length}" height="14" {paint}/>')
            gap = credited - arrived
            note = f"（差 {gap:+,} 円）" if order and gap else ""
            parts.append(f'<text x="{128 + length}" y="{y + 12}" font-size="12">{yen:,} 円{note}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
