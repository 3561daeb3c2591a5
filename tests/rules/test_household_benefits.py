"""世帯の給付（契約 §2）。どの境目も、両側に立つ。"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.rules.make import LIGHT, TAXED, Ward


def check(ward: Ward, name: str, today: date = date(2024, 6, 20)) -> bool | None:
    answer = ward.household(today=today)[name]
    assert answer is None or isinstance(answer, bool)
    return answer


def test_a_household_free_of_tax_is_eligible_for_benefit_1() -> None:
    ward = Ward()
    head = ward.person()
    row = ward.household()
    assert (row["verdict"], row["benefit"], row["amount_yen"], row["payee_number"]) == ("対象", "R6-1", 100_000, head)


def test_one_member_with_only_the_per_capita_levy_makes_it_benefit_2() -> None:
    ward = Ward()
    ward.person()
    ward.person(relation="妻", tax=LIGHT)
    assert ward.household()["benefit"] == "R6-2"


@pytest.mark.parametrize(
    ("joined", "left", "member"),
    [
        (date(2024, 6, 3), None, True),
        (date(2024, 6, 4), None, False),
        (date(2010, 1, 1), date(2024, 6, 3), False),
        (date(2010, 1, 1), date(2024, 6, 4), True),
    ],
)
def test_a_member_is_one_on_the_base_date(joined: date, left: date | None, member: bool) -> None:
    ward = Ward()
    ward.person(became_resident_on=joined, removed_on=left, removed_reason="転出" if left else None)
    assert (ward.decide().households.height == 1) is member


@pytest.mark.parametrize(("heads", "answer"), [(0, None), (1, True), (2, None)])
def test_there_is_one_householder(heads: int, answer: bool | None) -> None:
    ward = Ward()
    for place in range(2):
        ward.person(relation="世帯主" if place < heads else "子")
    assert check(ward, "HEAD") is answer
    if heads != 1:
        assert ward.household()["payee_number"] is None
        assert check(ward, "PAYEE") is True


@pytest.mark.parametrize(
    ("died", "others", "answer"),
    [
        (date(2024, 6, 20), 0, False),
        (date(2024, 6, 20), 1, None),
        (date(2024, 6, 21), 0, True),
        (date(2024, 6, 4), 1, None),
    ],
)
def test_the_householder_lives_today(died: date, others: int, answer: bool | None) -> None:
    ward = Ward()
    ward.person(removed_on=died, removed_reason="死亡")
    for _ in range(others):
        ward.person(relation="妻")
    assert check(ward, "PAYEE") is answer


def test_moving_away_is_living() -> None:
    ward = Ward()
    ward.person(removed_on=date(2024, 6, 10), removed_reason="転出")
    assert check(ward, "PAYEE") is True


def test_nobody_who_pays_the_income_levy_is_in_it() -> None:
    ward = Ward()
    ward.person()
    assert check(ward, "TAX") is True
    ward.person(relation="妻", tax=TAXED)
    assert check(ward, "TAX") is False


def test_one_treaty_exemption_closes_the_household() -> None:
    ward = Ward()
    ward.person()
    ward.person(relation="妻", tax={"treaty_exempt": True})
    assert check(ward, "TREATY") is False


ENTRANT = {"tax": None, "became_resident_on": date(2024, 3, 1), "became_resident_reason": "国外転入"}


def test_entrants_from_abroad() -> None:
    head_entered = Ward()
    head_entered.person(**ENTRANT)
    head_entered.person(relation="妻")
    assert check(head_entered, "ENTRANT") is False
    spouse_entered = Ward()
    spouse_entered.person()
    spouse_entered.person(relation="妻", **ENTRANT)
    assert check(spouse_entered, "ENTRANT") is None
    all_adults = Ward()
    all_adults.person(relation="子", **ENTRANT)
    all_adults.person(relation="子", birth="2015-01-01")
    assert check(all_adults, "ENTRANT") is False
    nobody = Ward()
    nobody.person()
    assert check(nobody, "ENTRANT") is True


def test_unanswered_and_undeclared_stay_unknown_and_never_become_untaxed() -> None:
    ward = Ward()
    ward.person()
    ward.person(relation="妻", tax=None, became_resident_on=date(2024, 3, 1))
    ward.person(relation="子", tax={"declaration": "未申告"})
    row = ward.household()
    assert (row["INQUIRY"], row["DECLARED"]) == (None, None)
    assert (row["verdict"], row["reasons"], row["amount_yen"]) == ("未確定", "INQUIRY;DECLARED", 0)


def test_an_unmet_check_wins_over_unknown_ones_and_only_the_unmet_are_named() -> None:
    ward = Ward()
    ward.person(tax=TAXED)
    ward.person(relation="妻", tax={"declaration": "未申告", "treaty_exempt": True})
    row = ward.household()
    assert (row["verdict"], row["reasons"]) == ("対象外", "TAX;TREATY")


@pytest.mark.parametrize(
    ("supporters", "answer"),
    [
        (["taxed"], False),
        (["light"], False),
        (["free"], True),
        (["outside"], None),
        (["unknown"], None),
        (["undeclared"], None),
        (["taxed", "outside"], None),
        (["outside", "free"], True),
        (["taxed", "nobody"], True),
        (["taxed", "taxed"], False),
    ],
)
def test_a_household_of_dependants_only(supporters: list[str], answer: bool | None) -> None:
    ward = Ward()
    elsewhere = {
        "taxed": ward.person(household=7, tax=TAXED),
        "light": ward.person(household=7, tax=LIGHT),
        "free": ward.person(household=7),
        "undeclared": ward.person(household=7, tax={"declaration": "未申告"}),
        "unknown": 999_999,
    }
    for place, kind in enumerate(supporters):
        tax: dict[str, Any] = {"supporter_outside": kind == "outside"}
        tax["supporter_number"] = elsewhere.get(kind)
        ward.person(relation="世帯主" if place == 0 else "子", tax=tax)
    assert check(ward, "DEPENDANTS") is answer
