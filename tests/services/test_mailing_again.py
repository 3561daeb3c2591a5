"""出し直した手紙: 前の紙は無効だと刷ってあり、期限は新しく、戻った手紙の次は「再送」になる（benefit-rules L10・L16）。"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pypdfium2
import pytest
import sqlalchemy as sa

from benefit.services.mailing import who_gets_letters
from benefit.services.mailing_again import with_again
from benefit.services.reissue import reissue
from benefit.store import desk, ward
from letters.mailing import make_letters
from tests.services.conftest import MAKER, PROGRAMME, Office
from tests.support.handback import Exchange

DAY = date(2024, 7, 26)
#: 申請期限（10 月 31 日）の一週間前。
LATE = date(2024, 10, 24)


@pytest.fixture
def told(office: Office) -> list[str]:
    """確認書を送ってあり、返送を待つ件。"""
    table = desk.benefit_case
    with office.home.desk.connect() as connection:
        query = sa.select(table.c.case_number).where(table.c.state == "C20").order_by(table.c.case_number)
        return list(connection.execute(query).scalars())


def again(office: Office, number: str) -> None:
    reissue(office.home, PROGRAMME, number, reason="紙をなくした", actor=MAKER, clock=office.clock)


def pull(office: Office, number: str) -> None:
    """この番号の手紙を、組から抜く。"""
    letter, entitlement = ward.letter, ward.entitlement
    query = (
        sa.select(letter.c.id, letter.c.lot_id)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .where(entitlement.c.case_number == number)
    )
    with office.home.ward.begin() as connection:
        row = connection.execute(query).one()
        values = {"letter_id": row.id, "lot_id": row.lot_id, "why": "辞退", "pulled_by": MAKER.id}
        connection.execute(ward.letter_pull.insert().values(pulled_at=office.clock(), **values))


def rows(office: Office, day: date = DAY) -> dict[str, dict[str, Any]]:
    found = who_gets_letters(office.home, PROGRAMME, day).letters
    return {row["case_number"]: row for row in found.iter_rows(named=True)}


def printed(office: Office, number: str, name: str) -> str:
    """この番号の紙の文字（字の間の空きは、読み返すと空白になるので除く）。"""
    found = []
    for file in sorted((office.root / name).rglob("*.pdf")):
        document = pypdfium2.PdfDocument(file)
        found += ["".join(page.get_textpage().get_text_range().split()) for page in document]
        document.close()
    return "\n".join(text for text in found if number in text)


def test_a_reissued_letter_says_the_one_before_is_void_and_leaves_days_to_answer(
    office: Office, told: list[str]
) -> None:
    number = told[0]
    again(office, number)
    # 早いうちの出し直しでは、期限は変わらない。期限の近くでは、届いた時に間に合うように新しくする。
    found = who_gets_letters(office.home, PROGRAMME, DAY).letters
    assert rows(office)[number]["due_on"] == PROGRAMME.schedule.apply_deadline
    with office.home.ward.connect() as connection:
        late = with_again(connection, found.drop("again"), PROGRAMME, LATE)
    due = dict(late.select("case_number", "due_on").iter_rows())
    assert due[number] == LATE + timedelta(days=PROGRAMME.schedule.push_window_days)
    make_letters(office.home, PROGRAMME, out=office.root / "again", issued_on=DAY, clock=office.clock)
    text = printed(office, number, "again")
    assert "再発行" in text
    assert "前の書類は無効です" in text
    assert f"{number}-02" in text


def test_a_letter_that_came_back_is_resent_and_one_never_sent_is_the_first(office: Office, told: list[str]) -> None:
    """組から抜いた手紙は、相手の手元にない。次の手紙が、初めての手紙である。"""
    back, lost, pulled = told[:3]
    pull(office, pulled)
    exchange = Exchange(office)
    exchange.returned(back)
    exchange.day()
    again(office, back)
    for number in (lost, pulled):
        again(office, number)
    found = rows(office)
    assert [found[number]["again"] for number in (back, lost, pulled)] == ["resent", "reissued", ""]
