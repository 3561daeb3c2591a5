"""どの道に誰が入れるか、の全部（T18）。表にない道は起動を止め、役割のない人はどの道にも入れない。"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
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
from tests.api.conftest import Desk, audit_rows, number_of
from tests.api.phone import PROGRESS, answer, key, of_case, opened, search

CALL = {"call_reference": "T-9", "purpose": PROGRESS}
CLOSED = [(method, path) for (method, path), roles in access.DESK_ACCESS.items() if roles]
OPEN = [(method, path) for (method, path), roles in access.DESK_ACCESS.items() if not roles]
WRONG_ROLE = "この操作をする役割ではありません"
#: 一件の中身（伏せ字と町名は、探した人なら見える）。
INSIDE = ("髙﨑", "振り込みました", "振込済", "****456", "1950-11-12", "一丁目", number_of(200))


def token_of(desk_system: Desk, role: str) -> str:
    return sessions.start(desk_system.home.desk, desk, Actor(f"{role}1", role), desk_system.clock)


def ask(desk_system: Desk, method: str, path: str, token: str, *, as_page: bool | None = None, **sent: Any) -> Response:
    """この道に、この合い札で頼む。書込みの合言葉と札は付ける。"""
    page = not path.startswith("/api/") if as_page is None else as_page
    client = TestClient(desk_system.client.app, base_url="https://testserver", raise_server_exceptions=False)
    name, value = (
        ("Cookie", f"{desk_system.client.app.state.cookie}={token}") if page else ("Authorization", f"Bearer {token}")
    )
    headers = {name: value.encode("latin-1"), "Idempotency-Key": key()}
    if not page and method == "POST" and path.startswith("/api/v1/case/"):
        opened_case = client.get("/api/v1/case/identity", headers=headers)
        headers["If-Match"] = opened_case.headers.get("ETag", f'"{"0" * 64}"')
    if method == "POST" and path.startswith("/api/"):
        sent = {"json": sent}
    elif method == "POST":
        sent = {"data": {"csrf": csrf_of(token), "operation": key(), **sent}}
    return client.request(method, path.replace("{name}", "desk.css"), headers=headers, follow_redirects=False, **sent)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_every_closed_route_answers_every_role_in_the_table_and_no_one_else(desk_system: Desk) -> None:
    cells = 0
    for role, (method, path) in product(DeskRole, CLOSED):
        given = ask(desk_system, method, path, token_of(desk_system, role.value))
        allowed = role.value in access.DESK_ACCESS[(method, path)]
        # 入れる道は、中身が足りなくて断ることはあっても、役割では断らない。
        assert (given.status_code == 403 and WRONG_ROLE in given.text) is not allowed, (role, method, path, given.text)
        assert given.status_code < 500, (role, method, path)
        assert (given.headers.get("location") == "/login") == (path == "/logout"), (role, method, path)
        for secret in INSIDE:
            assert secret not in given.text, (role, method, path)
        cells += 1
    print(f"役割と道の升目: {cells}")
    assert cells == len(DeskRole) * len(CLOSED)


def readings(desk_system: Desk, token: str) -> dict[str, Response]:
    """開いている一件の中身が出うる道の全部。"""
    reason = {"reason": "わけ"}
    return {
        "画面": ask(desk_system, "GET", "/case", token),
        "口座": ask(desk_system, "GET", "/case/account", token),
        "API": ask(desk_system, "GET", "/api/v1/case", token),
        "本人確認": ask(desk_system, "GET", "/api/v1/case/identity", token),
        "API 口座": ask(desk_system, "POST", "/api/v1/case/account", token, **reason),
        "断られる一歩": ask(desk_system, "POST", "/api/v1/case/steps", token, key="planned", **reason),
        "断られる画面の一歩": ask(desk_system, "POST", "/case/step", token, key="planned", **reason),
    }


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", list(DeskRole))
@pytest.mark.parametrize(
    "thing", ["開いていない", "本人確認の前", "電話を終えた後", "引き上げられた後", "ほかの人の電話"]
)
def test_no_role_reads_a_case_it_has_not_opened_and_confirmed(desk_system: Desk, role: DeskRole, thing: str) -> None:
    token = token_of(desk_system, role.value)
    headers = {"Authorization": f"Bearer {token}"}
    if thing == "ほかの人の電話":
        other = "operator" if role != DeskRole.OPERATOR else "reviewer"
        opened(desk_system, {"Authorization": f"Bearer {token_of(desk_system, other)}"})
    elif thing != "開いていない" and role.value in access.CASE_ROLES:
        if thing == "本人確認の前":
            ask(desk_system, "POST", "/search", token, **CALL, words=number_of(200))
        else:
            opened(desk_system, headers)
        if thing == "電話を終えた後":
            ask(desk_system, "POST", "/call/end", token)
        if thing == "引き上げられた後":
            with desk_system.home.desk.begin() as connection:
                table = desk.benefit_case
                connection.execute(table.delete().where(table.c.case_number == number_of(200)))
    for way, given in readings(desk_system, token).items():
        assert given.status_code < 500, (way, given.text)
        for secret in INSIDE:
            assert secret not in given.text, (way, secret)


@pytest.mark.parametrize("token", ["", "x", "あ".encode().decode("latin-1"), "A" * 43])
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_without_a_session_no_closed_route_says_anything_of_a_case(desk_system: Desk, token: str) -> None:
    for method, path in CLOSED:
        given = ask(desk_system, method, path, token)
        where = (given.status_code, given.headers.get("location", ""))
        assert where == ((401, "") if path.startswith("/api/") else (303, "/login")), (method, path)
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


def test_the_roles_that_keep_people_or_logs_reach_no_case() -> None:
    for role in (DeskRole.WARD_ADMIN.value, DeskRole.WARD_AUDITOR.value):
        reached = {path for (_, path), roles in access.DESK_ACCESS.items() if role in roles}
        kept = ("/case", "/search", "/call", "/review", "/intake", "/deficiencies", "/letters")
        assert not {path for path in reached if path.removeprefix("/api/v1").startswith(kept)}


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_role_outside_the_table_is_refused_on_every_route(desk_system: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(desk_system, "operator")
    for row in CLOSED:
        monkeypatch.setitem(access.DESK_ACCESS, row, access.EVERYONE - {"operator"})
    for method, path in CLOSED:
        assert ask(desk_system, method, path, token).status_code == 403, (method, path)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_cookie_of_the_screens_opens_no_api_and_the_token_of_the_api_no_screen(desk_system: Desk) -> None:
    # クッキーで API に入れると、よその画面からの送信（CSRF）が API に届いてしまう。
    token = token_of(desk_system, "operator")
    assert ask(desk_system, "GET", "/api/v1/case", token, as_page=True).status_code == 401
    assert ask(desk_system, "GET", "/", token, as_page=False).headers["location"] == "/login"


@pytest.mark.parametrize(
    "added",
    [
        Route("/hidden", lambda _: PlainTextResponse("")),
        Route("/login", lambda _: PlainTextResponse(""), methods=["DELETE"]),
        Mount("/files", routes=[Route("/all", lambda _: PlainTextResponse(""))]),
    ],
    ids=["route", "method", "mount"],
)
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_an_added_route_of_any_kind_without_a_row_stops_the_start(desk_system: Desk, added: Route | Mount) -> None:
    app: FastAPI = create_app(desk_system.home.desk, keys=desk_system.home.key, clock=desk_system.clock)
    app.router.routes.append(added)
    with pytest.raises(RuntimeError, match=added.path):
        access.check(app, access.DESK_ACCESS)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_row_without_a_route_stops_the_start(desk_system: Desk) -> None:
    app = create_app(desk_system.home.desk, keys=desk_system.home.key, clock=desk_system.clock)
    with pytest.raises(RuntimeError, match="/gone"):
        access.check(app, {**access.DESK_ACCESS, ("GET", "/gone"): access.EVERYONE})


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_page_for_an_unknown_number_tells_nothing_but_what_was_typed(desk_system: Desk) -> None:
    csrf = desk_system.login()
    desk_system.client.app.state.clock = lambda fixed=desk_system.clock(): fixed  # type: ignore[attr-defined]
    search(desk_system, csrf, number_of(9_000))
    bodies = {
        search(desk_system, csrf, number).text.replace(number, "N")
        for number in (number_of(9_001), number_of(9_002), "12345678901")
    }
    assert len(bodies) == 1
    assert ASK_WARD in bodies.pop()


def test_ending_the_call_keeps_its_number_out_of_the_next_view(desk_system: Desk) -> None:
    csrf = desk_system.login()
    answer(desk_system, csrf, number_of(200))
    assert "T-1" in desk_system.client.get("/case").text
    assert desk_system.client.post("/call/end", data={"csrf": "x"}).status_code == 403
    page = desk_system.client.post("/call/end", data={"csrf": csrf})
    assert page.url == "https://testserver/"
    assert "T-1" not in page.text
    # 前の電話の一件は、もう開いていない。
    assert "髙﨑" not in desk_system.client.get("/case").text
    with desk_system.home.desk.connect() as connection:
        (call,) = connection.execute(desk.call.select()).mappings().all()
    assert (call["reference"], call["staff_id"]) == ("T-1", "operator1")
    assert call["ended_at"] is not None


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_new_login_carries_no_call_and_no_open_case(desk_system: Desk) -> None:
    csrf = desk_system.login()
    answer(desk_system, csrf, number_of(200))
    desk_system.login()
    assert "髙﨑" not in desk_system.client.get("/case").text


@pytest.mark.parametrize("field", ["csrf", "call_reference", "words", "case_number", "kana_name"])
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_character_the_store_cannot_hold_is_refused_at_the_door(desk_system: Desk, field: str) -> None:
    csrf = desk_system.login()
    form = {"csrf": csrf, **CALL, "words": "タカサキ 1950-11-12", field: "a\x00b"}
    assert desk_system.client.post("/search", data=form).status_code == 422
    assert desk_system.client.post("/login", data={"staff_id": "a\x00", "password": "b"}).status_code == 422


def test_the_same_write_sent_twice_is_done_once(desk_system: Desk) -> None:
    headers = desk_system.token()
    opened(desk_system, headers)
    once, note = of_case(desk_system, headers), {"category": "call", "body": "案内した"}
    first = desk_system.client.post("/api/v1/case/contacts", json=note, headers=once)
    again = desk_system.client.post("/api/v1/case/contacts", json=note, headers=once)
    other = desk_system.client.post("/api/v1/case/contacts", json={**note, "body": "別"}, headers=once)
    assert first.json() == again.json()
    assert (first.status_code, again.status_code, other.status_code) == (200, 200, 409)
    assert desk_system.client.post("/api/v1/case/contacts", json=note, headers=headers).status_code == 422
    with desk_system.home.desk.connect() as connection:
        assert len(connection.execute(desk.contact.select()).all()) == 1
