"""こども加算: 対象か未確定の世帯にいる、基準の日以後に生まれた子ども一人に一回（契約 §2）。"""

from __future__ import annotations

import polars as pl

from benefit.domain.check import Check, Verdict
from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.verdicts import verdict_columns

_CHILD_CHECKS = (
    Check("FACILITY", "児童福祉施設等に入所していない", "契約 §2、benefit-rules A.5"),
    Check("PARENT", "世帯の給付が決まっている", "契約 §2"),
    Check("CHILD_HEAD", "子ども自身が世帯主ではない", "契約 §2、benefit-rules A.5"),
    Check("BIRTH", "生年月日が対象の日以後であることが確か", "seed 002 対象者 3"),
)


def child_checks(programme: Programme) -> tuple[Check, ...]:
    """この事業の、子どもの検査。"""
    return _CHILD_CHECKS if programme.child is not None else ()


def decide_children(
    facts: Facts, programme: Programme, members: pl.LazyFrame, households: pl.LazyFrame
) -> pl.LazyFrame:
    """子ども一人に一行: 検査の列、verdict、reasons、amount_yen、payee_number（世帯主）。"""
    terms, benefit = programme.child, programme.benefit_for("child")
    assert terms is not None
    assert benefit is not None
    in_facility = (
        facts.protected.lazy()
        .filter(pl.col("kind") == "児童施設")
        .select("person_number", facility=pl.lit(value=True))
        .unique("person_number")
    )
    parents = households.filter(pl.col("verdict") != Verdict.INELIGIBLE.value).select(
        "household_number", "payee_number", household_verdict="verdict"
    )
    null, true = pl.lit(None, dtype=pl.Boolean), pl.lit(value=True)
    return (
        # 日が不詳でも、対象の日以後でありうる子どもは落とさない。
        members.filter(pl.col("birth_latest") >= terms.born_from)
        .select("person_number", "household_number", "head", "birth_earliest")
        .join(parents, on="household_number")
        .join(in_facility, on="person_number", how="left")
        .with_columns(
            FACILITY=pl.col("facility").is_null(),
            PARENT=pl.when(pl.col("household_verdict") == Verdict.ELIGIBLE.value).then(true).otherwise(null),
            # 世帯主が一人に決まらない世帯に、世帯主はいない（契約 §2）。payee_number が空なのは、そのときだけ。
            CHILD_HEAD=pl.when(pl.col("person_number") == pl.col("payee_number")).then(null).otherwise(true),
            BIRTH=pl.when(pl.col("birth_earliest") >= terms.born_from).then(true).otherwise(null),
        )
        .with_columns(verdict_columns(_CHILD_CHECKS))
        .with_columns(
            benefit=pl.lit(benefit.id),
            amount_yen=pl.when(pl.col("verdict") == Verdict.ELIGIBLE.value)
            .then(benefit.amount_yen)
            .otherwise(0)
            .cast(pl.Int64),
        )
    )
