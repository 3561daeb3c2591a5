"""人の課税区分（契約 §2 Tax class of a person）。どの境目も、両側に立つ。"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.rules.make import LIGHT, TAXED, Ward


@pytest.mark.parametrize(
    ("tax", "letter"),
    [
        ({"treaty_exempt": True, **TAXED}, "X"),
        (TAXED, "2"),
        ({"income_levy_metro_yen": 1, "income_levy_after_cut_yen": 0}, "2"),
        ({"income_levy_ward_yen": 0, "income_levy_after_cut_yen": 0, **LIGHT}, "1"),
        ({**TAXED, "ordinance_relief": "全部"}, "0"),
        ({**TAXED, "ordinance_relief": "一部"}, "2"),
        ({**LIGHT, "ordinance_relief": "全部"}, "0"),
        ({"declaration": "未申告"}, "U"),
        ({"declaration": "扶養"}, "0"),
        ({**TAXED, "declaration": "未申告"}, "2"),
    ],
)
def test_the_tax_class_of_a_row(tax: dict[str, Any], letter: str) -> None:
    ward = Ward()
    ward.person(tax=tax)
    assert ward.decide().persons["tax_class"][0] == letter


@pytest.mark.parametrize(
    ("given", "letter"),
    [
        ({"birth": "2008-01-02"}, "0"),
        ({"birth": "2008-01-01"}, "U"),
        ({"birth": "2008-01-00"}, "U"),
        ({"birth": "2008-02-00"}, "0"),
        ({"became_resident_on": date(2024, 1, 1)}, "U"),
        ({"became_resident_on": date(2024, 1, 2)}, "Q"),
        ({"became_resident_on": date(2024, 1, 2), "became_resident_reason": "国外転入"}, "N"),
        ({"became_resident_on": date(2024, 1, 2), "became_resident_reason": "出生", "birth": "1990-01-01"}, "0"),
        ({"became_resident_on": date(2024, 1, 2), "became_resident_reason": "職権"}, "Q"),
        ({"became_resident_on": date(2024, 1, 2), "became_resident_reason": "国外転入", "birth": "2010-01-01"}, "0"),
    ],
)
def test_the_tax_class_without_a_row(given: dict[str, Any], letter: str) -> None:
    ward = Ward()
    ward.person(tax=None, **given)
    assert ward.decide().persons["tax_class"][0] == letter


@pytest.mark.parametrize(
    ("answer", "before", "after", "levy", "treaty", "letter"),
    [
        ("課税", 100, 0, 4000, False, "2"),
        ("課税", 0, 0, 4000, False, "1"),
        ("課税", 0, 0, 0, False, "Q"),
        ("課税", 0, 0, None, False, "Q"),
        ("課税", None, 100, 4000, False, "2"),
        ("課税", None, 0, 4000, False, "Q"),
        ("課税", None, None, 4000, False, "Q"),
        ("非課税", 0, 0, 0, False, "0"),
        ("非課税", 0, 0, 0, True, "X"),
        ("未申告", None, None, None, False, "U"),
        ("該当なし", None, None, None, False, "Q"),
        ("提供不可", None, None, None, False, "Q"),
        ("エラー", None, None, None, False, "Q"),
    ],
)
def test_an_answer_replaces_only_what_it_settles(
    answer: str, before: int | None, after: int | None, levy: int | None, treaty: bool, letter: str
) -> None:
    ward = Ward()
    head = ward.person(tax=None, became_resident_on=date(2024, 3, 1))
    ward.add(
        "tax_answers",
        inquiry_number="T1",
        person_number=head,
        answer=answer,
        per_capita_levy_yen=levy,
        income_levy_before_cut_yen=before,
        income_levy_after_cut_yen=after,
        treaty_exempt=treaty,
    )
    assert ward.decide().persons["tax_class"][0] == letter


def test_an_answer_never_overrules_the_wards_own_row() -> None:
    ward = Ward()
    head = ward.person(tax=TAXED, became_resident_on=date(2024, 3, 1))
    ward.add("tax_answers", inquiry_number="T1", person_number=head, answer="非課税", treaty_exempt=False)
    assert ward.decide().persons["tax_class"][0] == "2"
