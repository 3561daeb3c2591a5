"""本物の Chromium で、窓口の一日、審査の二人、管理者の朝を歩く。キーボードだけ、JavaScript なし、axe 0、320 px でもはみ出さない。"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benefit.domain.access import DeskRole
from benefit.domain.deficiency import CHECK_ITEMS
from benefit.services import look_up_limits
from benefit.store import desk
from tests.api.conftest import Desk, Site, number_of
from tests.api.papers import case, of, person
from tests.api.screen import accessible, enter

pytestmark = pytest.mark.browser
_SEEN: set[str] = set()
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


class Walk:
    """一人の画面。見るたびに axe と、400% での幅を確かめる。"""

    def __init__(self, page: Page, site: Site, role: DeskRole, staff_id: str = "") -> None:
        self.page, self.site = page, site
        self.who = person(site.desk, role, staff_id)
        page.context.clear_cookies()
        enter(page, site, self.who.actor.id)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site}{path}")

    def look(self, name: str) -> None:
        # 画面の作りは台帳によらない。同じ画面は一度だけ見る。
        if name in _SEEN:
            return
        _SEEN.add(name)
        accessible(self.page)
        self._keep(name)
        self.page.set_viewport_size({"width": 320, "height": 640})
        assert self.page.evaluate(FITS), f"{name} が横にはみ出している"
        self._keep(f"{name}-400")
        self.page.set_viewport_size({"width": 1280, "height": 900})

    def _keep(self, name: str) -> None:
        # 目で見るための写し（BENEFIT_SHOTS にフォルダ）。
        if folder := os.environ.get("BENEFIT_SHOTS"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def type(self, text: str, *, into: str = "#case_number") -> None:
        """いま焦点のある所に打つ。`into` に焦点が来るのを待つ（autofocus は、画面が開いた少し後に効く）。"""
        self.page.wait_for_selector(f"{into}:focus")
        self.page.keyboard.type(text)

    def enter(self) -> None:
        """Enter で送り、次の画面が開くまで待つ（同じ言葉の画面が続いても、前の画面を読まない）。"""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def click(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()

    def reach(self, selector: str) -> None:
        """Tab だけで、そこへ行く。"""
        for _ in range(80):
            if self.page.evaluate("found => document.activeElement.matches(found)", selector):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(selector)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """JavaScript を切った画面。"""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_a_form_is_taken_with_javascript_switched_off(plain: Page, site: Site) -> None:
    walk = Walk(plain, site, DeskRole.COUNTER)
    walk.open("/intake")
    walk.type(of("C20"))
    walk.enter()
    plain.wait_for_selector("text=収受しました")
    assert case(site.desk, of("C20"))["state"] == "C22"


def test_a_day_at_the_counter_with_a_scanner_and_the_keyboard_alone(page: Page, site: Site) -> None:
    walk = Walk(page, site, DeskRole.COUNTER)
    walk.open("/intake")
    walk.look("intake")
    # 読み取り機: 11 桁と Enter。焦点はいつも番号の箱にある。
    for place, said in (
        (100, "収受しました"),
        (101, "収受しました"),
        (100, "二重提出です"),
        (9_001, "番号がありません → 区で確認します"),
    ):
        walk.type(number_of(place))
        walk.enter()
        page.wait_for_selector(f"text={said}")
        assert page.evaluate("document.activeElement.id") == "case_number"
        assert page.input_value("#case_number") == ""
        assert number_of(place) not in page.url
    walk.look("intake-unknown")
    walk.type(of("C20"))
    walk.enter()
    walk.look("intake-taken")
    assert "4 枚" in page.inner_text("#mine")
    # 束の種類を、矢印で変える。次の一枚にも残る。
    walk.reach("input[name=kind]")
    walk.press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")
    page.focus("#case_number")
    walk.type(of("C24"))
    walk.enter()
    page.wait_for_selector("text=収受しました")
    assert page.input_value("input[name=kind]:checked") == "correction"
    assert case(site.desk, of("C24"))["state"] == "C26"
    walk.reach("#undo_reason")
    walk.type("別の束の紙だった", into="#undo_reason")
    walk.enter()
    page.wait_for_selector("text=取り消しました")
    assert case(site.desk, of("C24"))["state"] == "C24"
    walk.reach("summary")
    walk.press("Enter")
    walk.reach("#numbers")
    walk.type(f"{number_of(102)}", into="#numbers")
    walk.press("Enter")
    walk.type("123", into="#numbers")
    walk.press("Tab")
    walk.enter()
    page.wait_for_selector("#lines")
    walk.look("intake-list")
    walk.open("/intake/returned")
    walk.type(number_of(103))
    walk.enter()
    page.wait_for_selector("text=返戻を入れました")
    walk.look("returned")


def key_account(walk: Walk, number: str, *, account_number: str = "1234567") -> None:
    """銀行の番号の箱から、Tab と数字だけで口座を打つ。"""
    walk.reach("#bank_code")
    walk.type("9999", into="#bank_code")
    walk.press("Tab")
    walk.type("001", into="#branch_code")
    walk.press("Tab")
    walk.type("1", into="#account_type")
    walk.press("Tab")
    walk.type(account_number, into="#account_number")
    walk.press("Tab")
    walk.page.keyboard.insert_text(case(walk.site.desk, number)["kana_name"])


def key_first(walk: Walk, number: str) -> None:
    """一次入力: 項目を矢印で、口座を数字で、Enter で終える。"""
    for key in CHECK_ITEMS:
        walk.page.wait_for_selector(f"input[name=check_{key}]:focus")
        walk.press("Space", "Tab")
    key_account(walk, number)
    walk.enter()


def test_two_reviewers_key_the_same_form_and_a_difference_goes_back(page: Page, site: Site) -> None:
    walk = Walk(page, site, DeskRole.REVIEWER)
    walk.open("/review")
    walk.look("review")
    number = of("C26")
    walk.reach("button[aria-label='一次入力: 補正の次の一件']")
    walk.enter()
    page.wait_for_selector("#item-signature")
    assert "/review/case" in page.url
    # 不備から: 符号のない不備は断られる。
    walk.click("text=不備にする")
    page.wait_for_selector(".error")
    walk.look("review-first-error")
    walk.open("/review/case")
    walk.look("review-first")
    walk.reach("input[value=signature]")
    walk.press("Space")
    walk.reach("button[value=deficient]")
    walk.enter()
    page.wait_for_selector("text=不備にしました")
    walk.open("/deficiencies")
    walk.look("deficiencies")
    page.fill("#case_number", number)
    walk.enter()
    page.wait_for_selector("text=署名の欄に")
    walk.look("deficiency")
    walk.click("text=知らせたことを書く")
    page.wait_for_selector("text=補正期限は 2024-07-04")
    page.fill("#case_number", number)
    walk.enter()
    walk.click("text=補正を収受する")
    page.wait_for_selector("text=受け付けました")
    # 補正の後: 二人が打ち、違えば戻る。
    for account_number, said in (("1234576", "二人の入力が違います"), ("1234567", "審査完了")):
        walk = Walk(page, site, DeskRole.REVIEWER)
        walk.open("/review")
        walk.type(number)
        walk.enter()
        page.wait_for_selector("#item-signature")
        key_first(walk, number)
        page.wait_for_selector("text=一次入力が済みました")
        walk.look("review-own")
        walk.type(number)
        walk.enter()
        page.wait_for_selector("text=同じ人の二度の入力では")
        assert page.locator("button.main[disabled]").count() == 1
        walk.look("review-refused")
        walk = Walk(page, site, DeskRole.REVIEWER, "reviewer2")
        walk.open("/review")
        walk.reach("button[aria-label='二次入力（照合）の次の一件']")
        walk.enter()
        page.wait_for_selector("text=二次入力（照合）")
        walk.look("review-second")
        key_account(walk, number, account_number=account_number)
        walk.enter()
        page.wait_for_selector(f"text={said}")
        walk.look(f"review-compared-{account_number}")
    assert case(site.desk, number)["state"] == "C27"


def busy(system: Desk, staff_id: str, role: DeskRole) -> None:
    """この人を、調べる数の上限で止める。"""
    who = person(system, role, staff_id)
    at = system.clock()
    with system.home.desk.begin() as connection:
        connection.execute(desk.access.look_up.insert(), [{"staff_id": staff_id, "at": at}] * (look_up_limits.HARD - 1))
        look_up_limits.count_or_stop(connection, who.actor, at)


def test_the_supervisors_morning(page: Page, site: Site) -> None:
    counter = person(site.desk, DeskRole.COUNTER)
    for place in range(100, 104):
        counter.post(
            "/intake/scan", case_number=number_of(place), kind="confirmation", channel="post", received_on="2024-06-20"
        )
    busy(site.desk, "operator1", DeskRole.OPERATOR)
    walk = Walk(page, site, DeskRole.SUPERVISOR)
    walk.open("/supervisor")
    walk.look("supervisor")
    page.fill("input[id^=release-]", "月末の問合せが重なったと本人に聞いた")
    walk.enter()
    page.wait_for_selector("text=この側を解きました")
    assert page.locator("button[disabled]").count() == 1
    page.fill("#step_number", number_of(100))
    walk.enter()
    page.wait_for_selector("text=最後の一歩:")
    walk.look("supervisor-undo")
    walk.type("別の人の紙だった", into="#undo_reason")
    walk.enter()
    page.wait_for_selector("text=取り消しました")
    assert case(site.desk, number_of(100))["state"] == "C20"
    walk.open("/letters-due")
    walk.click("text=期限の近い人に、勧奨を頼む")
    page.wait_for_selector("text=頼みました")
    walk.look("letters")
    page.locator("input[name=letter]").first.check()
    walk.click("button.main")
    page.wait_for_selector("text=1 通を「印刷」にしました")
    walk = Walk(page, site, DeskRole.WARD_CLERK)
    walk.open("/supervisor")
    page.fill("input[id^=release-]", "管理者と話した")
    walk.enter()
    page.wait_for_selector("text=二つの側がそろい、解けました")
    walk.look("supervisor-ward")
