"""本物のサーバーと、本物の Chromium で受ける電話。JIS X 8341-3 / WCAG 2.2 AA を axe で確かめる。"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from benefit.store import desk
from tests.api.conftest import Desk, Site, number_of
from tests.api.screen import accessible, accessible_login, enter, look_up, narrow, shot

pytestmark = pytest.mark.browser


def test_an_operator_takes_a_whole_call_with_the_keyboard_alone(page: Page, site: Site, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    accessible_login(page, site)
    enter(page, site)
    accessible(page)
    shot(page, tmp_path, "search")
    narrow(page, tmp_path, "search")
    keys = page.keyboard
    keys.type("T-0001")
    keys.press("Tab")
    keys.press("Tab")
    keys.type(f"{number_of(200)[:4]} {number_of(200)[4:]}")
    keys.press("Enter")
    page.wait_for_selector("text=本人確認")
    accessible(page)
    shot(page, tmp_path, "identity")
    narrow(page, tmp_path, "identity")
    # はじめから、最初の問いに居る。印を付け、打ち、送る。
    keys.press("Space")
    keys.press("Tab")
    keys.type("S25.11.12")
    keys.press("Enter")
    page.wait_for_selector("#says")
    assert "振り込みました" in page.inner_text(".answer")
    assert "振込済" in page.inner_text(".chip")
    assert "髙﨑" in page.inner_text("h1")
    accessible(page)
    shot(page, tmp_path, "case")
    narrow(page, tmp_path, "case")
    # 近道の鍵は、見える印と同じ字（頭のない Chromium は accesskey を押せないので、字だけを見る）。
    for name, letter in (("#body", "n"), (".call-bar button", "e")):
        assert page.get_attribute(name, "accesskey") == letter
    assert page.locator("kbd").all_inner_texts() == ["Alt+E", "Alt+N"]
    page.focus("#body")
    keys.type("次の週に、通帳をもう一度見てもらうよう伝えた。")
    keys.press("Tab")
    while page.evaluate("document.activeElement.innerText") != "記録する":
        keys.press("Tab")
    keys.press("Enter")
    page.wait_for_selector(".timeline >> text=次の週に")
    page.focus(".call-bar button")
    keys.press("Enter")
    page.wait_for_selector("#call_reference")
    # 氏名も番号も、どの URL にも載らない（ログや履歴に残るから）。外へも出ない。
    for url in asked:
        assert url.startswith(site), f"外へ出た: {url}"
        assert "?" not in url
        assert number_of(200) not in url


def test_without_javascript_everything_works_and_the_account_hides_by_itself(
    browser: object, site: Site, desk_system: Desk, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})  # type: ignore[attr-defined]
    page = context.new_page()
    with desk_system.home.desk.begin() as connection:
        table = desk.benefit_case
        connection.execute(table.delete().where(table.c.case_number.in_([number_of(104), number_of(105)])))
    enter(page, site)
    look_up(page, "ﾔﾏﾓﾄ ﾕｳｺ 1980-01-01", purpose="口座のこと")
    page.wait_for_selector("#hits")
    assert page.locator("tbody tr").count() == 4
    shot(page, tmp_path, "hits")
    narrow(page, tmp_path, "hits")
    page.locator("tbody button").first.click()
    # 氏名と生年月日は検索で合った。口座のことは、住所まで聞く。
    page.wait_for_selector("#address")
    assert page.locator("#birth").count() == 0
    page.fill("#address", "一丁目2の3")
    page.click("text=確かめる")
    page.wait_for_selector("#says")
    assert "確認書" in page.inner_text(".answer")
    page.fill("#account-reason", "本人が、どの口座かを尋ねた")
    with page.expect_response("**/case/account") as shown:
        page.click("text=30 秒だけ表示")
    page.wait_for_selector("text=9123456")
    assert shown.value.status == 303
    assert page.url.endswith("/case/account")
    shot(page, tmp_path, "account")
    narrow(page, tmp_path, "account")
    answer = page.request.get(f"{site}/case/account")
    assert answer.headers["refresh"] == "30; url=/case"
    page.click("text=いま隠して")
    page.wait_for_selector("#says")
    assert "9123456" not in page.content()
    context.close()
