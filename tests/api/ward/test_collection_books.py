"""収納の帳簿の画面: 銀行の入金を二人で記録して突き合わせを閉じる、口座振替の承認と結果の図、明細の違い。"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import polars as pl
import pytest
from playwright.sync_api import Page

from benefit.services import (
    bank_master,
    debit_accounts,
    debit_results,
    debit_terms_file,
    direct_debits,
    receivables,
)
from benefit.services.debit_accounts import Change
from benefit.services.home import Home
from tests.api.screen import accessible, narrow, shot
from tests.api.world import CLERK, FIRST, OTHER, World, served, sign_in
from tests.collection.debit_world import DebitWorld
from tests.collection.test_special_statements import SLIP, STATEMENT, receive

pytestmark = pytest.mark.xdist_group("ward-world")
CREDIT = {"channel": "コンビニ", "on": "2024-08-05", "amount": "900", "reference": "0805-2", "reason": "通帳"}
DEBIT_ON = date(2024, 8, 30)


def balance(world: World) -> str:
    return str(world.get("/collections/balance").text)


def test_the_daily_balance_is_closed_by_two_people_on_the_screen(both: World) -> None:
    """銀行の入金が 900 円足りない日: 一人が書いても閉じず、別の人が承認して閉じる。"""
    both.enter(CLERK)
    assert "！-900" in balance(both)
    for _ in range(2):
        assert both.post("/collections/credits", operation="credit-op-1", **CREDIT).status_code == 200
    page = balance(both)
    assert "！-900" in page
    assert "承認を待つ銀行の入金 1 件" in page
    assert both.post("/collections/credits/approve", operation="approve-op-1", number="2").status_code == 403
    page = both.enter(FIRST).post("/collections/credits/approve", operation="approve-op-2", number="2").text
    assert "✓ どの日も、銀行の入金 = 消込 + 保留 − 手数料 です。" in page
    again = both.enter(CLERK).post("/collections/credits", operation="credit-op-2", **CREDIT)
    assert (again.status_code, "もう記録してあります" in again.text) == (400, True)
    assert [row["reason"] for row in both.logged("collection.credit.approve")][-1] == "通帳"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"channel": "郵便"}, "経路を選んで"), ({"on": "8/5"}, "銀行に入った日"), ({"amount": "0"}, "入金の額"),
     ({"on": "2030-01-01"}, "まだ来ていない"), ({"reason": " "}, "理由を書いて")],
)  # fmt: skip
def test_a_wrong_credit_is_told_in_words(world: World, wrong: dict[str, str], says: str) -> None:
    answer = world.enter(CLERK).post("/collections/credits", operation="wrong-op-1", **(CREDIT | wrong))
    assert (answer.status_code, says in answer.text) == (400, True)


def debit(world: World, out: Path, *, secret: int | None = None) -> DebitWorld:
    """科目 101 の調定が三件と、承認を待つ依頼が三つある区。"""
    home: Home = world.home
    debit_terms_file.put_example(home)
    bank_master.use_rehearsal(home, [("9999", "101")])
    people = [1, 2, secret or 3]
    rows = [("101", 2024, 1, f"{70 + at}", f"{one}", 1_000 * at, 0, DEBIT_ON) for at, one in enumerate(people, 1)]
    receivables.register(
        home, pl.DataFrame(rows, schema=receivables.RECEIVABLE, orient="row"), reason="登録", clock=world.clock
    )
    terms = debit_terms_file.load(home)
    for at, one in enumerate(people, 1):
        change = Change(f"{one}", "101", "開始", date(2024, 4, 1), "9999", "101", "1", f"900000{at}", "ｶｸｳ ﾀﾛｳ")
        debit_accounts.ask(home, terms, change, reason="依頼書", actor=CLERK, clock=world.clock)
    return DebitWorld(home, world.clock, out)


def test_requests_are_approved_by_their_fingerprint_and_results_are_drawn(both: World, tmp_path: Path) -> None:
    made = debit(both, tmp_path)
    both.enter(FIRST)
    page = both.get("/collections/debits").text
    assert "承認を待つ依頼 3 件" in page
    assert "****001" in page
    assert "9000001" not in page, "口座番号が全部出ている"
    for number in ("1", "2", "3"):
        both.post("/collections/debits/enrolments/approve", operation=f"enrol-op-{number}", number=number)
    request = direct_debits.make(both.home, debit_on=DEBIT_ON, reason="8 月分", actor=CLERK, clock=both.clock).request
    assert request is not None
    wrong = both.post("/collections/debits/approve", operation="debit-op-1", number="1", digest="0" * 64)
    assert (wrong.status_code, "見た請求と違います" in wrong.text) == (400, True)
    done = both.post("/collections/debits/approve", operation="debit-op-2", number="1", digest=request.sha256)
    assert "送り出す前（承認済）" in done.text
    direct_debits.release(both.home, 1, out=tmp_path, actor=CLERK, clock=both.clock)
    debit_results.take(both.home, made.answer(request, "0", "1", "2"), file_name="kekka", clock=both.clock)
    page = both.enter(CLERK).get("/collections/debits").text
    assert "<svg" in page
    assert "1 資金不足" in page
    assert "結果がそろった" in page
    book = both.post("/collections/workbook", what="debits", reason="月次")
    assert "振替不能" in ZipFile(io.BytesIO(book.content)).read("xl/sharedStrings.xml").decode()


def test_a_ward_only_person_is_not_shown_to_those_not_named(world: World, tmp_path: Path) -> None:
    secret = world.marked()
    debit(world, tmp_path, secret=secret)
    assert f"{secret:010d}" in world.enter(CLERK).get("/collections/debits").text
    page = world.enter(OTHER).get("/collections/debits").text
    assert "（区直轄）" in page
    assert f"{secret:010d}" not in page


def differ(world: World) -> None:
    receive(world.home, world.clock, SLIP, (1, 600, "20240710"), (2, 100, "20240710"))
    receive(world.home, world.clock, STATEMENT, (1, 500, "20240710"), (2, 100, "20240710"))


def test_a_difference_of_the_statements_is_closed_with_a_reason(both: World) -> None:
    differ(both)
    page = both.enter(CLERK).get("/collections/differences").text
    assert "税額が違う" in page
    digest = page.split('name="digest" value="')[1].split('"')[0]
    given = {"employer": f"{1:015d}", "month": "2024-07", "digest": digest}
    assert both.post("/collections/differences/close", operation="close-op-1", **given).status_code == 400
    page = both.post("/collections/differences/close", operation="close-op-2", reason="紙で確認", **given).text
    assert "✓ ありません" in page
    assert both.logged("collection.statement.close")[-1]["reason"] == "紙で確認"


@pytest.mark.browser
def test_the_books_are_readable_in_a_browser(world: World, page: Page, tmp_path: Path) -> None:
    made = debit(world, tmp_path / "bank")
    for number in (1, 2):
        debit_accounts.approve(world.home, number, actor=FIRST, clock=world.clock)
    request = direct_debits.make(world.home, debit_on=DEBIT_ON, reason="8 月", actor=CLERK, clock=world.clock).request
    assert request is not None
    direct_debits.approve(world.home, request.id, actor=FIRST, clock=world.clock)
    direct_debits.release(world.home, request.id, out=tmp_path / "bank", actor=CLERK, clock=world.clock)
    debit_results.take(world.home, made.answer(request, "1", "2"), file_name="kekka", clock=world.clock)
    direct_debits.make(world.home, debit_on=date(2024, 9, 30), reason="9 月", actor=CLERK, clock=world.clock)
    differ(world)
    world.enter(CLERK).post("/collections/credits", operation="credit-op-1", **CREDIT)
    with served(world) as site:
        sign_in(page, site, world, FIRST)
        for path in ("balance", "differences", "debits"):
            page.goto(f"{site}/collections/{path}")
            accessible(page)
            shot(page, tmp_path, path)
            narrow(page, tmp_path, path)
