"""本物のサーバーと、本物の Chromium で見る画面。JIS X 8341-3 / WCAG 2.2 AA を axe で確かめる。"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.api.conftest import Desk, number_of
from tests.api.screen import accessible, accessible_login, enter

pytestmark = pytest.mark.browser


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
