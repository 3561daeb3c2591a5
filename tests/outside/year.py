"""目印を置いた区の一年（コマンドで通す）と、両方の画面を、どの役割でも、どの道も歩く人。"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI
from httpx2 import Response
from pydantic import BaseModel
from starlette.testclient import TestClient

from api import session as sessions
from api.desk.app import create_app as desk_app
from api.ward.app import create_app as ward_app
from batch.demo_people import DESK, WARD
from batch.world import make_ward
from benefit.domain.access import Actor
from benefit.domain.call import PROGRESS
from benefit.services.home import Home
from benefit.store import desk, ward
from tests.conftest import StepClock
from tests.outside.canary import Canaries, Finder, plant

#: 一年が終わった後の、仕事の日の朝。
AFTER = datetime(2024, 9, 3, 0, 0, tzinfo=UTC)
#: 職員が自分の言葉で書く欄。ログの理由になる（氏名を書かないことは、画面と運用の約束）。
FREE = {"reason", "remarks", "note", "text", "call_reference", "reference", "box", "place", "name", "certificate"}


@dataclass
class Year:
    """一年の終わった作業場所と、その目印、言われたこと。"""

    home: Home
    extracts: Path
    place: Path
    canaries: Canaries
    finder: Finder
    said: bytes
    name: str
    account: str
    secrets: tuple[str, ...] = ()


def program(*words: str, place: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """コマンドを、自分の一時フォルダと自分の居場所で打つ。"""
    for name in ("tmp", "cwd"):
        (place / name).mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BENEFIT_")}
    environ = {**kept, "TMPDIR": str(place / "tmp"), "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200", **more}
    return subprocess.run(
        [sys.executable, "-m", "batch.cli", *words],
        check=False,
        cwd=place / "cwd",
        env=environ,
        capture_output=True,
        timeout=300,
    )


def live(place: Path, *, residents: int, seed: int) -> Year:
    """一年を通す。"""
    make_ward(place / "extracts", residents=residents, seed=seed)
    canaries = plant(place / "extracts")
    given = ("--home", str(place / "home"), "demo", "--extracts", str(place / "extracts"), "--seed", str(seed))
    done = program(*given, place=place)
    assert done.returncode == 0, done.stderr.decode()
    home = Home.at(place / "home")
    with home.desk.connect() as connection:
        table = desk.benefit_case
        query = sa.select(table.c.name, table.c.account_number).where(table.c.account_number.is_not(None))
        name, account = connection.execute(query.order_by(table.c.case_number)).first() or ("", "")
    for engine, metadata in ((home.ward, ward.metadata), (home.desk, desk.metadata)):
        canaries.digits |= {value for column, value in texts(engine, metadata) if column.endswith("account_number")}
    return Year(home, place / "extracts", place, canaries, Finder(canaries), done.stdout + done.stderr, name, account)


def texts(engine: sa.Engine, metadata: sa.MetaData) -> Iterator[tuple[str, str]]:
    """台帳の全部の字: (表.列, 字)。"""
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            columns = [column for column in table.columns if isinstance(column.type, sa.String | sa.Text | sa.JSON)]
            if columns:
                for row in connection.execute(sa.select(*columns)):
                    yield from ((f"{table.name}.{c.name}", str(v)) for c, v in zip(columns, row, strict=True) if v)


@dataclass
class Walker:
    """一つの画面を歩く人たち。どの答えも覚えている。"""

    home: Home
    line: str
    clock: StepClock = field(default_factory=lambda: StepClock(AFTER))
    seen: list[tuple[str, Response]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app: FastAPI = (
            ward_app(self.home, clock=self.clock)
            if self.line == "ward"
            else desk_app(self.home.desk, keys=self.home.key, clock=self.clock)
        )
        self.people = [Actor(staff_id, role.value) for staff_id, _name, role in (WARD if self.line == "ward" else DESK)]

    @property
    def engine(self) -> sa.Engine:
        return self.home.ward if self.line == "ward" else self.home.desk

    @property
    def store(self) -> ModuleType:
        return ward if self.line == "ward" else desk

    def routes(self) -> Iterator[tuple[str, str, Any]]:
        for route in self.app.routes:
            for method in sorted(getattr(route, "methods", None) or ()):
                if method in {"GET", "POST"} and not route.path.startswith("/static") and route.path != "/logout":  # type: ignore[attr-defined]
                    yield method, route.path, route  # type: ignore[attr-defined]

    def enter(self, actor: Actor) -> TestClient:
        token = sessions.start(self.engine, self.store, actor, self.clock)
        self.tokens.append(token)
        client = TestClient(self.app, base_url="https://testserver", raise_server_exceptions=False)
        client.cookies.set(self.app.state.cookie, token)
        client.headers["X-Walker"] = actor.id
        return client

    def ask(self, client: TestClient, method: str, path: str, **sent: Any) -> Response:
        answer = client.request(method, path, follow_redirects=False, **sent)
        self.seen.append((f"{self.line} {client.headers['X-Walker']} {method} {path} → {answer.status_code}", answer))
        return answer

    def walk(self, year: Year) -> None:
        """どの役割も、どの道も。送る欄は、番号なら目印の口座番号、ほかは目印の氏名にする。"""
        for actor in self.people:
            client = self.enter(actor)
            for method, path, route in self.routes():
                allowed = self.app.state.access[(method, path)]
                if allowed and actor.role not in allowed:
                    continue
                if path.startswith("/login") and method == "POST" and path != "/login":
                    continue
                if path == "/openapi.json":
                    continue
                token = self.tokens[-1]
                where = re.sub(r"\{[a-z_]+\}", "1", path)
                headers = {"Idempotency-Key": secrets.token_urlsafe(12)}
                if path.startswith("/api/"):
                    headers["Authorization"] = f"Bearer {token}"
                if method == "GET":
                    self.ask(client, method, where, headers=headers)
                elif path.startswith("/api/"):
                    self.ask(client, method, where, headers=headers, json=_body(route, year))
                else:
                    form = {param.name: _value(param.name, year) for param in route.dependant.body_params}
                    form |= {"csrf": sessions.csrf_of(token), "operation": secrets.token_urlsafe(12)}
                    self.ask(client, method, where, headers=headers, data=form)
            client.close()


def _value(name: str, year: Year) -> str:
    if name in FREE:
        return "受付 12"
    return year.account if "number" in name or name in {"code", "branch_code"} else year.name


def _body(route: Any, year: Year) -> dict[str, Any]:
    model = route.dependant.body_params[0].field_info.annotation if route.dependant.body_params else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return {"case_number": year.name}
    return {name: _value(name, year) for name in model.model_fields}


def phone(walker: Walker, note: str) -> list[Response]:
    """電話を受け、本人を確かめ、口座を表示し、氏名の入った記録を残す。見た画面を返す。"""
    actor = next(one for one in walker.people if one.role == "operator")
    client = walker.enter(actor)
    table = desk.benefit_case
    with walker.home.desk.connect() as connection:
        query = table.select().where(table.c.account_number.is_not(None)).order_by(table.c.case_number)
        case = connection.execute(query).mappings().first()
    assert case is not None
    csrf = sessions.csrf_of(walker.tokens[-1])

    def post(path: str, **form: str) -> Response:
        # どの件の画面から送ったか（いま開いている画面の札）。
        mark = re.search(r'name="seen" value="([^"]*)"', walker.ask(client, "GET", "/case").text)
        sent = {"csrf": csrf, "operation": secrets.token_urlsafe(12), **form}
        return walker.ask(client, "POST", path, data=sent | ({"seen": mark[1]} if mark else {}))

    post("/search", call_reference="T-23", purpose=PROGRESS, words=case["case_number"])
    block = "-".join(re.findall(r"[0-9]+", case["address"])[-2:])
    town = re.search(r"([一二三四五六七八九])丁目", case["address"])
    said = f"{'一二三四五六七八九'.index(town[1]) + 1}-{block}" if town else block
    post("/case/identity", caller="self", ticked="name", birth=case["birth"], address=said)
    for category in ("call", "account"):
        assert post("/case/contact", category=category, body=note).status_code < 400
    post("/case/account", reason="本人の求め")
    answers = [walker.ask(client, "GET", path) for path in ("/case/account", "/case")]
    client.close()
    return answers


def window(walker: Walker) -> Response:
    """区で、用件をそえて探し、一人を開く。"""
    actor = next(one for one in walker.people if one.role == "clerk")
    client = walker.enter(actor)
    with walker.home.ward.connect() as connection:
        table = ward.entitlement
        query = sa.select(table.c.case_number).where(table.c.route != "WARD").order_by(table.c.case_number)
        number = str(connection.execute(query).scalars().first())
    form = {"csrf": sessions.csrf_of(walker.tokens[-1]), "purpose": "本人からの問合せ", "reason": "受付 12"}
    walker.ask(client, "POST", "/people/search", data={**form, "case_number": number})
    answer = walker.ask(client, "GET", "/people/case")
    client.close()
    return answer
