"""督促: 納期限を過ぎて残っている調定を選び、出したことを残す。速報で届いた調定には出さない（行き違いを避ける）。

督促状は、一つの調定に一度だけ。催告書は、督促状を出した後、その納付書の期限も過ぎた調定に。
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import WrongUse
from benefit.services import receivables
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading

FIRST, AGAIN = "督促状", "催告書"


@dataclass(frozen=True)
class Due:
    """選んだ結果。late = wanted + stopped + other（もう出した、まだその時でない）。"""

    late: int
    wanted: tuple[int, ...]
    stopped: int
    other: int


def due(home: Home, kind: str, today: date) -> Due:
    """今日この種類を出す調定。`kind` は督促状か催告書。"""
    if kind not in (FIRST, AGAIN):
        raise WrongUse("督促の種類が違います", code="dunning-kind", found=kind, allowed=f"{FIRST}、{AGAIN}")
    late = receivables.outstanding(home, today)
    stopped = set(late.filter("stopped_by_notice")["id"])
    notice, slip = ward.receivable_notice, ward.payment_slip
    query = select(notice.c.receivable_id, notice.c.kind, slip.c.payable_until).join(
        slip, slip.c.id == notice.c.slip_id
    )
    first: set[int] = set()
    until: dict[int, date] = {}
    with reading(home.ward) as connection:
        for owner, _kind, last in connection.execute(query):
            first.add(owner)
            until[owner] = max(until.get(owner, last), last)
    wanted = [
        number
        for number in late["id"].to_list()
        if number not in stopped
        and (number not in first if kind == FIRST else number in first and until[number] < today)
    ]
    return Due(late.height, tuple(wanted), len(stopped), late.height - len(wanted) - len(stopped))


def sent(
    home: Home, kind: str, slips: Mapping[int, int], *, issued_on: date, folder: str, actor: Actor, clock: Clock
) -> int:
    """出したことを残す（調定の番号 → 納付書）。同じ日に残したものは、もう書かない。新しく残した数を返す。"""
    now = clock()
    notice = ward.receivable_notice
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        query = select(notice.c.receivable_id).where(notice.c.kind == kind, notice.c.issued_on == issued_on)
        known = set(connection.execute(query).scalars())
        rows = [
            (owner, kind, str(issued_on), slip, now.isoformat(sep=" "))
            for owner, slip in slips.items()
            if owner not in known
        ]
        insert_rows(connection, notice, ("receivable_id", "kind", "issued_on", "slip_id", "made_at"), rows)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="dunning.sent",
            subject=kind,
            detail={"rows": len(rows), "folder": folder, "issued_on": str(issued_on)},
        )
    return len(rows)
