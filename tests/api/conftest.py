"""給付管理システムの試験の土台: 状態ごとに一件ずつの、架空の件と、役割ごとの人。"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.testclient import TestClient

from api.desk.app import create_app
from benefit.domain.access import DeskRole
from benefit.domain.case import CASE_STATES
from benefit.domain.entitlement import check_digit
from benefit.domain.kana import search_key
from benefit.services import people_password
from benefit.services.home import Home
from benefit.store import desk
from tests.conftest import StepClock
from tests.support import people

PASSWORD = "あいことば-とても-ながい-2024"
CROWD = ("ヤマモト　ユウコ", "1980-01-01")


@cache
def password_hash() -> str:
    """試験の人の合言葉の要約。軽い手間で（本番の手間は test_people_login が見る）。"""
    return people.cheap().hash(PASSWORD)


def number_of(place: int) -> str:
    body = f"{4_000_000_000 + place * 7919:010d}"
    return body + check_digit(body)


@dataclass
class Desk:
    home: Home
    clock: StepClock
    client: TestClient

    def code(self, staff_id: str = "operator1") -> str:
        """まだ使われていない、いまの数字（同じ人の二度目は、時計が一刻み進む）。"""
        return people.code(self.home, "desk", staff_id, self.clock)

    def login(self, staff_id: str = "operator1") -> str:
        """画面に入り、書込みの合言葉（csrf）を返す。"""
        given = {"staff_id": staff_id, "password": PASSWORD, "code": self.code(staff_id)}
        answer = self.client.post("/login", data=given)
        assert answer.status_code == 200, answer.text
        return answer.text.split('name="csrf" value="')[1].split('"')[0]

    def token(self, staff_id: str = "operator1") -> dict[str, str]:
        given = {"staff_id": staff_id, "password": PASSWORD, "code": self.code(staff_id)}
        answer = self.client.post("/api/v1/login", json=given)
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}


def case_row(place: int, state: str, name: str, kana: str, birth: str) -> dict[str, object]:
    return {
        "case_number": number_of(place),
        "branch": 1,
        "benefit": "R6-1",
        "planned_amount_yen": 100_000,
        "person_number": f"{place:010d}",
        "household_number": f"{place:010d}",
        "postal_code": "1690075",
        "address": "東京都新宿区高田馬場一丁目2番3号",
        "address2": "メゾン落合101号室",
        "name": name,
        "kana_name": kana,
        "kana_key": search_key(kana),
        "birth": birth,
        "braille": False,
        "account_flag": "2",
        "past_bank_code": "9999",
        "past_branch_code": "001",
        "past_account_type": "1",
        "past_account_number": "9123456",
        "past_holder_kana": "ﾔﾏﾀﾞ ﾀﾛｳ",
        "sent_on": date(2024, 7, 5),
        "due_on": date(2024, 7, 19),
        "state": state,
        "changed_at": StepClock()(),
    }


@pytest.fixture
def desk_system(home: Home, clock: StepClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(people_password, "PASSWORDS", people.cheap())
    rows = [
        case_row(
            place,
            state,
            f"試験　{state}",
            "シケン　" + "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモ"[place],
            f"19{50 + place}-05-06",
        )
        for place, state in enumerate(CASE_STATES)
    ]
    # 同姓同名・同じ生年月日の六人。
    rows += [case_row(100 + place, "C20", f"山本　祐子{place}", *CROWD) for place in range(6)]
    rows += [case_row(200, "F42", "髙﨑　清", "タカサキ　キヨシ", "1950-11-12")]
    with home.desk.begin() as connection:
        connection.execute(desk.benefit_case.insert(), rows)
        connection.execute(
            desk.staff.insert(),
            [
                {
                    "id": f"{role.value}1",
                    "name": f"試験 {role.value}",
                    "role": role.value,
                    "password_hash": password_hash(),
                    "failed_count": 0,
                    "created_at": clock(),
                    **people.finished(home, "desk", f"{role.value}1", clock()),
                }
                for role in DeskRole
            ],
        )
    client = TestClient(create_app(home.desk, keys=home.key, clock=clock), base_url="https://testserver")
    yield Desk(home, clock, client)
    client.close()


def audit_rows(home: Home, action: str) -> list[dict[str, object]]:
    table = desk.audit_log
    with home.desk.connect() as connection:
        query = table.select().where(table.c.action == action).order_by(table.c.sequence)
        return [dict(row) for row in connection.execute(query).mappings()]


def in_days(clock: StepClock, **span: float) -> None:
    clock.now += timedelta(**span)


class Site(str):
    """開いている画面の番地。`desk` から、いまの数字が分かる。"""

    __slots__ = ("desk",)
    desk: Desk


@pytest.fixture
def site(desk_system: Desk) -> Iterator[Site]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(desk_system.home.desk, keys=desk_system.home.key, clock=desk_system.clock)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    address = Site(f"http://127.0.0.1:{port}")
    address.desk = desk_system
    yield address
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium が入っていません。make system を実行してください"
    with sync_playwright() as play:
        made = play.chromium.launch(
            executable_path=path, args=["--disable-background-networking", "--disable-component-update"]
        )
        yield made
        made.close()


@pytest.fixture
def page(browser: object) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1280, "height": 900})  # type: ignore[attr-defined]
    complaints: list[str] = []
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    made.close()
    # 断りの画面（400・401）は、ブラウザが必ず一行を記す。それは文句ではない。
    refusals = ("status of 400", "status of 401")
    assert [line for line in complaints if not any(known in line for known in refusals)] == []
