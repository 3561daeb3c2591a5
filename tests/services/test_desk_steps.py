"""一件の進み方: 表にある（状態, 出来事, 役割）だけが通り、ほかは断られて何も変わらない。"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.domain.case import CASE_STATES, EVENT_NAMES, STEPS, step_of
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_cases import Move, advance, pass_deadlines, tell
from benefit.services.desk_letters_due import waiting
from tests.support.desk_world import DUE, FIRST, OPERATOR, SUPERVISOR, WARD_CLERK, DeskWorld

ROLES = [*(role.value for role in DeskRole), BATCH.role]


def test_every_step_outside_the_table_is_refused_and_changes_nothing(world: DeskWorld) -> None:
    """状態 × 出来事 × 役割の全部。許されない組は、どれも断られ、一行も増えず、一列も変わらない。"""
    numbers = {state: world.case(state) for state in CASE_STATES}
    before, refused = world.shot(*numbers.values()), 0
    with world.home.desk.begin() as connection:
        for state, event, role in product(CASE_STATES, EVENT_NAMES, ROLES):
            step = step_of(state, event)
            if step is not None and role in step.roles:
                continue
            with pytest.raises(RefusedByRule) as refusal:
                advance(
                    connection,
                    [Move(numbers[state], state, event)],
                    actor=Actor("x", role),
                    at=world.clock(),
                    reason="試",
                )
            assert refusal.value.code == ("transition" if step is None else "role")
            refused += 1
    assert refused == len(CASE_STATES) * len(EVENT_NAMES) * len(ROLES) - sum(len(step.roles) for step in STEPS)
    assert world.shot(*numbers.values()) == before


def test_every_step_of_the_table_is_taken_and_leaves_who_when_why_and_the_evidence(world: DeskWorld) -> None:
    numbers = [world.case(step.state) for step in STEPS]
    with world.home.desk.begin() as connection:
        for number, step in zip(numbers, STEPS, strict=True):
            actor = Actor("dare", sorted(step.roles)[0])
            move = Move(number, step.state, step.event, "わけ", "received_form:12")
            advance(connection, [move], actor=actor, at=world.clock(), reason="試験")
    for number, step in zip(numbers, STEPS, strict=True):
        last = world.events(number)[-1]
        told = [last[name] for name in ("actor", "role", "event", "from_state", "to_state", "reason", "evidence")]
        assert told == ["dare", sorted(step.roles)[0], step.event, step.state, step.then, "わけ", "received_form:12"]
        assert world.state(number) == step.then


def test_one_refused_step_stops_the_whole_list(world: DeskWorld) -> None:
    good, bad = world.case("P20"), world.case("F42")
    before = world.shot(good, bad)
    steps = [(good, "P20", "notice_deadline_passed"), (bad, "F42", "planned")]
    with pytest.raises(RefusedByRule):
        world.do(advance, steps, actor=BATCH, reason="試験")
    assert world.shot(good, bad) == before


def test_a_case_that_moved_meanwhile_is_not_moved_again(world: DeskWorld) -> None:
    number = world.case("C22")
    before = world.shot(number)
    with pytest.raises(RefusedByRule, match="先に進めました"):
        world.do(advance, [Move(number, "C20", "deadline_passed")], actor=BATCH, reason="試験")
    assert world.shot(number) == before


@pytest.mark.parametrize(
    ("state", "then", "waits"),
    [("P20", "P25", False), ("P21", "C28", True), ("C20", "C28", True), ("C21", "C28", True), ("C25", "C28", True)],
)
def test_a_deadline_passes_the_day_after_and_the_post_is_waited_for(
    world: DeskWorld, state: str, then: str, *, waits: bool
) -> None:
    """期限の当日は、まだ過ぎていない。返送と補正は、消印の郵便を五日待つ。"""
    column = "correction_due_on" if state == "C25" else "due_on"
    due = date(2024, 8, 9)
    number = world.case(state, **{column: due})
    last = due + timedelta(days=5) if waits else due
    for today, expected in ((due, state), (last, state), (last + timedelta(days=1), then)):
        pass_deadlines(world.home, today, actor=BATCH, clock=world.clock, grace_days=5)
        assert world.state(number) == expected, today


def test_what_is_told_by_phone_needs_a_reason_and_keeps_the_call(world: DeskWorld) -> None:
    number = world.case("P20")
    with pytest.raises(RefusedInput, match="理由"):
        world.do(tell, number, "refusal_received", reason=" ", actor=OPERATOR)
    assert world.do(tell, number, "refusal_received", reason="要らない", evidence="call:K-1", actor=OPERATOR) == "P22"
    assert world.events(number)[-1]["evidence"] == "call:K-1"


@pytest.mark.parametrize(("days", "accepted"), [(0, True), (-1, False)])
def test_a_refusal_may_be_taken_back_until_the_deadline(world: DeskWorld, days: int, *, accepted: bool) -> None:
    """P22 → C20。期限の当日まで。確認書の再発行が、送るべき手紙になる。"""
    number = world.case("P22", due_on=world.clock.now.date() + timedelta(days=days))
    before = world.shot(number)
    if not accepted:
        with pytest.raises(RefusedByRule, match="期限を過ぎています"):
            world.do(tell, number, "refusal_withdrawn", reason="やはり受け取りたい", actor=OPERATOR)
        assert world.shot(number) == before
        return
    assert world.do(tell, number, "refusal_withdrawn", reason="やはり受け取りたい", actor=OPERATOR) == "C20"
    assert [letter["kind"] for letter in world.read(waiting) if letter["case_number"] == number] == ["reissue"]


def test_a_death_told_by_the_family_stops_the_case_for_the_ward(world: DeskWorld) -> None:
    """止まった件は、期限でも支給予定情報でも進まない。決めるのは区だけ。"""
    number = world.case("P20", due_on=date(2024, 7, 1))
    assert world.do(tell, number, "death_told", reason="ご家族からの電話", actor=OPERATOR) == "X60"
    pass_deadlines(world.home, date(2024, 12, 1), actor=BATCH, clock=world.clock)
    assert world.state(number) == "X60"
    for event in ("planned", "notice_deadline_passed", "appeal_accepted"):
        with pytest.raises(RefusedByRule):
            world.do(advance, [Move(number, "X60", event)], actor=SUPERVISOR, reason="試験")


def test_only_the_ward_accepts_an_appeal(world: DeskWorld) -> None:
    number = world.case("C28")
    with pytest.raises(RefusedByRule, match="この役割ではできません"):
        world.do(tell, number, "appeal_accepted", reason="入院していた", actor=FIRST)
    assert world.do(tell, number, "appeal_accepted", reason="入院していた", actor=WARD_CLERK) == "C23"
    assert world.row(number)["received_on"] == world.clock.now.date()


def test_only_hearing_moves_a_case_by_hearing(world: DeskWorld) -> None:
    number = world.case("C23")
    with pytest.raises(RefusedInput, match="聞いただけでは"):
        world.do(tell, number, "review_finished", reason="電話", actor=FIRST)
    assert world.row(number)["due_on"] == DUE
