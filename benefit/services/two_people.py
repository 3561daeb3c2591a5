"""二人の目: 申し出と、別の人の承認（保留の解除、区が直接扱う人の解除）。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from benefit.domain.access import Actor, WardRole
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.store import audit, ward
from benefit.store.bulk import insert_one


def need_clerk(actor: Actor) -> None:
    """監査と管理の人は、手紙も納付書も返戻も動かさない（見る人が動かすと、見る人がいなくなる）。"""
    if actor.role in {WardRole.AUDITOR.value, WardRole.ADMIN.value}:
        raise RefusedByRule("この仕事は、担当か承認の役割の職員が行います", code="role", found=actor.id)


def need_reason(reason: str) -> str:
    """書かれた理由。空なら WrongUse。"""
    if not reason.strip():
        raise WrongUse("理由を書いてください", code="reason")
    return reason.strip()


def ask(
    connection: Connection,
    asked: Table,
    values: Mapping[str, Any],
    *,
    action: str,
    subject: str | None = None,
    reason: str,
    detail: Mapping[str, Any] | None = None,
    actor: Actor,
    clock: Clock,
) -> int:
    """申し出の行（`values` と、理由・申し出た人・時刻）を書き、監査ログに残す。申し出の番号を返す。

    `subject` は監査ログの対象（給付管理番号など）。なければ申し出の番号。
    """
    now, why = clock(), need_reason(reason)
    number = insert_one(connection, asked, **values, reason=why, asked_by=actor.id, asked_at=now)
    audit.record(
        connection,
        ward.audit_log,
        at=now,
        actor=actor,
        action=action,
        subject=subject or f"{number}",
        reason=why,
        detail={**(detail or {}), "number": number},
    )
    return number


def approve(
    connection: Connection, asked: Table, approval: Table, number: int, *, what: str, actor: Actor, clock: Clock
) -> dict[str, Any]:
    """申し出 `number` を承認し、申し出の行を返す。申し出た人・承認の役割のない人・二度目は断る。"""
    if actor.role != "approver":
        raise RefusedByRule("承認は、承認の役割を持つ職員が行います", code="role")
    row = connection.execute(select(asked).where(asked.c.id == number)).mappings().first()
    if row is None:
        raise WrongUse(f"{what}の申し出 {number} はありません")
    if row["asked_by"] == actor.id:
        raise RefusedByRule("申し出た人は、承認できません", code="two-people")
    if connection.execute(select(approval.c.release_id).where(approval.c.release_id == number)).first():
        raise RefusedByRule(f"この{what}は、もう承認されています", code="approved")
    connection.execute(
        approval.insert().values(release_id=number, asked_by=row["asked_by"], approved_by=actor.id, approved_at=clock())
    )
    return dict(row)
