"""取消の計画: 何を引き揚げ、何を組み戻し、何を返してもらうかを数え、別の人がその指紋を承認する。

計画はお金を動かさない。承認の時と行う時に、いまの事実から同じ計画を作り直し、指紋が違えば断る（その間に入金された、
振込不能が届いた、など）。だから承認した数と、行うことの数は、いつも同じである。
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.domain.transfer import ENDING_KINDS, REPAYMENT_CAUSES
from benefit.services import two_people
from benefit.services.home import Home
from benefit.services.undo_facts import deeds, positions
from benefit.services.undo_scope import Scope
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading


@dataclass(frozen=True)
class Terms:
    """計画の約束: 権利の終わり方、返還の理由、納期限、取り消す訳。"""

    ending_kind: str
    cause: str
    due_on: date
    reason: str

    def __post_init__(self) -> None:
        """言葉を確かめる。"""
        if self.ending_kind not in ENDING_KINDS:
            raise WrongUse("終わり方の言葉が違います", found=self.ending_kind, allowed="、".join(ENDING_KINDS))
        if self.cause not in REPAYMENT_CAUSES:
            raise WrongUse("返還の理由の言葉が違います", found=self.cause, allowed="、".join(REPAYMENT_CAUSES))
        two_people.need_reason(self.reason)


@dataclass(frozen=True)
class Plan:
    """計画一つ。`lines` は、権利ごとにすること（undo_facts.deeds の表）。"""

    id: int
    programme: str
    scope: Scope
    terms: Terms
    sha256: str
    line_count: int
    total_yen: int
    planned_on: date
    asked_by: str
    asked_at: Any
    approved_by: str | None
    approved_at: Any
    lines: pl.DataFrame


def digest(programme_id: str, scope: Scope, terms: Terms, lines: pl.DataFrame) -> str:
    """計画の指紋: 範囲、約束、権利ごとのすることと額と支払。同じ事実からは同じ指紋。"""
    # することのない権利の支払が先へ進んでも、計画は変わらない（することができれば、action が変わる）。
    acted = pl.col("action") != "なし"
    names = ("payment_id", "transfer_id", "state")
    lines = lines.with_columns(pl.when(acted).then(pl.col(name)).alias(name) for name in names)
    body = {
        "programme": programme_id,
        "scope": str(scope),
        "terms": [terms.ending_kind, terms.cause, terms.due_on.isoformat(), terms.reason],
        "lines": lines.sort("case_number").select("case_number", "action", "yen", *names).rows(),
    }
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def plan(
    home: Home,
    programme: Programme,
    scope: Scope,
    entitlements: list[int],
    *,
    terms: Terms,
    today: date,
    actor: Actor,
    clock: Clock,
) -> Plan:
    """計画を作って残す。同じ事実の計画がもうあれば、それを返す（何度作っても一つ）。"""
    if terms.due_on <= today:
        raise WrongUse("返還の納期限は、今日より後の日にします", found=str(terms.due_on))
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        lines = deeds(positions(connection, programme, entitlements), scope)
        fingerprint = digest(programme.id, scope, terms, lines)
        known = connection.execute(select(ward.undo_plan.c.id).where(ward.undo_plan.c.sha256 == fingerprint)).scalar()
        if known is None:
            known = _store(connection, programme, scope, terms, lines, fingerprint, today, actor, clock)
    return show(home, known)


def _store(
    connection: Connection,
    programme: Programme,
    scope: Scope,
    terms: Terms,
    lines: pl.DataFrame,
    fingerprint: str,
    today: date,
    actor: Actor,
    clock: Clock,
) -> int:
    number = two_people.ask(
        connection,
        ward.undo_plan,
        {
            "programme": programme.id,
            "scope": str(scope),
            "sha256": fingerprint,
            "line_count": lines.height,
            "total_yen": int(lines["yen"].sum()),
            "ending_kind": terms.ending_kind,
            "cause": terms.cause,
            "due_on": terms.due_on,
            "planned_on": today,
        },
        action="undo.plan",
        reason=terms.reason,
        detail={"sha256": fingerprint, "lines": lines.height, "scope": str(scope)},
        actor=actor,
        clock=clock,
    )
    stored = lines.select(
        "entitlement_id", "payment_id", "action", undo_plan_id=pl.lit(number), amount_yen="yen"
    ).to_dicts()
    for start in range(0, len(stored), 10_000):
        connection.execute(ward.undo_plan_line.insert(), stored[start : start + 10_000])
    return number


def show(home: Home, number: int) -> Plan:
    """計画一つと、その行。"""
    with reading(home.ward) as connection:
        return read(connection, home.programme, number)


def read(connection: Connection, programme_of: Any, number: int) -> Plan:
    """計画一つ。行の訳や状態は、いまの事実から（承認の後に変わっていれば、指紋で分かる）。"""
    table, approval = ward.undo_plan, ward.undo_plan_approval
    row = (
        connection.execute(
            select(table, approval.c.approved_by, approval.c.approved_at)
            .join(approval, approval.c.release_id == table.c.id, isouter=True)
            .where(table.c.id == number)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise WrongUse(f"取消の計画 {number} はありません", code="no-plan")
    line = ward.undo_plan_line
    stored = connection.execute(
        select(line.c.entitlement_id, line.c.payment_id, line.c.action, line.c.amount_yen).where(
            line.c.undo_plan_id == number
        )
    )
    schema = {
        "entitlement_id": pl.Int64,
        "planned_payment_id": pl.Int64,
        "planned_action": pl.String,
        "planned_yen": pl.Int64,
    }
    planned = pl.DataFrame([tuple(one) for one in stored], schema=schema, orient="row")
    scope = Scope.parse(row["scope"])
    programme = programme_of(row["programme"])
    now = deeds(positions(connection, programme, planned["entitlement_id"].to_list()), scope)
    return Plan(
        number,
        row["programme"],
        scope,
        Terms(row["ending_kind"], row["cause"], row["due_on"], row["reason"]),
        row["sha256"],
        row["line_count"],
        row["total_yen"],
        row["planned_on"],
        row["asked_by"],
        row["asked_at"],
        row["approved_by"],
        row["approved_at"],
        now.join(planned, on="entitlement_id", how="left"),
    )


def refuse_changed(found: Plan) -> None:
    """計画の後に事実が変わっていたら断る。"""
    if digest(found.programme, found.scope, found.terms, found.lines) != found.sha256:
        moved = found.lines.filter(
            (pl.col("action") != pl.col("planned_action")) | (pl.col("yen") != pl.col("planned_yen"))
        )
        raise RefusedByRule(
            f"計画の後に {max(moved.height, 1):,} 件の事実が変わりました。benefit undo plan で計画し直してください",
            code="changed-meanwhile",
        )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> Plan:
    """いまの事実から作り直した指紋が、計画の指紋と同じときだけ、承認する。"""
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        found = read(connection, home.programme, number)
        asked = two_people.approve(
            connection, ward.undo_plan, ward.undo_plan_approval, number, what="取消の計画", actor=actor, clock=clock
        )
        refuse_changed(found)
        audit.record(
            connection, ward.audit_log, at=clock(), actor=actor, action="undo.approve", subject=f"{number}",
            reason=asked["reason"], detail={"sha256": found.sha256, "total_yen": found.total_yen},
        )  # fmt: skip
    return show(home, number)


def cancelled_too(connection: Connection, found: Plan) -> dict[int, int]:
    """取り消す振込 → その中の、計画にない行の数（取り消した後、次の transfer make で作り直される）。"""
    numbers = found.lines.filter(pl.col("planned_action") == "振込取消")["transfer_id"].unique().sort().to_list()
    inside = set(found.lines["payment_id"].drop_nulls().to_list())
    table = ward.transfer_line
    others: dict[int, int] = {}
    for number in numbers:
        ids = connection.execute(select(table.c.payment_id).where(table.c.transfer_id == number)).scalars()
        others[number] = sum(one not in inside for one in ids)
    return others


def carried_out(connection: Connection, number: int) -> bool:
    """この計画は、もう行われたか。"""
    table = ward.handover
    query = select(func.count()).where(table.c.crossing == "undo_out", table.c.sequence == number)
    return bool(connection.execute(query).scalar_one())
