"""「結果が変わる最小の事実の違い」は、本当に変わり、それより小さければ変わらない（本体の判定で確かめる）。"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.outcomes import decide
from benefit.services.explain_change import changes
from benefit.services.explain_nearby import Answered, Fact
from tests.rules.make import TODAY
from tests.services_explain.invented import R6, R7, applied, invented, nearby

TODAY_R7 = date(2025, 8, 1)
MONEY = re.compile(r"が ([\d,]+) 円(少ない|多い)（([\d,]+) 円 → ([\d,]+) 円）")


def outcome(facts: Facts, programme: Programme, today: date, kind: str, number: int) -> Answered:
    rows = decide(facts, programme, today).outcomes.filter(
        pl.col("subject_kind") == kind, pl.col("subject_number") == number
    )
    if rows.is_empty():
        return Answered("行なし")
    row = rows.row(0, named=True)
    return Answered(row["verdict"], row["reasons"], row["benefit"], row["amount_yen"])


def one_yen_less(fact: Fact, move: Any, before: int, after: int) -> Fact:
    """言った違いより 1 円小さい、同じ種類の違い。"""
    nearer = after + (1 if after < before else -1)
    money = {name: value for name, value in fact.values.items() if name.endswith("_yen")}
    if len(money) == 1:
        return Fact(fact.kind, fact.person_number, fact.line, {next(iter(money)): nearer})
    metro = money["income_levy_metro_yen"]
    return Fact(
        fact.kind,
        fact.person_number,
        fact.line,
        {"income_levy_ward_yen": nearer - metro, "income_levy_metro_yen": metro},
    )


def check_all(facts: Facts, programme: Programme, today: date, subjects: pl.DataFrame) -> None:
    for row in subjects.iter_rows(named=True):
        near = nearby(facts, programme, today, row)
        now = Answered(row["verdict"], row["reasons"], row["benefit"], row["amount_yen"])
        kind, number = row["subject_kind"], row["subject_number"]
        assert near.after() == now, (kind, number)

        def after(changed: Any, kind: str = kind, number: int = number) -> Answered:
            return outcome(applied(facts, changed), programme, today, kind, number)

        for change in changes(near):
            found = after(change.facts)
            assert found == change.result, (kind, number, change)
            assert found != now
            if len(change.moves) > 1:
                for left_out in change.moves:
                    rest = [fact for move in change.moves if move is not left_out for fact in move.facts]
                    assert after(rest).verdict != change.result.verdict, (kind, number, change, left_out)
            for place, move in enumerate(change.moves):
                if told := MONEY.search(move.says):
                    before, then = (int(told[part].replace(",", "")) for part in (3, 4))
                    rest = [
                        fact for other in (*change.moves[:place], *change.moves[place + 1 :]) for fact in other.facts
                    ]
                    nearer = after([*rest, one_yen_less(move.facts[0], move, before, then)])
                    if change.result.verdict == "対象" == now.verdict:
                        assert nearer == now, (kind, number, move)
                    else:
                        assert nearer.verdict != change.result.verdict, (kind, number, move)


@settings(max_examples=12, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1))
def test_every_change_told_changes_the_answer_and_nothing_smaller_does(seed: int) -> None:
    facts = invented(seed)
    rows = decide(facts, R6, TODAY).outcomes
    check_all(facts, R6, TODAY, rows.sample(min(8, rows.height), shuffle=True, seed=seed))


@settings(max_examples=12, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1))
def test_the_same_holds_for_the_shortfall_programme(seed: int) -> None:
    facts = invented(seed, shortfall=True)
    rows = decide(facts, R7, TODAY_R7).outcomes
    check_all(facts, R7, TODAY_R7, rows.sample(min(8, rows.height), shuffle=True, seed=seed))
