"""取消: 誤って進めた一歩を、逆向きの一歩で直す。行は一つも消えず、書き換わらない。

取り消せるのは、いまの状態を作った最後の一歩だけ。支給予定情報に出した後と、区の知らせは、ここでは戻せない。
本人は 10 分以内、その後は、その一歩をしてよい別の人（か管理者）が理由を書いて取り消す。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor, DeskRole
from benefit.domain.case import EVENT_NAMES, FIXED_EVENTS, step_of
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import DEFECTS
from benefit.domain.errors import RefusedByRule
from benefit.services.desk_accounts import Account
from benefit.services.desk_cases import case_of, need_reason, noted, write_rows
from benefit.services.desk_letters_due import ENDING
from benefit.store import audit, desk

OWN_MINUTES = 10
#: 一件の跡から決まる列。
FOLDED = (
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
    "holder_kana",
    "received_on",
    "reviewed_on",
    "deficiency",
    "correction_due_on",
)
#: 区が決めること。十分の後は、区の職員だけが取り消す。
WARD_DECIDES = frozenset({"death_told", "appeal_accepted"})
_FRESH = frozenset({"loaded", "reissued"})


@dataclass(frozen=True)
class LastStep:
    """いまの状態を作った一歩。`why_not` が空なら、この人が取り消せる。"""

    event_id: int
    event: str
    from_state: str
    to_state: str
    actor: str
    at: datetime
    why_not: str


def last_step(connection: Connection, number: str, *, actor: Actor, at: datetime) -> LastStep | None:
    """最後の一歩と、この人がいま取り消せるか。跡がなければ None。"""
    standing = _standing(_events(connection, number))
    if not standing:
        return None
    row = standing[-1]
    return LastStep(
        row["id"],
        row["event"],
        row["from_state"],
        row["to_state"],
        row["actor"],
        _utc(row["at"]),
        _why_not(row, actor, at),
    )


def undo(connection: Connection, number: str, *, reason: str, actor: Actor, at: datetime) -> str:
    """最後の一歩を取り消し、戻った状態を返す。件の列（収受日、口座、不備）も、残った跡から決め直す。"""
    case, why = case_of(connection, number), need_reason(reason)
    events = _events(connection, number)
    standing = _standing(events)
    if not standing:
        raise RefusedByRule("取り消せる一歩がありません", code="nothing-to-undo")
    row = standing[-1]
    refusal = _why_not(row, actor, at)
    if refusal:
        raise RefusedByRule(refusal, code="undo")
    if row["to_state"] != case["state"]:
        raise RefusedByRule("ほかの人が先に進めました。もう一度開いてください", code="moved")
    reversing = {
        "case_number": number,
        "at": at,
        "actor": actor.id,
        "role": actor.role,
        "event": "reversed",
        "from_state": row["to_state"],
        "to_state": row["from_state"],
        "reason": why,
        "evidence": f"case_event:{row['id']}",
        "reverses": row["id"],
    }
    values = {**fold(connection, number, standing[:-1]), "state": row["from_state"], "changed_at": at}
    write_rows(connection, [{"b_number": number, "b_before": case["state"], **values}])
    connection.execute(desk.case_event.insert().values(**reversing))
    _cancel_letters(connection, row, actor, at)
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="case.reversed",
        subject=number,
        reason=noted(why),
        detail={"reverses": row["id"], "event": row["event"], "from": row["to_state"], "to": row["from_state"]},
    )
    return str(row["from_state"])


def _cancel_letters(connection: Connection, row: Mapping[str, Any], actor: Actor, at: datetime) -> None:
    """取り消した一歩が頼んだ、まだ送っていない手紙をやめる。"""
    due, did = desk.letter_due, desk.letter_done
    ended = select(did.c.letter_due_id).where(did.c.case_number == row["case_number"], did.c.deed.in_(ENDING))
    query = select(due.c.id).where(
        due.c.case_number == row["case_number"], due.c.at == row["at"], due.c.id.not_in(ended)
    )
    rows = [
        {
            "letter_due_id": number,
            "case_number": row["case_number"],
            "deed": "cancelled",
            "note": f"「{EVENT_NAMES[row['event']]}」の取消",
            "done_by": actor.id,
            "at": at,
        }
        for number in connection.execute(query).scalars()
    ]
    if rows:
        connection.execute(did.insert(), rows)


def _why_not(row: Mapping[str, Any], actor: Actor, at: datetime) -> str:
    """この人がこの一歩を取り消せないわけ。取り消せれば空。"""
    step = step_of(row["from_state"], row["event"])
    if row["event"] in FIXED_EVENTS or step is None:
        return f"「{EVENT_NAMES.get(row['event'], row['event'])}」は、ここでは取り消せません。区へつないでください"
    own = row["actor"] == actor.id
    if own and at - _utc(row["at"]) <= timedelta(minutes=OWN_MINUTES):
        return ""
    if row["event"] in WARD_DECIDES and actor.role != DeskRole.WARD_CLERK:
        return f"「{EVENT_NAMES[row['event']]}」を取り消せるのは、区の職員です。区へつないでください"
    if actor.role not in {*step.roles, DeskRole.SUPERVISOR}:
        return f"「{EVENT_NAMES[row['event']]}」は、この役割では取り消せません"
    if own:
        return f"自分のした一歩を自分で取り消せるのは、{OWN_MINUTES} 分以内です。別の人か管理者に頼んでください"
    return ""


def _events(connection: Connection, number: str) -> list[dict[str, Any]]:
    event = desk.case_event
    query = select(event).where(event.c.case_number == number).order_by(event.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _standing(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """取り消されていない一歩（取消の行も除く）。"""
    reversed_ids = {row["reverses"] for row in events if row["reverses"] is not None}
    return [row for row in events if row["reverses"] is None and row["id"] not in reversed_ids]


def fold(connection: Connection, number: str, standing: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """取り消されていない一歩だけから、件の列（FOLDED）を決める。列の値は、いつもこれと同じである。"""
    values: dict[str, Any] = dict.fromkeys(FOLDED)
    forms = _by_id(connection, desk.received_form, number)
    reviews = _by_id(connection, desk.form_review, number)
    done = _by_id(connection, desk.letter_done, number)
    defects: dict[str, list[str]] = {}
    table = desk.deficiency
    for found in connection.execute(select(table).where(table.c.case_number == number).order_by(table.c.id)):
        defects.setdefault(f"deficiency:{found.branch}-{found.round}", []).append(DEFECTS[found.code].name)
    for row in standing:
        event, evidence = row["event"], row["evidence"]
        kind, _, key = evidence.partition(":")
        if event in _FRESH:
            values = dict.fromkeys(FOLDED)
        elif event == "refusal_withdrawn":
            values["received_on"] = None
        elif event == "appeal_accepted":
            values["received_on"] = values["received_on"] or tokyo_date(_utc(row["at"]))
        elif kind == "received_form" and event not in {"correction_received", "received_late"}:
            values["received_on"] = forms[int(key)]["received_on"]
        elif event == "deficiency_found":
            values |= {"deficiency": "、".join(defects[evidence]), "correction_due_on": None}
        elif event == "deficiency_notified":
            values["correction_due_on"] = done[int(key)]["due_on"]
        elif event in {"review_finished", "account_verified"}:
            review = reviews[int(key)]
            values |= {name: review[name] for name in Account.__dataclass_fields__}
            day: date = tokyo_date(_utc(row["at"]))
            values |= {"reviewed_on": day, "deficiency": None, "correction_due_on": None}
    return values


def _by_id(connection: Connection, table: Any, number: str) -> dict[int, dict[str, Any]]:
    query = select(table).where(table.c.case_number == number)
    return {row["id"]: dict(row) for row in connection.execute(query).mappings()}


def _utc(moment: datetime) -> datetime:
    """SQLite は時差を忘れて返す。台帳の時刻は UTC である。"""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
