"""検査の答えから判定へ。答えは三つ: 該当 True、非該当 False、不明 None（契約 §2 Checks have three answers）。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Answers = Mapping[str, bool | None]


class Outcome(NamedTuple):
    """outcomes.csv の一行（契約 §4）。経路と口座フラグは、対象でなければ空。"""

    subject_kind: str
    subject_number: int
    benefit: str
    verdict: str
    reasons: str
    amount_yen: int
    payee_number: int | None
    route: str | None
    account_flag: str | None


def judged(answers: Answers) -> tuple[str, str]:
    """判定と理由: 非該当があれば対象外とその全部、なければ不明があれば未確定とその全部、なければ対象。"""
    unmet = [check for check, answer in answers.items() if answer is False]
    if unmet:
        return "対象外", ";".join(unmet)
    unknown = [check for check, answer in answers.items() if answer is None]
    if unknown:
        return "未確定", ";".join(unknown)
    return "対象", ""
