"""変異を見つける事例: 乱数の区と、第二の判定の答え。一度だけ作って置き、変異ごとの子は読むだけにする。"""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benefit.domain.programme import Programme

#: 事例の並びを決める種。
SEED = 20240603


def programmes() -> Iterator[tuple[Programme, int]]:
    """(事業、判定の日までの日数)。どの方針の言葉も、少なくとも一度は出る。"""
    from tests.second.programmes import R6, R7, only_computed, town, without_children

    assert R6.household is not None
    assert R6.adjustment is not None
    household, adjustment = R6.household, R6.adjustment
    order = tuple(reversed(R6.route.account_precedence))
    yield R6, 17
    yield R7, 17
    yield town(), 1
    yield (
        replace(
            R6,
            household=replace(
                household,
                entrants="EXCLUDE_IF_ANY",
                undeclared="EXCLUDE",
                prior_split="EXCLUDE",
                supporter="INCOME_LEVY",
            ),
            adjustment=replace(adjustment, zero_levy="NONE", non_levied="EXCLUDE", rounding_yen=1_000),
            route=replace(R6.route, account_precedence=order),
        ),
        0,
    )
    yield replace(R6, household=replace(household, entrants="IGNORE", prior_split="ALLOW", prior="EXCLUDE_TARGETS")), -1
    yield replace(town(), household=replace(household, entrants="IGNORE", prior="IGNORE", supporter="INCOME_LEVY")), 17
    yield only_computed(), 18
    yield without_children(), 60
    yield R6, 0
    yield R7, 0


def write(folder: Path) -> None:
    """事例を置く（別の過程で走る: 親が Polars を動かすと、そこから分かれた子が止まる）。"""
    from benefit.second.evaluate import evaluate
    from benefit.services.second import rows_of, second_outcomes
    from tests.conftest import WARD_3K
    from tests.second.invented import invented
    from tests.second.programmes import R6
    from tests.second.reading import facts_of
    from tests.second.tally import tally

    dice = random.Random(SEED)
    for place, (programme, days) in enumerate(programmes()):
        today = programme.base_date + timedelta(days)
        facts = invented(dice.randrange(2**32), programme, today, groups=200).facts()
        counts = tally(evaluate(rows_of(facts), programme, today))
        _put(folder / f"{place:02d}", facts, programme, today, second_outcomes(facts, programme, today), counts)
    facts = facts_of(WARD_3K)
    today = date(2024, 6, 20)
    _put(folder / "golden", facts, R6, today, second_outcomes(facts, R6, today), {})


def _put(folder: Path, facts: Any, programme: Programme, today: date, expected: Any, counts: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    for name in facts.__dataclass_fields__:
        getattr(facts, name).write_ipc(folder / f"{name}.arrow", compression="uncompressed")
    expected.sort("subject_kind", "subject_number").write_ipc(folder / "expected.arrow", compression="uncompressed")
    (folder / "terms.pickle").write_bytes(pickle.dumps((programme, today, counts)))


def differs(folder: Path) -> bool:
    """いまの規則の答えが、置いてある答えと違うか。"""
    import polars as pl

    from benefit.rules.counts import counts
    from benefit.rules.facts import Facts
    from benefit.rules.outcomes import decide

    programme, today, tallied = pickle.loads((folder / "terms.pickle").read_bytes())
    frames = {name: pl.read_ipc(folder / f"{name}.arrow") for name in Facts.__dataclass_fields__}
    expected = pl.read_ipc(folder / "expected.arrow")
    decisions = decide(Facts(**frames), programme, today)
    found = decisions.outcomes.select(expected.columns).sort("subject_kind", "subject_number")
    if not found.equals(expected):
        return True
    counted = counts(decisions, programme)
    return any(counted[name] != value for name, value in tallied.items())


def golden_differs(folder: Path) -> bool:
    """見本の区の outcomes.csv と数が、置いてある答えと違うか。"""
    import json

    import polars as pl

    from benefit.records.outcomes import render
    from benefit.rules.counts import counts
    from benefit.rules.facts import Facts
    from benefit.rules.outcomes import decide
    from tests.conftest import WARD_3K

    programme, today, _ = pickle.loads((folder / "terms.pickle").read_bytes())
    frames = {name: pl.read_ipc(folder / f"{name}.arrow") for name in Facts.__dataclass_fields__}
    decisions = decide(Facts(**frames), programme, today)
    if render(decisions.outcomes) != (WARD_3K / "expected" / "outcomes.csv").read_bytes():
        return True
    expected = json.loads((WARD_3K / "expected" / "counts.json").read_text(encoding="utf-8"))
    counted = counts(decisions, programme)
    return any(counted[name] != value for name, value in expected.items())


if __name__ == "__main__":
    import sys

    write(Path(sys.argv[1]))
