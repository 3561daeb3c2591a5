"""検索と閲覧（画面と API）。"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from benefit.domain.case import CASE_STATES, STATE_WORDS
from benefit.services.desk_lookup import ASK_WARD, TOO_MANY
from tests.api.conftest import CROWD, Desk, audit_rows, number_of
from tests.support.owner import as_owner

CALL = {"call_reference": "T-1", "purpose": "進み具合の問合せ"}


def search(desk_system: Desk, csrf: str, **keys: str) -> str:
    return desk_system.client.post("/search", data={"csrf": csrf, **CALL, **keys}).text


def test_each_state_is_answered_with_its_sentence_and_next_step(desk_system: Desk) -> None:
    csrf = desk_system.login()
    for place, state in enumerate(CASE_STATES):
        page = search(desk_system, csrf, case_number=number_of(place))
        words = STATE_WORDS[state]
        assert words.name in page
        assert words.next_step.split("{")[0] in page
        assert words.says.split("{")[0].split("}")[-1] in page
        assert "{due}" not in page


@pytest.mark.parametrize("kana", ["タカサキ　キヨシ", "ﾀｶｻｷ ｷﾖｼ", "タカサキキヨシ", "タカサキ キヨシ"])
def test_a_name_is_found_whatever_its_width_and_spaces(desk_system: Desk, kana: str) -> None:
    page = search(desk_system, desk_system.login(), kana_name=kana, birth="1950-11-12")
    assert "髙﨑　清" in page


def test_the_account_shows_only_its_last_three_digits(desk_system: Desk) -> None:
    page = search(desk_system, desk_system.login(), case_number=number_of(200))
    assert "****456" in page
    assert "9123456" not in page


def test_more_than_five_hits_show_nobody(desk_system: Desk) -> None:
    page = search(desk_system, desk_system.login(), kana_name=CROWD[0], birth=CROWD[1])
    assert TOO_MANY in page
    assert "山本" not in page


def test_a_name_without_a_birthday_finds_nobody(desk_system: Desk) -> None:
    page = search(desk_system, desk_system.login(), kana_name="タカサキ　キヨシ")
    assert "髙﨑" not in page
    assert "エラー" in page


def test_an_unknown_number_and_a_ward_only_number_give_the_same_answer(desk_system: Desk) -> None:
    # 区直轄の人は、この台帳にいない。だから正しい形の番号でも、形の違う番号でも、同じ答えになる。
    headers = desk_system.token()
    known_shape = desk_system.client.post("/api/v1/search", json={"case_number": number_of(9_999)}, headers=headers)
    wrong_shape = desk_system.client.post("/api/v1/search", json={"case_number": "12345678901"}, headers=headers)
    assert known_shape.json() == wrong_shape.json() == {"hits": [], "says": ASK_WARD}
    read = desk_system.client.get(f"/api/v1/cases/{number_of(9_999)}", headers=headers)
    assert (read.status_code, read.json()) == (404, {"detail": ASK_WARD})


def test_every_look_is_in_the_audit_log_with_who_why_and_which_call(desk_system: Desk) -> None:
    search(desk_system, desk_system.login(), case_number=number_of(3))
    (searched,) = audit_rows(desk_system.home, "case.search")
    (viewed,) = audit_rows(desk_system.home, "case.view")
    assert (searched["actor"], searched["reason"]) == ("operator1", CALL["purpose"])
    assert (viewed["actor"], viewed["subject"], viewed["reason"]) == ("operator1", number_of(3), CALL["purpose"])
    assert "T-1" in str(viewed["detail"])


def break_the_log(desk_system: Desk) -> None:
    """監査ログに書けなくする。"""
    with desk_system.home.desk.begin() as connection:
        if connection.dialect.name == "postgresql":
            as_owner(connection).execute(
                sa.text("ALTER TABLE audit_log ADD CONSTRAINT broken CHECK (sequence < 0) NOT VALID")
            )
        else:
            connection.execute(
                sa.text("CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END")
            )


def test_when_the_log_cannot_be_written_nothing_is_shown(desk_system: Desk) -> None:
    csrf, headers = desk_system.login(), desk_system.token("supervisor1")
    break_the_log(desk_system)
    answers = [
        desk_system.client.post("/search", data={"csrf": csrf, **CALL, "case_number": number_of(200)}),
        desk_system.client.post("/case", data={"csrf": csrf, "case_number": number_of(200)}),
        desk_system.client.post("/api/v1/search", json={"case_number": number_of(200)}, headers=headers),
        desk_system.client.get(f"/api/v1/cases/{number_of(200)}", headers=headers),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert "髙﨑" not in answer.text
        assert number_of(200) not in answer.text


def test_the_call_comes_before_the_search(desk_system: Desk) -> None:
    csrf = desk_system.login()
    answer = desk_system.client.post("/search", data={"csrf": csrf, "case_number": number_of(200)})
    assert answer.status_code == 400
    assert "髙﨑" not in answer.text
    assert audit_rows(desk_system.home, "case.search") == []
