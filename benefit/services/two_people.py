"""二人の目: 申し出と、別の人の承認（保留の解除、区が直接扱う人の解除）。"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse


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
