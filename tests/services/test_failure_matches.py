"""決められない銀行の行を、二人が支払に結ぶ: 機械が結んだときと同じに、一度だけ動く（formats §3.5-1）。"""

from __future__ import annotations

import pytest

from benefit.domain.errors import RefusedByRule
from benefit.services import failure_matches
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, SECOND, Office, refused_by_the_store
from tests.services.failure_ward import Book, closes, lone, stranger


@pytest.fixture
def book(office: Office) -> Book:
    """ほかの課の同じ額の不能が二件、同じ新しい口座へ再振込になり、その一件の不能が六項目だけで届いた帳簿。"""
    made = Book(office)
    made.take(stranger(office, "9876501"), stranger(office, "9876502"))
    for number in (1, 2):
        made.agree(made.answer(number, "再振込", account=made.new_account()))
    made.send()
    made.take(stranger(office, "9111111"))
    return made


def propose(book: Book, payment_id: int = 2, line: tuple[int, int] = (2, 1)) -> int:
    return failure_matches.propose(
        book.office.home, *line, payment_id, reason="銀行に電話で確かめた", actor=MAKER, clock=book.office.clock
    )


def agree(book: Book, number: int) -> None:
    failure_matches.approve(book.office.home, number, actor=FIRST, clock=book.office.clock)


def test_twins_are_shown_to_a_person_and_nothing_moves(book: Book) -> None:
    [line] = [row for row in failure_matches.unmatched(book.office.home) if row["bank_report_id"] == 2]
    assert [one["failure_id"] for one in line["candidates"]] == [1, 2]
    assert {row["state"] for row in book.office.payments()} == {"F41"}
    assert book.statuses() == ["再振込中", "再振込中", "受付"]
    with pytest.raises(RefusedByRule, match="候補"):
        book.answer(3, "再振込", account=book.new_account("9333333"))


def test_two_people_match_the_line_and_the_payment_moves_once(book: Book) -> None:
    number = propose(book)
    assert {row["state"] for row in book.office.payments()} == {"F41"}
    with pytest.raises(RefusedByRule, match="役割"):
        failure_matches.approve(book.office.home, number, actor=MAKER, clock=book.office.clock)
    another = propose(book, 1)
    agree(book, number)
    assert [row["state"] for row in book.office.payments()] == ["F41", "F43"]
    assert book.statuses() == ["再振込中", "再び不能", "受付"]
    assert book.office.balances()["振込不能"] == 12_345
    for again in (number, another):
        with pytest.raises(RefusedByRule, match="もう支払に結ばれて"):
            agree(book, again)
    with pytest.raises(RefusedByRule, match="もう支払に結ばれて"):
        propose(book, 1)
    assert [row["state"] for row in book.office.payments()] == ["F41", "F43"]
    own = ward.report_match_approval.insert().values(
        release_id=another, asked_by=MAKER.id, approved_by=MAKER.id, approved_at=book.office.clock()
    )
    with book.office.home.ward.begin() as connection:
        assert refused_by_the_store(connection, own)
    assert closes(book)


def test_the_matched_money_goes_on_to_its_end(book: Book) -> None:
    agree(book, propose(book))
    book.agree(book.answer(3, "再振込", account=book.new_account("9333333")))
    made = book.resend()
    assert made is not None
    assert made.line_count == 1
    assert book.statuses() == ["再振込中", "再び不能", "再振込中"]
    # 預かったのは一度だけ。
    assert book.office.balances() == {"振込不能": 0, "他課": -24_690, "未払": 0, "振込中": 24_690}
    for approver in (FIRST, SECOND):
        book.office.approve(made.id, approver)
    assert book.office.release(made.id).released
    assert closes(book)


def test_the_matched_money_can_be_reversed(book: Book) -> None:
    agree(book, propose(book))
    book.agree(book.answer(3, "戻入"))
    assert book.statuses() == ["再振込中", "再び不能", "戻入済"]
    assert book.office.balances()["戻入"] == 12_345
    assert closes(book)


def test_a_line_with_an_agreed_answer_cannot_be_matched(book: Book) -> None:
    number = propose(book)
    book.agree(book.answer(3, "戻入", not_ours=True))
    with pytest.raises(RefusedByRule, match="承認された回答"):
        agree(book, number)
    assert {row["state"] for row in book.office.payments()} == {"F41"}


def test_another_account_or_a_line_already_matched_by_the_machine_is_refused(book: Book) -> None:
    book.office.send()
    mine = lone(book.office)
    with pytest.raises(RefusedByRule, match="口座か金額"):
        propose(book, mine["id"])
    taken = book.take(mine)
    assert taken.failed == 1
    with pytest.raises(RefusedByRule, match="もう支払に結ばれて"):
        propose(book, mine["id"], (3, 1))


def test_a_repeated_notice_matched_by_people_is_the_same_item(book: Book) -> None:
    book.office.send()
    mine = lone(book.office)
    book.take(mine)
    book.take(mine | {"holder_kana": "ﾍﾞﾂ ﾉ ﾋﾄ"})
    rows = book.rows().tail(2)
    assert rows["candidates"].to_list() == [str(mine["id"])] * 2
    assert rows["open_yen"].sum() == 2 * mine["amount_yen"]
    agree(book, propose(book, mine["id"], (4, 1)))
    rows = book.rows().tail(2)
    assert rows["status"].to_list() == ["受付", "重複"]
    assert rows["returned_yen"].sum() == mine["amount_yen"] == book.office.balances()["振込不能"]
    assert closes(book)
