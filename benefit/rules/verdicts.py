"""検査の並びから判定へ: 非該当が一つでもあれば対象外、なければ不明が一つでもあれば未確定、なければ対象。"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from benefit.domain.check import Check, Verdict


def verdict_columns(checks: Sequence[Check]) -> list[pl.Expr]:
    """`verdict` と `reasons`（対象外なら非該当の、未確定なら不明の検査を、表の順に ; でつなぐ）。"""
    unmet = [~pl.col(check.id) for check in checks]
    unknown = [pl.col(check.id).is_null() for check in checks]
    any_unmet = pl.any_horizontal([expr.fill_null(value=False) for expr in unmet])
    any_unknown = pl.any_horizontal(unknown)

    def named(exprs: Sequence[pl.Expr]) -> pl.Expr:
        parts = [pl.when(expr).then(pl.lit(check.id)) for expr, check in zip(exprs, checks, strict=True)]
        return pl.concat_str(parts, separator=";", ignore_nulls=True)

    return [
        pl.when(any_unmet)
        .then(pl.lit(Verdict.INELIGIBLE.value))
        .when(any_unknown)
        .then(pl.lit(Verdict.UNDETERMINED.value))
        .otherwise(pl.lit(Verdict.ELIGIBLE.value))
        .alias("verdict"),
        pl.when(any_unmet)
        .then(named(unmet))
        .when(any_unknown)
        .then(named(unknown))
        .otherwise(pl.lit(""))
        .alias("reasons"),
    ]
