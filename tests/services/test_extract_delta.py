"""新しい抽出データと前の写しの違い: 増えた・消えた・変わったが、行を落とさず、重ねずに数えられる。"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.rules.facts import SCHEMAS
from benefit.services.extract_delta import KEYS, against_previous, delta
from benefit.services.extracts import current_sources
from tests.services.conftest import Office
from tests.services.test_changes import bring, change, lonely

_MARKS = st.dictionaries(st.integers(1, 8), st.sampled_from(["DV", "児童施設"]), max_size=8)


def frame(marks: dict[int, str]) -> pl.DataFrame:
    rows = [{"person_number": number, "kind": "DV", "line": place} for place, number in enumerate(marks)]
    return pl.DataFrame(rows, schema=SCHEMAS["protected"], orient="row")


@settings(max_examples=100, deadline=None, database=None)
@given(_MARKS, _MARKS)
def test_the_counts_add_up(before: dict[int, str], now: dict[int, str]) -> None:
    found = delta("protected", frame(before), frame(now))
    assert (found.added, found.removed) == (len(now.keys() - before.keys()), len(before.keys() - now.keys()))
    assert found.before - found.removed + found.added == found.now
    assert found.changed == 0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"消除日": "2024-07-20", "消除事由": "死亡"}, {"消除": 1}),
        ({"漢字住所": "東京都新宿区西新宿二丁目8番1号", "漢字氏名": "新姓　花子"}, {"住所": 1, "氏名": 1}),
        ({"続柄": "子"}, {"続柄": 1}),
        ({"生年月日": "1950-01-01"}, {"生年月日": 1}),
    ],
)
def test_what_changed_is_named(office: Office, values: dict[str, str], told: dict[str, int]) -> None:
    row = lonely(office)
    bring(office, "residents", change(row["payee_number"], **values))
    now = current_sources(office.home, 2024)["residents"]
    found = against_previous(office.home, "residents", now.sha256)
    assert found is not None
    assert (found.added, found.removed, found.changed, found.named) == (0, 0, 1, told)


def test_the_first_extract_has_nothing_before_it(office: Office) -> None:
    first = current_sources(office.home, 2024)["taxes"]
    assert against_previous(office.home, "taxes", first.sha256) is None


def test_every_kind_has_its_key() -> None:
    for kind, key in KEYS.items():
        assert set(key) <= set(SCHEMAS[kind])
        empty: Any = pl.DataFrame(schema=SCHEMAS[kind])
        assert delta(kind, empty, empty).changed == 0
