"""支給判定の結論: 検査の並びから、一行ずつ 支給可・保留・不可 を決める（benefit-rules D）。"""

from __future__ import annotations

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.payment_check import PaymentCheck, Severity
from benefit.rules.payment_checks_account import account_checks
from benefit.rules.payment_checks_facts import fact_checks
from benefit.rules.payment_checks_money import money_checks
from benefit.rules.payment_checks_number import number_checks
from benefit.rules.payment_checks_people import crossing_checks, review_checks


def payment_checks(programme: Programme) -> tuple[PaymentCheck, ...]:
    """検査の並び。番号の順。

    式が見る列は `benefit.services.judgment_rows` と `ledger_facts` が揃える（`_now` は判定日の事実）。
    """
    every = (
        *number_checks(),
        *fact_checks(),
        *crossing_checks(),
        *review_checks(),
        *money_checks(programme),
        *account_checks(),
    )
    return tuple(sorted(every, key=lambda check: check.id))


def coarse_reasons(programme: Programme) -> dict[str, str]:
    """検査の番号 → 委託先に返してよい粗い理由。払えない・保留の検査だけ。"""
    return {
        check.number: check.coarse
        for check in payment_checks(programme)
        if check.severity in {Severity.BLOCK, Severity.HOLD}
    }


def judge_rows(rows: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    """行ごとに `verdict`（支給可／保留／不可）、`checks`（引っかかった検査を表の順に ; でつなぐ）、`coarse` を足す。"""
    first = _judged(rows, programme)
    # 子どもの加算は、世帯の給付の判定を見て決める（CHK45）。同じファイルの中の世帯の行も、判定のうちである。
    paid_homes = first.filter((pl.col("slot_kind") == "HH100K") & (pl.col("verdict") == "支給可"))["household_number"]
    decided = pl.col("parent_decided") | pl.col("household_number").is_in(paid_homes.drop_nulls().implode())
    return _judged(rows.with_columns(parent_decided=decided.fill_null(value=False)), programme)


def _judged(rows: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    checks = payment_checks(programme)
    flagged = rows.with_columns([_hit(check).alias(check.id) for check in checks])

    def any_of(severity: Severity) -> pl.Expr:
        return pl.any_horizontal([pl.col(check.id) for check in checks if check.severity is severity])

    # 重さが二つある検査は、式は二つ、番号は一つ。
    listed = pl.concat_str(
        [
            pl.when(pl.any_horizontal([check.id for check in checks if check.number == number])).then(pl.lit(number))
            for number in dict.fromkeys(check.number for check in checks)
        ],
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


def _hit(check: PaymentCheck) -> pl.Expr:
    """引っかかったか。分からないものは引っかかったとする。二人が解除した保留（`released`）は、引っかからない。"""
    hit = check.hit.fill_null(value=True)
    if check.severity is not Severity.HOLD:
        return hit
    return hit & ~pl.col("released").list.contains(check.number).fill_null(value=False)
