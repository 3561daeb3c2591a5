"""令和6年分推計所得税額（契約 §2 IT、benefit-rules B.4）。定額減税の前、復興特別所得税を含まない（1.021 を掛けない）。

順に: 国の算定ツールの答え → 確定申告の再差引所得税額 → EST-1（住民税の課税標準からの推計）。
どれを使ったかを、一人ずつ `income_tax_engine` に残す。
"""

from __future__ import annotations

from typing import Any

import polars as pl

ENGINE = "EST-1/2024"
#: 所得税の速算表（令和5・6年分）: 下限（円）、率（%）、控除額（円）。出典: benefit-rules B.4。
QUICK_TABLE = (
    (40_000_000, 45, 4_796_000),
    (18_000_000, 40, 2_796_000),
    (9_000_000, 33, 1_536_000),
    (6_950_000, 23, 636_000),
    (3_300_000, 20, 427_500),
    (1_950_000, 10, 97_500),
    (1_000, 5, 0),
)


def quick_tax(base: pl.Expr) -> pl.Expr:
    """速算表。`base` は 1,000 円未満を切り捨てた課税所得（円）。整数だけで計算する。"""
    chain: Any = pl
    for lowest, percent, deduction in QUICK_TABLE:
        chain = chain.when(base >= lowest).then(base * percent // 100 - deduction)
    taxed: pl.Expr = chain.otherwise(pl.lit(0, dtype=pl.Int64))
    return taxed


def est_1() -> pl.Expr:
    """EST-1: 住民税の課税標準と人的控除の差から、所得税を推計する（円）。"""
    taxable = pl.max_horizontal(pl.lit(0), pl.col("taxable_income_yen") - pl.col("deduction_difference_yen"))
    tax = quick_tax(taxable // 1_000 * 1_000) + pl.col("separate_income_tax_yen")
    return (
        # 住民税側で住宅ローン控除が使われているなら、所得税はもう残っていない。
        pl.when(pl.col("housing_credit_resident_yen") > 0)
        .then(pl.lit(0, dtype=pl.Int64))
        .otherwise(pl.max_horizontal(pl.lit(0), tax - pl.col("housing_credit_available_yen").fill_null(0)))
    )


def income_tax_columns() -> list[pl.Expr]:
    """`income_tax_yen` と `income_tax_engine`。"""
    return [
        pl.coalesce("estimated_income_tax_yen", "filed_income_tax_yen", est_1()).alias("income_tax_yen"),
        pl.when(pl.col("estimated_income_tax_yen").is_not_null())
        .then(pl.lit("NATIONAL_TOOL"))
        .when(pl.col("filed_income_tax_yen").is_not_null())
        .then(pl.lit("FILED_RETURN"))
        .otherwise(pl.lit(ENGINE))
        .alias("income_tax_engine"),
    ]
