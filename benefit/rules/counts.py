"""数えた結果: 給付と判定ごとの件数と円、検査が外した数、経路と口座フラグの数（契約 §4 summary.json）。"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from benefit.domain.check import Check
from benefit.domain.programme import Programme
from benefit.rules.outcomes import Decisions, checks_of


def counts(decisions: Decisions, programme: Programme) -> dict[str, object]:
    """summary.json に載せる数。外した数が 0 の検査は、職員が確かめる印になる（姶良市の事例）。"""
    outcomes = decisions.outcomes
    eligible = outcomes.filter(pl.col("verdict") == "対象")
    verdicts: dict[str, dict[str, dict[str, int]]] = {}
    grouped = outcomes.group_by("benefit", "verdict").agg(rows=pl.len(), yen=pl.col("amount_yen").sum())
    for benefit, verdict, rows, yen in grouped.sort("benefit", "verdict").iter_rows():
        verdicts.setdefault(benefit, {})[verdict] = {"件数": rows, "金額": yen}
    return {
        "行数": outcomes.height,
        "支給額合計": int(outcomes["amount_yen"].sum()),
        "給付種別と判定": verdicts,
        "検査": {
            kind: _by_check(frame, checks)
            for (kind, checks), frame in zip(
                checks_of(programme).items(),
                (decisions.households, decisions.children, decisions.taxpayers),
                strict=True,
            )
        },
        "理由": _by_value(outcomes.filter(pl.col("reasons") != ""), "reasons"),
        "経路": _by_value(eligible.with_columns(key=pl.format("{} {}", "benefit", "route")), "key"),
        "口座フラグ": _by_value(eligible.with_columns(key=pl.format("{} {}", "benefit", "account_flag")), "key"),
    }


def _by_check(frame: pl.DataFrame, checks: Sequence[Check]) -> dict[str, dict[str, int]]:
    return {
        check.id: {"unmet": int((~frame[check.id]).sum()), "unknown": int(frame[check.id].null_count())}
        for check in checks
    }


def _by_value(frame: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(frame.group_by(column).len().sort(column).iter_rows())
