"""本物のサーバーと、本物の Chromium で見る画面。JIS X 8341-3 / WCAG 2.2 AA を axe で確かめる。"""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from api.desk.app import create_app
from tests.api.conftest import PASSWORD, Desk, number_of

pytestmark = pytest.mark.browser


@pytest.fixture
def site(desk_system: Desk) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(desk_system.home.desk, clock=desk_system.clock)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
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
    assert complaints == [], "ブラウザが文句を言っている"


def enter(page: Page, site: str) -> None:
    page.goto(site)
    page.fill("#staff_id", "operator1")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#call_reference")


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert found == [], [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]


def test_an_operator_reads_the_answer_with_the_keyboard_alone(page: Page, site: str, tmp_path: Path) -> None:
    accessible_login(page, site)
    enter(page, site)
    accessible(page)
    page.keyboard.type("T-0001")
    page.focus("#case_number")
    page.keyboard.type(f"{number_of(200)[:4]} {number_of(200)[4:]}")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer")
    assert "振り込みました" in page.inner_text(".answer")
    assert "振込済" in page.inner_text(".chip")
    assert "髙﨑" in page.inner_text("h1")
    # 氏名も番号も、URL には載らない（ログや履歴に残るから）。
    assert number_of(200) not in page.url
    accessible(page)
    page.screenshot(path=tmp_path / "case.png", full_page=True)


def accessible_login(page: Page, site: str) -> None:
    page.goto(site)
    accessible(page)


def test_several_people_of_one_name_are_listed_to_choose_from(page: Page, site: str, desk_system: Desk) -> None:
    from sqlalchemy import delete

    from benefit.store import desk

    with desk_system.home.desk.begin() as connection:
        connection.execute(
            delete(desk.benefit_case).where(desk.benefit_case.c.case_number.in_([number_of(104), number_of(105)]))
        )
    enter(page, site)
    page.fill("#call_reference", "T-2")
    page.fill("#kana_name", "ﾔﾏﾓﾄ ﾕｳｺ")
    page.fill("#birth", "1980-01-01")
    page.click("button.main")
    page.wait_for_selector("table")
    assert page.locator("tbody tr").count() == 4
    accessible(page)
    page.locator("tbody button").first.click()
    page.wait_for_selector(".answer")
    assert "確認書" in page.inner_text(".answer")


def test_at_400_percent_nothing_hides_beside_the_screen(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    enter(page, site)
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(fits), "検索の画面が横にはみ出している"
    page.fill("#call_reference", "T-3")
    page.fill("#case_number", number_of(3))
    page.click("button.main")
    page.wait_for_selector(".answer")
    assert page.evaluate(fits), "一件の画面が横にはみ出している"
