"""OpenAPI に書いたとおりに答える: 入る・出る（検索と閲覧は test_access）。符号の全部が書いてある。"""

from __future__ import annotations

import json
import re

import pytest
import schemathesis
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

from api import access
from api import session as sessions
from benefit.domain.access import Actor
from benefit.store import desk
from tests.api import phone
from tests.api.conftest import CROWD, PASSWORD, Desk, number_of

FEW = settings(
    # 合言葉の照合は遅い計算なので、例は少なく、縮めもしない。
    max_examples=15,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/logout"])
def test_login_and_logout_keep_their_description(desk_system: Desk, path: str) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", desk_system.client.app)
    (result,) = schema.include(path=path).get_all_operations()
    operation = result.ok()

    @FEW
    @given(case=operation.as_strategy())
    def one(case: schemathesis.Case) -> None:
        token = sessions.start(desk_system.home.desk, desk, Actor("operator1", "operator"), desk_system.clock)
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, session=desk_system.client)

    one()


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_the_description_lists_every_api_route_and_no_screen(desk_system: Desk) -> None:
    described = desk_system.client.get("/openapi.json").json()["paths"]
    listed = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert listed == {(method, path) for method, path in access.DESK_ACCESS if path.startswith("/api/")}


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_each_answer_the_api_gives_is_one_it_describes(desk_system: Desk) -> None:
    described = desk_system.client.get("/openapi.json").json()["paths"]
    headers, client = desk_system.token(), desk_system.client
    phone.opened(desk_system, headers)
    once = phone.of_case(desk_system, headers)
    stale = {**once, "Idempotency-Key": phone.key(), "If-Match": f'"{"0" * 64}"'}
    seen: dict[tuple[str, str], list[Response]] = {
        ("get", "/api/v1/case"): [client.get("/api/v1/case", headers=auth) for auth in (headers, {})],
        ("post", "/api/v1/search"): [
            client.post("/api/v1/search", json=keys, headers=auth)
            for keys in (
                {"case_number": number_of(1)},
                {"kana_name": CROWD[0], "birth": CROWD[1]},
                {"case_number": number_of(9_999)},
                {"kana_name": "タカサキ", "birth": "0000-99-99"},
                {},
                {"x": 1},
            )
            for auth in (headers, {})
        ],
        ("post", "/api/v1/case/contacts"): [
            client.post("/api/v1/case/contacts", json=body, headers=auth)
            for body in ({"body": "案内した"}, {"body": "ほか"}, {"body": ""}, {"category": "x"})
            for auth in (once, stale, headers, {})
        ],
        ("post", "/api/v1/case/steps"): [
            client.post("/api/v1/case/steps", json=body, headers=phone.of_case(desk_system, headers))
            for body in ({"key": "planned", "reason": "わけ"}, {"key": "death_told", "reason": ""}, {})
        ],
        ("post", "/api/v1/login"): [
            client.post("/api/v1/login", json=body)
            for body in ({"staff_id": "operator1", "password": "ちがう"}, {"staff_id": "\x00", "password": ""}, {})
        ],
    }
    for (method, path), answers in seen.items():
        for answer in answers:
            assert str(answer.status_code) in described[path][method]["responses"], (path, answer.status_code)
            kind = "application/json" if answer.status_code == 200 else "application/problem+json"
            assert answer.headers["content-type"] == kind
            if answer.status_code != 200:
                assert set(answer.json()) == {"type", "title", "status", "detail"}
                assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_every_write_asks_for_a_key_and_every_word_of_the_description_is_japanese(desk_system: Desk) -> None:
    described = desk_system.client.get("/openapi.json").json()
    # 指している形は、みなある（同じ名の形が二つあると、名が変わって宙に浮く）。
    named = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(described))) <= named
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            text = operation.get("description") or operation["summary"]
            assert any("ぁ" <= sign <= "ん" for sign in text), (path, text)
            named = {one["name"] for one in operation.get("parameters", ())}
            reading = method == "get" or path in {"/api/v1/search", "/api/v1/login", "/api/v1/logout"}
            assert reading or "idempotency-key" in {name.lower() for name in named}, (method, path)
            # 氏名も番号も、URL には載らない。
            assert not [one for one in operation.get("parameters", ()) if one["in"] in {"path", "query"}], path


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "HEAD"])
def test_a_method_that_is_not_described_is_not_answered(desk_system: Desk, method: str) -> None:
    for path in {path for _, path in access.DESK_ACCESS if "{" not in path} - {"/openapi.json"}:
        answer = desk_system.client.request(method, path, headers=desk_system.client.headers)
        assert answer.status_code == 405, (method, path, answer.status_code)
        assert answer.headers["allow"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b"\xff", b'{"staff_id":"\\ud800","password":"x"}'])
def test_a_body_that_is_no_json_object_is_refused_without_repeating_it(desk_system: Desk, body: bytes) -> None:
    answer = desk_system.client.post("/api/v1/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert set(answer.json()) == {"type", "title", "status", "detail"}


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_refused_password_is_never_repeated_in_the_answer(desk_system: Desk) -> None:
    for body in ({"staff_id": 7, "password": PASSWORD}, {"staff_id": "operator1", "password": [PASSWORD]}):
        answer = desk_system.client.post("/api/v1/login", json=body)
        assert answer.status_code == 422
        assert PASSWORD not in json.dumps(answer.json(), ensure_ascii=False)


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_a_parameter_given_twice_is_refused_on_every_route(desk_system: Desk) -> None:
    client: TestClient = desk_system.client
    for method, path in access.DESK_ACCESS:
        url = path.replace("{name}", "desk.css")
        for query in ("a=1&a=2", "a=1&b=2&a=1"):
            assert client.request(method, f"{url}?{query}", follow_redirects=False).status_code == 400, (method, path)
