"""刷らずに止める手紙と、その理由。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from letters.address import lay_out
from letters.geometry import ALWAYS_SEEN
from letters.holding import BAD_SHAPE, BLANK, NO_GLYPH, NOT_MASKED, TOO_LONG, reasons_to_hold


def test_an_ordinary_letter_is_not_held(letter, notice) -> None:
    assert reasons_to_hold(letter()) == []
    assert reasons_to_hold(notice()) == []


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"name": "山\ue000太郎"}, "氏名", NO_GLYPH),
        ({"address": "新宿区\ue001一丁目"}, "住所", NO_GLYPH),
        ({"address2": "コーポ\u3099"}, "方書", NO_GLYPH),
        ({"name": "　 "}, "氏名", BLANK),
        ({"address": ""}, "住所", BLANK),
        ({"postal_code": "160002"}, "郵便番号", BAD_SHAPE),
        ({"postal_code": "１６００００２"}, "郵便番号", BAD_SHAPE),
        ({"name": "長" * 60}, "宛名", TOO_LONG),
        ({"address": "新宿区西新宿" * 20}, "宛名", TOO_LONG),
        ({"benefit_names": ("給付" * 41,)}, "給付の名", TOO_LONG),
    ],
)
def test_each_fault_holds_the_letter_and_says_where(letter, changes, field: str, reason: str) -> None:
    assert [(held.field, held.reason) for held in reasons_to_hold(letter(**changes))] == [(field, reason)]


@pytest.mark.parametrize(
    ("masked", "held"),
    [
        ("架空銀行 本店 普通 ****123", False),
        ("架空銀行 本店 普通 ***0123", True),
        ("架空銀行 本店 普通 ****１２３", False),
        ("架空銀行 本店 普通 ***０１２３", True),
        ("架空銀行 本店 普通 ***④123", True),
    ],
)
def test_no_more_than_three_digits_of_an_account_reach_paper(notice, masked: str, held: bool) -> None:
    assert (NOT_MASKED in {each.reason for each in reasons_to_hold(notice(masked_account=masked))}) is held


def test_an_account_other_than_the_past_benefit_one_is_refused_outright(notice) -> None:
    for flag in ("1", "3"):
        with pytest.raises(RefusedByRule, match="口座を紙に刷れません"):
            notice(account_flag=flag)
        assert reasons_to_hold(notice(account_flag=flag, masked_account=None)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"account_flag": "0", "masked_account": None},
        {"masked_account": None},
        {"account_flag": "4"},
        {"case_number": "4071829364"},
        {"case_number": "４０７１８２９３６４５"},
        {"kind": "postcard"},
        {"conditions": ()},
        {"branch": 100},
        {"due_on": date(2024, 7, 15)},
        {"amount_yen": 0},
        {"sheet": 2},
        {"benefit_names": ()},
    ],
)
def test_a_letter_that_cannot_be_right_is_not_made(notice, changes) -> None:
    with pytest.raises(WrongUse):
        notice(**changes)


def test_the_due_day_may_be_the_day_of_issue(notice) -> None:
    assert notice(due_on=date(2024, 7, 16)).due_on == date(2024, 7, 16)


@pytest.mark.parametrize(("length", "fits"), [(40, True), (41, False)])
def test_a_name_is_held_only_when_two_lines_of_the_smallest_size_are_too_short(length: int, fits: bool) -> None:
    assert (lay_out("1600022", "新宿区", "", "長" * length) is not None) is fits


def test_a_longer_address_is_set_smaller_and_stays_in_the_window() -> None:
    short = lay_out("1600022", "新宿区新宿一丁目6番地", "", "甲野　乙子")
    long = lay_out("1600022", "東京都新宿区西新宿二丁目八番一号" * 3, "西新宿高層集合住宅南棟1234号室", "甲野　乙子")
    assert short is not None
    assert long is not None
    assert long[1].size < short[1].size
    assert max(line.y for line in long) < ALWAYS_SEEN.height


def test_a_house_number_is_not_split_between_lines() -> None:
    lines = lay_out("1600022", "東京都新宿区西新宿二丁目八番地の1234-567", "", "甲野　乙子")
    assert lines is not None
    assert [line.text for line in lines][1:3] == ["東京都新宿区西新宿二丁目八番地の", "1234-567"]


def test_a_variation_selector_stays_with_its_character() -> None:
    lines = lay_out("1600022", "葛\U000e0100" * 30, "", "甲野　乙子")
    assert lines is not None
    assert all(not line.text.startswith("\U000e0100") for line in lines)
    assert "".join(line.text for line in lines[1:-1]) == "葛\U000e0100" * 30
