"""本物のサーバーと Chromium で、キーボードだけで: 判定を別の人が承認し、振込を二人が承認して送り出す。"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from benefit.store import ward
from tests.api.conftest import PASSWORD
from tests.api.screen import accessible
from tests.api.ward.conftest import Ward, serving
from tests.api.ward.test_approvals import build_without
from tests.services.conftest import MAKER
from tests.support import people

pytestmark = pytest.mark.browser
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
#: いま焦点のある物の名（ラベル、aria-label、文字）。
FOCUSED = """() => {
  const one = document.activeElement;
  return one.getAttribute('aria-label') || (one.labels && one.labels[0] ? one.labels[0].innerText : one.innerText) || '';
}"""


class Hands:
    """マウスを使わない人。"""

    def __init__(self, page: Page, site: str, made: Ward) -> None:
        self.page, self.site, self.made = page, site, made

    def reach(self, name: str) -> None:
        """Tab だけで、その名の物まで行く。"""
        for _ in range(120):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(FOCUSED).strip().startswith(name):
                return
        raise AssertionError(f"「{name}」まで Tab で行けない")

    def press(self, name: str) -> None:
        """その名の物まで行き、Enter で押して、次の画面を待つ。"""
        self.reach(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def write(self, name: str, words: str) -> None:
        self.reach(name)
        self.page.keyboard.type(words)

    def enter(self, staff_id: str) -> None:
        self.page.goto(f"{self.site}/login")
        code = people.code(self.made.home, "ward", staff_id, self.made.office.clock)
        for name, words in (("ID", staff_id), ("合言葉", PASSWORD), ("数字", code)):
            if not self.page.evaluate(FOCUSED).strip().startswith(name):
                self.reach(name)
            self.page.keyboard.type(words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def look(self) -> None:
        """この画面が、誰にでも読めて、320 px（400%）でも横にはみ出さないこと。台帳の種類によらないので、SQLite で見る。"""
        if self.made.home.ward.dialect.name != "sqlite":
            return
        accessible(self.page)
        self.page.set_viewport_size({"width": 320, "height": 640})
        assert self.page.evaluate(FITS), f"{self.page.url} が横にはみ出している"
        self.page.set_viewport_size({"width": 1280, "height": 900})


def test_a_build_is_approved_by_another_person_who_saw_the_difference(page: Page, ward_desk: Ward) -> None:
    made = ward_desk
    number = build_without(made.office, by=MAKER, drop=4, day=22)
    with serving(made) as site:
        hands = Hands(page, site, made)
        hands.enter("tanto")
        hands.look()
        hands.press("承認")
        hands.look()
        hands.press("r6-2024 の判定")
        # 作った人のボタンは押せず、訳が書いてある。
        assert page.locator("button.main").is_disabled()
        assert "あなたが作った" in page.inner_text("#why-not")
        hands.look()
        hands.enter("shonin1")
        page.goto(f"{site}/approvals/build/{number}")
        assert "判定 1（" in page.inner_text("dl.facts")
        hands.press("承認へ進む")
        # 間違いかもしれないことがあるので、一度立ち止まる。
        assert "確かめてください" in page.inner_text("h1")
        hands.look()
        hands.press("確かめたので、進む")
        hands.look()
        hands.write("誰も外さなかった検査", "架空の区が小さい")
        hands.press("承認する")
        assert "あなたは承認しました" in page.inner_text(".done")
    assert [row["subject"] for row in made.audit("beneficiaries.approve")][-1] == f"r6-2024/{number}"


@pytest.mark.parametrize("store", ["ward_desk", "ward_desk_pg"])
def test_a_transfer_is_approved_by_two_people_and_sent_with_the_keyboard_alone(
    page: Page, request: pytest.FixtureRequest, store: str, tmp_path: Path
) -> None:
    made: Ward = request.getfixturevalue(store)
    made.office.judge()
    with serving(made) as site:
        hands = Hands(page, site, made)
        hands.enter("tanto")
        hands.press("振込")
        hands.look()
        hands.write("振込指定日", "2024-08-02")
        hands.press("振込ファイルを作る")
        address = page.url
        assert page.locator("button.main").first.is_disabled()
        hands.look()
        for place, staff_id in enumerate(("shonin1", "shonin2"), 1):
            hands.enter(staff_id)
            page.goto(address)
            hands.press("承認へ進む")
            if page.locator("h1", has_text="承認の前に").count():
                hands.press("確かめたので、進む")
            hands.look()
            assert f"{place} 人目 {staff_id}（あなた）" in page.inner_text("dl.facts")
            hands.press("承認する")
            assert "あなたは承認しました" in page.inner_text(".done")
        hands.enter("tanto")
        page.goto(address)
        hands.press("銀行への送り出しへ進む")
        hands.look()
        hands.press("送り出す")
        assert "tanto が送り出しました" in page.inner_text(".chip")
        page.screenshot(path=tmp_path / "released.png", full_page=True)
    assert {row["state"] for row in made.office.payments()} == {"F41"}
    assert made.count(ward.transfer_release) == 1
    assert len(list((made.home.outbox / "bank").iterdir())) == 1
