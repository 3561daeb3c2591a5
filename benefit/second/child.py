"""こども加算: 対象か未確定の世帯の、基準の日以後に生まれた世帯員一人に一回（契約 §2 Child supplement）。"""

from __future__ import annotations

from benefit.second.household import JudgedHousehold
from benefit.second.judged import Answers
from benefit.second.ward_rows import WardRows


def children(ward: WardRows, household: int) -> list[int]:
    """不詳の日で、対象の日以後でありうる人も入る。"""
    terms = ward.programme.child
    if terms is None:
        return []
    return [number for number in ward.households[household] if ward.births[number][1] >= terms.born_from]


def child_answers(ward: WardRows, number: int, parent: JudgedHousehold) -> Answers:
    """検査の答え。並びは契約の文の順。"""
    terms = ward.programme.child
    assert terms is not None
    return {
        "FACILITY": "児童施設" not in ward.protected.get(number, ()),
        "PARENT": True if parent.verdict == "対象" else None,
        "CHILD_HEAD": None if number == parent.payee_number else True,
        "BIRTH": True if ward.births[number][0] >= terms.born_from else None,
    }
