"""和暦は、元号の変わる日の両側で正しい。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.errors import WrongUse
from benefit.domain.wareki import EraYear, era_year, wareki


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2019, 5, 1), "令和元年5月1日"),
        (date(2019, 4, 30), "平成31年4月30日"),
        (date(1989, 1, 8), "平成元年1月8日"),
        (date(1989, 1, 7), "昭和64年1月7日"),
        (date(1926, 12, 25), "昭和元年12月25日"),
        (date(1926, 12, 24), "大正15年12月24日"),
        (date(1912, 7, 30), "大正元年7月30日"),
        (date(1912, 7, 29), "明治45年7月29日"),
        (date(1873, 1, 1), "明治6年1月1日"),
    ],
)
def test_a_new_era_begins_on_its_first_day_and_not_the_day_before(day: date, words: str) -> None:
    assert wareki(day) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2019, 12, 31), "令和元年12月31日"),
        (date(2020, 1, 1), "令和2年1月1日"),
        (date(2024, 2, 29), "令和6年2月29日"),
        (date(2024, 10, 31), "令和6年10月31日"),
    ],
)
def test_only_the_first_year_of_an_era_is_called_gannen(day: date, words: str) -> None:
    assert wareki(day) == words


def test_the_weekday_follows_in_brackets() -> None:
    assert wareki(date(2024, 10, 31), weekday=True) == "令和6年10月31日（木）"
    assert wareki(date(2024, 11, 3), weekday=True) == "令和6年11月3日（日）"


def test_the_year_is_a_number_for_those_who_count() -> None:
    assert era_year(date(2024, 6, 3)) == EraYear("令和", 6)


def test_a_day_of_the_lunar_calendar_is_refused_without_naming_it() -> None:
    with pytest.raises(WrongUse) as refusal:
        wareki(date(1872, 12, 31))
    assert refusal.value.code == "before-solar-calendar"
    assert "1872" not in str(refusal.value)  # 生年月日は個人の情報である
