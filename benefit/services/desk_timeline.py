"""これまで: 進んだ跡と対応履歴を、新しい順に。取り消された一歩は、消さずに線を引き、誰が取り消したかを添える。"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import BATCH, ROLE_NAMES
from benefit.domain.case import EVENT_NAMES, STATE_WORDS
from benefit.domain.deficiency import CONTACT_CATEGORIES
from benefit.store import desk


@dataclass(frozen=True)
class Entry:
    """一行。`state` は進んだ先の名（対応履歴は空）、`undone_by` は取り消した人（なければ空）。"""

    at: datetime
    title: str
    who: str
    state: str
    note: str
    undone_by: str
    contact_id: int | None = None


def timeline(connection: Connection, case_number: str) -> tuple[Entry, ...]:
    """この件のこれまで。新しい順。"""
    event, contact = desk.case_event, desk.contact
    steps = (
        connection.execute(select(event).where(event.c.case_number == case_number).order_by(event.c.id))
        .mappings()
        .all()
    )
    undone = {step["reverses"]: step for step in steps if step["reverses"] is not None}
    notes = (
        connection.execute(select(contact).where(contact.c.case_number == case_number).order_by(contact.c.id))
        .mappings()
        .all()
    )
    entries = [
        Entry(
            at=_aware(step["at"]),
            title=EVENT_NAMES.get(step["event"], step["event"]),
            who=_who(step["actor"], step["role"]),
            state=STATE_WORDS[step["to_state"]].name if step["to_state"] else "",
            note=step["reason"],
            undone_by=_who(undone[step["id"]]["actor"], undone[step["id"]]["role"]) if step["id"] in undone else "",
        )
        for step in steps
    ] + [_contact(dict(note)) for note in notes]
    # 同じ時刻のものは、後に書かれた方が先。
    newest_first = list(reversed(entries))
    newest_first.sort(key=lambda entry: entry.at, reverse=True)
    return tuple(newest_first)


def _contact(note: Mapping[str, Any]) -> Entry:
    added = "への追記" if note["corrects"] is not None else ""
    return Entry(
        at=_aware(note["at"]),
        title=f"対応（{CONTACT_CATEGORIES[note['category']]}）{added}",
        who=_who(note["written_by"], note["role"]),
        state="",
        note=note["body"],
        undone_by="",
        contact_id=note["id"],
    )


def _who(actor: str, role: str) -> str:
    if role == BATCH.role:
        return "夜間の処理"
    return f"{ROLE_NAMES[role]} {actor}" if role in ROLE_NAMES else actor


def _aware(at: datetime) -> datetime:
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    return at if at.tzinfo else at.replace(tzinfo=UTC)
