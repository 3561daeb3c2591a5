"""納税者一人ずつの給付: 事業にあるのが調整給付か不足額給付かで、規則を選ぶ。"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.check import Check
from benefit.domain.programme import Programme
from benefit.rules.adjustment import adjustment_checks, decide_adjustments
from benefit.rules.facts import Facts
from benefit.rules.shortfall import decide_shortfalls, shortfall_checks


def taxpayer_checks(programme: Programme) -> tuple[Check, ...]:
    """この事業の、納税者の検査。"""
    return adjustment_checks(programme) or shortfall_checks(programme)


def decide_taxpayers(facts: Facts, programme: Programme, today: date) -> pl.LazyFrame:
    """納税者の行ごとに一行。調整給付と不足額給付は、一つの事業に一方だけある。どちらもなければ行がない。"""
    if programme.adjustment is not None:
        return decide_adjustments(facts, programme, today)
    if programme.shortfall is not None:
        return decide_shortfalls(facts, programme, today)
    return pl.LazyFrame(
        schema={
            "person_number": pl.Int64,
            "verdict": pl.String,
            "reasons": pl.String,
            "benefit": pl.String,
            "payee_number": pl.Int64,
            "amount_yen": pl.Int64,
        }
    )
