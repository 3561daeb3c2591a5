"""返還の請求の一覧と、一件の姿: いくら請求し、いくら返り、いくら残り、期限を何日過ぎたか（R50–R53）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import func, select

from benefit.services.home import Home
from benefit.services.repayments import slip_number
from benefit.store import ward
from benefit.store.engine import reading

#: 状態（benefit-rules C.2 の R）。
STATE_NAMES = {"R50": "誤支給認定（承認待ち）", "R51": "返還請求中", "R52": "返還済", "R53": "分納・法的措置"}
_SCHEMA = {
    "id": pl.Int64,
    "case_number": pl.String,
    "entitlement_id": pl.Int64,
    "payment_id": pl.Int64,
    "paid_yen": pl.Int64,
    "amount_yen": pl.Int64,
    "cause": pl.String,
    "due_on": pl.Date,
    "reason": pl.String,
    "asked_by": pl.String,
    "approved_by": pl.String,
    "undo_plan_id": pl.Int64,
    "transferred_on": pl.Date,
    "received_yen": pl.Int64,
    "last_step": pl.String,
}


def claims(home: Home, *, today: date) -> pl.DataFrame:
    """請求の全部（_SCHEMA の列）に、outstanding_yen、state、days_over（納期限を過ぎた日数）、slip を足した表。"""
    table, approval, payment, entitlement = ward.repayment, ward.repayment_approval, ward.payment, ward.entitlement
    receipt, step, line, transfer = ward.repayment_receipt, ward.repayment_step, ward.transfer_line, ward.transfer
    back = (
        select(receipt.c.repayment_id, func.sum(receipt.c.amount_yen).label("received_yen"))
        .group_by(receipt.c.repayment_id)
        .subquery()
    )
    newest = select(step.c.repayment_id, func.max(step.c.id).label("id")).group_by(step.c.repayment_id).subquery()
    last = select(step.c.repayment_id, step.c.kind).join(newest, newest.c.id == step.c.id).subquery()
    query = (
        select(
            table.c.id,
            entitlement.c.case_number,
            payment.c.entitlement_id,
            table.c.payment_id,
            payment.c.amount_yen.label("paid_yen"),
            table.c.amount_yen,
            table.c.cause,
            table.c.due_on,
            table.c.reason,
            table.c.asked_by,
            approval.c.approved_by,
            table.c.undo_plan_id,
            transfer.c.pay_date,
            func.coalesce(back.c.received_yen, 0),
            last.c.kind,
        )
        .join(payment, payment.c.id == table.c.payment_id)
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id)
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .join(approval, approval.c.release_id == table.c.id, isouter=True)
        .join(back, back.c.repayment_id == table.c.id, isouter=True)
        .join(last, last.c.repayment_id == table.c.id, isouter=True)
        .order_by(table.c.id)
    )
    with reading(home.ward) as connection:
        rows = [_plain(row) for row in connection.execute(query)]
    left = pl.col("amount_yen") - pl.col("received_yen")
    over = (pl.lit(today) - pl.col("due_on")).dt.total_days()
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").with_columns(
        outstanding_yen=left,
        state=pl.when(pl.col("approved_by").is_null())
        .then(pl.lit("R50"))
        .when(left == 0)
        .then(pl.lit("R52"))
        .when(pl.col("last_step").is_in(["分納", "法的措置"]))
        .then(pl.lit("R53"))
        .otherwise(pl.lit("R51")),
        days_over=pl.when(left > 0).then(pl.max_horizontal(over, pl.lit(0))).otherwise(0),
        slip=pl.col("id").map_elements(slip_number, return_dtype=pl.String),
    )


def _plain(row: Any) -> tuple[Any, ...]:
    # 合計は、PostgreSQL では Decimal で返る。
    return tuple(int(value) if name == 13 else value for name, value in enumerate(row))


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """職員が見る表。"""
    return frame.select(
        番号="id",
        納付番号="slip",
        給付管理番号="case_number",
        状態=pl.col("state").replace_strict(STATE_NAMES, return_dtype=pl.String),
        支払額="paid_yen",
        請求額="amount_yen",
        入金額="received_yen",
        残り="outstanding_yen",
        納期限="due_on",
        期限後の日数="days_over",
        理由="cause",
        最後の手続="last_step",
        申し出="asked_by",
        承認="approved_by",
    )
