"""口座（CHK80〜CHK87）: ある口座か、誰の口座か、いつ変わった口座か。"""

from __future__ import annotations

import polars as pl

from benefit.rules.payment_check import PaymentCheck, Severity

KNOWN = pl.col("entitlement_id").is_not_null()


def account_checks() -> tuple[PaymentCheck, ...]:
    """口座の検査。"""
    block, hold, warn = Severity.BLOCK, Severity.HOLD, Severity.WARN
    agrees, weakly = pl.col("holder_agrees"), pl.col("holder_weak")
    alone = pl.col("households_on_account") <= 1
    return (
        PaymentCheck(
            "CHK80",
            block,
            "口座がない、または金融機関・店・種目・番号が正しくない",
            "不備",
            KNOWN & pl.col("account_bad"),
        ),
        PaymentCheck("CHK81", hold, "口座名義が受給者のカナ氏名と違う", "不備", KNOWN & ~agrees & ~weakly),
        PaymentCheck(
            "CHK81W",
            warn,
            "口座名義とカナ氏名が、ヲとオ・ヅとズ・ヂとジ、ローマ字の並びだけ違う",
            "不備",
            KNOWN & ~agrees & weakly,
        ),
        PaymentCheck("CHK82", hold, "別の世帯と同じ口座である", "区確認", KNOWN & ~alone),
        PaymentCheck(
            "CHK82W",
            warn,
            "同じ世帯のほかの受給者と同じ口座である",
            "区確認",
            KNOWN & alone & (pl.col("recipients_on_account") > 1),
        ),
        PaymentCheck(
            "CHK83",
            hold,
            "口座の名義が法人・施設・代理人の名である（代理の記録がない）",
            "区確認",
            KNOWN & pl.col("holder_corporate") & ~pl.col("guardian_on_record"),
        ),
        PaymentCheck(
            "CHK84",
            block,
            "審査完了の後に、審査をやり直さずに口座が変わっている",
            "不備",
            pl.col("account_changed_after_review"),
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
    )
