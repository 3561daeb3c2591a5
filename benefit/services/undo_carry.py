"""承認された取消の計画を行う。台帳の仕事は一つのトランザクションで、全部か無し。紙と一覧は、その後に何度でも書ける。

途中で止まっても、もう一度打てば同じ終わりになる: 「行った」の行（受渡管理簿の undo_out）があれば、台帳には触れない。
どの終わり・組戻し・返還の行にも、計画を立てた人（申し出）と承認した人の二人の名が載る。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, Table, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.services import recalls, recalls_list, transfers
from benefit.services.endings import CLOSING
from benefit.services.home import Home
from benefit.services.returns import entry
from benefit.services.undo_plan import Plan, carried_out, read, refuse_changed
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

#: 権利を終わらせる行。
ENDS = ("判定取消", "振込取消", "不能を戻入")


@dataclass(frozen=True)
class Carried:
    """行った結果。`repeated` は、台帳の仕事がもう済んでいたこと。"""

    plan: Plan
    ended: int
    cancelled: int
    recall_numbers: tuple[int, ...]
    repayment_numbers: tuple[int, ...]
    repeated: bool


def carry_out(home: Home, number: int, *, out: Path, actor: Actor, clock: Clock) -> Carried:
    """計画を行い、組戻依頼一覧を `out` に書く。承認されていない計画、事実の変わった計画は断る。

    返還請求書と納付書は `letters.repayment` が、返る `repayment_numbers` から作る。
    """
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        found = read(connection, home.programme, number)
        if found.approved_by is None:
            raise RefusedByRule(
                f"取消の計画 {number} は、まだ承認されていません。別の人が benefit undo approve {number} で承認します",
                code="not-approved",
            )
        repeated = carried_out(connection, number)
        if not repeated:
            refuse_changed(found)
            _do(connection, home, found, actor=actor, clock=clock)
    done = _done(home, found, repeated=repeated)
    for recall_number in done.recall_numbers:
        recalls_list.write(home, recall_number, out)
    return done


def _do(connection: Connection, home: Home, found: Plan, *, actor: Actor, clock: Clock) -> None:
    """計画のとおりに、台帳の仕事をする。"""
    now = clock()
    lines = found.lines
    for number in lines.filter(pl.col("action") == "振込取消")["transfer_id"].unique().sort().to_list():
        reason = f"取消の計画 {found.id}: {found.terms.reason}"
        transfers.cancel_lines(connection, number, reason=reason, actor=actor, clock=clock)
    _end(connection, found, now)
    for number in lines.filter(pl.col("action") == "組戻し")["transfer_id"].unique().sort().to_list():
        _recall(connection, home, found, number, actor, now)
    _claim(connection, found, now)
    # この行が「行った」の印である。受渡の種類と番号の一意が、二度目を断る。
    connection.execute(
        ward.handover.insert().values(
            crossing="undo_out",
            counterpart="区",
            folder=f"undo-{found.id:04d}",
            sequence=found.id,
            sha256=found.sha256,
            row_count=found.line_count,
            total_yen=found.total_yen,
            actor=actor.id,
            at=now,
        )
    )
    audit.record(
        connection, ward.audit_log, at=now, actor=actor, action="undo.carry_out", subject=f"{found.id}",
        reason=found.terms.reason,
        detail={"sha256": found.sha256, "planned_by": found.asked_by, "approved_by": found.approved_by},
    )  # fmt: skip


def _two_names(found: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """(申し出の行の列, 承認の行の列): 計画を立てた人と、承認した人。"""
    asked = {
        "undo_plan_id": found.id,
        "reason": found.terms.reason,
        "asked_by": found.asked_by,
        "asked_at": found.asked_at,
    }
    return asked, {"asked_by": found.asked_by, "approved_by": found.approved_by, "approved_at": found.approved_at}


def _next(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1


def _insert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(rows), 5_000):
        connection.execute(table.insert(), rows[start : start + 5_000])


def _end(connection: Connection, found: Plan, now: Any) -> None:
    """権利を終わらせ、残っているお金を戻す。取り消した振込の支払は、もう取消（F49）になっている。"""
    asked, approved = _two_names(found)
    rows = found.lines.filter(pl.col("action").is_in(ENDS)).to_dicts()
    start = _next(connection, ward.ending)
    endings = [
        {
            "id": start + place,
            "entitlement_id": row["entitlement_id"],
            "kind": found.terms.ending_kind,
            **asked,
        }
        for place, row in enumerate(rows)
    ]
    postings = []
    for row in rows:
        state = "F49" if row["action"] == "振込取消" else row["state"]
        if state in CLOSING and row["left_yen"] > 0:
            kind, _account = CLOSING[state]
            postings.append(entry(kind, row["entitlement_id"], row["payment_id"], row["left_yen"], now))
    _insert(connection, ward.ending, endings)
    _insert(connection, ward.ending_approval, [{"release_id": row["id"], **approved} for row in endings])
    _insert(connection, ward.posting, postings)


def _recall(connection: Connection, home: Home, found: Plan, transfer_id: int, actor: Actor, now: Any) -> None:
    """一つの振込の支払の組戻しを頼む。"""
    asked, approved = _two_names(found)
    chosen = found.lines.filter((pl.col("action") == "組戻し") & (pl.col("transfer_id") == transfer_id))
    payments = [
        {"payment_id": row["payment_id"], "amount_yen": row["yen"]} for row in chosen.sort("payment_id").to_dicts()
    ]
    row = {"id": _next(connection, ward.recall), **recalls.described(transfer_id, payments), **asked}
    connection.execute(ward.recall.insert().values(**row))
    connection.execute(ward.recall_approval.insert().values(release_id=row["id"], **approved))
    recalls.sent(connection, row, actor=actor, now=now, home=home)


def _claim(connection: Connection, found: Plan, now: Any) -> None:
    """振り込んだお金の返還を請求する。"""
    asked, approved = _two_names(found)
    rows = found.lines.filter(pl.col("action") == "返還").to_dicts()
    start = _next(connection, ward.repayment)
    claims = [
        {
            "id": start + place,
            "payment_id": row["payment_id"],
            "amount_yen": row["yen"],
            "cause": found.terms.cause,
            "due_on": found.terms.due_on,
            **asked,
        }
        for place, row in enumerate(rows)
    ]
    _insert(connection, ward.repayment, claims)
    _insert(connection, ward.repayment_approval, [{"release_id": row["id"], **approved} for row in claims])
    _insert(
        connection,
        ward.posting,
        [
            entry(
                "claim_back",
                row["entitlement_id"],
                row["payment_id"],
                row["yen"],
                now,
                reference=str(claim["id"]),
            )
            for row, claim in zip(rows, claims, strict=True)
        ],
    )


def _done(home: Home, found: Plan, *, repeated: bool) -> Carried:
    """台帳に残っている、この計画の仕事。"""

    def numbers(connection: Connection, table: Table) -> tuple[int, ...]:
        query = select(table.c.id).where(table.c.undo_plan_id == found.id).order_by(table.c.id)
        return tuple(connection.execute(query).scalars())

    with reading(home.ward) as connection:
        return Carried(
            found,
            len(numbers(connection, ward.ending)),
            found.lines.filter(pl.col("planned_action") == "振込取消")["transfer_id"].n_unique(),
            numbers(connection, ward.recall),
            numbers(connection, ward.repayment),
            repeated,
        )
