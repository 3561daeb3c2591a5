"""番号と重なり: 知らない番号、取り違え、二度の申し出、二度の支払、戻す途中のお金（CHK10〜CHK34）。"""

from __future__ import annotations

import polars as pl

from benefit.rules.name_agreement import key
from benefit.rules.payment_check import PaymentCheck, Severity

KNOWN = pl.col("entitlement_id").is_not_null()


def number_checks() -> tuple[PaymentCheck, ...]:
    """番号と重なりの検査。"""
    block, hold = Severity.BLOCK, Severity.HOLD
    household = pl.col("slot_kind") == "HH100K"
    by_person = pl.col("slot_kind") != "CHILD"
    # 読みの書き方（幅、小さい仮名、空白）だけの違いは、別人ではない。CHK90 が保留にする。
    other_kana = key(pl.col("kana_name").fill_null("")) != key(pl.col("payee_kana").fill_null(""))
    return (
        PaymentCheck(
            "CHK10",
            block,
            "給付管理番号が支給対象者データベースにない",
            "区確認",
            ~KNOWN & ~pl.col("other_programme"),
        ),
        PaymentCheck(
            "CHK11",
            block,
            "給付管理番号と、住民番号・カナ氏名・生年月日が合わない",
            "区確認",
            KNOWN
            & (
                pl.col("person_number").ne_missing(pl.col("payee_number"))
                | other_kana
                | pl.col("birth").fill_null("").ne(pl.col("payee_birth").fill_null(""))
            ),
        ),
        PaymentCheck(
            "CHK12", block, "再発行で無効になった枝番である", "不備", KNOWN & (pl.col("branch") < pl.col("branch_now"))
        ),
        PaymentCheck(
            "CHK13", block, "出し直す前の枝番で、振り込んだか振込の途中である", "区確認", pl.col("older_paid")
        ),
        PaymentCheck("CHK13H", hold, "出し直す前の枝番の書類を、もう収受している", "区確認", pl.col("older_received")),
        PaymentCheck("CHK14", block, "ほかの給付事業の給付管理番号である", "区確認", pl.col("other_programme")),
        PaymentCheck("CHK20", block, "同じ権利がファイルの中に二度ある", "区確認", pl.len().over("case_number") > 1),
        PaymentCheck(
            "CHK21",
            block,
            "同じ人・同じ給付がファイルの中に二度ある",
            "区確認",
            KNOWN & by_person & (pl.len().over("person_number", "benefit") > 1),
        ),
        PaymentCheck(
            "CHK22",
            block,
            "同じ世帯の世帯給付がファイルの中に二度ある",
            "区確認",
            KNOWN & household & (household.cast(pl.Int64).sum().over("household_number") > 1),
        ),
        PaymentCheck("CHK23", hold, "読み・生年月日・口座が同じで、番号の違う人がいる", "区確認", pl.col("has_twin")),
        PaymentCheck("CHK30", block, "もう振り込んである", "支給済", pl.col("paid")),
        PaymentCheck("CHK31", block, "振込の途中である", "支給済", pl.col("in_flight")),
        PaymentCheck(
            "CHK32",
            block,
            "前の振込不能のお金が戻ったことを確かめていない",
            "区確認",
            pl.col("failed_attempts") > pl.col("returned_attempts"),
        ),
        PaymentCheck("CHK33", block, "組戻しを頼んでいて、銀行の答えがまだない", "区確認", pl.col("recall_open")),
        PaymentCheck("CHK34", block, "返還を求めている途中である", "区確認", pl.col("repayment_open")),
        PaymentCheck(
            "CHK34H",
            hold,
            "一度払い、全額が返ってきている（もう一度払うかを二人で決める）",
            "区確認",
            pl.col("repaid"),
        ),
    )
