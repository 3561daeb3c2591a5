"""返戻: 届かなかったお知らせでは、受け取ったとみなさない。再発行は区に頼む。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.access import BATCH
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_cases import pass_deadlines
from benefit.services.desk_letters_due import waiting
from benefit.services.desk_returned_mail import Return, mails_of, returned, returned_many
from tests.support.desk_world import COUNTER, OPERATOR, DeskWorld, new_number

BACK = date(2024, 7, 18)


def mail(number: str, **told: object) -> Return:
    return Return(number, "moved", BACK, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "then"), [("P20", "P21"), ("P25", "P21"), ("C20", "C21")])
def test_mail_that_came_back_stops_the_case_and_asks_for_a_new_letter(world: DeskWorld, state: str, then: str) -> None:
    """期限の後でも、支給予定情報に出す前なら止まる。"""
    number = world.case(state)
    world.do(returned, mail(number, box="返-1"), actor=COUNTER)
    (row,) = world.read(mails_of, number)
    assert (world.state(number), row["reason"], row["box"]) == (then, "moved", "返-1")
    assert world.events(number)[-1]["evidence"] == f"returned_mail:{row['id']}"
    (letter,) = [each for each in world.read(waiting, kind="reissue") if each["case_number"] == number]
    assert letter["reason"] == "返戻（転居先不明）"


def test_a_returned_notice_is_never_taken_as_accepted(world: DeskWorld) -> None:
    number = world.case("P20", due_on=date(2024, 7, 19))
    world.do(returned, mail(number), actor=COUNTER)
    pass_deadlines(world.home, date(2024, 7, 20), actor=BATCH, clock=world.clock)
    assert world.state(number) == "P21"


@pytest.mark.parametrize("state", ["P21", "C21", "C22", "J30", "F42", "P22", "X60"])
def test_a_case_that_is_not_waiting_by_post_refuses_it(world: DeskWorld, state: str) -> None:
    number = world.case(state)
    before = world.shot(number)
    with pytest.raises(RefusedByRule):
        world.do(returned, mail(number), actor=COUNTER)
    assert world.shot(number) == before


def test_an_older_letter_a_stranger_and_a_wrong_word_change_nothing(world: DeskWorld) -> None:
    number = world.case(branch=2)
    before = world.shot(number)
    for wrong, refusal in (
        (mail(number, branch=1), RefusedByRule),
        (mail(new_number()), RefusedByRule),
        (Return(number, "風", BACK), RefusedInput),
    ):
        with pytest.raises(refusal):
            world.do(returned, wrong, actor=COUNTER)
    with pytest.raises(RefusedByRule, match="この役割ではできません"):
        world.do(returned, mail(number), actor=OPERATOR)
    assert world.shot(number) == before


def test_a_scanned_list_says_what_it_read_took_and_refused(world: DeskWorld) -> None:
    good, paid, unknown = world.case("C20"), world.case("F42"), new_number()
    done = world.do(returned_many, [mail(number) for number in (good, paid, good, unknown)], actor=BATCH)
    assert (done.read, done.taken, [row.line for row in done.refused]) == (4, (good,), [2, 3, 4])
    assert len(world.read(mails_of, good)) == 1
