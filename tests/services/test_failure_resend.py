"""ほかの課の不能の再振込: 承認された回答の口座へ、同じ二人の承認で、同じお金は一度だけ（formats §3.5-3・4、seed 000）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records.transfer_result_row import Outcome
from benefit.services import failure_answers, transfers
from benefit.store import ward
from tests.services.conftest import FIRST, MAKER, SECOND, Office, answered, refused_by_the_store
from tests.services.failure_ward import TODAY, Book, closes, stranger

MONDAY = date(2024, 8, 19)


@pytest.fixture
def book(office: Office) -> Book:
    """ほかの課の不能が一件届いた帳簿。"""
    made = Book(office)
    made.take(stranger(office))
    return made


def agreed(book: Book, number: int = 1, **told: Any) -> int:
    """再振込の回答を、別の人が承認する。"""
    answer = book.answer(number, "再振込", account=told.pop("account", book.new_account()), **told)
    book.agree(answer)
    return answer


def test_from_receipt_to_the_new_account_and_the_end(book: Book) -> None:
    assert book.statuses() == ["受付"]
    book.ask(1)
    assert book.statuses() == ["照会中"]
    answer = book.answer(1, "再振込", account=book.new_account())
    assert book.statuses() == ["承認待ち"]
    assert book.resend() is None
    book.agree(answer)
    assert book.statuses() == ["回答済"]
    sent = book.send()
    assert (sent.line_count, sent.total_yen) == (1, 12_345)
    assert book.statuses() == ["再振込中"]
    book.results(answered(book.office, sent.id, created_on=date(2024, 8, 14)))
    row = book.rows().row(0, named=True)
    assert (row["status"], row["resent_yen"], row["open_yen"], row["days_open"]) == ("再振込済", 12_345, 0, 0)
    assert book.office.balances() == {"振込不能": 0, "他課": -12_345, "未払": 0, "振込中": 0, "支給済": 12_345}
    assert closes(book)


def test_nothing_is_sent_without_another_persons_approval(book: Book) -> None:
    answer = book.answer(1, "再振込", account=book.new_account())
    assert book.resend() is None
    with pytest.raises(RefusedByRule, match="役割"):
        failure_answers.approve(book.office.home, answer, actor=MAKER, clock=book.office.clock)
    # 承認のない回答から支払を作る行は、台帳が断る。申し出た人の承認も、台帳が断る。
    account = book.new_account()
    payment = ward.payment.insert().values(
        id=1,
        slot="funo/1/1",
        attempt=1,
        amount_yen=12_345,
        state="F40",
        failure_id=1,
        failure_answer_id=answer,
        bank_code=account.bank_code,
        branch_code=account.branch_code,
        account_type=account.account_type,
        account_number=account.account_number,
        holder_kana=account.holder_kana,
    )
    own_approval = ward.failure_answer_approval.insert().values(
        release_id=answer, asked_by=MAKER.id, approved_by=MAKER.id, approved_at=book.office.clock()
    )
    with book.office.home.ward.begin() as connection:
        assert refused_by_the_store(connection, payment)
        assert refused_by_the_store(connection, own_approval)
    book.agree(answer)
    with book.office.home.ward.begin() as connection:
        assert refused_by_the_store(connection, payment.values(amount_yen=12_346))
        assert refused_by_the_store(connection, payment.values(slot="別のお金"))
        assert not refused_by_the_store(connection, payment)
        # 生きた再振込は一つだけ。
        assert refused_by_the_store(connection, payment.values(id=2, attempt=2))
        connection.rollback()


def test_the_file_needs_the_same_two_people_and_says_the_corrected_account(book: Book) -> None:
    agreed(book)
    made = book.resend()
    assert made is not None
    with pytest.raises(RefusedByRule, match="二人"):
        book.office.release(made.id)
    with pytest.raises(RefusedByRule, match="作った人"):
        book.office.approve(made.id, MAKER)
    line = made.path.read_bytes().splitlines()[1].decode("cp932")
    # 新規コード 2（変更分）、顧客コードは不能の番号と回。
    assert (line[43:50], line[90], line[91:101], line[101:111]) == ("9111111", "2", "0000000001", "0000100001")
    book.office.approve(made.id, FIRST)
    book.office.approve(made.id, SECOND)
    assert book.office.release(made.id).released
    assert book.resend() is None


def test_only_the_name_corrected_is_not_a_change_of_account(book: Book) -> None:
    agreed(book, account=book.new_account(number="9876543", kana="ホカノ ケン"))
    made = book.resend()
    assert made is not None
    assert made.path.read_bytes().splitlines()[1][90:91] == b"0"


def test_failing_again_comes_back_as_the_same_money(book: Book) -> None:
    agreed(book)
    sent = book.send()
    taken = book.results(answered(book.office, sent.id, (Outcome.FAILED, "04"), created_on=date(2024, 8, 14)))
    assert (taken.failed, taken.others) == (1, 0)
    rows = book.rows()
    assert rows["status"].to_list() == ["再び不能", "受付"]
    assert rows["slot"].n_unique() == 1
    assert book.resend(MONDAY) is None
    with pytest.raises(RefusedByRule, match="再び不能"):
        book.answer(1, "再振込", account=book.new_account())
    agreed(book, 2, account=book.new_account(number="9222222"))
    again = book.send(MONDAY)
    line = again.path.read_bytes().splitlines()[1].decode("cp932")
    assert (line[91:101], line[101:111]) == ("0000000002", "0000200001")
    book.results(answered(book.office, again.id, created_on=date(2024, 8, 20)))
    assert book.statuses() == ["再び不能", "再振込済"]
    assert book.office.balances() == {"振込不能": 0, "他課": -12_345, "未払": 0, "振込中": 0, "支給済": 12_345}
    assert closes(book)


def test_the_money_of_a_second_failure_can_be_reversed(book: Book) -> None:
    agreed(book)
    sent = book.send()
    book.results(answered(book.office, sent.id, (Outcome.FAILED, "04"), created_on=date(2024, 8, 14)))
    book.agree(book.answer(2, "戻入"))
    assert book.statuses() == ["再び不能", "戻入済"]
    assert book.office.balances()["戻入"] == 12_345
    assert book.office.balances()["振込不能"] == 0
    assert closes(book)


def test_a_cancelled_resend_can_be_made_again_or_handed_back(book: Book) -> None:
    agreed(book)
    made = book.resend()
    assert made is not None
    transfers.cancel(book.office.home, made.id, reason="口座を見直す", actor=MAKER, clock=book.office.clock)
    assert book.statuses() == ["回答済"]
    again = book.resend()
    assert again is not None
    transfers.cancel(book.office.home, again.id, reason="担当課が取り下げた", actor=MAKER, clock=book.office.clock)
    book.agree(book.answer(1, "戻入"))
    assert book.statuses() == ["戻入済"]
    assert set(book.office.balances().values()) == {0}
    assert book.resend(MONDAY) is None
    assert closes(book)


def test_a_changed_answer_stops_the_file_that_was_made_from_the_old_one(book: Book) -> None:
    agreed(book)
    made = book.resend()
    assert made is not None
    with pytest.raises(RefusedByRule, match="再振込中"):
        book.answer(1, "戻入")
    book.office.approve(made.id, FIRST)
    book.office.approve(made.id, SECOND)
    assert book.office.release(made.id).released


def test_the_newest_approved_answer_is_in_force(book: Book) -> None:
    old = book.answer(1, "再振込", account=book.new_account(number="9000001"))
    new = book.answer(1, "再振込", account=book.new_account(number="9000002"))
    with pytest.raises(RefusedByRule, match="もっと新しい回答"):
        book.agree(old)
    book.agree(new)
    made = book.resend()
    assert made is not None
    assert made.path.read_bytes().splitlines()[1][43:50] == b"9000002"


def test_an_account_that_cannot_be_paid_is_refused_when_it_is_answered(book: Book) -> None:
    good = book.new_account()
    for wrong in ({"account_number": "000000"}, {"account_number": "0000000"}, {"holder_kana": "漢字"}):
        with pytest.raises(WrongUse, match="様式"):
            book.answer(1, "再振込", account=type(good)(**{**_fields(good), **wrong}))
    with pytest.raises(RefusedByRule, match="いまの表"):
        book.answer(1, "再振込", account=type(good)(**{**_fields(good), "branch_code": "998"}))
    assert book.statuses(TODAY) == ["受付"]


def _fields(account: Any) -> dict[str, str]:
    return {
        name: getattr(account, name)
        for name in ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
    }
