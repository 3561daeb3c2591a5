"""本物のブラウザで画面を使う手順。"""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.api.conftest import PASSWORD, Site


def enter(page: Page, site: Site, staff_id: str = "operator1") -> None:
    """合言葉と数字で入る。"""
    page.goto(site)
    page.fill("#staff_id", staff_id)
    page.fill("#password", PASSWORD)
    page.fill("#code", site.desk.code(staff_id))
    page.keyboard.press("Enter")
    page.wait_for_selector("#call_reference" if staff_id == "operator1" else "form[action='/logout']")


def accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert found == [], [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]


def accessible_login(page: Page, site: str) -> None:
    page.goto(site)
    accessible(page)
