"""本物のブラウザで画面を使う手順。"""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.api.conftest import PASSWORD


def enter(page: Page, site: str) -> None:
    page.goto(site)
    page.fill("#staff_id", "operator1")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#call_reference")


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert found == [], [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]


def accessible_login(page: Page, site: str) -> None:
    page.goto(site)
    accessible(page)
