"""番号と重なり: 知らない番号、取り違え、二度の申し出、二度の支払（CHK10〜CHK34）。"""

from __future__ import annotations

import polars as pl

from benefit.rules.payment_check import PaymentCheck, Severity

KNOWN = pl.col("entitlement_id").is_not_null()


def number_checks() -> tuple[PaymentCheck, ...]:
    """番号と重なりの検査。"""
    block, hold = Severity.BLOCK, Severity.HOLD
    household = pl.col("slot_kind") == "HH100K"
    by_person = pl.col("slot_kind") != "CHILD"
    account = ("bank_code", "branch_code", "account_type", "account_number")
    # 同じ読み・同じ生年月日・同じ口座の、番号の違う人（双子や、番号の付け直し）。
    same = pl.col("person_number").n_unique().over("kana_name", "birth", *account) > 1
    return (
        PaymentCheck(
            "CHK10",
            block,
            "給付管理番号が支給対象者データベースにない",
            "区確認",
            ~KNOWN & ~pl.col("other_programme"),
        ),
        PaymentCheck("CHK14", block, "ほかの給付事業の給付管理番号である", "区確認", pl.col("other_programme")),
        PaymentCheck(
            "CHK11",
            block,
            "給付管理番号と、住民番号・カナ氏名・生年月日が合わない",
            "区確認",
            KNOWN
            & (
                pl.col("person_number").ne_missing(pl.col("payee_number"))
                | pl.col("kana_name").fill_null("").ne(pl.col("payee_kana").fill_null(""))
                | pl.col("birth").fill_null("").ne(pl.col("payee_birth").fill_null(""))
            ),
        ),
        PaymentCheck(
            "CHK12", block, "再発行で無効になった枝番である", "不備", KNOWN & (pl.col("branch") < pl.col("branch_now"))
        ),
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
        PaymentCheck(
            "CHK23",
            hold,
            "読み・生年月日・口座が同じで、番号の違う人がファイルの中にいる",
            "区確認",
            KNOWN & pl.col("account_number").is_not_null() & same,
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
    )
