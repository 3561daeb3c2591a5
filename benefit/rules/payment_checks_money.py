"""額（CHK70〜CHK73）と、人の目で確かめる行（CHK95）。"""

from __future__ import annotations

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.payment_check import PaymentCheck, Severity

#: この額（円）を超える行は、全部を人が見る（CHK95）。
EYES_ON_YEN = 200_000
KNOWN = pl.col("entitlement_id").is_not_null()


def money_checks(programme: Programme) -> tuple[PaymentCheck, ...]:
    """額の検査と、見本。"""
    block, hold, warn = Severity.BLOCK, Severity.HOLD, Severity.WARN
    # 額の決まった給付はその額、計算で決まる給付は切り上げの単位の倍数（不足額 II は国外の人の額もある）。
    fixed = {
        benefit.id: benefit.amount_yen for benefit in programme.benefits.values() if benefit.who != "shortfall_fixed"
    }
    fixed_yen = pl.col("benefit").replace_strict(fixed, default=None, return_dtype=pl.Int64)
    computed = programme.adjustment or programme.shortfall
    unit = computed.rounding_yen if computed else 1
    amount_shape = (
        pl.when(fixed_yen.is_not_null())
        .then(pl.col("planned_yen") != fixed_yen)
        .otherwise((pl.col("planned_yen") % unit != 0) | (pl.col("planned_yen") <= 0))
    )
    return (
        PaymentCheck(
            "CHK70",
            block,
            "支給予定額が支給対象者データベースの額と違う",
            "区確認",
            KNOWN & (pl.col("planned_yen") != pl.col("amount_yen")),
        ),
        PaymentCheck("CHK71", block, "支給予定額の形が給付の決まりに合わない", "区確認", KNOWN & amount_shape),
        PaymentCheck(
            "CHK72H",
            hold,
            f"一件の額が {programme.transfer.line_hold_yen:,} 円を超える",
            "区確認",
            (pl.col("planned_yen") > programme.transfer.line_hold_yen)
            & (pl.col("planned_yen") <= programme.transfer.line_block_yen),
        ),
        PaymentCheck(
            "CHK72",
            block,
            f"一件の額が {programme.transfer.line_block_yen:,} 円を超える",
            "区確認",
            pl.col("planned_yen") > programme.transfer.line_block_yen,
        ),
        PaymentCheck(
            "CHK73",
            block,
            "いまの事実で計算した額が支給対象者データベースの額と違う",
            "区確認",
            KNOWN & pl.col("eligible_now") & pl.col("amount_now_yen").ne_missing(pl.col("amount_yen")),
        ),
        PaymentCheck(
            "CHK95",
            warn,
            "人の目で確かめる行（百件に一件と、20 万円を超える行）",
            "区確認",
            KNOWN & (pl.col("sampled") | (pl.col("planned_yen") > EYES_ON_YEN)),
        ),
    )
