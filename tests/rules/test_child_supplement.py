"""こども加算（契約 §2 Child supplement）。どの境目も、両側に立つ。"""

from __future__ import annotations

from datetime import date

import pytest

from tests.rules.make import TAXED, Ward


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
