"""対応履歴: 誰が・いつ・どんな分けで・何を話したか。書き足すだけで、書き直しは前の行を名指す別の行。"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor, DeskRole
from benefit.domain.deficiency import CONTACT_CATEGORIES
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.written import without_secrets, written
from benefit.services.desk_cases import case_of
from benefit.store import audit, desk
from benefit.store.bulk import insert_one

LONGEST = 2_000
_WRITING = frozenset({DeskRole.OPERATOR, DeskRole.COUNTER, DeskRole.REVIEWER, DeskRole.SUPERVISOR, DeskRole.WARD_CLERK})


def write(
    connection: Connection,
    number: str,
    category: str,
    body: str,
    *,
    call_reference: str = "",
    corrects: int | None = None,
    actor: Actor,
    at: datetime,
) -> int:
    """対応履歴を一行足し、その番号を返す。`category` は CONTACT_CATEGORIES。

    `corrects` は、書き直す行（同じ件の、まだ書き直されていない行）。前の行は残る。
    """
    if actor.role not in _WRITING:
        raise RefusedByRule("対応履歴は、この役割では書けません", code="role")
    if category not in CONTACT_CATEGORIES:
        raise RefusedInput("対応履歴の分けが違います", code="word", found=category)
    told = without_secrets(written(body))
    if not told or len(told) > LONGEST or "\0" in told:
        raise RefusedInput(
            f"対応の内容を、1 字から {LONGEST:,} 字までで書いてください", code="body", found=f"{len(told)} 字"
        )
    case_of(connection, number)
    table = desk.contact
    if corrects is not None:
        before = connection.execute(
            select(table.c.id).where(table.c.id == corrects, table.c.case_number == number)
        ).first()
        later = connection.execute(select(table.c.id).where(table.c.corrects == corrects)).first()
        if before is None or later is not None:
            raise RefusedByRule("書き直す行がないか、もう書き直されています", code="corrected")
    contact_id = insert_one(
        connection,
        table,
        case_number=number,
        category=category,
        body=told,
        call_reference=call_reference,
        corrects=corrects,
        written_by=actor.id,
        role=actor.role,
        at=at,
    )
    detail = {"contact": contact_id, "category": category, "call": call_reference, "corrects": corrects}
    audit.record(connection, desk.audit_log, at=at, actor=actor, action="contact.write", subject=number, detail=detail)
    return contact_id


def contacts_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件の対応履歴（新しい順）。`corrected_by` は、この行を書き直した行（なければ None）。"""
    table = desk.contact
    later = table.alias("later")
    query = (
        select(table, later.c.id.label("corrected_by"))
        .outerjoin(later, later.c.corrects == table.c.id)
        .where(table.c.case_number == case_number)
        .order_by(table.c.id.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]
