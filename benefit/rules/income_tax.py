"""令和6年分推計所得税額（契約 §2 IT、benefit-rules B.4）。定額減税の前、復興特別所得税を含まない（1.021 を掛けない）。

順に: 国の算定ツールの答え → 確定申告の再差引所得税額 → EST-1（住民税の課税標準からの推計）。
どれを使ったかを、一人ずつ `income_tax_engine` に残す。
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

ENGINE = "EST-1/2024"


def quick_tax(base: pl.Expr, table: Sequence[tuple[int, int, int]]) -> pl.Expr:
    """速算表。`base` は 1,000 円未満を切り捨てた課税所得（円）。整数だけで計算する。

    `table` は事業の `adjustment.quick_table`: 下限（円）、率（%）、控除額（円）を、下限の高い順に。
    """
    chain: Any = pl
    for lowest, percent, deduction in table:
        chain = chain.when(base >= lowest).then(base * percent // 100 - deduction)
    taxed: pl.Expr = chain.otherwise(pl.lit(0, dtype=pl.Int64))
    return taxed


def est_1(table: Sequence[tuple[int, int, int]]) -> pl.Expr:
    """EST-1: 住民税の課税標準と人的控除の差から、所得税を推計する（円）。"""
    taxable = pl.max_horizontal(pl.lit(0), pl.col("taxable_income_yen") - pl.col("deduction_difference_yen"))
    tax = quick_tax(taxable // 1_000 * 1_000, table) + pl.col("separate_income_tax_yen")
    return (
        # 住民税側で住宅ローン控除が使われているなら、所得税はもう残っていない。
        pl.when(pl.col("housing_credit_resident_yen") > 0)
        .then(pl.lit(0, dtype=pl.Int64))
        .otherwise(pl.max_horizontal(pl.lit(0), tax - pl.col("housing_credit_available_yen").fill_null(0)))
    )


def income_tax_columns(table: Sequence[tuple[int, int, int]]) -> list[pl.Expr]:
    """`income_tax_yen` と `income_tax_engine`。`income_tax_shadow_yen` は、いつでも計算しておく EST-1（K12）。"""
    return [
        pl.coalesce("estimated_income_tax_yen", "filed_income_tax_yen", est_1(table)).alias("income_tax_yen"),
        est_1(table).alias("income_tax_shadow_yen"),
        pl.when(pl.col("estimated_income_tax_yen").is_not_null())
        .then(pl.lit("NATIONAL_TOOL"))
        .when(pl.col("filed_income_tax_yen").is_not_null())
        .then(pl.lit("FILED_RETURN"))
        .otherwise(pl.lit(ENGINE))
        .alias("income_tax_engine"),
    ]
