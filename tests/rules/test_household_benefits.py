"""世帯の給付（契約 §2）。どの境目も、両側に立つ。"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.rules.make import Ward

TAXED = {"income_levy_ward_yen": 100, "per_capita_levy_yen": 4000}
LIGHT = {"per_capita_levy_yen": 4000}


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


def check(ward: Ward, name: str, today: date = date(2024, 6, 20)) -> bool | None:
    answer = ward.household(today=today)[name]
    assert answer is None or isinstance(answer, bool)
    return answer


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


def prior(ward: Ward, household: int, person: int, relation: str, state: str = "支給済") -> None:
    ward.add(
        "prior", benefit_name="7万円", household_number=household, person_number=person, relation=relation, state=state
    )


@pytest.mark.parametrize("state", ["支給済", "未申請", "辞退", "対象外"])
def test_p1_the_same_household_with_a_shared_person(state: str) -> None:
    ward = Ward()
    head = ward.person()
    prior(ward, 1, head, "子", state)
    # 払ったかどうかではなく、対象だったかどうか。辞退も未申請も、もう「新たに」ではない。
    assert check(ward, "PRIOR") is (state == "対象外")


def test_p2_last_years_householder_lives_here_now() -> None:
    ward = Ward()
    ward.person()
    moved_in = ward.person(relation="父")
    prior(ward, 99, moved_in, "世帯主")
    assert check(ward, "PRIOR") is False


def test_p3_the_householder_is_gone_and_all_who_remain_are_here() -> None:
    ward = Ward()
    head = ward.person()
    prior(ward, 99, 555, "世帯主")
    prior(ward, 99, head, "妻")
    assert check(ward, "PRIOR") is False


def test_p5_a_shared_person_and_none_of_the_others_is_unknown() -> None:
    ward = Ward()
    split_off = ward.person()
    stayed = ward.person(household=2)
    prior(ward, 99, 555, "世帯主")
    prior(ward, 99, split_off, "子")
    prior(ward, 99, stayed, "妻")
    assert check(ward, "PRIOR") is None


def test_the_same_household_number_without_a_shared_person_is_no_hit() -> None:
    ward = Ward()
    ward.person()
    prior(ward, 1, 555, "世帯主")
    assert check(ward, "PRIOR") is True


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


@pytest.mark.parametrize(
    ("birth", "seen", "verdict"),
    [
        ("2006-04-01", False, ""),
        ("2006-04-02", True, "対象"),
        ("2006-04-00", True, "未確定"),
        ("2006-03-00", False, ""),
        ("2006-00-00", True, "未確定"),
        ("2006-05-00", True, "対象"),
    ],
)
def test_a_child_is_born_on_or_after_2006_04_02(birth: str, seen: bool, verdict: str) -> None:
    ward = Ward()
    head = ward.person()
    ward.person(relation="子", birth=birth)
    children = ward.decide().children
    assert (children.height == 1) is seen
    if seen:
        row = children.row(0, named=True)
        assert (row["verdict"], row["payee_number"]) == (verdict, head)
        assert row["amount_yen"] == (50_000 if verdict == "対象" else 0)


def test_the_child_checks_say_why() -> None:
    ward = Ward()
    ward.person()
    placed = ward.person(relation="子", birth="2015-01-01")
    for kind in ("DV", "児童施設"):
        ward.add("protected", person_number=placed, kind=kind)
    assert ward.decide().children.row(0, named=True)["reasons"] == "FACILITY"
    undecided = Ward()
    undecided.person(tax={"declaration": "未申告"})
    undecided.person(relation="子", birth="2015-01-01")
    assert undecided.decide().children.row(0, named=True)["reasons"] == "PARENT"
    alone = Ward()
    alone.person(birth="2007-01-01", tax=None)
    row = alone.decide().children.row(0, named=True)
    assert "CHILD_HEAD" in row["reasons"]
    closed = Ward()
    closed.person(tax=TAXED)
    closed.person(relation="子", birth="2015-01-01")
    assert closed.decide().children.is_empty()


def test_in_a_household_without_one_householder_no_child_is_the_householder() -> None:
    ward = Ward()
    child = ward.person(birth="2007-01-01", tax=None)
    ward.person()
    row = ward.decide().children.row(0, named=True)
    # 「世帯主はいない」と決まった世帯では、世帯主についての句はどれも成り立たない（契約 §2）。
    assert (row["person_number"], row["reasons"], row["payee_number"]) == (child, "PARENT", None)


def test_a_child_who_came_or_left_after_the_base_date_is_judged_as_of_it() -> None:
    ward = Ward()
    ward.person()
    ward.person(relation="子", birth="2024-06-04", became_resident_on=date(2024, 6, 4), became_resident_reason="出生")
    left = ward.person(relation="子", birth="2015-01-01", removed_on=date(2024, 6, 4), removed_reason="転出")
    assert ward.decide().children["person_number"].to_list() == [left]


def test_last_years_household_without_a_householder_row_holds_neither_p2_nor_p3() -> None:
    ward = Ward()
    head = ward.person()
    prior(ward, 99, head, "妻")
    assert check(ward, "PRIOR") is None


def test_p3_needs_the_householder_gone_from_every_household_and_nobody_left_elsewhere() -> None:
    ward = Ward()
    wife = ward.person()
    husband = ward.person(household=2)
    prior(ward, 99, husband, "世帯主")
    prior(ward, 99, wife, "妻")
    assert check(ward, "PRIOR") is None
    assert ward.household(2)["P2"] is True


def test_two_benefits_of_last_year_are_two_households() -> None:
    ward = Ward()
    head = ward.person()
    elsewhere = ward.person(household=2)
    prior(ward, 99, 555, "世帯主")
    prior(ward, 99, head, "妻")
    ward.add(
        "prior", benefit_name="10万円", household_number=99, person_number=elsewhere, relation="子", state="支給済"
    )
    assert (ward.household()["P3"], ward.household(2)["P5"]) == (True, True)
