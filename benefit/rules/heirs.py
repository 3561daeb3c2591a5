"""相続人に払う行: 区が直接扱い（WARD）、口座は申請書のものだけを使う（benefit-rules A.7 heirs、X61）。"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from benefit.domain.check import Verdict
from benefit.rules.facts import Facts

if TYPE_CHECKING:
    from benefit.rules.outcomes import Decisions


def with_heirs(decisions: Decisions, facts: Facts) -> Decisions:
    """相続人に払う行を、区が直接扱う行（WARD）にする。口座は申請書のもので、登録の口座は使わない。"""
    heirs = facts.payee_changes.filter("heir")
    if heirs.is_empty():
        return decisions

    def handed(frame: pl.DataFrame, kind: str, subject: str) -> pl.DataFrame:
        payees = heirs.filter(pl.col("subject_kind") == kind)
        numbers, new = payees["subject_number"], payees["new_payee"]
        inherits = (
            pl.col(subject).replace_strict(numbers, new, default=None, return_dtype=pl.Int64) == pl.col("payee_number")
        ).fill_null(value=False) & (pl.col("verdict") == Verdict.ELIGIBLE.value)
        if payees.is_empty():
            return frame
        return frame.with_columns(
            route=pl.when(inherits).then(pl.lit("WARD")).otherwise("route"),
            account_flag=pl.when(inherits).then(pl.lit("0")).otherwise("account_flag"),
            name_agrees=pl.when(inherits).then(pl.lit(value=False)).otherwise("name_agrees"),
        )

    def of_kind(kind: str) -> pl.DataFrame:
        return decisions.outcomes.filter(pl.col("subject_kind") == kind)

    # 行のない表はつながない（`benefit.rules.outcomes.stacked` と同じ）。
    parts = [
        handed(of_kind("世帯"), "世帯", "subject_number"),
        handed(of_kind("児童"), "世帯", "household_number"),
        handed(of_kind("納税者"), "納税者", "subject_number"),
    ]
    return replace(
        decisions,
        households=handed(decisions.households, "世帯", "household_number"),
        children=handed(decisions.children, "世帯", "household_number"),
        taxpayers=handed(decisions.taxpayers, "納税者", "person_number"),
        outcomes=pl.concat([part for part in parts if part.height] or parts),
    )
