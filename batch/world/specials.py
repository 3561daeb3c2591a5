"""めったにないが、必ず一度は試したい世帯。乱数の世帯に頼らず、決まった数だけ作る。"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from batch.world.people import Families, Person

Household = list[Person]


def specials(families: Families, residents: int) -> Iterator[Household]:
    """特別な世帯。人数に応じた回数だけ、どの形も同じ数ずつ（小さな区でも一度は）。"""
    for _ in range(max(1, residents // 5_000)):
        for build in _BUILDERS:
            yield from build(families)


def _settled(household: Household) -> Household:
    """長く住み、収入のない世帯（収入は作り手が決め、`make_ward` は引き直さない）。"""
    for person in household:
        person.income_yen, person.dependants, person.spouse, person.former = 0, [], None, ""
        person.became_on, person.reason, person.supporter = date(2015, 4, 1), "転入", ""
    return household


def _unknown_birthday(families: Families) -> Iterator[Household]:
    """児童加算の境目の年・月に生まれたことしか分からない子（BIRTH）。"""
    for birth in ("2006-00-00", "2006-04-00"):
        parent, child = _settled(families.household("lone_parent", head_age=45)[:2])
        child.birth, child.age = birth, 18
        yield [parent, child]


def _spouse_from_abroad(families: Families) -> Iterator[Household]:
    """世帯主は前からいて、配偶者だけが国外から来た（ENTRANT 不明）。二人とも来た（ENTRANT 非該当）。"""
    for newcomers in (slice(1, 2), slice(0, 2)):
        couple = _settled(families.household("couple", head_age=38))
        for person in couple[newcomers]:
            person.became_on, person.reason = date(2024, 3, 15), "国外転入"
        yield couple


def _supported_by_another_household(families: Families) -> Iterator[Household]:
    """区内の別の世帯の課税者に扶養されている学生（DEPENDANTS 非該当）。"""
    parents = _settled(families.household("couple", head_age=52))
    parents[0].income_yen = 8_000_000
    student = _settled(families.household("student", head_age=20))
    student[0].supporter = parents[0].number
    parents[0].dependants = [student[0]]
    yield parents
    yield student


def _child_head(families: Families) -> Iterator[Household]:
    """子どもだけの世帯（CHILD_HEAD）: 十七歳の一人暮らしと、施設にいる子（FACILITY）。"""
    for birth, age, protected in (("2007-02-10", 17, ""), ("2014-09-01", 9, "児童施設")):
        (child,) = _settled(families.household("young"))
        child.birth, child.age, child.protected, child.former = birth, age, protected, ""
        child.became_on = max(child.became_on, date.fromisoformat(birth))
        yield [child]


def _newborn(families: Families) -> Iterator[Household]:
    """基準日の前日・当日・翌日に生まれた子。"""
    for day in (date(2024, 6, 2), date(2024, 6, 3), date(2024, 6, 4)):
        parent, child = _settled(families.household("lone_parent", head_age=30)[:2])
        child.birth, child.age, child.became_on, child.reason = day.isoformat(), 0, day, "出生"
        yield [parent, child]


def _dead_head(families: Families) -> Iterator[Household]:
    """世帯主の死亡: 基準日の前・当日・翌日。一人の世帯と、残された人のいる世帯（PAYEE）。"""
    for form, day in (
        ("elder", date(2024, 6, 2)),
        ("elder", date(2024, 6, 4)),
        ("elders", date(2024, 6, 3)),
        ("elders", date(2024, 6, 4)),
    ):
        household = _settled(families.household(form, head_age=82))
        household[0].removed_on, household[0].removed_reason = day, "死亡"
        yield household


def _levy_date_arrivals(families: Families) -> Iterator[Household]:
    """賦課期日の前日・当日・翌日の転入。"""
    for day in (date(2023, 12, 31), date(2024, 1, 1), date(2024, 1, 2)):
        (person,) = _settled(families.household("young"))
        person.became_on = day
        person.levy_municipality = "13104" if day > date(2024, 1, 1) else ""
        yield [person]


def _just_above_the_line(families: Families) -> Iterator[Household]:
    """均等割だけの世帯（R6-2）。子のいる人は、所得割の限度額が 11 万円高い。"""
    parent, child = _settled(families.household("lone_parent", head_age=36)[:2])
    child.birth, child.age, parent.dependants = "2015-05-05", 9, [child]
    parent.income_yen, child.supporter = 1_065_000 + 550_000, parent.number
    yield [parent, child]


_BUILDERS: tuple[Callable[[Families], Iterator[Household]], ...] = (
    _unknown_birthday,
    _spouse_from_abroad,
    _supported_by_another_household,
    _child_head,
    _newborn,
    _dead_head,
    _levy_date_arrivals,
    _just_above_the_line,
)
