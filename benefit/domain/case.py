"""給付管理システムの一件（ケース）: 状態、言葉、進み方。三つのファイルを、一つの名で使う。"""

from benefit.domain.case_states import CASE_STATES, CaseState
from benefit.domain.case_transitions import (
    FIXED_EVENTS,
    STEPS,
    TRANSITIONS,
    WARD_EVENTS,
    Step,
    is_ahead,
    may,
    next_state,
    possible,
    step_of,
    ward_path,
)
from benefit.domain.case_words import EVENT_NAMES, STATE_WORDS, StateWords

__all__ = [
    "CASE_STATES",
    "EVENT_NAMES",
    "FIXED_EVENTS",
    "STATE_WORDS",
    "STEPS",
    "TRANSITIONS",
    "WARD_EVENTS",
    "CaseState",
    "StateWords",
    "Step",
    "is_ahead",
    "may",
    "next_state",
    "possible",
    "step_of",
    "ward_path",
]
