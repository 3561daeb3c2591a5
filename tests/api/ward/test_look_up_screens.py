"""照会・区直轄・振込不能・収納・監査を、本物のブラウザで歩く。撮った絵は試験の一時フォルダに残る。"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from benefit.domain.access import Actor
from benefit.services import failure_answers
from benefit.services.bank_master import in_use
from benefit.services.failure_answers import Answer
from benefit.store import ward
from tests.api.screen import accessible
from tests.api.world import AUDITOR, CLERK, FIRST, OTHER, World, served, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("ward-world")]
FOCUSED = "(document.activeElement.id || document.activeElement.innerText || '').trim()"


def keys_to(page: Page, name: str) -> None:
    """Tab だけで、この名（か id）のところまで行く。どこに居るかは、いつも見える。"""
    for _ in range(90):
        if page.evaluate(FOCUSED) == name:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "4px", name
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"キーボードで「{name}」に行けない")


def seen(page: Page, folder: Path, name: str) -> None:
    """axe の指摘がなく、320px でも横にはみ出さない。"""
    accessible(page)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name}: 横にはみ出す"
    page.screenshot(path=folder / f"{name}-narrow.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})


def looked_up(page: Page, site: str, number: str) -> None:
    page.goto(f"{site}/people")
    page.select_option("#purpose", "本人からの問合せ")
    page.fill("#reason", "受付 12")
    page.fill("#case_number", number)
    page.keyboard.press("Enter")
    page.wait_for_selector("#why, .spoken")


def test_every_screen_is_walked_without_a_fault(world: World, page: Page, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    case = world.open_case()
    with served(world) as site:
        sign_in(page, site, world, CLERK)
        page.goto(f"{site}/people")
        seen(page, tmp_path, "people")
        looked_up(page, site, case["case_number"])
        assert page.url == f"{site}/people/case"
        page.click("details summary >> nth=0")
        seen(page, tmp_path, "person")
        for path, name in (
            ("/people/print", "print"),
            ("/restricted/members", "members"),
            ("/restricted/replies", "replies"),
        ):
            page.goto(site + path)
            seen(page, tmp_path, name)
        page.goto(f"{site}/restricted")
        page.fill("#person_number", f"{world.marked():010d}")
        page.fill("#reason", "手紙の宛先の確かめ")
        page.click("button:text-is('申し出る')")
        page.wait_for_selector("text=別の人の承認を待ちます")
        seen(page, tmp_path, "restricted")
        for path, name in (
            ("/failures", "failures"),
            ("/failures/2", "failure"),
            ("/collections", "collections"),
            ("/collections/balance", "balance"),
            ("/collections/overdue", "overdue"),
        ):
            page.goto(site + path)
            seen(page, tmp_path, name)
        page.goto(f"{site}/collections")
        page.click("button:text-is('決める') >> nth=-1")
        page.wait_for_selector("#amount")
        seen(page, tmp_path, "collection")
        page.goto(f"{site}/payments")
        page.fill("#notice_number", "13")
        page.keyboard.press("Enter")
        page.wait_for_selector("#debts")
        seen(page, tmp_path, "payments")
        sign_in(page, site, world, AUDITOR)
        page.goto(f"{site}/audit")
        page.fill("#since", "")
        page.click("button.main")
        page.wait_for_selector("#found")
        seen(page, tmp_path, "audit")
        page.goto(f"{site}/audit/viewers")
        page.fill("#number", case["case_number"])
        page.fill("#reason", "開示請求 3")
        page.keyboard.press("Enter")
        page.wait_for_selector("#found")
        assert "照会で開いた" in page.inner_text("main")
        seen(page, tmp_path, "viewers")
    for url in asked:
        assert url.startswith(site), f"外へ出た: {url}"
        assert "?" not in url
        assert case["case_number"] not in url
        assert f"{case['payee_number']}" not in url


def test_look_up_and_approval_by_two_people_with_the_keyboard_only(both: World, page: Page, tmp_path: Path) -> None:
    case = both.open_case()
    with served(both) as site:
        sign_in(page, site, both, CLERK)
        page.goto(f"{site}/people")
        assert page.evaluate(FOCUSED) == "purpose", "最初に選ぶ所に、はじめから居る"
        page.keyboard.press("ArrowDown")
        keys_to(page, "reason")
        page.keyboard.type("受付 12")
        keys_to(page, "case_number")
        page.keyboard.type(case["case_number"])
        page.keyboard.press("Enter")
        page.wait_for_selector("#why")
        keys_to(page, "見た値、出どころ、変わる条件")
        page.keyboard.press("Enter")
        assert page.is_visible("text=何が違えば、結果が変わるか >> nth=0")
        keys_to(page, "この用件を終える")
        page.keyboard.press("Enter")
        page.wait_for_selector("#purpose")
        given = Answer(2, "戻入", "子育て支援課 回答 3 号")
        failure_answers.answer(both.home, [given], bank_master=in_use(both.home), actor=CLERK, clock=both.clock)
        page.goto(f"{site}/failures/2")
        assert page.is_disabled("button:text-is('承認する')"), "記した人のボタンは、押せない"
        sign_in(page, site, both, FIRST)
        page.goto(f"{site}/failures")
        keys_to(page, "不能 2")
        page.keyboard.press("Enter")
        page.wait_for_selector("#waiting")
        accessible(page)
        page.screenshot(path=tmp_path / "approve.png", full_page=True)
        keys_to(page, "照らして、承認する")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=戻入済")
        _address_by_two(page, site, both, lambda actor: sign_in(page, site, both, actor))


def _address_by_two(page: Page, site: str, both: World, become: Callable[[Actor], None]) -> None:
    """住所: 申し出、別の人の承認、申し出た人の閲覧。名ざされていない人には、並びもない。"""
    address = both.resident(both.marked())["address"]
    become(CLERK)
    page.goto(f"{site}/restricted")
    keys_to(page, "person_number")
    page.keyboard.type(f"{both.marked():010d}")
    page.keyboard.press("Tab")
    page.keyboard.type("手紙の宛先の確かめ")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=別の人の承認を待ちます")
    assert address not in page.content()
    become(FIRST)
    page.goto(f"{site}/restricted")
    keys_to(page, "承認する")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=まで >> nth=0")
    become(CLERK)
    page.goto(f"{site}/restricted")
    keys_to(page, "住所を見る")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=どこの住所か")
    assert address in page.content()
    accessible(page)
    with both.home.ward.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ward.address_shown)).scalar() == 1
    become(OTHER)
    page.goto(f"{site}/restricted")
    assert "開ける件はありません" in page.inner_text("main")
