"""窓口・審査・管理者の画面の試験の道具: 件の動かし方、画面への送り方。"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from api import session as sessions
from api.session import csrf_of
from benefit.domain.access import Actor, DeskRole
from benefit.domain.case import CASE_STATES
from benefit.domain.deficiency import CHECK_ITEMS
from benefit.store import desk
from tests.api.conftest import Desk, number_of
from tests.support import people

#: 一次・二次の入力で打つ口座（カナ氏名「シケン　…」の人のもの）。
ACCOUNT = {"bank_code": "9999", "branch_code": "001", "account_type": "1", "account_number": "1234567"}
GOOD_CHECKS = {f"check_{key}": "○" for key in CHECK_ITEMS}
_keys = count(1)


@dataclass
class Person:
    """画面に入った一人。"""

    system: Desk
    client: TestClient
    token: str
    actor: Actor

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def post(self, path: str, *, key: str = "", follow: bool = True, **form: Any) -> Response:
        given = {"csrf": csrf_of(self.token), "operation": key or f"key-{next(_keys):08d}", **form}
        return self.client.post(path, data=given, follow_redirects=follow)

    def api(self, method: str, path: str, *, key: str = "", **body: Any) -> Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or f"key-{next(_keys):08d}"}
        return self.client.request(method, f"/api/v1{path}", headers=headers, json=body or None)


def person(system: Desk, role: DeskRole, staff_id: str = "") -> Person:
    """この役割の人を（いなければ作って）入れる。ログインそのものは test_people が見る。"""
    name = staff_id or f"{role.value}1"
    with system.home.desk.begin() as connection:
        if not connection.execute(desk.staff.select().where(desk.staff.c.id == name)).first():
            one = connection.execute(desk.staff.select().where(desk.staff.c.id == f"{role.value}1")).mappings().one()
            finished = people.finished(system.home, "desk", name, system.clock())
            connection.execute(desk.staff.insert().values({**one, **finished, "id": name, "name": f"試験 {name}"}))
    actor = Actor(name, role.value)
    token = sessions.start(system.home.desk, desk, actor, system.clock)
    client = TestClient(system.client.app, base_url="https://testserver")
    client.cookies.set(system.client.app.state.cookie, token)  # type: ignore[attr-defined]
    return Person(system, client, token, actor)


def case(system: Desk, number: str) -> dict[str, Any]:
    with system.home.desk.connect() as connection:
        table = desk.benefit_case
        return dict(connection.execute(table.select().where(table.c.case_number == number)).mappings().one())


def rows(system: Desk, table: Any, **where: Any) -> list[dict[str, Any]]:
    with system.home.desk.connect() as connection:
        query = table.select().where(*(table.c[name] == value for name, value in where.items()))
        return [dict(row) for row in connection.execute(query).mappings()]


def headline(text: str) -> str:
    """一番大きな一行。"""
    found = re.search(r'<section class="outcome[^>]*>\s*<h2[^>]*>(.*?)</h2>', text, re.DOTALL)
    return found.group(1).strip() if found else ""


def of(state: str) -> str:
    """この状態の一件の番号（試験の台帳には、状態ごとに一件ある）。"""
    return number_of(CASE_STATES.index(state))
