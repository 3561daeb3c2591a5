"""受渡管理簿の画面: 次にすることだけが書け、合言葉は受領の後に別の人の答えにだけ出て、どこにも残らない。"""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pypdfium2
import pytest
from playwright.sync_api import Page

from benefit.domain.handover_states import ISSUED, RECEIVED, REPORTED, USED
from benefit.services import handover_book, handover_book_files
from benefit.services.handover_book_passphrase import new_passphrase
from benefit.store import ward
from tests.api.conftest import PASSWORD
from tests.api.screen import accessible, narrow, shot
from tests.api.ward.conftest import Ward, serving
from tests.services.test_handover_book import made as made_package
from tests.support import people

ISSUE = {"handler": "甲野", "companion": "乙山", "locked_bag": "1", "medium": "DVD-R", "quantity": "2"}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, ward_desk: Ward) -> str:
    """包みが一つある区。包みのファイルの確かめと関門は tests/services/test_handover_package.py が守る。"""
    monkeypatch.setattr(handover_book_files, "_may_leave", lambda *_given: None)
    told = new_passphrase()
    made_package(ward_desk.home, ward_desk.office.clock, passphrase=told, report_days=3)
    made_package(ward_desk.home, ward_desk.office.clock, "bank_out")
    return told


def number(made: Ward) -> int:
    return handover_book.item(made.home, "1", made.office.clock.now.date()).id


def step(made: Ward, staff_id: str, what: str, key: str = "", **given: str) -> str:
    """この人で歩みを書き、次の画面を返す。"""
    day = f"{made.office.clock.now.date()}"
    data = {"csrf": made.login(staff_id), "operation": key or f"step-{what}-{staff_id}", "step": what, "done_on": day}
    answer = made.client.post(f"/handovers/book/{number(made)}/step", data={**data, "handler": "丙田", **given})
    return str(answer.text)


def ask(made: Ward, staff_id: str, to: str = "印刷 太郎") -> tuple[int, str]:
    csrf = made.login(staff_id)
    code = people.code(made.home, "ward", staff_id, made.office.clock)
    data = {"csrf": csrf, "told_to": to, "password": PASSWORD, "code": code}
    answer = made.client.post(f"/handovers/book/{number(made)}/passphrase", data=data)
    assert answer.url.query == b""
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, str(answer.text)


def test_a_package_walks_from_issue_to_its_erasure_report_on_the_screen(ward_desk: Ward, secret: str) -> None:
    made = ward_desk
    path = f"/handovers/book/{number(made)}"
    assert "作った人は、出庫できません" in step(made, "tanto", ISSUED, **ISSUE)
    refused = step(made, "shonin1", ISSUED, "bag-key-1", **{**ISSUE, "locked_bag": ""})
    assert "鍵付きかばん" in refused
    assert 'value="乙山"' in refused, "打ったものは消えない"
    assert "受領の記録" in step(made, "shonin1", ISSUED, **ISSUE)
    assert ask(made, "shonin2")[0] == 400
    assert "媒体の数が、渡した数と違います" in step(made, "tanto", RECEIVED, "short-key", quantity="1")
    step(made, "tanto", RECEIVED, quantity="2")
    # 同じ送信が二度届いても、一つの歩みである。
    step(made, "tanto", RECEIVED, quantity="2")
    assert made.count(ward.handover_event) == 2
    status, shown = ask(made, "shonin1")
    assert (status, secret in shown) == (400, False)
    status, shown = ask(made, "shonin2")
    assert (status, secret in shown) == (200, True)
    assert secret not in made.client.get(path).text
    assert "使用した日から" in made.client.get(path).text
    step(made, "tanto", USED)
    made.office.clock.now += timedelta(days=4)
    made.login("tanto")
    front = made.client.get("/").text
    assert "期限を過ぎたもの 1 件" in front
    assert "消去報告書が 1 日遅れ" in made.client.get("/handovers/book").text
    step(made, "tanto", "返却", quantity="2")
    step(made, "tanto", "消去", note="磁気消去")
    assert "この歩みは書けません" not in step(made, "tanto", REPORTED, note="消去報告書 第 7 号")
    assert "遅れ" not in made.client.get("/handovers/book").text
    assert "この歩みは書けません" in step(made, "tanto", REPORTED, "again-key", note="x")
    # 合言葉は、台帳のどこにも（札にも監査ログにも）平らには残っていない。
    with made.home.ward.connect() as connection:
        for table in ward.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                assert secret not in str(tuple(row)), table.name
    assert [row["actor"] for row in made.audit("handover.passphrase")] == ["shonin2"]


def test_the_book_leaves_with_a_reason_as_a_sheet_without_formulas_and_as_paper(
    ward_desk: Ward, secret: str, tmp_path: Path
) -> None:
    made = ward_desk
    del secret
    csrf = made.login("tanto")
    assert "理由を書いてください" in made.client.post("/handovers/book/file", data={"csrf": csrf}).text
    assert made.audit("handover.book") == []
    given = {"csrf": csrf, "reason": "=審議会"}
    book = made.client.post("/handovers/book/file", data={**given, "form": "xlsx"})
    with ZipFile(io.BytesIO(book.content)) as parts:
        sheets = [parts.read(name).decode() for name in parts.namelist() if "worksheets" in name]
        assert len(sheets) == 2
        assert not any("<f>" in sheet for sheet in sheets)
        words = parts.read("xl/sharedStrings.xml").decode()
    for word in (
        "件名",
        "相手方",
        "記録媒体",
        "受渡日",
        "受渡者",
        "受領者",
        "内容",
        "返却・消去日",
        "消去報告書",
        "=審議会",
    ):
        assert word in words
    paper = made.client.post("/handovers/book/file", data={**given, "form": "pdf"})
    (tmp_path / "book.pdf").write_bytes(paper.content)
    document = pypdfium2.PdfDocument(tmp_path / "book.pdf")
    try:
        assert len(document) == 2
        page = document[0]
        text = page.get_textpage()
        told = text.get_text_range()
        text.close()
        page.close()
    finally:
        document.close()
    assert "株式会社架空印刷" in told
    assert "1,234" in told
    assert [row["reason"] for row in made.audit("handover.book")] == ["=審議会"] * 2
    assert made.client.get("/handovers/book/999").status_code == 404


@pytest.mark.browser
def test_the_screens_are_accessible_and_fit_a_narrow_window(
    ward_desk: Ward, secret: str, page: Page, tmp_path: Path
) -> None:
    made = ward_desk
    with serving(made) as site:
        page.goto(f"{site}/login")
        page.fill("#staff_id", "shonin2")
        page.fill("#password", PASSWORD)
        page.fill("#code", people.code(made.home, "ward", "shonin2", made.office.clock))
        page.keyboard.press("Enter")
        page.wait_for_selector("form[action='/logout']")
        item = f"{site}/handovers/book/{number(made)}"
        page.goto(item)
        looked(page, tmp_path, "book-made")
        step(made, "shonin1", ISSUED, **ISSUE)
        step(made, "tanto", RECEIVED, quantity="2", note="受領書 第 12 号")
        page.goto(item)
        page.fill("#told_to", "印刷 太郎")
        if page.locator("#password").count():
            page.fill("#password", PASSWORD)
            page.fill("#code", people.code(made.home, "ward", "shonin2", made.office.clock))
        page.click("text=合言葉を見る")
        assert secret in page.locator("#main").inner_text()
        looked(page, tmp_path, "book-told")
        assert secret not in page.url
        made.office.clock.now += timedelta(days=9)
        page.goto(f"{site}/login")
        page.fill("#staff_id", "shonin2")
        page.fill("#password", PASSWORD)
        page.fill("#code", people.code(made.home, "ward", "shonin2", made.office.clock))
        page.keyboard.press("Enter")
        page.wait_for_selector("form[action='/logout']")
        for path, name in ((f"{site}/handovers/book", "book-list"), (item, "book-late")):
            page.goto(path)
            looked(page, tmp_path, name)


def looked(page: Page, folder: Path, name: str) -> None:
    """axe の指摘がなく、320px でもはみ出さない。"""
    accessible(page)
    shot(page, folder, name)
    narrow(page, folder, name)
