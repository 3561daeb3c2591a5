"""区の画面の試験の土台: 支給予定情報まで済ませた小さな区（tests/services と同じもの）と、役割ごとの人。"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from api.ward.app import create_app
from benefit.domain.access import WardRole
from benefit.services.home import Home
from benefit.store import ward
from tests.api.conftest import PASSWORD, password_hash
from tests.api.world import both, world
from tests.conftest import Databases, StepClock
from tests.services.conftest import Office, office, prepared_pg, prepared_sqlite
from tests.support import people

__all__ = ["both", "office", "prepared_pg", "prepared_sqlite", "world"]

#: 判定の前からいる担当と承認二人（tests/services）のほかに、監査と管理。
OTHERS = {"kansa": WardRole.AUDITOR, "kanri": WardRole.ADMIN}


@dataclass
class Ward:
    """区の画面と、そのうしろの作業場所。"""

    office: Office
    client: TestClient

    @property
    def home(self) -> Home:
        return self.office.home

    def login(self, staff_id: str) -> str:
        """画面に入り、書込みの合言葉（csrf）を返す。"""
        code = people.code(self.home, "ward", staff_id, self.office.clock)
        given = {"staff_id": staff_id, "password": PASSWORD, "code": code}
        answer = self.client.post("/login", data=given)
        assert answer.status_code == 200, answer.text
        return answer.text.split('name="csrf" value="')[1].split('"')[0]

    def token(self, staff_id: str) -> dict[str, str]:
        code = people.code(self.home, "ward", staff_id, self.office.clock)
        given = {"staff_id": staff_id, "password": PASSWORD, "code": code}
        answer = self.client.post("/api/v1/login", json=given)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    def audit(self, action: str) -> list[dict[str, Any]]:
        table = ward.audit_log
        with self.home.ward.connect() as connection:
            query = table.select().where(table.c.action == action).order_by(table.c.sequence)
            return [dict(row) for row in connection.execute(query).mappings()]

    def count(self, table: Any) -> int:
        with self.home.ward.connect() as connection:
            return len(connection.execute(table.select()).all())


def enter_people(home: Home, clock: StepClock) -> None:
    """担当・承認の人の最初の手続きを済ませ、監査と管理の人を足す。"""
    with home.ward.begin() as connection:
        for staff_id in ("tanto", "shonin1", "shonin2"):
            done = people.finished(home, "ward", staff_id, clock())
            connection.execute(
                ward.staff.update().where(ward.staff.c.id == staff_id).values(password_hash=password_hash(), **done)
            )
        for staff_id, role in OTHERS.items():
            connection.execute(
                ward.staff.insert().values(
                    id=staff_id,
                    name=f"試験 {staff_id}",
                    role=role.value,
                    password_hash=password_hash(),
                    failed_count=0,
                    created_at=clock(),
                    **people.finished(home, "ward", staff_id, clock()),
                )
            )


def name(made: Ward, *staff_ids: str) -> None:
    """この人たちを、区直轄を見てよい人に（二人で）名ざす。"""
    now = made.office.clock()
    with made.home.ward.begin() as connection:
        for number, staff_id in enumerate(staff_ids, 1):
            connection.execute(
                ward.restricted_member.insert().values(
                    id=number, staff_id=staff_id, reason="担当", asked_by="kanri", asked_at=now
                )
            )
            connection.execute(
                ward.restricted_member_approval.insert().values(
                    release_id=number, asked_by="kanri", approved_by="shonin2", approved_at=now
                )
            )


@contextmanager
def opened(source: Path, root: Path, ward_url: str | None = None) -> Iterator[Ward]:
    """作業場所の写しと、その画面。"""
    shutil.copytree(source, root)
    home = Home.at(root / "home", ward_url=ward_url)
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    enter_people(home, clock)
    client = TestClient(create_app(home, clock=clock), base_url="https://testserver")
    yield Ward(Office(home, clock, root / "planned", root), client)
    client.close()
    home.ward.dispose()


@pytest.fixture
def ward_desk(prepared_sqlite: Path, tmp_path: Path) -> Iterator[Ward]:
    """支給予定情報の届いた区（SQLite）。"""
    with opened(prepared_sqlite, tmp_path / "ward") as made:
        yield made


@pytest.fixture
def ward_desk_pg(prepared_pg: tuple[Path, str, str], pg: Databases, tmp_path: Path) -> Iterator[Ward]:
    """同じ区（PostgreSQL）。"""
    source, name, _desk = prepared_pg
    with opened(source, tmp_path / "ward", pg.new("ward", of=name)) as made:
        yield made


@contextmanager
def serving(made: Ward) -> Iterator[str]:
    """本物のサーバー。番地を返す。"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(made.home, clock=made.office.clock)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
