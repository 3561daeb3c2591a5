"""送るべき手紙と対応履歴: 書き足すだけ。勧奨は、返戻・辞退・収受・死亡の申出の人に行かない。"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.domain.case import CASE_STATES
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_contacts import LONGEST, contacts_of, write
from benefit.services.desk_letters_due import REMIND_DAYS, ask, done, letters_of, remind, waiting
from benefit.store import audit, desk
from tests.support.desk_world import FIRST, OPERATOR, SUPERVISOR, DeskWorld

AUDITOR = Actor("kansa1", DeskRole.WARD_AUDITOR.value)
DUE = date(2025, 1, 31)


def reminders(world: DeskWorld, number: str) -> int:
    return sum(letter["kind"] == "reminder" for letter in world.read(letters_of, number))


def test_a_letter_is_asked_once_until_it_is_sent(world: DeskWorld) -> None:
    number = world.case("C20")
    letter = world.do(ask, number, "reissue", reason="なくした", actor=OPERATOR)
    with pytest.raises(RefusedByRule, match="もう頼んで"):
        world.do(ask, number, "reissue", reason="届かない", actor=FIRST)
    world.do(done, letter, "printed", actor=FIRST)
    world.do(done, letter, "posted", actor=FIRST)
    assert letter not in {row["id"] for row in world.read(waiting)}
    with pytest.raises(RefusedByRule, match="もう済んでいます"):
        world.do(done, letter, "cancelled", actor=FIRST)
    assert world.do(ask, number, "reissue", reason="また、なくした", actor=OPERATOR) > letter


def test_a_letter_needs_a_kind_a_reason_a_role_and_a_case_that_waits_for_it(world: DeskWorld) -> None:
    number, paid = world.case("C20"), world.case("F42")
    before = world.shot(number, paid)
    for told, refusal in (
        ({"kind": "年賀状", "reason": "新年"}, RefusedInput),
        ({"kind": "reissue", "reason": " "}, RefusedInput),
    ):
        with pytest.raises(refusal):
            world.do(ask, number, told["kind"], reason=told["reason"], actor=OPERATOR)
    with pytest.raises(RefusedByRule, match="この役割では"):
        world.do(ask, number, "reissue", reason="見たい", actor=AUDITOR)
    with pytest.raises(RefusedByRule, match="再発行を頼める状態"):
        world.do(ask, paid, "reissue", reason="なくした", actor=OPERATOR)
    assert world.shot(number, paid) == before


def test_reminders_go_only_to_those_whose_form_we_still_wait_for(world: DeskWorld) -> None:
    """返戻（C21）、辞退（C29）、収受（C22〜）、死亡の申出（X60）には、送らない。"""
    numbers = {state: world.case(state, due_on=DUE) for state in CASE_STATES}
    world.do(remind, today=DUE - timedelta(days=10), actor=BATCH)
    assert [state for state, number in numbers.items() if reminders(world, number)] == ["C20"]


def test_reminders_stand_on_both_sides_of_their_days(world: DeskWorld) -> None:
    today = date(2025, 6, 1)
    last = today + timedelta(days=REMIND_DAYS)
    dues = {last - timedelta(days=1): 1, last: 0, today: 1, today - timedelta(days=1): 0}
    numbers = {due: world.case("C20", due_on=due) for due in dues}
    assert world.do(remind, today=today, actor=BATCH) == 2
    assert {due: reminders(world, number) for due, number in numbers.items()} == dues


def test_a_case_is_reminded_twice_at_most_two_weeks_apart(world: DeskWorld) -> None:
    number, today = world.case("C20", due_on=date(2026, 1, 31)), date(2026, 1, 10)
    first = world.clock()
    for days, expected in ((0, 1), (13, 1), (14, 2), (40, 2)):
        with world.home.desk.begin() as connection:
            remind(connection, today=today, actor=BATCH, at=first + timedelta(days=days))
        assert reminders(world, number) == expected, days
        for letter in world.read(waiting, kind="reminder"):
            if letter["case_number"] == number:
                world.do(done, letter["id"], "posted", actor=FIRST)


def test_nobody_is_reminded_while_a_letter_waits_to_be_sent(world: DeskWorld) -> None:
    numbers = world.cases(2, "C20", due_on=date(2027, 1, 31))
    world.do(ask, numbers[0], "reissue", reason="なくした", actor=OPERATOR)
    for days, expected in ((0, 1), (30, 0)):
        with world.home.desk.begin() as connection:
            at = world.clock() + timedelta(days=days)
            assert remind(connection, today=date(2027, 1, 10), actor=BATCH, at=at) == expected


def test_a_contact_is_never_rewritten_only_corrected_by_another_row(world: DeskWorld) -> None:
    number = world.case()
    first = world.do(write, number, "call", "再発行の希望", call_reference="K-1", actor=OPERATOR)
    second = world.do(write, number, "call", "再発行の希望（住所は正しい）", corrects=first, actor=SUPERVISOR)
    rows = {row["id"]: row for row in world.read(contacts_of, number)}
    assert (rows[first]["body"], rows[first]["corrected_by"], rows[second]["corrected_by"]) == (
        "再発行の希望",
        second,
        None,
    )
    assert (rows[first]["written_by"], rows[first]["role"]) == (OPERATOR.id, "operator")
    other = world.case()
    for wrong in ({"corrects": first}, {"corrects": second, "number": other}, {"corrects": 10**8}):
        with pytest.raises(RefusedByRule, match="書き直す行がない"):
            world.do(write, wrong.get("number", number), "call", "二度目", corrects=wrong["corrects"], actor=OPERATOR)
    table = desk.contact
    for statement in (table.update().values(body="なし"), table.delete()):
        with pytest.raises(sa.exc.DBAPIError), world.home.desk.begin() as connection:
            connection.execute(statement)


@pytest.mark.parametrize("body", ["", "  ", "あ" * (LONGEST + 1), "空\0字"], ids=["空", "空白", "長い", "NUL"])
def test_a_contact_says_something_the_store_can_keep(world: DeskWorld, body: str) -> None:
    with pytest.raises(RefusedInput):
        world.do(write, world.case(), "call", body, actor=OPERATOR)


def test_the_audit_log_keeps_the_deed_but_not_the_words(world: DeskWorld) -> None:
    number = world.case()
    world.do(write, number, "complaint", "夫の名は口外しないでほしい", actor=OPERATOR)
    with world.home.desk.connect() as connection:
        log = desk.audit_log
        last = connection.execute(sa.select(log).order_by(log.c.sequence.desc()).limit(1)).mappings().one()
        _count, broken = audit.verify(connection, log)
    assert (last["action"], last["subject"], last["actor"]) == ("contact.write", number, OPERATOR.id)
    assert "夫" not in str(dict(last))
    assert broken is None
