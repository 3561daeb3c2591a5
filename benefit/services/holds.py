"""保留（J31）の一覧と解除: 二人の職員が理由を書いて解除し、判定し直す。不可（BLOCK）は、誰にも解除できない。

解除しても、支給可になるのは、次の判定（`benefit judge --again`）を通った時である（benefit-rules C.3: J31 → J30）。
"""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.rules.payment_check import Severity
from benefit.rules.payment_verdicts import payment_checks
from benefit.services import two_people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch

_ACCOUNT = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
#: 一覧の列。
COLUMNS = {
    "case_number": pl.String,
    "entitlement_id": pl.Int64,
    "file_number": pl.String,
    "line_number": pl.Int64,
    "checks": pl.String,
    "amount_yen": pl.Int64,
    **dict.fromkeys(_ACCOUNT, pl.String),
}


def line_digest(row: dict[str, Any]) -> str:
    """行の中身（額と口座）の指紋。"""
    content = "|".join(str(row[name]) for name in ("amount_yen", *_ACCOUNT))
    return hashlib.sha256(content.encode()).hexdigest()


def latest(connection: Connection, verdict: str, programme_id: str) -> pl.DataFrame:
    """権利ごとの最後の判定が `verdict` である行（COLUMNS）、給付管理番号の順。"""
    table, file = ward.verdict, ward.planned_file
    newest = (
        select(table.c.entitlement_id, func.max(table.c.planned_file_id).label("file_id"))
        .where(table.c.entitlement_id.is_not(None))
        .group_by(table.c.entitlement_id)
        .subquery()
    )
    query = (
        select(
            table.c.case_number,
            table.c.entitlement_id,
            file.c.file_number,
            table.c.line_number,
            table.c.checks,
            table.c.amount_yen,
            *(table.c[name] for name in _ACCOUNT),
        )
        .join(
            newest,
            (newest.c.entitlement_id == table.c.entitlement_id) & (newest.c.file_id == table.c.planned_file_id),
        )
        .join(file, file.c.id == table.c.planned_file_id)
        .where(table.c.verdict == verdict, file.c.programme == programme_id)
        .order_by(table.c.case_number, table.c.line_number)
    )
    return fetch(connection, query, COLUMNS)


def held(home: Home, programme: Programme) -> pl.DataFrame:
    """保留になっている行（COLUMNS）。"""
    with reading(home.ward) as connection:
        return latest(connection, "保留", programme.id)


def releasable(programme: Programme) -> set[str]:
    """二人で解除できる検査。"""
    return {check.number for check in payment_checks(programme) if check.severity is Severity.HOLD}


def ask(
    home: Home, programme: Programme, case_number: str, check_id: str, *, reason: str, actor: Actor, clock: Clock
) -> int:
    """この番号の、この検査の保留の解除を申し出る。申し出の番号を返す。"""
    reason = two_people.need_reason(reason)
    if check_id not in releasable(programme):
        raise RefusedByRule(
            f"{check_id} は解除できる保留ではありません。不可は、元を直して判定し直します",
            code="not-a-hold",
            allowed="、".join(sorted(releasable(programme))),
        )
    rows = held(home, programme).filter(pl.col("case_number") == case_number)
    row = next((one for one in rows.iter_rows(named=True) if check_id in one["checks"].split(";")), None)
    if row is None:
        raise RefusedByRule(f"この給付管理番号は、{check_id} で保留になっていません", code="not-held")
    with home.ward.begin() as connection:
        return two_people.ask(
            connection,
            ward.hold_release,
            {"entitlement_id": row["entitlement_id"], "check_id": check_id, "line_digest": line_digest(row)},
            action="hold.ask_release",
            subject=case_number,
            reason=reason,
            detail={"check": check_id},
            actor=actor,
            clock=clock,
        )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> str:
    """解除を承認する。検査の番号を返す。申し出た人は、承認できない。"""
    release, entitlement = ward.hold_release, ward.entitlement
    with home.ward.begin() as connection:
        in_turn(connection, "holds")
        asked = two_people.approve(
            connection, release, ward.hold_release_approval, number, what="解除", actor=actor, clock=clock
        )
        case_number = connection.execute(
            select(entitlement.c.case_number).where(entitlement.c.id == asked["entitlement_id"])
        ).scalar_one()
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="hold.release",
            subject=case_number,
            reason=asked["reason"],
            detail={"check": asked["check_id"], "release": number},
        )
    return str(asked["check_id"])


def released(connection: Connection, among: Select[tuple[int]] | None = None) -> pl.DataFrame:
    """承認された解除: entitlement_id、check_id、line_digest。`among` は、この権利だけを見るとき。

    返還の後にもう一度払う解除（CHK34）は、一回の支払に一度だけ効く。承認の後にまた返ってきたお金には、効かない。
    """
    release, approval = ward.hold_release, ward.hold_release_approval
    payment, repayment, receipt = ward.payment, ward.repayment, ward.repayment_receipt
    back_again = (
        select(receipt.c.id)
        .join(repayment, repayment.c.id == receipt.c.repayment_id)
        .join(payment, payment.c.id == repayment.c.payment_id)
        .where(
            payment.c.entitlement_id == release.c.entitlement_id,
            receipt.c.recorded_at > approval.c.approved_at,
        )
        .correlate(release, approval)
        .exists()
    )
    query = (
        select(release.c.entitlement_id, release.c.check_id, release.c.line_digest)
        .join(approval, approval.c.release_id == release.c.id)
        .where((release.c.check_id != "CHK34") | ~back_again)
    )
    if among is not None:
        query = query.where(release.c.entitlement_id.in_(among))
    schema = {"entitlement_id": pl.Int64, "check_id": pl.String, "line_digest": pl.String}
    return fetch(connection, query, schema)


def with_released(connection: Connection, rows: pl.DataFrame, among: Select[tuple[int]] | None = None) -> pl.DataFrame:
    """行に `released`（その中身のままで解除された検査の並び）を足す。"""
    freed = released(connection, among)
    touched = rows.filter(pl.col("entitlement_id").is_in(freed["entitlement_id"].implode()))
    # 解除のある行だけ、一つずつ指紋を取る（全部の行ではない）。
    digests = pl.DataFrame(
        {
            "line_number": touched["line_number"],
            "entitlement_id": touched["entitlement_id"],
            "line_digest": [
                line_digest({**row, "amount_yen": row["planned_yen"]}) for row in touched.iter_rows(named=True)
            ],
        },
        schema={"line_number": pl.Int64, "entitlement_id": pl.Int64, "line_digest": pl.String},
    )
    lists = (
        digests.join(freed, on=["entitlement_id", "line_digest"])
        .group_by("line_number")
        .agg(released=pl.col("check_id").unique())
    )
    return rows.join(lists, on="line_number", how="left", maintain_order="left")
