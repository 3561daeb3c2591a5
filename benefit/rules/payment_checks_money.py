"""額・口座・審査（CHK70〜CHK95）。"""

from __future__ import annotations

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.payment_check import PaymentCheck, Severity

#: この額（円）を超える行は、全部を人が見る（CHK95）。
EYES_ON_YEN = 200_000
KNOWN = pl.col("entitlement_id").is_not_null()


def money_checks(programme: Programme) -> tuple[PaymentCheck, ...]:
    """額・口座・審査の検査。"""
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
            "CHK80",
            block,
            "口座がない、または金融機関・店・種目・番号が正しくない",
            "不備",
            KNOWN & pl.col("account_bad"),
        ),
        PaymentCheck("CHK81", hold, "口座名義が受給者のカナ氏名と違う", "不備", KNOWN & ~pl.col("holder_agrees")),
        PaymentCheck(
            "CHK82",
            hold,
            "別の世帯と同じ口座である",
            "区確認",
            KNOWN & (pl.col("households_on_account") > 1),
        ),
        PaymentCheck(
            "CHK85",
            block,
            "口座フラグは区の口座なのに、届出（収受）なしに、委託先が口座を付けている",
            "区確認",
            # 名義が合わず確認書になった人は、口座を書いて返す。その収受の記録があれば、届け出られた口座である。
            KNOWN
            & pl.col("account_flag_now").is_in(["1", "3"])
            & pl.col("account_sent")
            & pl.col("received_on").is_null(),
        ),
        PaymentCheck(
            "CHK86",
            block,
            "区が直接扱う人の、元の世帯の人の口座である",
            "区確認",
            KNOWN & pl.col("ward_only") & pl.col("account_of_origin"),
        ),
        PaymentCheck(
            "CHK87",
            hold,
            "手紙に書いた口座（過去の給付の口座）と違う口座である",
            "区確認",
            KNOWN
            & (pl.col("account_flag_now") == "2")
            & pl.col("account_sent")
            & pl.col("received_on").is_null()
            & pl.col("account_differs"),
        ),
        PaymentCheck(
            "CHK93",
            block,
            "審査完了日が収受日より前である",
            "不備",
            (pl.col("reviewed_on") < pl.col("received_on")).fill_null(value=False),
        ),
        PaymentCheck(
            "CHK95",
            warn,
            "人の目で確かめる行（百件に一件と、20 万円を超える行）",
            "区確認",
            KNOWN & (pl.col("sampled") | (pl.col("planned_yen") > EYES_ON_YEN)),
        ),
    )
