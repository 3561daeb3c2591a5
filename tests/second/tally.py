"""第二の判定の行から、summary.json の数を数える（検査ごとの数のほか）。"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from benefit.second.judged import Outcome


def tally(rows: Iterable[Outcome]) -> dict[str, Any]:
    """行数、支給額合計、給付種別と判定、理由、経路、口座フラグ。"""
    every = list(rows)
    eligible = [row for row in every if row.verdict == "対象"]
    verdicts: dict[str, dict[str, dict[str, int]]] = {}
    for row in every:
        cell = verdicts.setdefault(row.benefit, {}).setdefault(row.verdict, {"件数": 0, "金額": 0})
        cell["件数"] += 1
        cell["金額"] += row.amount_yen
    return {
        "行数": len(every),
        "支給額合計": sum(row.amount_yen for row in every),
        "給付種別と判定": verdicts,
        "理由": dict(Counter(row.reasons for row in every if row.reasons)),
        "経路": dict(Counter(f"{row.benefit} {row.route}" for row in eligible)),
        "口座フラグ": dict(Counter(f"{row.benefit} {row.account_flag}" for row in eligible)),
    }
