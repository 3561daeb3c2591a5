"""一件の状態と進み方: 表にある進み方だけが許され、どの状態にも言葉がある。"""

from __future__ import annotations

from itertools import product

import pytest

from benefit.domain.case import (
    CASE_STATES,
    EVENT_NAMES,
    STATE_WORDS,
    TRANSITIONS,
    WARD_EVENTS,
    CaseState,
    is_ahead,
    next_state,
    ward_path,
)


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
    ],
)
def test_no_money_without_the_steps_before_it(state: CaseState, event: str) -> None:
    assert next_state(state, event) is None


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
    ],
)
def test_what_is_already_ahead_is_known(state: str, told: str, ahead: bool) -> None:
    assert is_ahead(state, told) is ahead
