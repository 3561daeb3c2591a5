"""給付管理システムの一件（ケース）の状態の符号（benefit-rules C.2）。"""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """状態の符号（benefit-rules C.2）。"""

    CANDIDATE = "S10"
    NOTICE_SENT = "P20"
    NOTICE_RETURNED = "P21"
    REFUSED_NOTICE = "P22"
    ACCOUNT_TOLD = "P23"
    ACCEPTED = "P25"
    LETTER_SENT = "C20"
    LETTER_RETURNED = "C21"
    RECEIVED = "C22"
    IN_REVIEW = "C23"
    DEFICIENT = "C24"
    DEFICIENCY_TOLD = "C25"
    CORRECTED = "C26"
    REVIEWED = "C27"
    EXPIRED = "C28"
    REFUSED = "C29"
    PLANNED = "J30"
    HELD = "J31"
    BLOCKED = "J32"
    DECIDED = "D33"
    NOT_PAID = "D34"
    FILED = "F40"
    SENT = "F41"
    PAID = "F42"
    FAILED = "F43"
    AWAITING_ACCOUNT = "F44"
    DEAD = "X60"


CASE_STATES = tuple(state.value for state in CaseState)
