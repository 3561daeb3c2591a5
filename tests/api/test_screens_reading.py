"""電話口の人が、画面から読み取れること。撮った絵は試験の一時フォルダに残る。"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page

from benefit.domain.case import CASE_STATES, STATE_WORDS
from benefit.store import desk
from tests.api.conftest import PASSWORD, Desk, in_days, number_of
from tests.api.screen import accessible, enter

# 画面の見え方は、データベースによらない（両方で通す筋は test_screens にある）。
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("home", ["sqlite"], indirect=True)]
PIXELS = "element => parseFloat(getComputedStyle(element).fontSize)"


def ask(page: Page, place: int) -> None:
    page.fill("#call_reference", "T-1")
    page.fill("#case_number", number_of(place))
    page.click("button.main")
    page.wait_for_selector("#says")


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_every_state_reads_well_at_full_size_and_at_400_percent(
    page: Page, site: str, desk_system: Desk, tmp_path: Path
) -> None:
    with desk_system.home.desk.begin() as connection:
        connection.execute(
            desk.benefit_case.update().values(
                received_on=date(2024, 7, 12), transferred_on=date(2024, 8, 2), deficiency="口座の写しがない"
            )
        )
    enter(page, site)
    for place, state in enumerate(CASE_STATES):
        page.set_viewport_size({"width": 1280, "height": 900})
        ask(page, place)
        answer = page.locator(".answer")
        assert answer.bounding_box()["y"] < 450, "読み上げる文が、開いてすぐの所にない"
        assert answer.evaluate(PIXELS) >= 1.4 * page.locator("dd").first.evaluate(PIXELS)
        # 印は色と言葉の両方で、言葉は一つ。
        assert page.locator(".chip").first.inner_text() == STATE_WORDS[state].name
        assert page.locator("#next + .next").inner_text().strip() != ""
        text = page.inner_text("main")
        assert "{" not in text
        assert "None" not in text
        assert "9123456" not in text
        assert "****456" in text
        assert "令和6年7月5日" in text
        if place % 6 == 0:
            accessible(page)
            page.screenshot(path=tmp_path / f"{state}.png", full_page=True)
        page.set_viewport_size({"width": 320, "height": 640})
        assert fits(page), f"{state}: 400% で横にはみ出す"
        page.set_viewport_size({"width": 1280, "height": 900})
        page.click("text=この電話を終えて")
        page.wait_for_selector("#call_reference")
        assert page.input_value("#call_reference") == ""


def test_nothing_found_too_many_and_mistakes_each_say_what_to_do(page: Page, site: str, tmp_path: Path) -> None:
    page.goto(site)
    page.fill("#staff_id", "operator1")
    page.fill("#password", PASSWORD + "x")
    with page.expect_response("**/login") as refused:
        page.keyboard.press("Enter")
    assert refused.value.status == 401
    page.wait_for_selector("[role=alert]")
    assert page.title().startswith("エラー：")
    accessible(page)
    page.screenshot(path=tmp_path / "wrong.png", full_page=True)
    enter(page, site)
    page.fill("#call_reference", "T-1")
    page.fill("#case_number", number_of(9_999))
    page.keyboard.press("Enter")
    page.wait_for_selector("text=区で確認します")
    accessible(page)
    page.screenshot(path=tmp_path / "nobody.png", full_page=True)
    page.fill("#case_number", "")
    page.fill("#kana_name", "やまもと ゆうこ")
    page.fill("#birth", "昭和55年1月1日")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=特定できません")
    assert page.input_value("#birth") == "昭和55年1月1日", "打ったものが消えた"
    accessible(page)
    page.screenshot(path=tmp_path / "many.png", full_page=True)
    page.fill("#birth", "55年")
    with page.expect_response("**/search"):
        page.keyboard.press("Enter")
    page.wait_for_selector("text=生年月日が読めません")
    # 直す所に居て、そこにも同じ言葉がある。
    assert page.evaluate("document.activeElement.id") == "birth"
    assert "生年月日が読めません" in page.inner_text("#birth-error")
    accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert fits(page)
    page.screenshot(path=tmp_path / "narrow.png", full_page=True)


def test_every_control_is_reached_and_seen_with_the_tab_key(page: Page, site: str) -> None:
    enter(page, site)
    focused = "document.activeElement.id || document.activeElement.innerText || 'body'"
    assert page.evaluate(focused) == "call_reference", "最初に打つ所に、はじめから居る"
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    reached: list[str] = []
    while "調べる" not in reached and len(reached) < 12:
        reached.append(str(page.evaluate(focused)).strip())
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "4px", reached[-1]
        page.keyboard.press("Tab")
    expected = ["本文へ", "ログアウト", "call_reference", "purpose", "case_number", "kana_name", "birth", "調べる"]
    assert reached[-len(expected) :] == expected


def test_after_fifteen_minutes_the_next_press_leads_to_the_login_and_back_shows_nothing(
    page: Page, site: str, desk_system: Desk
) -> None:
    enter(page, site)
    ask(page, 200)
    assert "髙﨑" in page.inner_text("main")
    in_days(desk_system.clock, minutes=15, seconds=1)
    page.click("text=同じ電話で")
    page.wait_for_selector("#password")
    # 席を離れた後に「戻る」を押されても、前の件は出ない（no-store なので、送り直しになる）。
    # 移る途中で文脈が消えるので、答えを待たずに押す。
    page.evaluate("setTimeout(() => history.back(), 0)")
    page.wait_for_timeout(300)
    assert "髙﨑" not in page.content()


def test_no_url_the_browser_ever_asked_for_holds_a_name_or_a_number(page: Page, site: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, site)
    ask(page, 200)
    page.click("text=同じ電話で")
    page.wait_for_selector("#kana_name")
    page.fill("#kana_name", "ﾀｶｻｷ ｷﾖｼ")
    page.fill("#birth", "S25.11.12")
    page.keyboard.press("Enter")
    page.wait_for_selector("#says")
    assert len(asked) > 4
    for url in asked:
        assert url.startswith(site), f"外へ出た: {url}"
        assert "?" not in url
        assert number_of(200) not in url


def test_the_list_of_one_name_fits_the_narrow_screen_too(
    page: Page, site: str, desk_system: Desk, tmp_path: Path
) -> None:
    table = desk.benefit_case
    with desk_system.home.desk.begin() as connection:
        connection.execute(table.delete().where(table.c.case_number == number_of(105)))
    enter(page, site)
    page.fill("#call_reference", "T-1")
    page.fill("#kana_name", "ヤマモト ユウコ")
    page.fill("#birth", "S55.1.1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hits")
    assert "5 件" in page.inner_text("#hits")
    assert page.locator("tbody tr").count() == 5
    assert "昭和55年1月1日" in page.inner_text("tbody")
    page.screenshot(path=tmp_path / "hits.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    page.screenshot(path=tmp_path / "hits-narrow.png", full_page=True)
    assert fits(page)
    name = page.locator("tbody th").first.bounding_box()
    assert name is not None
    assert name["width"] > 200, "氏名が一字ずつの列に潰れている"
    accessible(page)
