"""分納: 調定の残りを何回かに分けて納める約束。別の人が承認すると、督促の期限が約束の期限になり、口座振替は止まる。

納付書は回ごとに作り、どれも同じ調定の鍵に結ぶ。約束どおりかは、約束の後に納めた額（速報を含む）で見る。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import receivables, two_people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn

#: 一つの約束の回数。これより多い分納は、書き誤りである。
MOST = 120


def _left(connection: Connection, receivable_id: int) -> int:
    row = receivables.standing(connection).filter(pl.col("id") == receivable_id)
    if row.is_empty():
        raise WrongUse("その調定はありません", found=str(receivable_id))
    one = row.row(0, named=True)
    return int(one["due_yen"] - one["settled_yen"] - one["promised_yen"])


def ask(
    home: Home,
    receivable_id: int,
    parts: Sequence[tuple[date, int]],
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> int:
    """約束を申し出る。合計は、いまの残りとちょうど同じでなければならない。番号を返す。"""
    two_people.need_clerk(actor)
    if not 1 <= len(parts) <= MOST:
        raise WrongUse("分納の回数が違います", found=f"{len(parts)} 回", allowed=f"1 回から {MOST} 回")
    if any(yen <= 0 for _on, yen in parts):
        raise WrongUse("一回の額は 1 円からです")
    if any(one >= other for (one, _), (other, _) in pairwise(parts)) or parts[0][0] <= tokyo_date(clock()):
        raise WrongUse("期限は、今日より後の、早い順に書いてください")
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        left, total = _left(connection, receivable_id), sum(yen for _on, yen in parts)
        if total != left:
            raise RefusedByRule(
                "分納の合計が、いまの残りと合いません", code="amount", found=f"{total:,} 円", allowed=f"{left:,} 円"
            )
        number = two_people.ask(
            connection,
            ward.instalment_plan,
            {"receivable_id": receivable_id, "total_yen": total},
            action="instalment.ask",
            subject=f"調定 {receivable_id}",
            reason=reason,
            detail={"parts": len(parts), "total_yen": total},
            actor=actor,
            clock=clock,
        )
        connection.execute(
            ward.instalment.insert(),
            [
                {"plan_id": number, "turn": turn, "due_on": on, "amount_yen": yen}
                for turn, (on, yen) in enumerate(parts, 1)
            ],
        )
    return number


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> dict[str, Any]:
    """約束を承認する。申し出た後に納められて残りが変わっていれば、断る。"""
    plan = ward.instalment_plan
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        asked = connection.execute(select(plan).where(plan.c.id == number)).mappings().first()
        if asked is not None and _left(connection, asked["receivable_id"]) != asked["total_yen"]:
            raise RefusedByRule("申し出た後に、残りが変わりました。申し出し直してください", code="changed")
        row = two_people.approve(
            connection, plan, ward.instalment_plan_approval, number, what="分納", actor=actor, clock=clock
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="instalment.approve",
            subject=f"調定 {row['receivable_id']}",
            reason=row["reason"],
            detail={"number": number, "total_yen": row["total_yen"]},
        )
    return row
