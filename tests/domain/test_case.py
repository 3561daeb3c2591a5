"""一件の状態と進み方: 表にある進み方だけが許され、どの状態にも言葉がある。"""

from __future__ import annotations

import string
from itertools import product

import pytest

from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.domain.case import (
    CASE_STATES,
    EVENT_NAMES,
    FIXED_EVENTS,
    STATE_WORDS,
    STEPS,
    TRANSITIONS,
    WARD_EVENTS,
    CaseState,
    is_ahead,
    may,
    next_state,
    possible,
    ward_path,
)
from benefit.domain.deficiency import CHECK_ITEMS, DEFECTS

#: 一文に入れられる日付（desk_lookup・desk_spoken が渡す）。
DATES = {"due", "received", "correct_by", "paid"}


def test_every_state_and_every_event_has_words() -> None:
    assert set(STATE_WORDS) == set(CASE_STATES)
    assert {event for _state, event in TRANSITIONS} <= set(EVENT_NAMES)
    for words in STATE_WORDS.values():
        assert all((words.name, words.says, words.says_english, words.next_step))


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (CaseState.PAID, "form_received"),
        (CaseState.PAID, "planned"),
        (CaseState.REFUSED, "planned"),
        (CaseState.EXPIRED, "planned"),
        (CaseState.RECEIVED, "planned"),
        (CaseState.DEFICIENT, "planned"),
        (CaseState.HELD, "filed"),
        (CaseState.BLOCKED, "sent"),
        (CaseState.CANDIDATE, "credited"),
        (CaseState.LETTER_SENT, "verdict_payable"),
        (CaseState.NOTICE_SENT, "planned"),
        (CaseState.NOTICE_RETURNED, "planned"),
        (CaseState.NOTICE_RETURNED, "notice_deadline_passed"),
        (CaseState.ACCOUNT_TOLD, "planned"),
        (CaseState.IN_REVIEW, "planned"),
        (CaseState.DEFICIENCY_TOLD, "review_finished"),
        (CaseState.DEAD, "planned"),
        (CaseState.RECEIVED, "review_finished"),
    ],
)
def test_no_money_without_the_steps_before_it(state: CaseState, event: str) -> None:
    assert next_state(state, event) is None


def test_the_sentences_name_only_dates_we_have_and_carry_no_code() -> None:
    for words in STATE_WORDS.values():
        for text, dates in (
            (words.says, DATES),
            (words.next_step, DATES),
            (words.says_english, {f"{d}_en" for d in DATES}),
        ):
            assert {name for _text, name, _spec, _sign in string.Formatter().parse(text) if name} <= dates
        assert not any(state in f"{words.says}{words.says_english}{words.name}" for state in CASE_STATES)


def test_a_death_and_a_block_say_the_same_and_give_no_reason() -> None:
    """受給者の死亡も、判定の不可も、電話では「区で確認しています」だけ（F.3）。"""
    dead, blocked = STATE_WORDS["X60"], STATE_WORDS["J32"]
    assert (dead.name, dead.says, dead.says_english) == (blocked.name, blocked.says, blocked.says_english)


def test_every_row_of_the_table_names_known_people_and_no_move_is_written_twice() -> None:
    assert len({(step.state, step.event) for step in STEPS}) == len(STEPS)
    known = {BATCH.role, *DeskRole}
    for step in STEPS:
        assert step.roles, step
        assert step.roles <= known, step
        assert {step.state, step.then} <= set(CASE_STATES)


@pytest.mark.parametrize("role", list(DeskRole))
def test_no_person_speaks_the_wards_word(role: DeskRole) -> None:
    """区の知らせは、受渡だけが運ぶ。人が打って支給決定や振込済にはできない。"""
    actor = Actor("x", role.value)
    told = {event for state in CASE_STATES for event in possible(actor, state)}
    assert not told & {*WARD_EVENTS, "reissued"}
    if role in {DeskRole.WARD_ADMIN, DeskRole.WARD_AUDITOR}:
        assert not told
    if role == DeskRole.WARD_CLERK:
        assert told == {"death_told", "appeal_accepted"}
    if role == DeskRole.OPERATOR:
        assert not told & {"form_received", "review_started", "review_finished", "account_verified", "mail_returned"}


def test_a_button_is_shown_exactly_to_those_who_may_press_it() -> None:
    for step, role in product(STEPS, (*DeskRole, BATCH.role)):
        actor = Actor("x", str(role))
        assert (step.event in possible(actor, step.state)) is may(actor, step.state, step.event) is (role in step.roles)


def test_the_review_ends_only_where_two_people_keyed() -> None:
    ends = {(step.state, step.then) for step in STEPS if step.event in {"review_finished", "account_verified"}}
    assert ends == {("C23", "C27"), ("P23", "P25")}
    into_reviewed = {step.event for step in STEPS if step.then == "C27"}
    assert into_reviewed == {"review_finished"}
    assert {step.state for step in STEPS if step.event == "planned"} == {"P25", "C27"}
    assert {"planned", "reissued", *WARD_EVENTS} <= FIXED_EVENTS


def test_every_checked_item_leads_to_a_defect_with_words() -> None:
    assert {code for item in CHECK_ITEMS.values() for code in item.defects} <= set(DEFECTS)
    assert all(defect.name and defect.asks.endswith("。") for defect in DEFECTS.values())


def test_every_state_is_reached_and_money_only_through_the_verdict() -> None:
    reached = {"S10"} | set(TRANSITIONS.values())
    assert reached == set(CASE_STATES)
    into_decided = {(state, event) for (state, event), then in TRANSITIONS.items() if then == "D33"}
    assert {event for _state, event in into_decided} == {"verdict_payable"}
    into_paid = {state for (state, _event), then in TRANSITIONS.items() if then == "F42"}
    assert into_paid == {"F41"}


def test_the_wards_word_never_does_the_contractors_work() -> None:
    for state, target in product(CASE_STATES, CASE_STATES):
        path = ward_path(state, target)
        if path is None:
            continue
        at = state
        for event, then in path:
            assert event in WARD_EVENTS
            assert TRANSITIONS[at, event] == then
            at = then
        assert at == target
    assert ward_path("C20", "F42") is None
    assert ward_path("C22", "D33") is None
    assert ward_path("J30", "F42") == [("verdict_payable", "D33"), ("sent", "F41"), ("credited", "F42")]
    assert ward_path("S10", "S10") == []


@pytest.mark.parametrize(
    ("state", "told", "ahead"),
    [
        ("F42", "D33", True),
        ("D33", "D33", True),
        ("C22", "F42", False),
        ("P20", "C20", False),
        ("J30", "F42", True),  # 振込不能の後の、二度目の判定中
        ("P23", "F43", True),  # 口座の再届出を受けた
        ("C23", "P20", True),  # 数字が違うという申し立て
        ("C20", "P20", True),  # 辞退の取りやめ
        ("X60", "C20", True),
        ("C22", "D34", False),
    ],
)
def test_what_is_already_ahead_is_known(state: str, told: str, ahead: bool) -> None:
    assert is_ahead(state, told) is ahead
