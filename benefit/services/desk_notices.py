"""委託先が刷る手紙（L5 不備のお知らせ、L8 返送のお願い）の相手を、給付管理システムの台帳だけから決める。

区の台帳は開かない。額も、公金受取口座・生活保護費の口座も、はじめから読まない。頼まれた手紙（letter_due）のうち、
まだ刷っていないものを、その日の件で見直す: 枝番が進んだ、状態が変わった、期限が過ぎた件は、刷らずに訳を言う。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.deficiency import CORRECTION_DAYS, DEFECTS
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.letter import DEFICIENCY_NOTICE, REMINDER
from benefit.services import desk_letters_due
from benefit.services.home import Home
from benefit.store import desk
from benefit.store.engine import reading

#: 頼まれた手紙の種類（letter_due.kind）→ 手紙の種類と、送ってよい件の状態。
KINDS = {"deficiency": (DEFICIENCY_NOTICE, "C24"), "reminder": (REMINDER, "C20")}
#: 紙に要る列だけを読む。額と口座の列は、ここにない。
_CASE = ("case_number", "branch", "benefit", "postal_code", "address", "address2", "name", "kana_name", "braille")


@dataclass(frozen=True)
class DeskLetters:
    """刷る手紙（一つの dict が一通）と、刷らない件（給付管理番号、訳）。"""

    kind: str
    letters: list[dict[str, Any]]
    closed: list[tuple[str, str]]


def waiting(home: Home, programme_id: str, kind: str, today: date) -> DeskLetters:
    """`kind`（KINDS）の、まだ刷っていない手紙。一つの件に二つ頼まれていれば、初めの一つだけ。

    一通の鍵: letter_id、_CASE の列、due_on（期限）、不備なら received_on と defects（符号の並び）。
    """
    if kind not in KINDS:
        raise WrongUse("この種類の手紙は、ここでは作れません", code="desk-letter", found=kind, allowed="、".join(KINDS))
    with reading(home.desk) as connection:
        asked = _unprinted(connection, programme_id, kind)
        found = [_one(connection, kind, row, today) for row in asked]
    letters = {one["case_number"]: one for one in reversed([one for one in found if "why" not in one])}
    closed = [(one["case_number"], one["why"]) for one in found if "why" in one]
    return DeskLetters(KINDS[kind][0], sorted(letters.values(), key=lambda one: one["letter_id"]), closed)


def _unprinted(connection: Connection, programme_id: str, kind: str) -> list[dict[str, Any]]:
    due, did, case, named = desk.letter_due, desk.letter_done, desk.benefit_case, desk.benefit_name
    over = select(did.c.letter_due_id).where(did.c.deed.in_(("printed", *desk_letters_due.ENDING)))
    query = (
        select(
            due.c.id.label("letter_id"),
            due.c.branch.label("asked_branch"),
            case.c.state,
            case.c.due_on,
            *(case.c[name] for name in _CASE),
        )
        .join(case, case.c.case_number == due.c.case_number)
        .join(named, named.c.benefit == case.c.benefit)
        .where(due.c.kind == kind, due.c.id.not_in(over), named.c.programme == programme_id)
        .order_by(due.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _one(connection: Connection, kind: str, row: dict[str, Any], today: date) -> dict[str, Any]:
    asked, state = row.pop("asked_branch"), row.pop("state")
    if asked != row["branch"]:
        return {"case_number": row["case_number"], "why": "枝番が進み、この手紙は要らなくなった"}
    if state != KINDS[kind][1]:
        return {"case_number": row["case_number"], "why": "件の状態が変わった"}
    if kind == "reminder":
        if row["due_on"] is None or row["due_on"] < today:
            return {"case_number": row["case_number"], "why": "返送の期限が過ぎた"}
        return row
    return row | {"due_on": today + timedelta(days=CORRECTION_DAYS)} | _defects(connection, row)


def _defects(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """いまの回の不備の符号と、書類の届いた日。"""
    table, form = desk.deficiency, desk.received_form
    mine = (table.c.case_number == row["case_number"], table.c.branch == row["branch"])
    last = select(func.max(table.c.round)).where(*mine).scalar_subquery()
    codes = connection.execute(select(table.c.code).where(*mine, table.c.round == last).order_by(table.c.id)).scalars()
    received = select(func.max(form.c.received_on)).where(
        form.c.case_number == row["case_number"], form.c.branch == row["branch"]
    )
    defects = tuple(codes)
    if not defects:
        return {"case_number": row["case_number"], "why": "不備の記録がない"}
    assert all(code in DEFECTS for code in defects)
    return {"defects": defects, "received_on": connection.execute(received).scalar()}


def printed(home: Home, letters: list[int], *, actor: Actor, clock: Clock) -> None:
    """刷ったことを書き足す。全部か無し。もう一つの実行が先に刷っていれば断る。"""
    try:
        with home.desk.begin() as connection:
            for number in letters:
                desk_letters_due.done(connection, number, "printed", note="組で印刷", actor=actor, at=clock())
    except RefusedByRule:
        raise RefusedByRule(
            "紙を組んでいる間に、ほかの人が刷ったか取りやめた手紙があります。組んだ紙は捨てました。もう一度実行してください",
            code="changed-meanwhile",
        ) from None
