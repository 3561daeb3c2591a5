"""区の道 × 役割: 表にない役割は、どの道でも断られ、中身は一字も出ない（T18）。"""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api import access
from api import session as sessions
from benefit.domain.access import Actor
from benefit.store import ward
from tests.api.world import ADMIN, AUDITOR, CLERK, COOKIE, FIRST, World

pytestmark = pytest.mark.xdist_group("ward-world")
ROLES = (CLERK, FIRST, AUDITOR, ADMIN)
#: 道の中の名に入れる値。
FILLED = {"{number}": "1", "{kind}": "build", "{which}": "targets", "{name}": "desk.css", "{staff_id}": "tanto"}


def filled(path: str) -> str:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


def asked(world: World, client: TestClient, method: str, path: str, actor: Actor | None) -> int:
    """この人でこの道を開く。答えの番号。"""
    token = sessions.start(world.home.ward, ward, actor, world.clock) if actor else ""
    client.cookies.clear()
    headers = {"Idempotency-Key": "matrix-key-0001"}
    if path.startswith("/api/"):
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
    elif token:
        client.cookies.set(COOKIE, token)
    answer = client.request(method, filled(path), headers=headers, follow_redirects=False)
    if answer.status_code in (401, 403):
        assert world.secret not in answer.text, path
    return answer.status_code


def test_no_role_passes_a_route_that_its_row_does_not_name(world: World) -> None:
    case = world.open_case()
    world.secret = world.resident(case["payee_number"])["name"]
    cells = 0
    for (method, path), roles in access.WARD_ACCESS.items():
        if not roles:
            continue
        assert asked(world, world.client, method, path, None) in (303, 401), f"{method} {path}: 入らずに通った"
        for actor in ROLES:
            if actor.role not in roles:
                assert asked(world, world.client, method, path, actor) == 403, f"{method} {path}: {actor.role}"
                cells += 1
    assert cells > 100


@pytest.mark.parametrize("actor", ROLES)
def test_each_role_opens_the_screens_in_its_own_menu(world: World, actor: Actor) -> None:
    for (method, path), roles in access.WARD_ACCESS.items():
        if method == "GET" and actor.role in roles and "{" not in path and "/login" not in path:
            status = asked(world, world.client, method, path, actor)
            assert status in (200, 204, 303, 404, 422), f"{path}: {status}"
