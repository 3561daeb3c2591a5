"""summary.json の数: 第二の判定の行を数え直したものと同じ。検査ごとの数は、広い表を一行ずつ数えたものと同じ。"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from benefit.domain.programme import Programme
from benefit.rules.counts import counts
from benefit.rules.outcomes import checks_of, decide
from benefit.second.evaluate import evaluate
from tests.second.invented import invented
from tests.second.programmes import R6, R7, town, without_children
from tests.second.tally import tally


@pytest.mark.parametrize("programme", [R6, town(), without_children(), R7], ids=["r6", "town", "no-children", "r7"])
def test_the_numbers_are_those_counted_row_by_row(programme: Programme) -> None:
    today = programme.base_date + timedelta(17)
    ward = invented(5, programme, today)
    decisions = decide(ward.facts(), programme, today)
    found = counts(decisions, programme)
    for name, expected in tally(evaluate(ward.rows, programme, today)).items():
        assert found[name] == expected
    frames = {"世帯": decisions.households, "児童": decisions.children, "納税者": decisions.taxpayers}
    checked: Any = found["検査"]
    assert list(checked) == list(frames)
    for kind, checks in checks_of(programme).items():
        rows = frames[kind].to_dicts()
        assert checked[kind] == {
            check.id: {
                "unmet": sum(row[check.id] is False for row in rows),
                "unknown": sum(row[check.id] is None for row in rows),
            }
            for check in checks
        }
