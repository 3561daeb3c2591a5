"""銀行営業日。土日、国民の祝日、12月31日から1月3日は休み（holidays の日本・銀行の暦）。"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import holidays


@lru_cache(maxsize=16)
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year, categories=("public", "bank")))


def is_bank_business_day(day: date) -> bool:
    """この日に銀行は振り込むか。"""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


def bank_business_day_on_or_after(day: date) -> date:
    """この日か、その後の最初の銀行営業日。"""
    while not is_bank_business_day(day):
        day += timedelta(days=1)
    return day


def add_bank_business_days(day: date, count: int) -> date:
    """この日の後、`count` 番目の銀行営業日。"""
    for _ in range(count):
        day = bank_business_day_on_or_after(day + timedelta(days=1))
    return day
