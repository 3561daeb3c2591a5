"""ログ分析報告書の画面: 読む前に残り、別の人が署名し、遅れれば区のどの画面にも札が出る。"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page
from starlette.testclient import TestClient

from api import session as sessions
from api.desk.app import create_app as desk_app
from api.ward.app import create_app as ward_app
from benefit.domain.access import Actor
from benefit.services import audit_anchors, log_reports
from benefit.services.home import Home
from benefit.store import audit, desk, ward
from tests.api.screen import accessible, narrow, shot
from tests.api.world import served
from tests.conftest import StepClock
from tests.support import people

ROLES = {
    "ward": (Actor("kansa", "auditor"), Actor("tanto", "clerk"), Actor("kanri", "admin")),
    "desk": (
        Actor("kansa", "ward_auditor"),
        Actor("ku", "ward_clerk"),
        Actor("sv", "supervisor"),
        Actor("kanri", "ward_admin"),
    ),
}
COOKIES = {"ward": "__Host-benefit-ward", "desk": "__Host-benefit-desk"}


@dataclass
class Side:
    """一つの画面と、その人たち。最初の週の報告書が一つ、できている。"""

    home: Home
    clock: StepClock
    store: str

    def __post_init__(self) -> None:
        self.engine: sa.Engine = self.home.ward if self.store == "ward" else self.home.desk
        self.tables: ModuleType = ward if self.store == "ward" else desk
        self.app = (
            ward_app(self.home, clock=self.clock)
            if self.store == "ward"
            else desk_app(self.home.desk, keys=self.home.key, clock=self.clock)
        )
        self.client = TestClient(self.app, base_url="https://testserver")
        self.token = ""
        with self.engine.begin() as connection:
            for one in ROLES[self.store]:
                row = {"id": one.id, "name": "試験", "role": one.role, "password_hash": "x", "created_at": self.clock()}
                connection.execute(
                    self.tables.staff.insert(), {**row, **people.finished(self.home, self.store, one.id, self.clock())}
                )
            # 木曜の 10 時（日本）から。
            for number in range(3):
                audit.record(
                    connection, self.tables.audit_log, at=self.clock(), actor=ROLES[self.store][1],
                    action="person.view", subject=f"{number:011d}", reason="窓口「<b>」",
                )  # fmt: skip
            audit.record(
                connection,
                self.tables.audit_log,
                at=self.clock(),
                actor=Actor("dare", "clerk"),
                action="x.list",
                detail={"rows": 51},
            )
        audit_anchors.make(self.home, self.store, day=self.clock().date(), clock=self.clock)
        self.clock.now += timedelta(days=8)
        (self.report,) = log_reports.make(self.home, self.store, today=self.clock().date(), clock=self.clock)

    def enter(self, staff_id: str) -> Side:
        (actor,) = [one for one in ROLES[self.store] if one.id == staff_id]
        self.token = sessions.start(self.engine, self.tables, actor, self.clock)
        self.client.cookies.clear()
        self.client.cookies.set(COOKIES[self.store], self.token)
        return self

    def post(self, path: str, **form: Any) -> Any:
        return self.client.post(path, data={"csrf": sessions.csrf_of(self.token), **form})

    def logged(self) -> list[tuple[str, str, str]]:
        table = self.tables.audit_log
        with self.engine.connect() as connection:
            return [
                tuple(row)
                for row in connection.execute(
                    sa.select(table.c.action, table.c.actor, table.c.subject).order_by(table.c.sequence)
                )
            ]


@contextmanager
def made(home: Home, clock: StepClock, store: str) -> Iterator[Side]:
    side = Side(home, clock, store)
    yield side
    side.client.close()


@pytest.fixture(params=["ward", "desk"])
def side(request: pytest.FixtureRequest, home: Home, clock: StepClock) -> Iterator[Side]:
    with made(home, clock, request.param) as one:
        yield one


def test_a_second_person_reads_and_signs_and_every_reading_is_logged(side: Side) -> None:
    listed = side.enter("kansa").client.get("/logs")
    assert "署名を待っている週" in listed.text
    read = side.client.get(f"/logs/{side.report.id}")
    for number in range(1, 17):
        assert f"L{number:02d}" in read.text
    assert "一度に 51 行を読みました（x.list）" in read.text
    assert side.logged()[-2:] == [("audit.read", "kansa", "list"), ("audit.read", "kansa", f"view {side.report.id}")]
    form = {"operation": "kono-fuda-1", "digest": side.report.digest, "remarks": "x.list は移行の確かめ"}
    for _ in range(2):  # 二度押し
        signed = side.post(f"/logs/{side.report.id}/sign", **form)
        assert signed.status_code == 200
        assert "x.list は移行の確かめ" in signed.text
    assert [row for row in side.logged() if row[0] == "audit.sign"] == [("audit.sign", "kansa", f"{side.report.id}")]
    assert "署名を待っている週" not in side.client.get("/logs").text


def test_the_excel_says_the_same(side: Side) -> None:
    answer = side.enter("kansa").post(f"/logs/{side.report.id}/workbook")
    assert answer.status_code == 200
    with ZipFile(io.BytesIO(answer.content)) as book:
        text = book.read("xl/sharedStrings.xml").decode()
    assert "一度に 51 行を読みました（x.list）" in text
    assert side.report.digest in text


def test_a_wrong_signature_says_why_and_signs_nothing(side: Side) -> None:
    side.enter("kansa")
    for operation, digest, remarks, says in (
        ("fuda-0001", side.report.digest, "  ", "所見"),
        ("fuda-0002", "0" * 64, "よし", "指紋"),
    ):
        refused = side.post(f"/logs/{side.report.id}/sign", operation=operation, digest=digest, remarks=remarks)
        assert refused.status_code == 400
        assert says in refused.text
    assert not [row for row in side.logged() if row[0] == "audit.sign"]


def test_neither_the_admin_nor_the_contractor_reads_or_signs(side: Side) -> None:
    for who in [one.id for one in ROLES[side.store] if one.role in {"admin", "ward_admin", "supervisor"}]:
        side.enter(who)
        assert side.client.get("/logs").status_code == 403
        assert side.client.get(f"/logs/{side.report.id}").status_code == 403
        form = {"operation": "fuda-0003", "digest": side.report.digest, "remarks": "よし"}
        assert side.post(f"/logs/{side.report.id}/sign", **form).status_code == 403


def test_without_the_line_in_the_log_no_report_is_shown(side: Side) -> None:
    side.enter("kansa")

    def full(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO audit_log" in statement:
            raise sa.exc.OperationalError(statement, {}, Exception("disk full"))

    sa.event.listen(side.engine, "before_cursor_execute", full)
    ways: list[Callable[[], Any]] = [
        lambda: side.client.get("/logs"),
        lambda: side.client.get(f"/logs/{side.report.id}"),
        lambda: side.post(f"/logs/{side.report.id}/workbook"),
    ]
    for way in ways:
        answer = way()
        assert answer.status_code == 503
        assert "x.list" not in answer.text
    sa.event.remove(side.engine, "before_cursor_execute", full)


def test_the_banner_is_on_every_ward_screen_until_the_report_is_signed(sqlite_home: Home, clock: StepClock) -> None:
    with made(sqlite_home, clock, "ward") as side:
        assert "署名されていません" not in side.enter("tanto").client.get("/").text
        clock.now += timedelta(days=8)
        side.enter("tanto")
        for path in ("/", "/logs", "/transfers"):
            assert "からの週のログ分析報告書が署名されていません" in side.client.get(path).text, path
        form = {"operation": "fuda-0004", "digest": side.report.digest, "remarks": "確かめた"}
        side.post(f"/logs/{side.report.id}/sign", **form)
        assert "署名されていません（" not in side.client.get("/").text


def test_the_same_as_json_with_the_key_of_the_writing(side: Side) -> None:
    head = {"Authorization": f"Bearer {side.enter('kansa').token}"}
    side.client.cookies.clear()
    listed = side.client.get("/api/v1/log-reports", headers=head).json()
    (read,) = listed["reports"]
    assert (read["number"], read["signed_by"]) == (side.report.id, None)
    assert [one["number"] for one in listed["unsigned"]] == [side.report.id]
    assert [one["id"] for one in read["detectors"]] == [f"L{number:02d}" for number in range(1, 17)]
    path = "/api/v1/log-reports/signature"
    body = {"number": read["number"], "digest": read["digest"], "remarks": "確かめた"}
    assert side.client.post(path, json=body, headers=head).status_code == 422  # 札がない
    for _ in range(2):
        signed = side.client.post(path, json=body, headers={**head, "Idempotency-Key": "fuda-00001"})
        assert (signed.status_code, signed.json()) == (200, {"number": side.report.id})
    assert [row[1] for row in side.logged() if row[0] == "audit.sign"] == ["kansa"]
    wrong = {"number": 999, "digest": "0" * 64, "remarks": "よし"}
    missing = side.client.post(path, json=wrong, headers={**head, "Idempotency-Key": "fuda-00002"})
    assert (missing.status_code, missing.headers["content-type"]) == (400, "application/problem+json")
    side.enter("kansa")
    for number in (0, 2**63):
        assert side.client.get(f"/logs/{number}").status_code == 422


def test_only_the_ward_auditor_searches_the_desk_log(home: Home, clock: StepClock) -> None:
    with made(home, clock, "desk") as side:
        assert side.enter("ku").client.get("/audit").status_code == 403
        assert side.enter("kansa").client.get("/audit").status_code == 200
        found = side.post("/audit/search", number="00000000002")
        assert "1 行" in found.text
        assert "窓口「&lt;b&gt;」" in found.text
        assert side.logged()[-1] == ("audit.search", "kansa", "00000000002")
        assert side.post("/audit/search", since="きのう").status_code == 400


def test_the_report_is_read_and_signed_by_keyboard_alone(
    sqlite_home: Home, clock: StepClock, page: Page, tmp_path: Path
) -> None:
    with made(sqlite_home, clock, "ward") as side, served(side) as address:  # type: ignore[arg-type]
        side.enter("kansa")
        page.context.add_cookies([
            {"name": COOKIES["ward"], "value": side.token, "url": address.replace("http:", "https:"), "secure": True,
             "httpOnly": True, "sameSite": "Strict"}
        ])  # fmt: skip
        page.goto(f"{address}/logs")
        accessible(page)
        shot(page, tmp_path, "logs")
        narrow(page, tmp_path, "logs")
        page.get_by_role("link", name="を読む").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#remarks")
        accessible(page)
        shot(page, tmp_path, "logs-report")
        narrow(page, tmp_path, "logs-report")
        page.locator("#remarks").focus()
        page.keyboard.type("一件ずつ確かめた")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=kansa が署名しました")
        accessible(page)
