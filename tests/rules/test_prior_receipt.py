"""「新たに」: 昨年度の対象世帯か（契約 §2 PRIOR の P1〜P5）。"""

from __future__ import annotations

import pytest

from tests.rules.make import Ward


def check(ward: Ward) -> bool | None:
    answer: bool | None = ward.household()["PRIOR"]
    return answer


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
    assert check(ward) is (state == "対象外")


def test_p2_last_years_householder_lives_here_now() -> None:
    ward = Ward()
    ward.person()
    moved_in = ward.person(relation="父")
    prior(ward, 99, moved_in, "世帯主")
    assert check(ward) is False


def test_p3_the_householder_is_gone_and_all_who_remain_are_here() -> None:
    ward = Ward()
    head = ward.person()
    prior(ward, 99, 555, "世帯主")
    prior(ward, 99, head, "妻")
    assert check(ward) is False


def test_p5_a_shared_person_and_none_of_the_others_is_unknown() -> None:
    ward = Ward()
    split_off = ward.person()
    stayed = ward.person(household=2)
    prior(ward, 99, 555, "世帯主")
    prior(ward, 99, split_off, "子")
    prior(ward, 99, stayed, "妻")
    assert check(ward) is None


def test_the_same_household_number_without_a_shared_person_is_no_hit() -> None:
    ward = Ward()
    ward.person()
    prior(ward, 1, 555, "世帯主")
    assert check(ward) is True


def test_last_years_household_without_a_householder_row_holds_neither_p2_nor_p3() -> None:
    ward = Ward()
    head = ward.person()
    prior(ward, 99, head, "妻")
    assert check(ward) is None


def test_p3_needs_the_householder_gone_from_every_household_and_nobody_left_elsewhere() -> None:
    ward = Ward()
    wife = ward.person()
    husband = ward.person(household=2)
    prior(ward, 99, husband, "世帯主")
    prior(ward, 99, wife, "妻")
    assert check(ward) is None
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
