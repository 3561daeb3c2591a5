"""読んだ時にはなかった同じファイルが、順番を待つ間に判定されていても、例外では落ちず、決まりのとおりに答える（CHK01）。"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benefit.domain.errors import RefusedByRule
from benefit.services import judgment
from benefit.services.home import Home
from tests.ledger import history
from tests.ledger.books import BUILT, JUDGED, Books
from tests.ledger.world import single_households


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, new_home: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch) -> Books:
    """ファイル A を判定した作業場所。初めの見直しは、いつも A より前に読んだことになる。"""
    home = new_home(request.param)
    made = Books(home, home.path.parent, single_households(6))
    made.open()
    made.receive()
    made.build_and_approve(BUILT)
    made.tell(BUILT)
    made.clock.day = JUDGED
    made.receive()
    made.judge(made.plan(rows_of(made)[:3], "A"))
    monkeypatch.setattr(judgment, "_already", lambda *_given: False)
    return made


def rows_of(books: Books) -> list[dict[str, str]]:
    return [books.planned_row(right) for right in books.entitlements()]


def test_the_same_content_under_another_number_is_refused(books: Books) -> None:
    with pytest.raises(RefusedByRule, match="CHK01"):
        books.judge(books.plan(rows_of(books)[:3], "B"))


def test_the_same_number_with_another_content_is_refused(books: Books) -> None:
    with pytest.raises(RefusedByRule, match="CHK01"):
        books.judge(books.plan(rows_of(books)[3:], "A", name="another"))


def test_the_very_same_file_gives_the_stored_verdicts(books: Books) -> None:
    assert books.judge(books.plan(rows_of(books)[:3], "A", name="copy")).payable == 3
    with books.home.ward.connect() as connection:
        assert history.read(connection).wrong == []
