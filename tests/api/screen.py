"""本物のブラウザで画面を使う手順。"""

from __future__ import annotations

import os
from pathlib import Path

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


def fits(page: Page) -> bool:
    """横にはみ出していないか。"""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def shot(page: Page, folder: Path, name: str) -> None:
    """絵を撮る（SHOTS があればそこへ。人が見るため）。"""
    kept = Path(os.environ.get("SHOTS", folder))
    page.screenshot(path=kept / f"{name}.png", full_page=True)


def narrow(page: Page, folder: Path, name: str) -> None:
    """400% 拡大と同じ幅（320px）で、はみ出さないことを確かめ、絵を撮り、幅を戻す。"""
    page.set_viewport_size({"width": 320, "height": 640})
    assert fits(page), f"{name}: 400% で横にはみ出す"
    shot(page, folder, f"{name}-400")
    page.set_viewport_size({"width": 1280, "height": 900})


def look_up(page: Page, words: str, *, reference: str = "T-1", purpose: str = "") -> None:
    """電話の番号を入れて（まだなら）探す。"""
    if page.locator("#call_reference").count():
        page.fill("#call_reference", reference)
        if purpose:
            page.select_option("#purpose", purpose)
    page.fill("#words", words)
    page.keyboard.press("Enter")


def identify(page: Page, **typed: str) -> None:
    """聞いたことを打つ。"""
    page.wait_for_selector("text=確かめる")
    name = page.locator("input[name=ticked][value=name]")
    if name.count():
        name.check()
    for code, words in typed.items():
        page.fill(f"#{code}", words)
    page.click("text=確かめる")
