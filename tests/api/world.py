"""区の画面（照会、区直轄、監査、振込不能、収納）の試験の区: 手紙から銀行の結果まで済んだ小さな区に、役割ごとの人。

作るのに数秒かかるので、データベースごとに一度だけ作り、試験ごとに写す。
"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
import uvicorn
from httpx2 import Response
from playwright.sync_api import Page
from starlette.testclient import TestClient

from api import session as sessions
from api.ward.app import create_app
from benefit.domain.access import BATCH, Actor
from benefit.domain.collection import Channel
from benefit.records.transfer_result_row import Outcome
from benefit.rules.collection_notices import NOTICE
from benefit.services import (
    bank_credits,
    bank_reports,
    collections,
    people,
    protections,
    receivables,
    restricted_queue,
)
from benefit.services.home import Home
from benefit.store import ward
from tests.conftest import Databases, StepClock
from tests.services.conftest import Office, answered, noticed, prepare
from tests.services.failure_ward import stranger
from tests.support.people import enrol

CLERK, OTHER = Actor("tanto", "clerk"), Actor("tanto2", "clerk")
FIRST, SECOND = Actor("shonin1", "approver"), Actor("shonin2", "approver")
AUDITOR, ADMIN = Actor("kansa", "auditor"), Actor("kanri", "admin")
MORE = (OTHER, AUDITOR, ADMIN)
#: 区直轄を見てよいと名ざされた人。tanto2 は名ざされていない。
NAMED = (CLERK, FIRST, SECOND)
#: 今日（判定・振込・銀行の結果の後）。
START = datetime(2024, 8, 6, 1, 0, tzinfo=UTC)
COOKIE = "__Host-benefit-ward"


def build(home: Home, root: Path) -> None:
    """小さな区を、銀行の結果まで進める。一件が不能で、ほかの課の不能が二件。"""
    prepare(home, root)
    clock = StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    office = Office(home, clock, root / "planned", root)
    sent = office.send()
    clock.now = START
    credited = [(Outcome.CREDITED, "")] * _first_shown(home, sent.id)
    path = answered(office, sent.id, *credited, (Outcome.FAILED, "02"), created_on=date(2024, 8, 5))
    bank_reports.take(home, "results", path, clock=clock)
    notice = noticed(office, stranger(office, "9876501", 10_000), stranger(office, "9876502", 20_000))
    bank_reports.take(home, "failures", notice, clock=clock)
    with home.ward.begin() as connection:
        for actor in MORE:
            people.add(
                connection, ward.staff, ward.audit_log,
                staff_id=actor.id, name="試験", role=actor.role, password="x" * 15, actor=BATCH, at=clock(),
            )  # fmt: skip
    _money_in(home, clock)
    for actor in (*NAMED, *MORE):
        assert enrol(home, "ward", actor.id, clock())
    for actor in NAMED:
        by = FIRST if actor == SECOND else SECOND
        number = restricted_queue.name_member(home, actor.id, reason="区直轄の担当", actor=ADMIN, clock=clock)
        restricted_queue.approve_member(home, number, actor=by, clock=clock)
    home.ward.dispose()
    home.desk.dispose()


def _first_shown(home: Home, transfer_id: int) -> int:
    """振込の行（番号は家ごとに違う順に並ぶ）のうち、誰でも見てよい人の初めの行の位置。"""
    line, payment, right = ward.transfer_line, ward.payment, ward.entitlement
    query = (
        sa.select(right)
        .join(payment, payment.c.entitlement_id == right.c.id)
        .join(line, line.c.payment_id == payment.c.id)
        .where(line.c.transfer_id == transfer_id)
        .order_by(line.c.line_number)
    )
    secret = restricted_queue.hidden(home)
    with home.ward.connect() as connection:
        rights = connection.execute(query).mappings().all()
    return next(place for place, one in enumerate(rights) if not secret.hides(one))


def _money_in(home: Home, clock: StepClock) -> None:
    """収納: 納めた人、速報の人、未納の人、区直轄の人の調定と、相手の分からない入金、納めすぎ。"""
    secret = restricted_queue.hidden(home)
    frame = restricted_queue.residents(home)
    assert frame is not None
    everyone = frame.collect().sort("person_number")["person_number"].to_list()
    others = [number for number in everyone if number not in secret.people][:4]
    people_ = [*others, next(number for number in everyone if number in secret.people)]
    # 第 1 期の納期限は、今日（8 月 6 日）の前である。
    rows = [
        ("001", 2024, 1, f"{11 + place}", f"{number:010d}", 12_300, 0, date(2024, 7, 1))
        for place, number in enumerate(people_)
    ]
    receivables.register(
        home, pl.DataFrame(rows, schema=receivables.RECEIVABLE, orient="row"), reason="登録", clock=clock
    )
    told = [("確報", "11", 12_300), ("速報", "12", 12_300), ("確報", "99", 12_300), ("確報", "13", 15_300)]
    notices = [
        (line, Channel.CONVENIENCE.value, kind, f"KEY:001-2024-01-{number}", date(2024, 8, 1), f"10{line:02d}",
         "0012345", yen, date(2024, 8, 5))
        for line, (kind, number, yen) in enumerate(told, 1)
    ]  # fmt: skip
    arrived = pl.DataFrame(notices, schema=NOTICE, orient="row")
    collections.take(home, Channel.CONVENIENCE, arrived, file_name="cvs", sha256="c" * 64, clock=clock)
    number = bank_credits.ask(
        home, Channel.CONVENIENCE, date(2024, 8, 5), 39_000, "0805-1", reason="通帳", actor=CLERK, clock=clock
    )
    bank_credits.approve(home, number, actor=FIRST, clock=clock)


@cache
def _sqlite(template: Path) -> Path:
    root = Path(mkdtemp(prefix="ward-world-", dir=template.parent))
    shutil.copytree(template, root / "home")
    build(Home.at(root / "home"), root)
    return root


_ON_PG: dict[int, tuple[Path, str, str]] = {}


def _postgresql(template: Path, server: Databases) -> tuple[Path, str, str]:
    if id(server) not in _ON_PG:
        root = Path(mkdtemp(prefix="ward_world_", dir=template.parent))
        shutil.copytree(template, root / "home")
        names = [f"{root.name.lower()}_{line}" for line in ("ward", "desk")]
        urls = []
        for name, line in zip(names, ("ward", "desk"), strict=True):
            server.admin.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template_{line}')
            urls.append(server.url.set(database=name).render_as_string(hide_password=False))
        build(Home.at(root / "home", ward_url=urls[0], desk_url=urls[1]), root)
        _ON_PG[id(server)] = (root, names[0], names[1])
    return _ON_PG[id(server)]


def copied(template: Path, to: Path, databases: Databases | None = None) -> Home:
    """作ってある区の写し。"""
    if databases is None:
        shutil.copytree(_sqlite(template) / "home", to)
        return Home.at(to)
    root, ward_name, desk_name = _postgresql(template, databases)
    shutil.copytree(root / "home", to)
    return Home.at(
        to,
        ward_url=databases.new("ward", of=f'"{ward_name}"'),
        desk_url=databases.new("desk", of=f'"{desk_name}"'),
    )


@dataclass
class World:
    """動いている区の画面と、その人たち。"""

    home: Home
    clock: StepClock = field(default_factory=lambda: StepClock(START))

    def __post_init__(self) -> None:
        self.app = create_app(self.home, clock=self.clock)
        self.client = TestClient(self.app, base_url="https://testserver")
        self.token = ""
        #: 断りに載ってはならない言葉。
        self.secret = "（ない言葉）"

    def enter(self, actor: Actor) -> World:
        """この人で入る（本人確認の画面そのものは、別の試験が見る）。"""
        self.token = sessions.start(self.home.ward, ward, actor, self.clock)
        self.client.cookies.clear()
        self.client.cookies.set(COOKIE, self.token)
        return self

    def get(self, path: str, **more: Any) -> Response:
        return self.client.get(path, **more)

    def post(self, path: str, **form: Any) -> Response:
        """画面からの送信。"""
        return self.client.post(path, data={"csrf": sessions.csrf_of(self.token), **form})

    def json(self, path: str, body: dict[str, Any] | None = None, *, key: str = "") -> Response:
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": key} if key else {})
        self.client.cookies.clear()
        return self.client.post(path, json=body or {}, headers=headers)

    def ask(self, **words: str) -> Response:
        """用件をそえて探す。"""
        return self.post("/people/search", purpose="本人からの問合せ", reason="受付 12", **words)

    def cases(self) -> list[dict[str, Any]]:
        with self.home.ward.connect() as connection:
            query = sa.select(ward.entitlement).order_by(ward.entitlement.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]

    def open_case(self) -> dict[str, Any]:
        """だれでも見られる一件（世帯の給付）。"""
        secret = restricted_queue.hidden(self.home)
        return next(row for row in self.cases() if not secret.hides(row) and row["slot_kind"] == "HH100K")

    def ward_case(self) -> dict[str, Any]:
        """区直轄の一件（世帯の給付）。"""
        return next(row for row in self.cases() if row["route"] == "WARD" and row["slot_kind"] == "HH100K")

    def resident(self, number: int) -> dict[str, Any]:
        frame = restricted_queue.residents(self.home)
        assert frame is not None
        return frame.filter(pl.col("person_number") == number).collect().row(0, named=True)

    def marked(self) -> int:
        """名簿に載った人の一人。"""
        return int(protections.ever_protected(self.home)["person_number"][0])

    def logged(self, action: str = "") -> list[dict[str, Any]]:
        table = ward.audit_log
        query = sa.select(table).order_by(table.c.sequence)
        with self.home.ward.connect() as connection:
            rows = connection.execute(query.where(table.c.action == action) if action else query).mappings()
            return [dict(row) for row in rows]

    def close(self) -> None:
        self.client.close()
        self.home.ward.dispose()
        self.home.desk.dispose()


@contextmanager
def served(world: World) -> Iterator[str]:
    """本物のサーバー。"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(world.app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def sign_in(page: Page, site: str, world: World, actor: Actor) -> None:
    """ブラウザをこの人にする（ログインの画面は、別の試験が通す）。"""
    world.enter(actor)
    page.context.clear_cookies()
    # __Host- のクッキーは https だけのもの。試験の http でも、localhost なら Chromium は受け取る。
    page.context.add_cookies([
        {"name": COOKIE, "value": world.token, "url": site.replace("http:", "https:"), "secure": True,
         "httpOnly": True, "sameSite": "Strict"}
    ])  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path) -> Iterator[World]:
    """動いている区（SQLite だけ。データベースによらない試験のため）。"""
    made = World(copied(sqlite_template, tmp_path / "world"))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[World]:
    """動いている区（両方のデータベースで）。"""
    databases = request.getfixturevalue("pg") if request.param == "postgresql" else None
    made = World(copied(sqlite_template, tmp_path / "world", databases))
    yield made
    made.close()
