"""払った世帯から後で分かれた人は、自分の世帯として、もう一度は払われない（上峰町、CHK42）。

判定した時に数えた人は、後の住民記録で世帯の番号が変わっても、数えたままである。
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from benefit.services.home import Home
from tests.ledger.books import BUILT, CREDITED, FAILED, JUDGED, Books
from tests.ledger.world import Person, World

HUSBAND, WIFE, HOME, NEW = 1_000_000_001, 1_000_000_002, 5_000_000_001, 6_000_000_002
LATER = date(2024, 8, 6)


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, new_home: Callable[[str], Home]) -> Books:
    """夫婦の世帯と、関わりのない人たち。手紙は送ってある。"""
    strangers = [Person(number, number + 4_000_000_000) for number in range(1_000_000_010, 1_000_000_014)]
    couple = [
        Person(HUSBAND, HOME, account="公金受取"),
        Person(WIFE, HOME, relation="妻", birth="1975-01-01", account="公金受取"),
    ]
    home = new_home(request.param)
    made = Books(home, home.path.parent, World([*couple, *strangers]))
    made.open()
    made.receive()
    made.build_and_approve(BUILT)
    made.tell(BUILT)
    made.clock.day = JUDGED
    made.receive()
    return made


def claimed(books: Books, payee: int, number: str, today: date) -> tuple[int, int, int]:
    """この人の権利を申し出る。(支給可、保留、不可)。"""
    rows = [books.planned_row(right) for right in books.entitlements() if right["payee_number"] == payee]
    assert len(rows) == 1
    judged = books.judge(books.plan(rows, number), today=today)
    return judged.payable, judged.held, judged.blocked


def split(books: Books) -> None:
    """妻が自分の世帯になり、その世帯の権利ができる。"""
    wife = books.world.person(WIFE)
    wife.household, wife.relation = NEW, "世帯主"
    books.clock.day = LATER
    books.receive()
    books.build_and_approve(LATER)
    books.tell(date(2024, 7, 1))


def test_one_counted_in_a_paid_household_is_not_paid_again_alone(books: Books) -> None:
    assert claimed(books, HUSBAND, "A", JUDGED) == (1, 0, 0)
    sent = books.send()
    assert sent is not None
    books.take(books.answer(sent.id, [CREDITED], created_on=date(2024, 8, 5)))
    split(books)
    assert claimed(books, WIFE, "B", LATER) == (0, 0, 1)


def test_one_counted_in_a_household_about_to_be_paid_waits_for_an_officer(books: Books) -> None:
    assert claimed(books, HUSBAND, "A", JUDGED) == (1, 0, 0)
    split(books)
    assert claimed(books, WIFE, "B", LATER) == (0, 1, 0)


def test_one_whose_old_household_was_never_judged_is_paid(books: Books) -> None:
    split(books)
    assert claimed(books, WIFE, "B", LATER) == (1, 0, 0)


def test_the_last_judgement_of_the_household_is_what_counts(books: Books) -> None:
    """不能の後、妻のいない世帯として判定し直されて払われた夫は、妻の妨げにならない。"""
    assert claimed(books, HUSBAND, "A", JUDGED) == (1, 0, 0)
    sent = books.send()
    assert sent is not None
    books.take(books.answer(sent.id, [FAILED], created_on=date(2024, 8, 5)))
    split(books)
    right = next(one for one in books.entitlements() if one["payee_number"] == HUSBAND)
    again = books.judge(books.plan([books.planned_row(right, turn=1)], "A2"), today=LATER)
    assert again.payable == 1
    assert claimed(books, WIFE, "B", LATER) == (1, 0, 0)
