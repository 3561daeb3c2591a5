"""取消: 誤った一歩は、逆向きの一歩で直す。何も消えず、支給予定情報と区の知らせは越えない。"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.domain.case import FIXED_EVENTS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_cases import Move, advance, pass_deadlines, tell
from benefit.services.desk_deficiencies import find, notify
from benefit.services.desk_intake import Arrival, receive
from benefit.services.desk_letters_due import letters_of
from benefit.services.desk_papers import forms_of
from benefit.services.desk_returned_mail import Return, returned
from benefit.services.desk_review import check, key
from benefit.services.desk_undo import last_step, undo
from benefit.store import desk
from tests.support.desk_world import (
    ACCOUNT,
    ALL_GOOD,
    COUNTER,
    FIRST,
    OPERATOR,
    SECOND,
    SUPERVISOR,
    TODAY,
    WARD_CLERK,
    DeskWorld,
)

CAME = date(2024, 7, 19)
OTHER_COUNTER = Actor("madoguchi2", DeskRole.COUNTER.value)


def later(world: DeskWorld, number: str, minutes: int, actor: Actor, reason: str = "番号の打ち間違い") -> str:
    """`minutes` 分後に取り消す。"""
    at = world.events(number)[-1]["at"]
    with world.home.desk.begin() as connection:
        return undo(
            connection,
            number,
            reason=reason,
            actor=actor,
            at=at.replace(tzinfo=world.clock.now.tzinfo) + timedelta(minutes=minutes),
        )


def received(world: DeskWorld) -> str:
    number = world.case()
    world.do(receive, Arrival(number, "confirmation", CAME), actor=COUNTER)
    return number


def test_a_wrong_step_is_reversed_by_a_step_and_every_row_stays(world: DeskWorld) -> None:
    number = received(world)
    before = world.events(number)
    assert world.do(undo, number, reason="隣の紙の番号を打った", actor=COUNTER) == "C20"
    assert (world.state(number), world.row(number)["received_on"]) == ("C20", None)
    *kept, reversal = world.events(number)
    assert kept == before
    assert (reversal["event"], reversal["reverses"], reversal["from_state"], reversal["to_state"], reversal["reason"]) == (
        "reversed", before[-1]["id"], "C22", "C20", "隣の紙の番号を打った",
    )  # fmt: skip
    # 本当の紙が来れば、二重提出ではない。
    assert world.do(receive, Arrival(number, "confirmation", TODAY), actor=COUNTER).standing == "taken"
    assert [row["round"] for row in world.read(forms_of, number)] == [1, 2]


@pytest.mark.parametrize(
    ("minutes", "actor", "accepted"),
    [
        (10, COUNTER, True), (11, COUNTER, False), (11, OTHER_COUNTER, True), (11, FIRST, True),
        (11, SUPERVISOR, True), (1, OPERATOR, False), (1, WARD_CLERK, False),
    ],
)  # fmt: skip
def test_the_same_person_within_ten_minutes_another_one_later(
    world: DeskWorld, minutes: int, actor: Actor, *, accepted: bool
) -> None:
    number = received(world)
    before = world.shot(number)
    if accepted:
        assert later(world, number, minutes, actor) == "C20"
        return
    with pytest.raises(RefusedByRule):
        later(world, number, minutes, actor)
    assert world.shot(number) == before


def test_a_step_is_reversed_once_and_then_the_one_before_it(world: DeskWorld) -> None:
    number = received(world)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=FIRST)
    assert world.do(undo, number, reason="始める件を間違えた", actor=FIRST) == "C22"
    assert world.do(undo, number, reason="番号の打ち間違い", actor=COUNTER) == "C20"
    with pytest.raises(RefusedByRule, match="区から受渡"):
        world.do(undo, number, reason="もっと前", actor=SUPERVISOR)
    reversed_ids = [event["reverses"] for event in world.events(number) if event["reverses"]]
    with pytest.raises(sa.exc.IntegrityError), world.home.desk.begin() as connection:
        connection.execute(
            desk.case_event.insert().values(
                case_number=number, at=world.clock(), actor="x", event="reversed", from_state="C22", to_state="C20",
                reason="二度目", reverses=reversed_ids[0],
            )
        )  # fmt: skip


def test_nothing_is_reversed_across_the_file_to_the_ward(world: DeskWorld) -> None:
    """支給予定情報に出した後は、審査を取り消せない（区がもう判定している）。"""
    number = received(world)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=FIRST)
    world.do(check, number, ACCOUNT, actor=SECOND)
    world.do(advance, [Move(number, "C27", "planned")], actor=BATCH, reason="支給予定情報")
    before = world.shot(number)
    for actor in (FIRST, SECOND, SUPERVISOR, WARD_CLERK):
        with pytest.raises(RefusedByRule, match="取り消せません"):
            world.do(undo, number, reason="口座が違った", actor=actor)
    assert world.shot(number) == before


@pytest.mark.parametrize("event", sorted(FIXED_EVENTS - {"withdrawn"}))
def test_no_word_of_the_ward_is_reversed_here(world: DeskWorld, event: str) -> None:
    number = world.case("D33")
    with world.home.desk.begin() as connection:
        connection.execute(
            desk.case_event.insert().values(
                case_number=number,
                at=world.clock(),
                actor="batch",
                event=event,
                from_state="J30",
                to_state="D33",
                reason="区",
            )
        )
    with pytest.raises(RefusedByRule, match="取り消せません"):
        world.do(undo, number, reason="違う", actor=SUPERVISOR)


def test_undoing_the_end_of_a_review_takes_the_account_out_and_asks_two_people_again(world: DeskWorld) -> None:
    number = received(world)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=FIRST)
    world.do(check, number, ACCOUNT, actor=SECOND)
    assert later(world, number, 60, SUPERVISOR) == "C23"
    row = world.row(number)
    assert (row["account_number"], row["reviewed_on"], row["received_on"]) == (None, None, CAME)
    with pytest.raises(RefusedByRule, match="一度目の入力がまだ"):
        world.do(check, number, ACCOUNT, actor=SECOND)
    world.do(key, number, ACCOUNT, ALL_GOOD, actor=SECOND)
    assert world.do(check, number, ACCOUNT, actor=FIRST).state == "C27"


def test_undoing_a_defect_cancels_its_letter_and_undoing_the_notice_asks_it_again(world: DeskWorld) -> None:
    number = received(world)
    world.do(find, number, ("signature",), actor=FIRST)
    world.do(notify, number, on=TODAY, actor=OPERATOR)
    assert world.do(undo, number, reason="まだ出していなかった", actor=OPERATOR) == "C24"
    assert world.row(number)["correction_due_on"] is None
    assert world.do(undo, number, reason="署名はあった", actor=FIRST) == "C23"
    assert world.row(number)["deficiency"] is None
    other = world.case()
    world.do(returned, Return(other, "moved", CAME), actor=COUNTER)
    world.do(undo, other, reason="隣の手紙", actor=COUNTER)
    (letter,) = world.read(letters_of, other)
    assert [deed for deed, _at, _by in letter["deeds"]] == ["cancelled"]


def test_only_the_ward_takes_back_what_the_ward_decides(world: DeskWorld) -> None:
    dead, appeal = world.case("C20"), world.case("C28")
    world.do(tell, dead, "death_told", reason="ご家族の電話", actor=OPERATOR)
    world.do(tell, appeal, "appeal_accepted", reason="入院", actor=WARD_CLERK)
    for number in (dead, appeal):
        with pytest.raises(RefusedByRule, match="区の職員"):
            later(world, number, 30, SUPERVISOR, "人違い")
    assert later(world, dead, 30, WARD_CLERK, "人違い") == "C20"


def test_a_deadline_passed_by_mistake_is_taken_back_by_the_supervisor(world: DeskWorld) -> None:
    number = world.case("P20", due_on=date(2024, 8, 30))
    pass_deadlines(world.home, date(2024, 8, 31), actor=BATCH, clock=world.clock)
    assert later(world, number, 60, SUPERVISOR, "日付を間違えて動かした") == "P20"


def test_a_reason_is_always_written(world: DeskWorld) -> None:
    number = received(world)
    with pytest.raises(RefusedInput, match="理由"):
        world.do(undo, number, reason="  ", actor=COUNTER)


def test_the_screen_knows_who_may_undo_what_and_why_not(world: DeskWorld) -> None:
    number = received(world)
    told: dict[str, Any] = {"at": world.clock()}
    with world.home.desk.connect() as connection:
        own, other = (last_step(connection, number, actor=actor, **told) for actor in (COUNTER, OPERATOR))
    assert own is not None
    assert other is not None
    assert (own.event, own.from_state, own.to_state, own.why_not) == ("form_received", "C20", "C22", "")
    assert "この役割では" in other.why_not
