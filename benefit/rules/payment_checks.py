"""支給判定の検査（benefit-rules D）。一行に、検査ごとの真偽の列を付ける。

ここの検査は「引っかかったら真」である。重さは四つ:
 BLOCK 払えない。誰も外せない。元を直して判定し直す。HOLD 二人の職員が決める。
 WARN 払い、一覧に残す。FILE ファイルごと断る（ここではなく、受け取りの段で見る）。
どの行にも、どの検査も、必ずかける。飛ばす設定はない（鎌倉市の事例）。
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from benefit.domain.programme import Programme


class Severity(StrEnum):
    """検査の重さ。"""

    FILE = "FILE"
    BLOCK = "BLOCK"
    HOLD = "HOLD"
    WARN = "WARN"


@dataclass(frozen=True)
class PaymentCheck:
    """支給判定の一項目。

    says: 引っかかったことを区の職員に言う文。coarse: 委託先に返す粗い理由（税・支援措置・昨年度の受給は言わない）。
    hit: 引っかかったら真になる式。null（分からない）は、引っかかったものとして扱う。
    """

    id: str
    severity: Severity
    says: str
    coarse: str
    hit: pl.Expr


#: 委託先に返す粗い理由は、この四つだけ（benefit-rules D.1）。
COARSE = ("不備", "区確認", "支給済", "対象外")

FILE_CHECKS = {
    "CHK01": "同じファイルが、もう判定されています",
    "CHK02": "件数・合計金額・事業・指紋が、明細と合いません",
    "CHK03": "様式が違います（列、桁、文字）",
    "CHK05": "受渡の決まりにない項目があります",
}


def payment_checks(programme: Programme) -> tuple[PaymentCheck, ...]:
    """検査の並び。式が見る列は `benefit.services.judgment` が揃える（`_now` は判定日の事実）。"""
    known = pl.col("entitlement_id").is_not_null()
    household = pl.col("slot_kind") == "HH100K"
    by_person = pl.col("slot_kind") != "CHILD"
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
        PaymentCheck("CHK10", block, "給付管理番号が支給対象者データベースにない", "区確認", ~known),
        PaymentCheck(
            "CHK11",
            block,
            "給付管理番号と、住民番号・カナ氏名・生年月日が合わない",
            "区確認",
            known
            & (
                pl.col("person_number").ne_missing(pl.col("payee_number"))
                | pl.col("kana_name").fill_null("").ne(pl.col("payee_kana").fill_null(""))
                | pl.col("birth").fill_null("").ne(pl.col("payee_birth").fill_null(""))
            ),
        ),
        PaymentCheck(
            "CHK12", block, "再発行で無効になった枝番である", "不備", known & (pl.col("branch") < pl.col("branch_now"))
        ),
        PaymentCheck("CHK20", block, "同じ権利がファイルの中に二度ある", "区確認", pl.len().over("case_number") > 1),
        PaymentCheck(
            "CHK21",
            block,
            "同じ人・同じ給付がファイルの中に二度ある",
            "区確認",
            known & by_person & (pl.len().over("person_number", "benefit") > 1),
        ),
        PaymentCheck(
            "CHK22",
            block,
            "同じ世帯の世帯給付がファイルの中に二度ある",
            "区確認",
            known & household & (household.cast(pl.Int64).sum().over("household_number") > 1),
        ),
        PaymentCheck("CHK30", block, "もう振り込んである", "支給済", pl.col("paid")),
        PaymentCheck("CHK31", block, "振込の途中である", "支給済", pl.col("in_flight")),
        PaymentCheck(
            "CHK32",
            block,
            "前の振込不能のお金が戻ったことを確かめていない",
            "区確認",
            pl.col("failed_attempts") > pl.col("returned_attempts"),
        ),
        PaymentCheck(
            "CHK50",
            block,
            "審査が終わっていない、または辞退期限が過ぎていない",
            "不備",
            known & ~pl.col("ready"),
        ),
        PaymentCheck(
            "CHK56",
            block,
            "区が直接扱う人の行が、委託先から届いた（個人情報の事故として確かめる）",
            "区確認",
            known & pl.col("ward_only") & ~pl.col("from_ward"),
        ),
        PaymentCheck("CHK60", block, "受給者が亡くなっている", "区確認", known & pl.col("payee_dead")),
        PaymentCheck(
            "CHK61",
            block,
            "いまの事実では支給の要件に合わない",
            "対象外",
            known & ~pl.col("payee_dead") & ~pl.col("eligible_now"),
        ),
        PaymentCheck(
            "CHK65",
            block,
            "受給者が変わっている（承継の記録がない）",
            "区確認",
            known & pl.col("eligible_now") & pl.col("payee_now").ne_missing(pl.col("payee_number")),
        ),
        PaymentCheck(
            "CHK70",
            block,
            "支給予定額が支給対象者データベースの額と違う",
            "区確認",
            known & (pl.col("planned_yen") != pl.col("amount_yen")),
        ),
        PaymentCheck("CHK71", block, "支給予定額の形が給付の決まりに合わない", "区確認", known & amount_shape),
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
            known & pl.col("eligible_now") & pl.col("amount_now_yen").ne_missing(pl.col("amount_yen")),
        ),
        PaymentCheck(
            "CHK80",
            block,
            "口座がない、または金融機関・店・種目・番号が正しくない",
            "不備",
            known & pl.col("account_bad"),
        ),
        PaymentCheck("CHK81", hold, "口座名義が受給者のカナ氏名と違う", "不備", known & ~pl.col("holder_agrees")),
        PaymentCheck(
            "CHK82",
            hold,
            "別の世帯と同じ口座である",
            "区確認",
            known & (pl.col("households_on_account") > 1),
        ),
        PaymentCheck(
            "CHK85",
            block,
            "口座フラグは区の口座なのに、届出（収受）なしに、委託先が口座を付けている",
            "区確認",
            # 名義が合わず確認書になった人は、口座を書いて返す。その収受の記録があれば、届け出られた口座である。
            known
            & pl.col("account_flag_now").is_in(["1", "3"])
            & pl.col("account_sent")
            & pl.col("received_on").is_null(),
        ),
        PaymentCheck(
            "CHK93",
            block,
            "審査完了日が収受日より前である",
            "不備",
            (pl.col("reviewed_on") < pl.col("received_on")).fill_null(value=False),
        ),
        PaymentCheck(
            "CHK68",
            warn,
            "基準日の後に転出している",
            "区確認",
            known & pl.col("moved_out"),
        ),
    )


def coarse_reasons(programme: Programme) -> dict[str, str]:
    """検査の番号 → 委託先に返してよい粗い理由。払えない・保留の検査だけ。"""
    return {
        check.id.removesuffix("H"): check.coarse
        for check in payment_checks(programme)
        if check.severity in {Severity.BLOCK, Severity.HOLD}
    }


def judge_rows(rows: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    """行ごとに `verdict`（支給可／保留／不可）、`checks`（引っかかった検査を表の順に ; でつなぐ）、`coarse` を足す。"""
    checks = payment_checks(programme)
    flagged = rows.with_columns([check.hit.fill_null(value=True).alias(check.id) for check in checks])

    def any_of(severity: Severity) -> pl.Expr:
        return pl.any_horizontal([pl.col(check.id) for check in checks if check.severity is severity])

    listed = pl.concat_str(
        # CHK72 は重さが二つあるので、式は二つ、番号は一つ。
        [pl.when(pl.col(check.id)).then(pl.lit(check.id.removesuffix("H"))) for check in checks],
        separator=";",
        ignore_nulls=True,
    )
    coarse = pl.coalesce(
        [
            pl.when(pl.col(check.id) & pl.lit(check.severity in {Severity.BLOCK, Severity.HOLD})).then(
                pl.lit(check.coarse)
            )
            for check in checks
        ]
    ).fill_null("")
    return flagged.with_columns(
        verdict=pl.when(any_of(Severity.BLOCK))
        .then(pl.lit("不可"))
        .when(any_of(Severity.HOLD))
        .then(pl.lit("保留"))
        .otherwise(pl.lit("支給可")),
        checks=listed,
        coarse=coarse,
    )
