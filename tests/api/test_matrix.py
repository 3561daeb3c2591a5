"""どの道に誰が入れるか、の全部。表にない道は起動を止め、役割のない人はどの道にも入れない。"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from api import access
from api import session as sessions
from api.desk.app import create_app
from api.session import csrf_of
from benefit.domain.access import Actor, DeskRole
from benefit.services.desk_lookup import ASK_WARD
from benefit.store import desk
from tests.api.conftest import PASSWORD, Desk, audit_rows, number_of

CALL = {"call_reference": "T-9", "purpose": "進み具合の問合せ"}
#: その道に、正しく送るもの（画面は form、API は JSON）。
FORMS: dict[str, dict[str, str]] = {
    "/logout": {},
    "/search": {**CALL, "case_number": number_of(200)},
    "/case": {"case_number": number_of(200)},
    "/call/end": {},
}
BODIES = {"/api/v1/search": {**CALL, "case_number": number_of(200)}}
CLOSED = [(method, path) for (method, path), roles in access.DESK_ACCESS.items() if roles]
OPEN = [(method, path) for (method, path), roles in access.DESK_ACCESS.items() if not roles]


def ask(desk_system: Desk, method: str, path: str, token: str, *, as_page: bool | None = None) -> tuple[int, str, str]:
    """この道に、この合い札で、正しい形の頼みを送る。(符号, 行き先, 本文)"""
    url = path.replace("{case_number}", number_of(200))
    page = not path.startswith("/api/") if as_page is None else as_page
    client = TestClient(desk_system.client.app, base_url="https://testserver")
    name, value = (
        ("Cookie", f"{desk_system.client.app.state.cookie}={token}") if page else ("Authorization", f"Bearer {token}")
    )
    headers = {name: value.encode("latin-1")}
    if path in BODIES:
        answer = client.request(method, url, headers=headers, json=BODIES[path], follow_redirects=False)
    elif path in FORMS:
        form = {**FORMS[path], "csrf": csrf_of(token)}
        answer = client.request(method, url, headers=headers, data=form, follow_redirects=False)
    else:
        answer = client.request(method, url, headers=headers, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", ""), answer.text


def test_every_closed_route_answers_every_role_in_the_table_and_no_one_else(desk_system: Desk) -> None:
    cells = 0
    for role in DeskRole:
        for method, path in CLOSED:
            token = sessions.start(desk_system.home.desk, desk, Actor(f"{role.value}1", role.value), desk_system.clock)
            status, location, _ = ask(desk_system, method, path, token)
            allowed = role.value in access.DESK_ACCESS[(method, path)]
            assert status in ({200, 303} if allowed else {403}), (role, method, path, status)
            # 出た人だけが、ログインへ戻る。
            assert (location == "/login") == (path == "/logout"), (role, method, path)
            cells += 1
    assert cells == len(DeskRole) * len(CLOSED)


@pytest.mark.parametrize("token", ["", "x", "あ".encode().decode("latin-1"), "A" * 43])
def test_without_a_session_no_closed_route_says_anything_of_a_case(desk_system: Desk, token: str) -> None:
    for method, path in CLOSED:
        status, location, body = ask(desk_system, method, path, token)
        assert (status, location) == ((401, "") if path.startswith("/api/") else (303, "/login")), (method, path)
        assert "髙﨑" not in body
        assert number_of(200) not in body
    assert audit_rows(desk_system.home, "case.view") == audit_rows(desk_system.home, "case.search") == []


def test_the_open_routes_are_only_the_login_the_looks_and_the_description() -> None:
    assert sorted(OPEN) == [
        ("GET", "/favicon.ico"),
        ("GET", "/login"),
        ("GET", "/openapi.json"),
        ("GET", "/static/{name}"),
        ("POST", "/api/v1/login"),
        ("POST", "/login"),
    ]


def test_a_role_outside_the_table_is_refused_on_every_route(desk_system: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    token = desk_system.token()["Authorization"].removeprefix("Bearer ")
    for key in CLOSED:
        monkeypatch.setitem(access.DESK_ACCESS, key, access.EVERYONE - {"operator"})
    for method, path in CLOSED:
        status, _, body = ask(desk_system, method, path, token)
        assert status == 403, (method, path)
        assert "髙﨑" not in body


def test_the_cookie_of_the_screens_opens_no_api_and_the_token_of_the_api_no_screen(desk_system: Desk) -> None:
    # クッキーで API に入れると、よその画面からの送信（CSRF）が API に届いてしまう。
    token = desk_system.token()["Authorization"].removeprefix("Bearer ")
    assert ask(desk_system, "GET", "/api/v1/cases/{case_number}", token, as_page=True)[0] == 401
    assert ask(desk_system, "GET", "/", token, as_page=False)[:2] == (303, "/login")


@pytest.mark.parametrize(
    "added",
    [
        Route("/hidden", lambda _: PlainTextResponse("")),
        Route("/login", lambda _: PlainTextResponse(""), methods=["DELETE"]),
        Mount("/files", routes=[Route("/all", lambda _: PlainTextResponse(""))]),
    ],
    ids=["route", "method", "mount"],
)
def test_an_added_route_of_any_kind_without_a_row_stops_the_start(desk_system: Desk, added: Route | Mount) -> None:
    app: FastAPI = create_app(desk_system.home.desk, keys=desk_system.home.key, clock=desk_system.clock)
    app.router.routes.append(added)
    with pytest.raises(RuntimeError, match=added.path):
        access.check(app, access.DESK_ACCESS)


def test_a_row_without_a_route_stops_the_start(desk_system: Desk) -> None:
    app = create_app(desk_system.home.desk, keys=desk_system.home.key, clock=desk_system.clock)
    with pytest.raises(RuntimeError, match="/gone"):
        access.check(app, {**access.DESK_ACCESS, ("GET", "/gone"): access.EVERYONE})


def test_guesses_made_at_the_same_moment_still_close_the_account_at_the_fifth(desk_system: Desk) -> None:
    def guess(_: int) -> int:
        client = TestClient(desk_system.client.app, base_url="https://testserver")
        return client.post("/api/v1/login", json={"staff_id": "operator1", "password": "ちがう"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(guess, range(8))) == {401}
    with desk_system.home.desk.connect() as connection:
        row = connection.execute(desk.staff.select().where(desk.staff.c.id == "operator1")).mappings().one()
    assert row["failed_count"] == 5
    assert row["locked_until"] is not None
    right = desk_system.client.post("/api/v1/login", json={"staff_id": "operator1", "password": PASSWORD})
    assert right.status_code == 401


def test_the_page_for_an_unknown_number_tells_nothing_but_what_was_typed(desk_system: Desk) -> None:
    csrf = desk_system.login()
    bodies = set()
    desk_system.client.app.state.clock = lambda fixed=desk_system.clock(): fixed  # type: ignore[attr-defined]
    for number in (number_of(9_001), number_of(9_002), "12345678901"):
        answer = desk_system.client.post("/search", data={"csrf": csrf, **CALL, "case_number": number})
        assert answer.status_code == 200
        bodies.add(answer.text.replace(number, "N"))
        bodies.add(answer.text.replace(number, "N"))
    assert len(bodies) == 1
    assert ASK_WARD in bodies.pop()
    cases = {
        desk_system.client.post("/case", data={"csrf": csrf, "case_number": number}).text
        for number in (number_of(9_001), number_of(9_002))
    }
    assert len(cases) == 1


def test_ending_the_call_keeps_its_number_out_of_the_next_view(desk_system: Desk) -> None:
    csrf = desk_system.login()
    desk_system.client.post("/search", data={"csrf": csrf, **CALL, "case_number": number_of(200)})
    assert "T-9" in desk_system.client.get("/").text
    assert desk_system.client.post("/call/end", data={"csrf": "x"}).status_code == 403
    assert "T-9" in desk_system.client.get("/").text
    page = desk_system.client.post("/call/end", data={"csrf": csrf})
    assert page.url == "https://testserver/"
    assert "T-9" not in page.text


def test_the_api_log_says_why_for_the_search_and_for_the_case_opened_after_it(desk_system: Desk) -> None:
    headers = desk_system.token()
    desk_system.client.post("/api/v1/search", json=BODIES["/api/v1/search"], headers=headers)
    desk_system.client.get(f"/api/v1/cases/{number_of(200)}", headers=headers)
    (viewed,) = audit_rows(desk_system.home, "case.view")
    assert viewed["reason"] == CALL["purpose"]
    assert CALL["call_reference"] in str(viewed["detail"])


@pytest.mark.parametrize("field", ["csrf", "call_reference", "case_number", "kana_name"])
def test_a_character_the_store_cannot_hold_is_refused_at_the_door(desk_system: Desk, field: str) -> None:
    csrf = desk_system.login()
    form = {"csrf": csrf, **CALL, "kana_name": "タカサキ", "birth": "1950-11-12", field: "a\x00b"}
    assert desk_system.client.post("/search", data=form).status_code == 422
    assert desk_system.client.post("/login", data={"staff_id": "a\x00", "password": "b"}).status_code == 422


def test_a_csrf_word_in_any_script_is_refused_not_a_crash(desk_system: Desk) -> None:
    desk_system.login()
    answer = desk_system.client.post("/case", data={"csrf": "あいことば", "case_number": number_of(200)})
    assert answer.status_code == 403
    assert "髙﨑" not in answer.text


def test_even_an_unforeseen_failure_keeps_the_headers_and_shows_nothing(desk_system: Desk) -> None:
    client = TestClient(desk_system.client.app, base_url="https://testserver", raise_server_exceptions=False)

    def broken() -> None:
        raise LookupError(number_of(200))

    desk_system.client.app.state.clock = broken  # type: ignore[attr-defined]
    answer = client.get("/api/v1/cases/1", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 500
    assert number_of(200) not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
