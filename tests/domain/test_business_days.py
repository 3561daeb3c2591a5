"""銀行営業日: 週末、祝日、振替休日、年末年始の両側。"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.business_days import (
    add_bank_business_days,
    bank_business_day_on_or_after,
    is_bank_business_day,
)


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        ("2024-06-28", True), ("2024-06-29", False), ("2024-06-30", False), ("2024-07-01", True),
        ("2024-07-15", False),  # 海の日
        ("2024-08-12", False),  # 山の日の振替休日
        ("2024-09-23", False),  # 秋分の日の振替休日
        ("2024-11-04", False),  # 文化の日の振替休日
        ("2024-12-30", True), ("2024-12-31", False), ("2025-01-01", False), ("2025-01-02", False),
        ("2025-01-03", False), ("2025-01-06", True),
        ("2024-08-15", True),  # 盆は銀行の休みではない
    ],
)  # fmt: skip
def test_the_bank_is_open(day: str, open_: bool) -> None:
    assert is_bank_business_day(date.fromisoformat(day)) is open_


@pytest.mark.parametrize(
    ("day", "then"),
    [("2024-07-12", "2024-07-12"), ("2024-07-13", "2024-07-16"), ("2024-12-31", "2025-01-06")],
)
def test_a_day_itself_or_the_next_open_one(day: str, then: str) -> None:
    assert bank_business_day_on_or_after(date.fromisoformat(day)) == date.fromisoformat(then)


@pytest.mark.parametrize(
    ("day", "count", "then"),
    [
        ("2024-07-12", 0, "2024-07-12"),
        ("2024-07-12", 1, "2024-07-16"),
        ("2024-07-14", 1, "2024-07-16"),
        ("2024-12-27", 2, "2025-01-06"),
    ],
)
def test_counting_starts_the_day_after(day: str, count: int, then: str) -> None:
    assert add_bank_business_days(date.fromisoformat(day), count) == date.fromisoformat(then)


@settings(max_examples=100, deadline=None, database=None)
@given(st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(1, 30))
def test_exactly_so_many_open_days_lie_between(day: date, count: int) -> None:
    then = add_bank_business_days(day, count)
    between = [day + timedelta(days=n) for n in range(1, (then - day).days + 1)]
    assert sum(map(is_bank_business_day, between)) == count
    assert is_bank_business_day(then)
