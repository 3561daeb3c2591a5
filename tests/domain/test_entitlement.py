"""給付管理番号と、一回だけ払うものの名前。"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.entitlement import case_number_for, check_digit, is_case_number
from benefit.domain.programme import Programme
from benefit.services.entitlements import number, with_check_digits

BODY = st.integers(0, 10**10 - 1).map(lambda n: f"{n:010d}")
KEY = b"a key for tests only"


@settings(max_examples=100, deadline=None, database=None)
@given(BODY)
def test_the_check_digit_catches_every_single_error_and_every_adjacent_swap(body: str) -> None:
    whole = body + check_digit(body)
    assert is_case_number(whole)
    for place, digit in enumerate(whole):
        for other in "0123456789":
            if other != digit:
                assert not is_case_number(whole[:place] + other + whole[place + 1 :])
    for place in range(10):
        left, right = whole[place], whole[place + 1]
        if left != right:
            assert not is_case_number(whole[:place] + right + left + whole[place + 2 :])


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(BODY, min_size=1, max_size=20))
def test_the_column_of_check_digits_is_the_same_table(bodies: list[str]) -> None:
    found = with_check_digits(pl.Series([int(body) for body in bodies], dtype=pl.Int64))
    assert found.to_list() == [body + check_digit(body) for body in bodies]


@pytest.mark.parametrize("text", ["", "0", "0" * 10, "0" * 12, "０" * 11, "0000000000a", " " * 11, "0000000000\n"])
def test_what_has_not_eleven_digits_is_no_case_number(text: str) -> None:
    assert not is_case_number(text)
    assert is_case_number("0" * 11)


def test_one_slot_for_both_household_benefits_and_none_shared_otherwise() -> None:
    programme, next_year = Programme.load("r6-2024"), Programme.load("r7-shortfall")
    slots = {benefit: programme.slot(benefit, 12) for benefit in programme.benefits}
    assert slots["R6-1"] == slots["R6-2"] == "r6-2024/HH100K/0000000012"
    assert len(set(slots.values())) == 3
    # 不足額の I と II も、一人に一つの枠を分け合う。事業が違えば、枠も違う。
    assert next_year.slot("R7-1", 12) == next_year.slot("R7-2", 12) == "r7-shortfall/SHORT/0000000012"


def test_the_number_is_the_same_again_and_another_with_another_key_slot_or_attempt() -> None:
    slot = Programme.load("r6-2024").slot("R6-1", 1)
    one = case_number_for(slot, KEY)
    assert is_case_number(one)
    assert case_number_for(slot, KEY) == one
    others = {case_number_for(slot, b"another"), case_number_for(slot, KEY, 1), case_number_for(slot + "0", KEY)}
    assert one not in others
    assert len(others) == 3


def test_numbers_that_clash_with_a_stored_one_go_to_the_next_candidate() -> None:
    fresh = pl.DataFrame({"slot": [f"r6-2024/CHILD/{n:010d}" for n in range(3)]})
    first = number(fresh, pl.DataFrame({"case_number": []}, schema={"case_number": pl.String}), KEY)
    taken = first["case_number"][1]
    again = number(fresh, pl.DataFrame({"case_number": [taken]}), KEY)["case_number"].to_list()
    assert again[1] == case_number_for(fresh["slot"][1], KEY, 1) != taken
    assert [again[0], again[2]] == [first["case_number"][0], first["case_number"][2]]


def test_a_hundred_thousand_slots_get_different_numbers() -> None:
    fresh = pl.DataFrame({"slot": [f"r6-2024/ADJ/{n:010d}" for n in range(100_000)]})
    stored = pl.DataFrame({"case_number": []}, schema={"case_number": pl.String})
    assert number(fresh, stored, KEY)["case_number"].is_unique().all()
