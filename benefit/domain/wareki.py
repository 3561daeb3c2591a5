"""和暦: 手紙に刷る日付の書き方。

元号の始まりの日は、その日から新しい元号で書く（昭和 64 年 1 月 7 日の翌日が平成元年 1 月 8 日）。
出典: 元号法（昭和 54 年法律第 43 号）、元号を改める政令（昭和 64 年政令第 1 号、平成 31 年政令第 143 号）。
明治 5 年 12 月 2 日までは太陰太陽暦なので、明治 6 年 1 月 1 日より前は書かない。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from benefit.domain.errors import WrongUse

#: 太陽暦を使い始めた日（明治 5 年太政官布告第 337 号）。
SOLAR_CALENDAR_FROM = date(1873, 1, 1)

#: 元号と、その元年の西暦と、始まりの日。新しい順。
_ERAS = (
    ("令和", 2019, date(2019, 5, 1)),
    ("平成", 1989, date(1989, 1, 8)),
    ("昭和", 1926, date(1926, 12, 25)),
    ("大正", 1912, date(1912, 7, 30)),
    ("明治", 1868, SOLAR_CALENDAR_FROM),
)
_WEEKDAYS = "月火水木金土日"


@dataclass(frozen=True)
class EraYear:
    """元号と年。`year` は 1 から（1 は「元年」と読む）。"""

    era: str
    year: int

    def __str__(self) -> str:
        """「令和6年」「令和元年」。"""
        return f"{self.era}{'元' if self.year == 1 else self.year}年"


def era_year(day: date) -> EraYear:
    """その日の元号と年。明治 6 年より前は WrongUse。"""
    for era, first_year, begins in _ERAS:
        if day >= begins:
            return EraYear(era, day.year - first_year + 1)
    raise WrongUse(
        "この日付は和暦で書けません", code="before-solar-calendar", allowed=f"{SOLAR_CALENDAR_FROM.isoformat()} 以後"
    )


def fiscal_year_name(year: int) -> str:
    """年度の名「令和8年度」。元号の替わる年度は、後の元号で言う（2019 年度は令和元年度）。"""
    return f"{era_year(date(year, 12, 31))}度"


def wareki(day: date, *, weekday: bool = False) -> str:
    """「令和6年10月31日」。`weekday` のとき「令和6年10月31日（木）」。

    数字は半角で、0 を補わない。明治 6 年より前は WrongUse。
    """
    text = f"{era_year(day)}{day.month}月{day.day}日"
    return f"{text}（{_WEEKDAYS[day.weekday()]}）" if weekday else text
