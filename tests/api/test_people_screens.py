"""本物の Chromium で歩く: 区の管理者が人を登録し、その人が鍵盤だけで最初の手続きを済ませて入る。どの画面も axe で確かめる。"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from benefit.services import break_glass, people_password
from benefit.services.people_totp import code_at, step_of
from benefit.store import desk
from tests.api.conftest import PASSWORD, Site
from tests.api.screen import accessible, enter, narrow, shot
from tests.support import people as persons
from tests.support.certificates import certificate

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("home", ["sqlite", "postgresql"], indirect=True)]
WORDS = "さくら 石段 きつね 水筒 四月"


def seen(page: Page, folder: Path, name: str) -> None:
    accessible(page)
    shot(page, folder, name)
    narrow(page, folder, name)


def test_a_new_person_is_registered_and_takes_the_first_steps(
    page: Page, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())
    with site.desk.home.desk.begin() as connection:
        connection.execute(desk.staff.update().values(password_hash=persons.cheap().hash(PASSWORD)))
        break_glass.seal(connection, desk.access, at=site.desk.clock())
    enter(page, site, "ward_admin1")
    page.goto(f"{site}/staff")
    seen(page, tmp_path, "staff")
    page.fill("#staff_id", "newop")
    page.fill("#name", "新人 一郎")
    page.keyboard.press("Enter")
    first = page.inner_text("#password")
    accessible(page)
    page.click("button[aria-label='newop を開く']")
    seen(page, tmp_path, "staff-person")
    page.goto(f"{site}/terminals")
    page.fill("#name", "端末1")
    page.fill("#place", "二階")
    page.fill("#certificate", certificate("端末1"))
    page.click("button.main")
    seen(page, tmp_path, "terminals")
    page.goto(f"{site}/break-glass")
    page.fill("#reason", "窓口が停電")
    page.keyboard.press("Enter")
    page.wait_for_selector("article")
    seen(page, tmp_path, "break-glass")
    page.goto(f"{site}/login/again?back=/staff")
    accessible(page)

    page.context.clear_cookies()
    page.goto(site)
    keys = page.keyboard
    for typed in ("newop", first):
        keys.type(typed)
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector("#new")
    seen(page, tmp_path, "first-password")
    for typed in (first, WORDS, WORDS):
        keys.type(typed)
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector("#secret")
    seen(page, tmp_path, "first-totp")
    assert page.evaluate("document.querySelector('img').naturalWidth") > 0, "図は、同じ場所から届く"
    keys.type(code_at(page.inner_text("#secret").replace(" ", ""), step_of(site.desk.clock.now)))
    keys.press("Enter")
    page.wait_for_selector("#agreed")
    seen(page, tmp_path, "first-terms")
    page.focus("#agreed")
    keys.press("Space")
    keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector("#call_reference")
