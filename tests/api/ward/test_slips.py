"""納付状況の画面で納付書を作る: 用件が先で、見てよい人だけに、住所のない PDF が渡り、誰がなぜ作ったかが残る。"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page

from benefit.records import barcodes
from benefit.services import restricted_queue, slips
from tests.api.screen import accessible, narrow, shot
from tests.api.ward.test_collections import WHY, debt_people
from tests.api.world import AUDITOR, CLERK, OTHER, World, served, sign_in

pytestmark = pytest.mark.xdist_group("ward-world")


def numbers(world: World) -> dict[str, int]:
    with world.home.ward.connect() as connection:
        return {row.notice_number: row.id for row in connection.execute(slips.ward.receivable.select())}


def unpaid(world: World, *, secret: bool) -> str:
    """未納の調定の通知書番号（区直轄の人のものか、そうでないものか）。"""
    hidden = restricted_queue.hidden(world.home).people
    for notice, person in sorted(debt_people(world).items()):
        page = world.enter(CLERK).post("/payments/search", **WHY, notice_number=notice).text
        if (int(person) in hidden) is secret and "納付書を作る" in page:
            return notice
    raise AssertionError("未納の調定がない")


def make(world: World, notice: str, *, until: str = "2024-09-30") -> Any:
    return world.post("/payments/slip", receivable=str(numbers(world)[notice]), until=until)


def test_the_slip_is_handed_over_with_its_reason_and_without_an_address(world: World) -> None:
    """調べた用件と理由が記録に残り、PDF のバーコードは残りの額で、住所は刷られない。"""
    notice = unpaid(world, secret=False)
    found = world.post("/payments/search", **WHY, notice_number=notice).text
    answer = make(world, notice)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdfium2.PdfDocument(answer.content)
    text = "".join(document[0].get_textpage().get_text_range().split())
    found_codes = [each.text for each in zxingcpp.read_barcodes(document[0].render(scale=400 / 72).to_pil())]
    (digits,) = [code[1:3] + code[4:] for code in found_codes if code.startswith("(91)")]
    document.close()
    yen = barcodes.read_barcode(digits).amount_yen
    assert f"{yen:,}円" in found
    assert "様" in text
    assert "〒" not in text
    log = world.logged("slip.issue")[-1]
    assert (log["actor"], log["reason"]) == (CLERK.id, "本人からの問合せ: 受付 12")
    again = make(world, notice)
    assert again.content == answer.content


def test_without_a_purpose_or_for_a_hidden_person_no_slip_is_made(world: World) -> None:
    """用件のない人、名ざされていない人、監査の人、ない調定には作らない。台帳に行はできない。"""
    ordinary, secret = unpaid(world, secret=False), unpaid(world, secret=True)
    assert make(world.enter(OTHER), ordinary).status_code == 400
    assert make(world.enter(AUDITOR), ordinary).status_code == 403
    world.enter(OTHER).post("/payments/search", **WHY, notice_number=secret)
    refused, unknown = make(world, secret), world.post("/payments/slip", receivable="999999", until="2024-09-30")
    assert refused.status_code == unknown.status_code == 400
    assert restricted_queue.NO_SUCH in refused.text
    assert restricted_queue.NO_SUCH in unknown.text
    assert make(world, ordinary, until="2024-08-01").status_code == 400
    assert make(world, ordinary, until="あした").status_code == 400
    assert world.logged("slip.issue") == []
    world.enter(CLERK).post("/payments/search", **WHY, notice_number=secret)
    assert make(world, secret).status_code == 200


def test_the_button_is_reached_by_label_and_fits_a_narrow_screen(world: World, page: Page, tmp_path: Path) -> None:
    """ボタンは読み上げで分かり、400% でもはみ出さない。"""
    notice = unpaid(world, secret=False)
    with served(world) as site:
        sign_in(page, site, world, CLERK)
        page.goto(f"{site}/payments")
        page.select_option("#purpose", WHY["purpose"])
        page.fill("#reason", WHY["reason"])
        page.fill("#notice_number", notice)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=納付書を作る")
        accessible(page)
        shot(page, tmp_path, "payments-slip")
        narrow(page, tmp_path, "payments-slip")
        with page.expect_download() as waiting:
            page.get_by_role("button", name="納付書を作る").first.click()
        assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF")
