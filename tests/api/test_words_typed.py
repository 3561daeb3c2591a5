"""電話を聞きながら打った言葉を、台帳の形に読む。"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedInput
from benefit.domain.wareki import wareki
from benefit.services.desk_lookup import birth_key, look, search, spoken_birth
from benefit.store import desk
from tests.api.conftest import Desk, case_row, number_of

OPERATOR = Actor("operator1", "operator")


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
    "typed",
    ["キョウコ　イチジョウ", "ｷｮｳｺ ｲﾁｼﾞｮｳ", "キヨウコイチジヨウ", "きょうこ　いちじょう", "キョウコ・イチジョウ"],
)
def test_kana_is_one_name_in_half_width_small_letters_hiragana_and_spaces(desk_system: Desk, typed: str) -> None:
    with desk_system.home.desk.begin() as connection:
        connection.execute(
            desk.benefit_case.insert(), [case_row(300, "C20", "京子　一条", "キョウコ　イチジョウ", "1960-02-03")]
        )
    hits = search(
        desk_system.home.desk, actor=OPERATOR, clock=desk_system.clock, kana_name=typed, birth="昭和35年2月3日"
    )
    assert hits is not None
    assert [hit.case_number for hit in hits] == [number_of(300)]
    other = search(
        desk_system.home.desk, actor=OPERATOR, clock=desk_system.clock, kana_name=typed, birth="昭和35年2月4日"
    )
    assert other == ()


@pytest.mark.parametrize("typed", ["タカサキ", "タカサキ　キヨ", "タカサキ　キヨシ%", "_____　___", "％"])
def test_part_of_a_name_or_a_wildcard_finds_nobody(desk_system: Desk, typed: str) -> None:
    hits = search(desk_system.home.desk, actor=OPERATOR, clock=desk_system.clock, kana_name=typed, birth="1950-11-12")
    # 「%」は捨てられる記号なので、残りが全部の名前なら当たってよい。
    assert [hit.name for hit in hits or ()] == (["髙﨑　清"] if typed == "タカサキ　キヨシ%" else [])


def test_a_number_typed_in_full_width_with_hyphens_is_the_same_number(desk_system: Desk) -> None:
    wide = str(number_of(200)).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for typed in (number_of(200), wide, f"{number_of(200)[:4]}-{number_of(200)[4:8]} {number_of(200)[8:]}"):
        hits = search(desk_system.home.desk, actor=OPERATOR, clock=desk_system.clock, case_number=typed)
        assert [hit.name for hit in hits or ()] == ["髙﨑　清"], typed


def test_an_unreadable_birthday_is_refused_rather_than_answered_as_nobody(desk_system: Desk) -> None:
    with pytest.raises(RefusedInput, match="生年月日が読めません"):
        search(desk_system.home.desk, actor=OPERATOR, clock=desk_system.clock, kana_name="タカサキ", birth="30年")


def test_the_day_of_sending_is_never_read_out_as_the_day_of_receipt(desk_system: Desk) -> None:
    row = {**case_row(301, "C22", "受付　花子", "ウケツケ　ハナコ", "1961-01-01"), "received_on": None}
    kept = {**case_row(302, "C22", "受付　次郎", "ウケツケ　ジロウ", "1961-01-01"), "received_on": date(2024, 7, 12)}
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.benefit_case.insert(), [row, kept])
    without, with_day = (
        look(desk_system.home.desk, number_of(place), actor=OPERATOR, clock=desk_system.clock) for place in (301, 302)
    )
    assert without is not None
    assert with_day is not None
    assert "令和6年7月5日" not in without.says
    assert with_day.says.startswith("令和6年7月12日に確認書を受け付けました")


@pytest.mark.parametrize(
    ("address", "town"),
    [
        ("東京都新宿区百人町四丁目21番13号", "東京都新宿区百人町"),
        ("東京都新宿区四谷三栄町12番3号", "東京都新宿区四谷三栄町"),
        ("東京都新宿区二十騎町1番2号", "東京都新宿区二十騎町"),
        ("東京都新宿区西新宿２－８－１", "東京都新宿区西新宿"),
    ],
)
def test_the_call_centre_sees_the_town_and_the_others_the_whole_address(
    desk_system: Desk, address: str, town: str
) -> None:
    row = {**case_row(303, "C20", "町名　太郎", "チヨウメイ", "1961-01-01"), "address": address}
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.benefit_case.insert(), [row])
    for role in ("operator", "reviewer", "supervisor", "ward_clerk"):
        seen = look(desk_system.home.desk, number_of(303), actor=Actor("x", role), clock=desk_system.clock)
        assert seen is not None
        assert seen.address == (f"{town}（町名まで）" if role == "operator" else f"{address}　メゾン落合101号室")


def test_the_history_has_the_same_moments_on_both_databases(desk_system: Desk) -> None:
    at = desk_system.clock()
    event = {"actor": "batch", "event": "loaded", "from_state": "", "to_state": "S10", "reason": ""}
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.case_event.insert(), [{"case_number": number_of(200), "at": at, **event}])
    seen = look(desk_system.home.desk, number_of(200), actor=OPERATOR, clock=desk_system.clock)
    assert seen is not None
    assert [step.at for step in seen.steps] == [at]
    assert seen.steps[0].at.utcoffset() == timedelta(0)
