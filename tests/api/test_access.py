"""入る・出る・入れない。"""

from __future__ import annotations

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings

from api import access
from benefit.domain.access import DeskRole
from tests.api.conftest import Desk, number_of


def test_without_login_every_page_leads_to_the_login_and_every_api_refuses(desk_system: Desk) -> None:
    for (method, path), roles in access.DESK_ACCESS.items():
        if not roles:
            continue
        url = path.replace("{case_number}", number_of(1))
        answer = desk_system.client.request(method, url, follow_redirects=False, data={} if "api" not in path else None)
        wanted = {401, 422} if path.startswith("/api/") else {303, 422}
        assert answer.status_code in wanted, (method, path, answer.status_code)
        assert "試験" not in answer.text


@pytest.mark.parametrize("role", list(DeskRole))
def test_each_role_may_look_and_nothing_else_is_open(desk_system: Desk, role: DeskRole) -> None:
    headers = desk_system.token(f"{role.value}1")
    answer = desk_system.client.get(f"/api/v1/cases/{number_of(1)}", headers=headers)
    allowed = role.value in access.DESK_ACCESS[("GET", "/api/v1/cases/{case_number}")]
    assert answer.status_code == (200 if allowed else 403)


def test_a_route_without_a_row_stops_the_start() -> None:
    app = FastAPI()

    @app.get("/forgotten")
    def forgotten() -> None:
        """権限の表に載せ忘れた道。"""

    with pytest.raises(RuntimeError, match="/forgotten"):
        access.check(app, {})


def test_a_form_without_its_own_word_or_from_elsewhere_is_refused(desk_system: Desk) -> None:
    csrf = desk_system.login()
    form = {"call_reference": "T", "purpose": "辞退", "case_number": number_of(1)}
    assert desk_system.client.post("/search", data=form).status_code == 403
    assert desk_system.client.post("/search", data={**form, "csrf": "0" * 64}).status_code == 403
    foreign = desk_system.client.post(
        "/search", data={**form, "csrf": csrf}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    own = desk_system.client.post("/search", data={**form, "csrf": csrf}, headers={"Origin": "https://testserver"})
    assert own.status_code == 200


def test_every_answer_carries_the_safety_headers(desk_system: Desk) -> None:
    for url in ("/login", "/", "/api/v1/cases/1", "/static/desk.css", "/nowhere"):
        answer = desk_system.client.get(url, follow_redirects=False)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        if not url.startswith("/static"):
            assert answer.headers["Cache-Control"] == "no-store"


def test_a_parameter_given_twice_is_refused(desk_system: Desk) -> None:
    assert desk_system.client.get("/login?a=1&a=2").status_code == 400


def test_the_api_keeps_its_own_description(desk_system: Desk) -> None:
    """OpenAPI に書いたとおりに答え、書いていない入力を断る（Schemathesis）。"""
    headers = desk_system.token()
    schema = schemathesis.openapi.from_asgi("/openapi.json", desk_system.client.app)

    for result in schema.include(path_regex="^/api/(search|cases)").get_all_operations():
        operation = result.ok()

        @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, session=desk_system.client)

        one()
