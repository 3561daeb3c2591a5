"""電話口の人が、画面から読み取れること。撮った絵は試験の一時フォルダ（か SHOTS）に残る。"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page

from benefit.domain.access import Actor
from benefit.domain.case import CASE_STATES, STATE_WORDS
from benefit.services import desk_cases, desk_undo
from benefit.store import desk
from tests.api.conftest import PASSWORD, Desk, Site, in_days, number_of
from tests.api.screen import accessible, enter, fits, identify, look_up, narrow, shot

# 画面の見え方は、データベースによらない（両方で通す筋は test_screens にある）。
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("home", ["sqlite"], indirect=True)]
PIXELS = "element => parseFloat(getComputedStyle(element).fontSize)"
PAPERS = "窓口・書類の確認"


def test_every_state_reads_well_at_full_size_and_at_400_percent(
    page: Page, site: Site, desk_system: Desk, tmp_path: Path
) -> None:
    with desk_system.home.desk.begin() as connection:
        connection.execute(
            desk.benefit_case.update().values(
                received_on=date(2024, 7, 12), transferred_on=date(2024, 8, 2), correction_due_on=date(2024, 8, 30)
            )
        )
        connection.execute(
            desk.deficiency.insert(),
            [
                {"case_number": number_of(CASE_STATES.index(state)), "branch": 1, "round": 1, "code": code, "found_by": "reviewer1", "at": desk_system.clock()}
                for state in ("C24", "C25")
                for code in ("identity_missing", "account_paper")
            ],
        )  # fmt: skip
    enter(page, site, "supervisor1")
    for place, state in enumerate(CASE_STATES):
        look_up(page, number_of(place), purpose=PAPERS)
        page.wait_for_selector("#says")
        answer = page.locator(".answer")
        assert answer.bounding_box()["y"] < 520, "読み上げる文が、開いてすぐの所にない"
        assert answer.evaluate(PIXELS) >= 1.4 * page.locator("dd").first.evaluate(PIXELS)
        # 印は色と言葉の両方で、言葉は一つ。
        assert page.locator(".chip").first.inner_text() == STATE_WORDS[state].name
        assert page.locator("#next + .next").inner_text().strip() != ""
        text = page.inner_text("main")
        for broken in ("{", "None", "9123456"):
            assert broken not in text
        assert "****456" in text
        assert "令和6年7月5日" in text
        if state in {"C24", "C25"}:
            assert "本人確認書類の写しを送ってください。" in answer.inner_text()
            assert "Please send a copy of your identity document." in page.inner_text(".english")
        if state in {"C25", "F42", "J31"}:
            accessible(page)
            shot(page, tmp_path, state)
            narrow(page, tmp_path, state)
        page.goto(site)
        page.wait_for_selector("#words")


def test_an_undone_step_is_struck_through_and_says_who_undid_it(
    page: Page, site: Site, desk_system: Desk, tmp_path: Path
) -> None:
    number, place = number_of(CASE_STATES.index("C20")), CASE_STATES.index("C20")
    operator = Actor("operator1", "operator")
    with desk_system.home.desk.begin() as connection:
        told = {"reason": "電話で聞いた", "actor": operator, "at": desk_system.clock()}
        desk_cases.tell(connection, number, "refusal_received", **told)
        desk_undo.undo(connection, number, reason="別の人の件だった", actor=operator, at=desk_system.clock())
    enter(page, site)
    look_up(page, number)
    identify(page, birth=f"19{50 + place}-05-06")
    page.wait_for_selector("#says")
    assert page.inner_text(".timeline del").startswith("辞退の受付")
    assert "取消（コールセンター operator1）" in page.inner_text(".timeline")
    # 番号と生年月日だけの本人からは、まだ辞退を受けない。番地も合ってから。
    assert page.locator("#reason-refusal_received").count() == 0
    page.fill("#address", "1-2-4")
    page.click("#more ~ form button")
    page.wait_for_selector("text=登録と合いません")
    assert page.evaluate("document.activeElement.id") == "address"
    page.fill("#address", "1-2-3")
    page.click("#more ~ form button")
    page.wait_for_selector("#reason-refusal_received")
    page.fill("#reason-refusal_received", "本人が、もう一度辞退と言った")
    page.click("button:has-text('電話で辞退を受ける')")
    page.wait_for_selector("text=取り消せるのは")
    accessible(page)
    shot(page, tmp_path, "sure")
    narrow(page, tmp_path, "sure")
    page.click("text=やめて、件へ戻る")
    page.wait_for_selector("#says")
    accessible(page)
    shot(page, tmp_path, "undone")


def test_nothing_found_too_many_and_mistakes_each_say_what_to_do(page: Page, site: Site, tmp_path: Path) -> None:
    page.goto(site)
    page.fill("#staff_id", "operator1")
    page.fill("#password", PASSWORD + "x")
    with page.expect_response("**/login") as refused:
        page.keyboard.press("Enter")
    assert refused.value.status == 401
    page.wait_for_selector("[role=alert]")
    assert page.title().startswith("エラー：")
    accessible(page)
    enter(page, site)
    look_up(page, number_of(9_999))
    page.wait_for_selector("text=区で確認します")
    accessible(page)
    shot(page, tmp_path, "nobody")
    look_up(page, "やまもと ゆうこ 昭和55年1月1日")
    page.wait_for_selector("text=特定できません")
    assert page.input_value("#words") == "やまもと ゆうこ 昭和55年1月1日", "打ったものが消えた"
    look_up(page, "やまもと ゆうこ 55年")
    page.wait_for_selector("text=生年月日が読めません")
    # 直す所に居て、そこにも同じ言葉がある。
    assert page.evaluate("document.activeElement.id") == "words"
    assert "生年月日が読めません" in page.inner_text("#words-error")
    accessible(page)
    narrow(page, tmp_path, "mistake")
    look_up(page, number_of(3))
    page.wait_for_selector("#birth")
    identify(page, birth="1999-01-01")
    page.wait_for_selector("text=登録と合いません")
    assert page.evaluate("document.activeElement.id") == "birth"
    accessible(page)
    shot(page, tmp_path, "not-agreed")
    page.check("input[value=caseworker]")
    page.click("text=確かめる")
    page.wait_for_selector("text=この用件を電話で話しません")
    assert page.locator("[role=alert]").count() == 0
    accessible(page)
    shot(page, tmp_path, "caseworker")
    narrow(page, tmp_path, "caseworker")


def test_every_control_is_reached_and_seen_with_the_tab_key(page: Page, site: Site) -> None:
    enter(page, site)
    focused = "document.activeElement.id || document.activeElement.innerText || 'body'"
    assert page.evaluate(focused) == "call_reference", "最初に打つ所に、はじめから居る"
    for _ in range(2):
        page.keyboard.press("Shift+Tab")
    reached: list[str] = []
    while "項目ごとに入れる" not in reached and len(reached) < 16:
        reached.append(str(page.evaluate(focused)).strip())
        assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "4px", reached[-1]
        page.keyboard.press("Tab")
    assert reached[-5:] == ["call_reference", "purpose", "words", "調べる", "項目ごとに入れる"]
    assert "ログアウト" in reached


def test_after_fifteen_minutes_the_next_press_leads_to_the_login_and_back_shows_nothing(
    page: Page, site: Site, desk_system: Desk
) -> None:
    enter(page, site)
    look_up(page, number_of(200))
    identify(page, birth="1950-11-12")
    page.wait_for_selector("#says")
    assert "髙﨑" in page.inner_text("main")
    # 写した人と時刻が、画面のどこを写しても写る。
    assert str(page.locator(".watermark span").first.get_attribute("data-mark")).startswith("operator1 2024-06-20")
    in_days(desk_system.clock, minutes=15, seconds=31)
    page.click("text=同じ電話で")
    page.wait_for_selector("#password")
    # 席を離れた後に「戻る」を押されても、前の件は出ない（no-store なので、送り直しになる）。
    # 移る途中で文脈が消えるので、答えを待たずに押す。
    page.evaluate("setTimeout(() => history.back(), 0)")
    page.wait_for_timeout(300)
    assert "髙﨑" not in page.content()


def test_the_list_of_one_name_fits_the_narrow_screen_too(
    page: Page, site: Site, desk_system: Desk, tmp_path: Path
) -> None:
    table = desk.benefit_case
    with desk_system.home.desk.begin() as connection:
        connection.execute(table.delete().where(table.c.case_number == number_of(105)))
    enter(page, site)
    look_up(page, "ヤマモト ユウコ S55.1.1")
    page.wait_for_selector("#hits")
    assert "5 件" in page.inner_text("#hits")
    assert page.locator("tbody tr").count() == 5
    accessible(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert fits(page)
    name = page.locator("tbody th").first.bounding_box()
    assert name is not None
    assert name["width"] > 200, "読みが一字ずつの列に潰れている"
    shot(page, tmp_path, "five-400")
