"""入る・出る（P20、T20）: 合い札、閉じる時刻、一人一つ、最初の手続き、もう一度の確かめ、よその場所からの送信。"""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from api import login, session
from api.proxy import CONSOLE
from benefit.domain.access import Actor
from benefit.services import break_glass, people, people_password
from benefit.services.people_totp import code_at, step_of
from benefit.store import desk
from tests.api.conftest import PASSWORD, Desk, audit_rows, in_days
from tests.support import people as persons

COOKIE = "__Host-benefit-desk"
#: 台帳の種類によらない約束（時計、見出し、送信の出どころ）。
one_store = pytest.mark.parametrize("home", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, desk_system: Desk) -> None:
    """登録も、誰のものでもない要約も、同じ軽い手間にする。"""
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())
    change(desk_system, None, password_hash=light_hash())


def light_hash() -> str:
    return persons.cheap().hash(PASSWORD)


def change(place: Desk, staff_id: str | None, **values: object) -> None:
    with place.home.desk.begin() as connection:
        statement = desk.staff.update().values(**values)
        connection.execute(statement if staff_id is None else statement.where(desk.staff.c.id == staff_id))


def inside(place: Desk) -> bool:
    """画面の人として、まだ中にいるか（遵守事項の画面は、どの役割にも開く）。"""
    return place.client.get("/login/terms", follow_redirects=False).status_code == 200


def enter(place: Desk, staff_id: str = "operator1", password: str = PASSWORD, code: str | None = None) -> int:
    given = {"staff_id": staff_id, "password": password, "code": place.code(staff_id) if code is None else code}
    return place.client.post("/login", data=given, follow_redirects=False).status_code


@one_store
def test_the_cookie_is_closed_to_scripts_and_other_sites(desk_system: Desk) -> None:
    given = {"staff_id": "operator1", "password": PASSWORD, "code": desk_system.code()}
    cookie = desk_system.client.post("/login", data=given, follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for word in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert word.lower() in cookie.lower()
    token = cookie.split("=")[1].split(";")[0]
    assert len(token) >= 43, "256 ビット"
    with desk_system.home.desk.connect() as connection:
        kept = str(connection.execute(desk.staff_session.select()).mappings().all())
    assert token not in kept
    assert session.csrf_of(token) not in kept


def test_fifteen_quiet_minutes_end_the_session(desk_system: Desk) -> None:
    enter(desk_system)
    in_days(desk_system.clock, minutes=14)
    assert inside(desk_system)
    in_days(desk_system.clock, minutes=15, seconds=1)
    assert not inside(desk_system)


@one_store
def test_nine_hours_end_the_session_however_busy(desk_system: Desk) -> None:
    enter(desk_system)
    for _ in range(53):
        in_days(desk_system.clock, minutes=10)
        assert inside(desk_system)
    in_days(desk_system.clock, minutes=10)
    assert not inside(desk_system)


def test_a_session_planted_before_the_login_is_worth_nothing(desk_system: Desk) -> None:
    """セッション固定: 攻める人が先に置いた合い札は、本人が入った後も、誰のものでもない。"""
    planted = "a" * 43
    desk_system.client.cookies.set(COOKIE, planted, domain="testserver.local", path="/")
    enter(desk_system)
    assert desk_system.client.cookies[COOKIE] != planted
    with desk_system.home.desk.connect() as connection:
        hashes = connection.execute(desk.staff_session.select()).mappings().all()
    assert [row["token_hash"] for row in hashes] != [session.token_hash(planted)]


def test_after_log_out_the_same_token_opens_nothing(desk_system: Desk) -> None:
    csrf = desk_system.login()
    token = desk_system.client.cookies[COOKIE]
    assert desk_system.client.post("/logout", data={"csrf": csrf}, follow_redirects=False).status_code == 303
    desk_system.client.cookies.set(COOKIE, token)
    assert not inside(desk_system)
    headers = desk_system.token()
    assert desk_system.client.post("/api/v1/logout", headers=headers).status_code == 200
    assert desk_system.client.post("/api/v1/logout", headers=headers).status_code == 401


def test_a_second_login_closes_the_first(desk_system: Desk) -> None:
    first = desk_system.token()
    desk_system.token()
    assert desk_system.client.post("/api/v1/logout", headers=first).status_code == 401


@pytest.mark.parametrize(
    "how", [{"ended_at": True}, {"closed_at": True}, {"contract_ends_on": True}], ids=["ended", "closed", "contract"]
)
def test_the_living_session_of_an_ended_id_stops_at_the_next_touch(desk_system: Desk, how: dict[str, object]) -> None:
    enter(desk_system)
    assert inside(desk_system)
    now = desk_system.clock()
    change(
        desk_system,
        "operator1",
        **{name: now.date() - timedelta(days=1) if name.endswith("_on") else now for name in how},
    )
    assert not inside(desk_system)
    assert enter(desk_system) == 401


def test_ending_a_person_ends_his_session_at_once(desk_system: Desk) -> None:
    enter(desk_system)
    with desk_system.home.desk.begin() as connection:
        people.end(
            connection,
            desk.access,
            "operator1",
            reason="退職",
            actor=Actor("ward_admin1", "ward_admin"),
            at=desk_system.clock(),
        )
        assert connection.execute(desk.staff_session.select()).all() == []
    assert not inside(desk_system)


@one_store
def test_five_wrong_passwords_close_the_account_for_a_while(desk_system: Desk) -> None:
    assert [enter(desk_system, password="ちがう") for _ in range(5)] == [401] * 5
    assert enter(desk_system) == 401
    in_days(desk_system.clock, seconds=61)
    assert enter(desk_system) == 303


def test_a_code_seen_over_the_shoulder_is_already_used(desk_system: Desk) -> None:
    code = desk_system.code()
    assert [enter(desk_system, code=code), enter(desk_system, code=code)] == [303, 401]


@one_store
def test_a_form_from_elsewhere_or_without_its_word_changes_nothing(desk_system: Desk) -> None:
    csrf = desk_system.login()
    for headers, data in (
        ({"Origin": "https://evil.example"}, {"csrf": csrf}),
        ({"Origin": "null"}, {"csrf": csrf}),
        ({}, {"csrf": "0" * 64}),
        ({}, {}),
    ):
        assert desk_system.client.post("/logout", data=data, headers=headers).status_code == 403
    foreign = {"staff_id": "operator1", "password": PASSWORD, "code": desk_system.code()}
    answer = desk_system.client.post("/login", data=foreign, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403, "よその場所から、ほかの人として入らせることもできない"
    assert inside(desk_system)


def test_every_login_and_refusal_is_in_the_log_with_its_terminal(desk_system: Desk) -> None:
    enter(desk_system)
    for staff_id in ("operator1", "だれもいない"):
        enter(desk_system, staff_id=staff_id, password="ちがう", code="000000")
    accepted, refused = (audit_rows(desk_system.home, f"login.{word}") for word in ("accepted", "refused"))
    assert [(row["actor"], row["terminal"]) for row in accepted] == [("operator1", CONSOLE.name)]
    assert [row["subject"] for row in refused] == ["operator1", "unknown"]


def test_the_first_steps_come_first_and_in_order(desk_system: Desk) -> None:
    """はじめての人: 合言葉を決め、種を読み取り、数字を入れ、遵守事項を確かめて、はじめて画面が開く。"""
    new = "さくら 石段 きつね 水筒 四月"
    client = desk_system.client
    change(
        desk_system,
        "operator1",
        password_changed_at=None,
        totp_secret=None,
        totp_enrolled_at=None,
        terms_accepted_at=None,
    )

    def go(path: str, **data: str) -> tuple[int, str, str]:
        csrf = session.csrf_of(client.cookies[COOKIE])
        answer = client.post(path, data={"csrf": csrf, **data}, follow_redirects=False)
        return answer.status_code, answer.headers.get("location", ""), answer.text

    entered = client.post(
        "/login", data={"staff_id": "operator1", "password": PASSWORD, "code": ""}, follow_redirects=False
    )
    assert entered.headers["location"] == "/login/password"
    first = client.cookies[COOKIE]
    assert client.get("/", follow_redirects=False).headers["location"] == "/login/password"
    api = client.post("/api/v1/logout", headers={"Authorization": f"Bearer {first}"})
    assert api.status_code == 403, "API も開かない"
    assert "違います" in go("/login/password", old=PASSWORD, new=new, again=f"{new}2")[2]
    assert (
        "よくある言葉" in go("/login/password", old=PASSWORD, new="operator1-operator1", again="operator1-operator1")[2]
    )
    assert go("/login/password", old=PASSWORD, new=new, again=new)[:2] == (303, "/login/totp")
    assert client.cookies[COOKIE] != first, "できることが増えたら、合い札は新しくなる"
    shown = client.get("/login/totp")
    secret = shown.text.split('<code id="secret">')[1].split("<")[0].replace(" ", "")
    image = client.get("/login/totp.svg")
    assert image.headers["content-type"] == "image/svg+xml"
    assert shown.headers["cache-control"] == image.headers["cache-control"] == "no-store"
    assert go("/login/totp", code="000000")[0] == 400
    code = code_at(secret, step_of(desk_system.clock.now))
    assert go("/login/totp", code=code)[:2] == (303, "/login/terms")
    assert client.get("/login/totp", follow_redirects=False).status_code == 303, "種は、もう見せない"
    assert client.get("/login/totp.svg", follow_redirects=False).status_code == 303
    assert go("/login/terms")[0] == 400
    assert go("/login/terms", agreed="1")[:2] == (303, "/")
    assert client.get("/", follow_redirects=False).status_code == 200
    assert go("/login/password", old="ちがう", new=PASSWORD, again=PASSWORD)[0] == 401
    assert not inside(desk_system), "いまの合言葉を当てようとする画面は、一度で閉じる"


@one_store
def test_an_approval_of_money_asks_again_after_five_minutes(desk_system: Desk) -> None:
    csrf = desk_system.login()
    token = desk_system.client.cookies[COOKIE]

    def found() -> session.Session:
        one = session.find(desk_system.home.desk, desk, token, desk_system.clock)
        assert one is not None
        return one

    request = Request({"type": "http", "app": desk_system.client.app})
    login.confirm_again(request, found(), "/")
    in_days(desk_system.clock, minutes=5)
    with pytest.raises(login.AgainNeeded) as needed:
        login.confirm_again(request, found(), "/")
    assert needed.value.headers == {"Location": "/login/again?back=/"}
    given = {"csrf": csrf, "password": PASSWORD, "back": "https://evil.example/"}
    refused = desk_system.client.post("/login/again", data={**given, "code": "000000"})
    assert (refused.status_code, "evil" in refused.text) == (401, False)
    answer = desk_system.client.post("/login/again", data={**given, "code": desk_system.code()}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), "よその場所へは戻さない"
    login.confirm_again(request, found(), "/")


def test_the_sealed_id_is_out_after_sixty_minutes_even_in_the_middle(desk_system: Desk) -> None:
    with desk_system.home.desk.begin() as connection:
        break_glass.seal(connection, desk.access, at=desk_system.clock())
        steps = {"connection": connection, "tables": desk.access}
        number = break_glass.ask(
            **steps, reason="急病", actor=Actor("supervisor1", "supervisor"), at=desk_system.clock()
        )
        password = break_glass.approve(
            **steps, number=number, actor=Actor("ward_admin1", "ward_admin"), at=desk_system.clock()
        )
    opened = desk_system.clock.now
    code = desk_system.code("supervisor1")
    assert enter(desk_system, staff_id=break_glass.SEALED_ID, password=password, code=code) == 303
    while desk_system.clock.now < opened + timedelta(minutes=49):
        in_days(desk_system.clock, minutes=10)
        assert inside(desk_system)
    in_days(desk_system.clock, minutes=10)
    assert not inside(desk_system)


@one_store
def test_a_login_page_needs_no_session_and_says_no_name(desk_system: Desk) -> None:
    with TestClient(desk_system.client.app, base_url="https://testserver") as client:
        answer = client.get("/login")
    assert answer.status_code == 200
    assert "試験" not in answer.text
