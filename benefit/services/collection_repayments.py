"""給付の返還を、収納の道で受け取る: 承認された請求が調定になり、消し込まれた入金が返還の入金になる。

返還の台帳（`repayments`）と収納の台帳は、それぞれが一度だけ数える。ここは二つをつなぐだけで、何度走らせても同じである。
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.rules.collection_notices import payment_number_key
from benefit.services import receivables, repayments
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

#: 返還の調定の科目コード。
SUBJECT = "900"


@dataclass(frozen=True)
class Joined:
    """つないだ結果: 新しくできた調定、新しく数えた入金、人が見る入金（額が変わったものなど）の説明。"""

    opened: int
    received: int
    received_yen: int
    to_people: tuple[str, ...]


def join(home: Home, *, actor: Actor, clock: Clock) -> Joined:
    """承認された返還の請求を調定にし、消し込まれた入金を、返還の入金として数える。"""
    opened = _open(home, actor, clock)
    done, total, strange = 0, 0, []
    for row in _posted(home).iter_rows(named=True):
        try:
            counted = repayments.receive(
                home,
                row["repayment_id"],
                amount_yen=row["yen"],
                received_on=date.fromisoformat(row["paid_on"]),
                reference=_reference(row["event"]),
                actor=actor,
                clock=clock,
            )
        except RefusedByRule as refused:
            strange.append(f"返還 {row['repayment_id']} の入金 {row['yen']:,} 円（{row['paid_on']}）: {refused}")
            continue
        if not counted.repeated:
            done, total = done + 1, total + row["yen"]
    return Joined(opened, done, total, tuple(strange))


def _reference(event: str) -> str:
    """収納の番号: 入金の名の指紋。"""
    return "収納-" + hashlib.sha256(event.encode()).hexdigest()[:32]


def _open(home: Home, actor: Actor, clock: Clock) -> int:
    repayment, approval, table = ward.repayment, ward.repayment_approval, ward.receivable
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        waiting = connection.execute(
            select(repayment.c.id, repayment.c.amount_yen, repayment.c.due_on)
            .join(approval, approval.c.release_id == repayment.c.id)
            .where(repayment.c.id.not_in(select(table.c.repayment_id).where(table.c.repayment_id.is_not(None))))
            .order_by(repayment.c.id)
        ).all()
        start = (connection.execute(select(func.max(table.c.id))).scalar() or 0) + 1
        now = clock()
        made = [
            {
                "id": start + place,
                "subject": SUBJECT,
                "fiscal_year": row.due_on.year - (row.due_on.month < 4),
                "term": 1,
                "notice_number": repayments.slip_number(row.id),
                "principal_yen": row.amount_yen,
                "late_charge_yen": 0,
                "due_on": row.due_on,
                "origin": "返還",
                "repayment_id": row.id,
                "made_at": now,
            }
            for place, row in enumerate(waiting)
        ]
        if not made:
            return 0
        connection.execute(table.insert(), made)
        frame = pl.DataFrame(
            {"id": [row["id"] for row in made], "number": [row["notice_number"] for row in made]}
        ).with_columns(
            term_key=receivables.own_key(made),
            number_key=payment_number_key(pl.col("number")),
        )
        keys = pl.concat([frame.select("id", key="term_key"), frame.select("id", key="number_key")])
        insert_rows(connection, ward.receivable_key, ("pay_key", "receivable_id"), keys.select("key", "id").iter_rows())
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="collection.repayments",
            detail={"opened": len(made)},
        )
    return len(made)


def _posted(home: Home) -> pl.DataFrame:
    """返還の調定に消し込まれた入金（確報だけ）: repayment_id、event、yen、paid_on。"""
    with reading(home.ward) as connection:
        return fetch(
            connection,
            """
            SELECT r.repayment_id, p.event, CAST(e.paid_on AS VARCHAR(10)),
                   CAST(SUM(CASE WHEN p.debit IN ('預金', '充当金') THEN p.amount_yen ELSE -p.amount_yen END) AS BIGINT)
            FROM collection_posting p
            JOIN receivable r ON r.id = p.receivable_id AND r.repayment_id IS NOT NULL
            JOIN collection_event e ON e.event = p.event
            WHERE (p.debit IN ('預金', '充当金') AND p.credit = '調定')
               OR (p.credit IN ('預金', '充当金') AND p.debit = '調定')
            GROUP BY r.repayment_id, p.event, e.paid_on
            HAVING SUM(CASE WHEN p.debit IN ('預金', '充当金') THEN p.amount_yen ELSE -p.amount_yen END) > 0
            ORDER BY r.repayment_id, e.paid_on, p.event
            """,
            {"repayment_id": pl.Int64, "event": pl.String, "paid_on": pl.String, "yen": pl.Int64},
        )
