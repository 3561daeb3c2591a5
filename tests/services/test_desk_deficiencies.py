"""不備と補正: 符号、不備のお知らせ、補正期限、もう一度の審査。"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from benefit.domain.access import BATCH
from benefit.domain.deficiency import DEFECTS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_cases import pass_deadlines
from benefit.services.desk_deficiencies import deficiencies_of, find, notify
from benefit.services.desk_intake import Arrival, receive
from benefit.services.desk_letters_due import ask, done, letters_of, waiting
from benefit.services.desk_review import check, key
from tests.support.desk_world import ACCOUNT, ALL_GOOD, COUNTER, FIRST, OPERATOR, SECOND, TODAY, DeskWorld

CAME = date(2024, 7, 19)


def defective(world: DeskWorld, *codes: str) -> str:
    number = world.case()
    world.do(receive, Arrival(number, "confirmation", CAME), actor=COUNTER)
    world.do(find, number, codes or ("signature",), actor=FIRST)
    return number


def test_defects_are_named_and_a_letter_is_due(world: DeskWorld) -> None:
    number = defective(world, "signature", "account_paper", "signature")
    names = "署名・記名なし、口座書類なし"
    assert (world.state(number), world.row(number)["deficiency"]) == ("C24", names)
    found = world.read(deficiencies_of, number)
    assert [row["code"] for row in found] == ["signature", "account_paper"]
    assert all(row["asks"].endswith("。") for row in found)
    (letter,) = world.read(letters_of, number)
    assert (letter["kind"], letter["reason"], letter["deeds"]) == ("deficiency", names, [])


def test_the_whole_way_through_a_defect_and_its_correction(world: DeskWorld) -> None:
    """C23 → C24 → C25 → C26 → C23 → もう一度不備 → C26 → C27。収受日は、はじめの一通の日。"""
    number = defective(world)
    due = world.do(notify, number, on=TODAY, actor=OPERATOR, deed="told")
    assert (due, world.state(number), world.row(number)["correction_due_on"]) == (date(2024, 8, 3), "C25", due)
    world.do(receive, Arrival(number, "correction", due), actor=COUNTER)
    assert world.do(find, number, ("identity_expired",), actor=SECOND) == 2
    assert world.row(number)["correction_due_on"] is None
    world.do(receive, Arrival(number, "correction", TODAY), actor=COUNTER)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=FIRST)
    world.do(check, number, ACCOUNT, actor=SECOND)
    row = world.row(number)
    assert (row["state"], row["deficiency"], row["correction_due_on"], row["received_on"]) == ("C27", None, None, CAME)
    path = [event["to_state"] for event in world.events(number)]
    assert path == ["C20", "C22", "C23", "C24", "C25", "C26", "C23", "C24", "C26", "C23", "C27"]
    assert len(world.read(letters_of, number)) == 2


def test_a_first_keying_from_before_the_defect_is_not_continued(world: DeskWorld) -> None:
    """一度目の入力のあとで不備になり、補正が来た。前の入力に、二度目を続けない。"""
    number = world.case()
    world.do(receive, Arrival(number, "confirmation", CAME), actor=COUNTER)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=FIRST)
    world.do(find, number, ("account_unclear",), actor=SECOND)
    world.do(receive, Arrival(number, "correction", TODAY), actor=COUNTER)
    with pytest.raises(RefusedByRule, match="審査の途中ではありません"):
        world.do(check, number, ACCOUNT, actor=SECOND)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=SECOND)
    assert world.do(check, number, ACCOUNT, actor=FIRST).equal


@pytest.mark.parametrize(("days", "expected"), [(14, "C26"), (15, "C28")])
def test_the_last_day_of_correction_is_a_day_of_correction(world: DeskWorld, days: int, expected: str) -> None:
    number = defective(world)
    world.do(notify, number, on=TODAY, actor=OPERATOR)
    came = TODAY + timedelta(days=days)
    assert world.do(receive, Arrival(number, "correction", came), actor=COUNTER).state == expected


def test_without_a_correction_the_case_closes_after_the_post_was_waited_for(world: DeskWorld) -> None:
    number = defective(world)
    due = world.do(notify, number, on=TODAY, days=20, actor=OPERATOR)
    assert due == TODAY + timedelta(days=20)
    for today, state in ((due + timedelta(days=5), "C25"), (due + timedelta(days=6), "C28")):
        pass_deadlines(world.home, today, actor=BATCH, clock=world.clock)
        assert world.state(number) == state


def test_a_defect_may_be_found_in_a_told_account(world: DeskWorld) -> None:
    number = world.case("P20")
    world.do(receive, Arrival(number, "account", CAME), actor=COUNTER)
    world.do(find, number, ("account_paper",), actor=FIRST)
    assert world.state(number) == "C24"


def test_what_is_not_a_defect_is_refused_whole(world: DeskWorld) -> None:
    number, sent = world.case("C23"), world.case("C20")
    before = world.shot(number, sent)
    for codes in ((), ("かぜ",), ("signature", "かぜ")):
        with pytest.raises(RefusedInput, match="不備の符号"):
            world.do(find, number, codes, actor=FIRST)
    with pytest.raises(RefusedByRule):
        world.do(find, sent, ("signature",), actor=FIRST)
    with pytest.raises(RefusedByRule, match="この役割ではできません"):
        world.do(find, number, ("signature",), actor=COUNTER)
    assert world.shot(number, sent) == before
    assert len(DEFECTS) == 16


def test_the_defect_letter_is_told_with_its_deadline_and_only_so(world: DeskWorld) -> None:
    number = defective(world)
    (letter,) = [row for row in world.read(waiting, kind="deficiency") if row["case_number"] == number]
    before = world.shot(number)
    with pytest.raises(RefusedByRule, match="補正期限と一緒に"):
        world.do(done, letter["id"], "posted", actor=FIRST)
    for wrong in ({"days": 0}, {"deed": "printed"}):
        with pytest.raises(RefusedInput):
            world.do(notify, number, on=TODAY, actor=OPERATOR, **wrong)
    assert world.shot(number) == before
    world.do(done, letter["id"], "printed", actor=FIRST)
    world.do(notify, number, on=TODAY, actor=OPERATOR)
    (letter,) = world.read(letters_of, number)
    assert [(deed, due_on) for deed, _at, due_on in letter["deeds"]] == [
        ("printed", None),
        ("posted", TODAY + timedelta(days=14)),
    ]


def test_a_cancelled_letter_must_be_asked_for_again_before_it_is_told(world: DeskWorld) -> None:
    number = defective(world)
    (letter,) = world.read(letters_of, number)
    world.do(done, letter["id"], "cancelled", note="宛名の誤り", actor=FIRST)
    with pytest.raises(RefusedByRule, match="先に、手紙を頼んで"):
        world.do(notify, number, on=TODAY, actor=OPERATOR)
    world.do(ask, number, "deficiency", reason="宛名を直した", actor=FIRST)
    assert world.do(notify, number, on=TODAY, actor=OPERATOR) == TODAY + timedelta(days=14)
