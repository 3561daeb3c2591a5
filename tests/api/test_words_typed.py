"""電話を聞きながら打った言葉を、台帳の形に読む。"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.page import spoken_birth
from benefit.domain.access import Actor
from benefit.domain.call import requirement
from benefit.domain.errors import RefusedInput
from benefit.domain.masking import masked_name, town_of
from benefit.domain.typed import Keys, address_numbers, birth_key, read_keys, same_address
from benefit.domain.wareki import wareki
from benefit.services import desk_calls
from benefit.services.desk_identity import Standing
from benefit.services.desk_lookup import Found, search
from benefit.services.desk_view import CaseSeen, look
from benefit.store import desk
from tests.api.conftest import Desk, case_row, number_of
from tests.api.phone import PROGRESS

OPERATOR = Actor("operator1", "operator")


def found(desk_system: Desk, **words: str) -> Found:
    """電話を受けて、この言葉で探す。"""
    at = desk_system.clock()
    with desk_system.home.desk.begin() as connection:
        call = desk_calls.begin(connection, reference="T-1", purpose=PROGRESS, actor=OPERATOR, at=at)
        return search(connection, read_keys(**words), call=call, actor=OPERATOR, at=at)


def seen(desk_system: Desk, number: str, role: str = "operator") -> CaseSeen:
    """本人確認の済んだ電話で見た一件。"""
    actor, at = Actor(f"{role}1", role), desk_system.clock()
    with desk_system.home.desk.begin() as connection:
        call = desk_calls.begin(connection, reference="T-1", purpose=PROGRESS, actor=actor, at=at)
        call = replace(call, case_number=number)
        standing = Standing("self", frozenset(), frozenset(), requirement(PROGRESS, "self"), complete=True)
        case = look(connection, call=call, standing=standing, actor=actor, at=at)
    assert case is not None
    return case


@pytest.mark.parametrize(
    "typed",
    [
        "1955-05-06",
        "1955-5-6",
        "1955/5/6",
        "19550506",
        "１９５５０５０６",
        "昭和30年5月6日",
        "昭和３０年５月６日",
        "S30.5.6",
        "s30-05-06",
        "昭30.5.6",
        " 1955年5月6日 ",
    ],
)
def test_a_birthday_is_read_however_it_was_said(typed: str) -> None:
    assert birth_key(typed) == "1955-05-06"


@pytest.mark.parametrize(("typed", "stored"), [("平成元年1月8日", "1989-01-08"), ("1970-05-00", "1970-05-00")])
def test_the_first_year_and_an_unknown_day_keep_their_meaning(typed: str, stored: str) -> None:
    assert birth_key(typed) == stored


@pytest.mark.parametrize("typed", ["", "55-5-6", "5月6日", "三十年五月六日", "1955-05", "195505061", "A30.5.6", "%"])
def test_a_birthday_that_could_be_two_days_is_not_guessed(typed: str) -> None:
    assert birth_key(typed) is None


@given(st.dates(min_value=date(1873, 1, 1), max_value=date(2024, 6, 3)))
def test_the_birthday_read_out_in_wareki_is_read_back_to_the_same_day(day: date) -> None:
    assert birth_key(wareki(day)) == day.isoformat()
    assert spoken_birth(day.isoformat()) == f"{wareki(day)}（{day.isoformat()}）"


def test_a_day_the_register_does_not_know_is_shown_as_registered() -> None:
    assert spoken_birth("1950-00-00") == "1950-00-00"


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("4000 0000-001", Keys(case_number="40000000001")),
        ("４０００００００００１", Keys(case_number="40000000001")),
        ("ﾀｶｻｷ ｷﾖｼ S25.11.12", Keys(kana_name="タカサキ キヨシ ", birth="1950-11-12")),
        ("たかさき きよし 昭和25年11月12日生まれ", Keys(kana_name="タカサキ キヨシ ", birth="1950-11-12")),
        ("タカサキキヨシ19501112", Keys(kana_name="タカサキキヨシ", birth="1950-11-12")),
        # ラテン文字の氏名の終わりの字は、元号の頭文字ではない。
        ("SMITH 1950-11-12", Keys(kana_name="SMITH ", birth="1950-11-12")),
    ],
)
def test_one_box_is_read_as_a_number_or_as_a_name_and_a_birthday(typed: str, keys: Keys) -> None:
    assert read_keys(typed) == keys


@pytest.mark.parametrize(
    "typed", ["タカサキ", "SMITH 50.11.12", "タカサキ 50年", "タカサキ 11月12日", "　", "キヨシ 1950"]
)
def test_a_box_that_could_be_read_two_ways_is_refused(typed: str) -> None:
    with pytest.raises(RefusedInput):
        read_keys(typed)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused_and_never_fails(typed: str) -> None:
    try:
        keys = read_keys(typed)
    except RefusedInput:
        return
    assert bool(keys.case_number) is not bool(keys.kana_name and keys.birth) or not keys.case_number


@pytest.mark.parametrize(
    ("address", "numbers", "town"),
    [
        ("東京都新宿区百人町四丁目21番13号", (4, 21, 13), "東京都新宿区百人町"),
        ("東京都新宿区四谷三栄町12番3号", (12, 3), "東京都新宿区四谷三栄町"),
        ("東京都新宿区二十騎町1番2号", (1, 2), "東京都新宿区二十騎町"),
        ("東京都新宿区西新宿２－８－１", (2, 8, 1), "東京都新宿区西新宿"),
        ("東京都新宿区高田馬場十二丁目3", (12, 3), "東京都新宿区高田馬場"),
    ],
)
def test_the_numbers_of_an_address_are_one_in_every_way_of_saying(
    address: str, numbers: tuple[int, ...], town: str
) -> None:
    assert address_numbers(address) == numbers
    assert same_address(address, "の".join(str(number) for number in numbers))
    assert same_address(address, town + "-".join(str(number) for number in numbers) + "-101")
    # 一つ違う、足りない、空は、合わない。
    assert not same_address(address, "-".join(str(number + 1) for number in numbers))
    assert not same_address(address, str(numbers[0]))
    assert not same_address(address, "")
    assert not same_address("東京都新宿区霞岳町", "")
    assert town_of(address) == town


def test_a_mask_keeps_every_other_letter() -> None:
    assert masked_name("シンジュク　タロウ") == "シ○ジ○ク　タ○ウ"
    assert masked_name("リ　エ") == "○　○"


@pytest.mark.parametrize(
    "typed",
    ["キョウコ　イチジョウ", "ｷｮｳｺ ｲﾁｼﾞｮｳ", "キヨウコイチジヨウ", "きょうこ　いちじょう", "キョウコ・イチジョウ"],
)
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_kana_is_one_name_in_half_width_small_letters_hiragana_and_spaces(desk_system: Desk, typed: str) -> None:
    with desk_system.home.desk.begin() as connection:
        connection.execute(
            desk.benefit_case.insert(), [case_row(300, "C20", "京子　一条", "キョウコ　イチジョウ", "1960-02-03")]
        )
    hits = found(desk_system, words=f"{typed} 昭和35年2月3日").hits
    assert [hit.case_number for hit in hits] == [number_of(300)]
    assert found(desk_system, words=f"{typed} 昭和35年2月4日").hits == ()


@pytest.mark.parametrize("typed", ["タカサキ", "タカサキ　キヨ", "タカサキ　キヨシ%", "_____　___", "％"])
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_part_of_a_name_or_a_wildcard_finds_nobody(desk_system: Desk, typed: str) -> None:
    hits = found(desk_system, kana_name=typed, birth="1950-11-12").hits
    # 「%」は捨てられる記号なので、残りが全部の名前なら当たってよい。
    assert [hit.case_number for hit in hits] == ([number_of(200)] if typed == "タカサキ　キヨシ%" else [])


@pytest.mark.parametrize("typed", ["%", "4000158380_", "40001583800 OR 1=1", "4" * 11, "4000", "0"])
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_number_is_found_whole_or_not_at_all(desk_system: Desk, typed: str) -> None:
    assert found(desk_system, case_number=typed).hits == ()


def test_a_number_typed_in_full_width_with_hyphens_is_the_same_number(desk_system: Desk) -> None:
    wide = str(number_of(200)).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for typed in (number_of(200), wide, f"{number_of(200)[:4]}-{number_of(200)[4:8]} {number_of(200)[8:]}"):
        assert [hit.masked_kana for hit in found(desk_system, words=typed).hits] == ["タ○サ○　キ○シ"], typed


def test_an_unreadable_birthday_is_refused_rather_than_answered_as_nobody() -> None:
    with pytest.raises(RefusedInput, match="生年月日が読めません"):
        read_keys(kana_name="タカサキ", birth="30年")


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_day_of_sending_is_never_read_out_as_the_day_of_receipt(desk_system: Desk) -> None:
    row = {**case_row(301, "C22", "受付　花子", "ウケツケ　ハナコ", "1961-01-01"), "received_on": None}
    kept = {**case_row(302, "C22", "受付　次郎", "ウケツケ　ジロウ", "1961-01-01"), "received_on": date(2024, 7, 12)}
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.benefit_case.insert(), [row, kept])
    without, with_day = (seen(desk_system, number_of(place)) for place in (301, 302))
    assert "令和6年7月5日" not in without.spoken.says
    assert with_day.spoken.says.startswith("令和6年7月12日に確認書を受け付けました")


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_call_centre_sees_the_town_and_the_others_the_whole_address(desk_system: Desk) -> None:
    for role in ("operator", "counter", "reviewer", "supervisor", "ward_clerk"):
        case = seen(desk_system, number_of(200), role)
        assert case.town == "東京都新宿区高田馬場"
        whole = case.register.address if case.register else None
        assert whole == (None if role == "operator" else "東京都新宿区高田馬場一丁目2番3号　メゾン落合101号室")


def test_the_history_has_the_same_moments_on_both_databases(desk_system: Desk) -> None:
    at = desk_system.clock()
    event = {"actor": "batch", "event": "loaded", "from_state": "", "to_state": "S10", "reason": ""}
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.case_event.insert(), [{"case_number": number_of(200), "at": at, **event}])
    (entry,) = seen(desk_system, number_of(200)).timeline
    assert (entry.at, entry.who) == (at, "夜間の処理")
    assert entry.at.utcoffset() == timedelta(0)
