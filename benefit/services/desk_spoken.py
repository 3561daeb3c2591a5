"""読み上げる一文: 状態と日付だけから作る（日本語と、同じことを言う英語）。次の手順と、その日も。"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from benefit.domain.case import STATE_WORDS
from benefit.domain.case_words import AFTER_THE_DAY
from benefit.domain.deficiency import DEFECTS
from benefit.domain.wareki import wareki

UNKNOWN_DAY, UNKNOWN_DAY_ENGLISH = "区がお知らせする日", "a date the ward office will confirm"
#: 不備を、相手に言う英語。
_ASKS_IN_ENGLISH = {
    "signature": "Please write your name in the signature field.",
    "pledge": "Please read and tick the declaration.",
    "identity_missing": "Please send a copy of your identity document.",
    "identity_expired": "Please send a copy of an identity document that has not expired.",
    "account_paper": "Please send a copy of your passbook or cash card.",
    "account_unclear": "Please write your bank account again clearly.",
    "holder": "Please give an account in your own name.",
    "proxy": "Please complete the proxy section.",
    "proxy_identity": "Please send a copy of your proxy's identity document.",
    "tax_certificate": "Please send a tax certificate from the city where you lived before.",
    "address": "Please report your change of address at the ward office.",
    "custody": "Please send a statement that you are bringing up the child.",
    "wrong_paper": "Please send a copy of your own document.",
    "late": "It arrived after the deadline and the ward office is checking it.",
    "twice": "The same papers arrived twice. We will use the first.",
    "both_channels": "Both an online and a paper claim arrived. We will use the first.",
}
#: 足りないものを言う状態。
_SAYS_DEFECTS = ("C24", "C25")
#: 状態 → 次の手順の日が入っている列。
_NEXT_DAY = {
    "P20": "due_on",
    "P22": "due_on",
    "C20": "due_on",
    "C25": "correction_due_on",
    "F40": "transferred_on",
    "F41": "transferred_on",
}


@dataclass(frozen=True)
class Spoken:
    """言う文（日本語・英語）と、次の手順とその日。"""

    says: str
    says_english: str
    next_step: str
    next_on: date | None


def spoken(case: Mapping[str, Any], defects: Sequence[str], today: date) -> Spoken:
    """この件の言う文。`defects` はいまの不備の符号。待っている日が `today` より前なら、過ぎた日として言う。"""
    column, words = AFTER_THE_DAY.get(case["state"], ("", STATE_WORDS[case["state"]]))
    past = bool(column) and case[column] is not None and case[column] < today
    words = words if past else STATE_WORDS[case["state"]]
    days: dict[str, date | None] = {
        "due": case["due_on"],
        "received": case["received_on"],
        "correct_by": case["correction_due_on"],
        "paid": case["transferred_on"],
    }
    said = {name: wareki(day) if day else UNKNOWN_DAY for name, day in days.items()}
    said |= {
        f"{name}_en": f"{day:%B} {day.day}, {day.year}" if day else UNKNOWN_DAY_ENGLISH for name, day in days.items()
    }
    missing, missing_english = "", ""
    if case["state"] in _SAYS_DEFECTS and not past:
        missing = "".join(DEFECTS[code].asks for code in defects)
        missing_english = "".join(f" {_ASKS_IN_ENGLISH[code]}" for code in defects)
    column = "" if past else _NEXT_DAY.get(case["state"], "")
    return Spoken(
        # 日付の分からない「…に受け付けました」は、日付を言わない文にする（これからの日は「区がお知らせする日」）。
        says=words.says.format(**said).removeprefix(f"{UNKNOWN_DAY}に").removeprefix("、") + missing,
        says_english=words.says_english.format(**said).replace(f" on {UNKNOWN_DAY_ENGLISH}", "") + missing_english,
        next_step=words.next_step.format(**said),
        next_on=case[column] if column else None,
    )
