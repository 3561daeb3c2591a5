"""振込不能の帳簿: 届いてから終わるまでの一件一件と、期限と、締まる合計（seed 000）。"""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import polars as pl
import pytest

from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.records.transfer_results_csv import REQUIRED
from benefit.services import endings, failure_answers, failure_book, failure_chart, failure_handover, failure_history
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, Office
from tests.services.failure_ward import DUE, SECTION, TODAY, Book, closes, lone, stranger

RECEIVED = date(2024, 7, 26)


@pytest.fixture
def book(office: Office) -> Book:
    """ほかの課の不能が三件届いた帳簿。"""
    made = Book(office)
    made.take(*(stranger(office, f"987650{number}", 10_000 * number) for number in (1, 2, 3)))
    return made


def test_days_are_counted_from_receipt_and_late_answers_are_listed(book: Book) -> None:
    book.ask(1, due_on=DUE)
    review = book.office.clock.now.date() + timedelta(days=10)
    book.agree(book.answer(2, "保留", review_on=review))
    rows = book.rows(DUE)
    assert rows["received_on"].unique().to_list() == [RECEIVED]
    assert rows["days_open"].to_list() == [(DUE - RECEIVED).days] * 3
    assert rows["status"].to_list() == ["照会中", "保留", "受付"]
    assert rows["overdue"].to_list() == [False, True, False]
    assert book.rows(DUE + timedelta(days=1))["overdue"].to_list() == [True, True, False]
    assert book.rows(review - timedelta(days=1))["overdue"].to_list() == [False, False, False]
    assert rows["section"].to_list() == [SECTION, "（未定）", "（未定）"]


def test_asking_again_is_a_reminder_with_a_new_day(book: Book) -> None:
    book.ask(1)
    book.ask(1, due_on=DUE + timedelta(days=7))
    with book.office.home.ward.connect() as connection:
        kinds = [row.kind for row in connection.execute(ward.failure_step.select().order_by(ward.failure_step.c.id))]
    assert kinds == ["照会", "督促"]
    assert book.rows()["due_on"][0] == DUE + timedelta(days=7)
    with pytest.raises(WrongUse, match="過ぎています"):
        book.ask(2, due_on=RECEIVED - timedelta(days=1))


def test_an_answer_ends_an_item_only_when_another_person_agrees(book: Book) -> None:
    number = book.answer(1, "戻入")
    assert book.statuses()[0] == "承認待ち"
    with pytest.raises(RefusedByRule, match="役割"):
        failure_answers.approve(book.office.home, number, actor=MAKER, clock=book.office.clock)
    book.agree(number)
    assert book.statuses()[0] == "戻入済"
    for deed in (lambda: book.agree(number), lambda: book.answer(1, "保留", review_on=DUE), lambda: book.ask(1)):
        with pytest.raises(RefusedByRule):
            deed()
    row = book.rows().row(0, named=True)
    assert (row["reversed_yen"], row["open_yen"], row["days_open"]) == (10_000, 0, 0)
    assert closes(book)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("再振込", {}),
        ("保留", {}),
        ("戻入", {"review_on": DUE}),
        ("保留", {"review_on": RECEIVED}),
        ("戻入", {"reason": "  "}),
        ("もどす", {}),
    ],
)
def test_an_answer_that_says_too_little_or_too_much_is_refused(book: Book, kind: str, told: dict[str, Any]) -> None:
    with pytest.raises(WrongUse):
        book.answer(1, kind, **told)
    assert book.statuses() == ["受付"] * 3


def test_what_was_said_can_neither_be_changed_nor_deleted(book: Book) -> None:
    book.ask(1)
    book.agree(book.answer(1, "戻入"))
    with book.office.home.ward.connect() as connection:
        for table in (ward.failure, ward.failure_step, ward.failure_answer, ward.failure_answer_approval):
            for statement in (table.delete(), table.update().values({table.primary_key.columns[0].name: 99})):
                with pytest.raises(Exception, match=r"append|refuse|permission|変えられ|追記"):
                    connection.execute(statement)
                connection.rollback()


def test_our_own_failures_follow_the_ledger(book: Book) -> None:
    book.office.send()
    mine = lone(book.office)
    book.take(mine)
    assert book.rows()["section"][3] == "この給付"
    with pytest.raises(RefusedByRule, match="この給付の支払"):
        book.ask(4)
    for kind, told in (("再振込", {"account": book.new_account()}), ("戻入", {})):
        with pytest.raises(RefusedByRule, match="この給付の支払"):
            book.answer(4, kind, **told)
    told = failure_answers.notify(book.office.home, due_on=DUE, actor=MAKER, clock=book.office.clock)
    assert [(row["id"], row["due_on"]) for row in told] == [(4, DUE)]
    assert failure_answers.notify(book.office.home, due_on=DUE, actor=MAKER, clock=book.office.clock) == []
    path = failure_history.write_notices(book.office.root / "oshirase", told)
    [line] = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    assert (line["給付管理番号"], line["再届出の期限"]) == (told[0]["case_number"], str(DUE))
    assert book.statuses()[3] == "口座再届出待ち"
    assert book.rows(DUE + timedelta(days=1))["overdue"].to_list() == [False] * 3 + [True]
    number = endings.ask(
        book.office.home, told[0]["case_number"], "契約不成立", reason="期限", actor=MAKER, clock=book.office.clock
    )
    endings.approve(book.office.home, number, actor=FIRST, clock=book.office.clock)
    assert book.statuses()[3] == "戻入済"
    assert book.rows()["reversed_yen"][3] == mine["amount_yen"]
    assert closes(book)


def test_the_sections_get_only_the_six_items_our_number_and_the_day(book: Book) -> None:
    book.ask(1, 3)
    out = book.office.root / "shokai"
    sent = failure_handover.send(book.office.home, out=out, actor=MAKER, clock=book.office.clock, encoding="cp932")
    assert (sent.sections, sent.repeated) == ({SECTION: 2}, False)
    [path] = out.glob("*.csv")
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("cp932"))))
    filled = {name for row in rows for name, value in row.items() if value}
    assert filled == {"不能番号", *REQUIRED, "回答期限"}
    assert [(row["不能番号"], row["口座番号"], row["振込金額"]) for row in rows] == [
        ("1", "9876501", "10000"),
        ("3", "9876503", "30000"),
    ]
    told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (told["件数"], told["合計金額"]) == (2, 40_000)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    again = failure_handover.send(book.office.home, out=out, actor=MAKER, clock=book.office.clock, encoding="cp932")
    assert again.repeated
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before
    with book.office.home.ward.connect() as connection:
        handed = connection.execute(ward.handover.select().where(ward.handover.c.crossing == "failure_out")).all()
    assert [(row.counterpart, row.row_count, row.total_yen) for row in handed] == [(SECTION, 2, 40_000)]


def replied(book: Book, changed: list[dict[str, str]]) -> Path:
    """担当課が書き足した CSV。"""
    out = book.office.root / "shokai"
    failure_handover.send(book.office.home, out=out, actor=MAKER, clock=book.office.clock)
    [path] = out.glob("*.csv")
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(row | more for row, more in zip(rows, changed, strict=True))
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    return path


def take_replies(book: Book, path: Path) -> tuple[list[int], list[str]]:
    return failure_handover.take_replies(
        book.office.home, path, bank_master=book.office.banks, actor=MAKER, clock=book.office.clock
    )


def test_a_sections_file_comes_back_as_answers_and_each_needs_approval(book: Book) -> None:
    book.ask(1, 2, 3)
    account = book.new_account(kana="ﾎｶﾉ ｹﾝ")
    resend = {
        "処理区分": "再振込",
        "新金融機関コード": account.bank_code,
        "新店舗コード": account.branch_code,
        "新預金種目": "1",
        "新口座番号": account.account_number,
        "新口座名義人名": account.holder_kana,
        "回答の理由": "本人から届出",
    }
    numbers, warnings = take_replies(book, replied(book, [resend, {"処理区分": "保留", "見直し日": "2024-09-02"}, {}]))
    assert (len(numbers), warnings) == (2, [])
    assert book.statuses() == ["承認待ち", "承認待ち", "照会中"]
    for number in numbers:
        book.agree(number)
    assert book.statuses() == ["回答済", "保留", "照会中"]
    made = book.resend()
    assert made is not None
    assert (made.line_count, made.total_yen) == (1, 10_000)


def test_a_shifted_row_or_one_bad_row_takes_in_nothing(book: Book) -> None:
    book.ask(1, 2, 3)
    with pytest.raises(RefusedInput, match="ずれ"):
        take_replies(book, replied(book, [{"処理区分": "戻入"}, {"処理区分": "戻入", "不能番号": "3"}, {}]))
    with pytest.raises(WrongUse, match="見直す日"):
        take_replies(book, replied(book, [{"処理区分": "戻入"}, {"処理区分": "保留"}, {}]))
    assert book.statuses() == ["照会中"] * 3


def test_the_accounting_office_sees_every_item_and_sums_that_close(book: Book, tmp_path: Path) -> None:
    book.ask(1, due_on=TODAY)
    book.agree(book.answer(2, "戻入"))
    rows = book.rows(DUE)
    for by in ("status", "section"):
        total = failure_book.totals(rows, by)
        end = total.row(-1, named=True)
        assert end["返った額（円）"] == end["再振込（円）"] + end["戻入（円）"] + end["未処理（円）"] == 60_000
        assert total[:-1].select(pl.col(pl.Int64).sum()).row(0) == total.select(pl.col(pl.Int64)).row(-1)
    path = tmp_path / "book.xlsx"
    path.write_bytes(failure_book.render(rows, made=book.office.clock(), title="振込不能の帳簿"))
    with ZipFile(path) as whole:
        written = {name: whole.read(name).decode("utf-8", "ignore") for name in whole.namelist()}
    assert not any("<f>" in text for name, text in written.items() if "sheet" in name)
    everything = "".join(written.values())
    assert "****501" in everything
    assert "9876501" not in everything
    figure = failure_chart.render(rows, title="終わっていない振込不能")
    ElementTree.fromstring(figure)  # 自分で書いた図
    assert "60 日まで 2 件 40,000 円（期限を過ぎた 1 件）" in figure
    assert failure_chart.by_age(rows)["件数"].sum() == 2


def test_the_history_of_one_item_names_people_and_hides_the_account(book: Book) -> None:
    book.ask(1)
    book.agree(book.answer(1, "再振込", account=book.new_account("9123456")))
    failure_answers.note(book.office.home, 1, "電話で確認", actor=MAKER, clock=book.office.clock)
    _row, lines = failure_history.of(book.office.home, 1, TODAY)
    said = "\n".join(lines)
    assert "照会 子育て支援課" in said
    assert "口座 ****456" in said
    assert "承認 shonin1" in said
    assert "9123456" not in said
    assert len(lines) == 3
