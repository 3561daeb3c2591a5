"""区直轄の並びと、住所。どちらも、見た記録が台帳に残ってから返る。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, or_, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.services import extracts, restricted_queue
from benefit.services.home import Home
from benefit.services.ward_case import Told
from benefit.services.ward_case_rows import cases_query, trails
from benefit.store import audit, ward
from benefit.store.engine import reading


@dataclass(frozen=True)
class Row:
    """並びの一行。氏名も住所も、ここに列がない。"""

    case_number: str
    benefit: str
    amount_yen: int
    payee_number: int
    told: Told


@dataclass(frozen=True)
class Address:
    """見せる住所。`kind` は、どこの住所か（届け出た送付先か、住民記録か）。"""

    person_number: int
    kind: str
    postal_code: str
    address: str
    address2: str
    until: datetime


def queue(home: Home, since: datetime, *, actor: Actor, clock: Clock) -> tuple[list[Row], list[dict[str, Any]]]:
    """(並び、`since` 以後の住所の申し出)。名ざされていない人には、どちらも空。問い合わせは、同じだけする。"""
    table = ward.entitlement
    with home.ward.begin() as connection:
        member = restricted_queue.is_member(connection, actor)
        query = cases_query().where(or_(table.c.route == "WARD", table.c.slot_kind == "EVACUEE"))
        cases = [dict(row) for row in connection.execute(query).mappings()]
        found = trails(connection, cases)
        views = restricted_queue.address_views(connection, since)
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="restricted.queue",
            detail={"rows": len(cases) if member else 0},
        )
    if not member:
        return [], []
    rows = [
        Row(
            one.case["case_number"],
            one.case["benefit"],
            one.case["amount_yen"],
            one.case["payee_number"],
            one.told,
        )
        for one in found
    ]
    return sorted(rows, key=lambda row: (row.told.state, row.case_number)), views


def address(home: Home, number: int, *, actor: Actor, clock: Clock) -> Address:
    """承認された申し出の住所。届け出た送付先があればそれだけ、なければ住民記録の住所。"""
    with home.ward.begin() as connection:
        person_number, until = restricted_queue.show_address(connection, number, actor=actor, clock=clock)
    # ここから先は、見た記録が台帳に残った後である。
    mine = pl.col("person_number") == person_number
    sources = extracts.current_sources(home, 0)
    if "addresses" in sources:
        given = extracts.load(home, sources["addresses"]).filter(mine).rows(named=True)
        if given:
            last = given[-1]
            return Address(
                person_number,
                f"届け出た送付先（{last['kind']}）",
                last["postal_code"] or "",
                last["address"] or "",
                last["address2"] or "",
                until,
            )
    frame = restricted_queue.residents(home)
    rows = frame.filter(mine).collect().rows(named=True) if frame is not None else []
    if not rows:
        return Address(person_number, "登録がありません", "", "", "", until)
    row = rows[0]
    return Address(
        person_number,
        "住民記録の住所",
        row["postal_code"] or "",
        row["address"] or "",
        row["address2"] or "",
        until,
    )


def waiting_replies(home: Home, *, actor: Actor) -> list[dict[str, Any]]:
    """二人目を待つ返事: 番号、紙のありか、入れた人、時刻。中身は、二人目に見せない。名ざされていない人には空。"""
    reply, checked = ward.ward_reply, ward.ward_reply_check
    query = (
        select(reply.c.id, reply.c.reason, reply.c.asked_by, reply.c.asked_at)
        .join(checked, checked.c.reply_id == reply.c.id, isouter=True)
        .where(checked.c.reply_id.is_(None))
        .order_by(reply.c.id)
    )
    with reading(home.ward) as connection:
        member = restricted_queue.is_member(connection, actor)
        found = [dict(row) for row in connection.execute(query).mappings()]
    return found if member else []


def refuse_unnamed(connection: Connection, actor: Actor) -> None:
    """名ざされていない人には、ない番号と同じに断る。"""
    if not restricted_queue.is_member(connection, actor):
        raise RefusedByRule(restricted_queue.NO_SUCH, code="no-such")
