"""振込不能の帳簿のもと: 台帳にある行、支払、仕訳、照会、回答。どれも書き足すだけの表から読む。"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, select

from benefit.domain.clock import tokyo_date
from benefit.services.transfer_lines import ACCOUNT
from benefit.services.transfer_resend import matched_failures
from benefit.store import ward
from benefit.store.frames import fetch

_LINES = {
    "id": pl.Int64,
    "slot": pl.String,
    "amount_yen": pl.Int64,
    "received_on": pl.Date,
    "bank_report_id": pl.Int64,
    "line_number": pl.Int64,
    "line_payment_id": pl.Int64,
    "outcome": pl.String,
    "reason_code": pl.String,
    "reason": pl.String,
    "candidates": pl.String,
    "transferred_on": pl.Date,
    **dict.fromkeys(ACCOUNT, pl.String),
}
_PAYMENTS = {
    "payment_id": pl.Int64,
    "slot": pl.String,
    "attempt": pl.Int64,
    "state": pl.String,
    "entitlement_id": pl.Int64,
    "planned_file_id": pl.Int64,
    "case_number": pl.String,
    "route": pl.String,
}


def day_of(moment: datetime) -> date:
    """日本の日付。SQLite は時差を忘れるので、UTC として読む。"""
    return tokyo_date(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def items(connection: Connection) -> pl.DataFrame:
    """不能と、その銀行の行と、結ばれた支払（行に載っているか、人が結んだもの）。"""
    failure, line = ward.failure, ward.bank_report_line
    query = select(
        failure.c.id,
        failure.c.slot,
        failure.c.amount_yen,
        failure.c.received_on,
        failure.c.bank_report_id,
        failure.c.line_number,
        line.c.payment_id,
        line.c.outcome,
        line.c.reason_code,
        line.c.reason,
        line.c.candidates,
        line.c.transferred_on,
        *(line.c[name] for name in ACCOUNT),
    ).join(line, (line.c.bank_report_id == failure.c.bank_report_id) & (line.c.line_number == failure.c.line_number))
    matched = pl.DataFrame(
        list(matched_failures(connection).items()), schema={"id": pl.Int64, "matched_id": pl.Int64}, orient="row"
    )
    bound = _payments(connection)
    items = (
        fetch(connection, query, _LINES)
        .join(matched, on="id", how="left")
        .with_columns(payment_id=pl.coalesce("line_payment_id", "matched_id"))
        .join(bound.rename({"slot": "bound_slot"}), on="payment_id", how="left")
        .with_columns(
            # この給付の支払なら、その slot の次の振込を見る。前の再振込に人が結んだ不能は、自分の slot で続く。
            slot=pl.when(pl.col("entitlement_id").is_not_null()).then("bound_slot").otherwise("slot"),
            attempt=pl.when(pl.col("entitlement_id").is_not_null() | (pl.col("bound_slot") == pl.col("slot")))
            .then("attempt")
            .otherwise(0)
            .fill_null(0),
        )
    )
    # 同じ支払の二つ目の知らせ（人が結んだ行）は、同じ一件である。返ったお金は一つしかない。
    return (
        items.sort(pl.col("line_payment_id").is_null(), "id")
        .with_columns(duplicate=pl.col("payment_id").is_not_null() & (pl.int_range(pl.len()).over("payment_id") > 0))
        .join(_match_days(connection), on="id", how="left")
    )


def _payments(connection: Connection) -> pl.DataFrame:
    """不能に関わる slot の支払。"""
    payment, entitlement, failure = ward.payment, ward.entitlement, ward.failure
    slots = select(failure.c.slot)
    matched = select(payment.c.slot).join(ward.report_match, ward.report_match.c.payment_id == payment.c.id)
    query = (
        select(
            payment.c.id,
            payment.c.slot,
            payment.c.attempt,
            payment.c.state,
            payment.c.entitlement_id,
            payment.c.planned_file_id,
            entitlement.c.case_number,
            entitlement.c.route,
        )
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .where(payment.c.slot.in_(slots) | payment.c.slot.in_(matched))
    )
    return fetch(connection, query, _PAYMENTS)


def _match_days(connection: Connection) -> pl.DataFrame:
    match, approval, failure = ward.report_match, ward.report_match_approval, ward.failure
    query = (
        select(failure.c.id, approval.c.approved_at)
        .join(
            match, (match.c.bank_report_id == failure.c.bank_report_id) & (match.c.line_number == failure.c.line_number)
        )
        .join(approval, approval.c.release_id == match.c.id)
    )
    return _days(connection, query, "matched_on")


def _days(connection: Connection, query: Select[Any], name: str) -> pl.DataFrame:
    """id と時刻の組を、id と東京の日付に（id ごとに最後のもの）。"""
    rows = [(row[0], day_of(row[1])) for row in connection.execute(query)]
    return (
        pl.DataFrame(rows, schema={"id": pl.Int64, name: pl.Date}, orient="row").group_by("id").agg(pl.col(name).max())
    )


def following(connection: Connection, items: pl.DataFrame) -> pl.DataFrame:
    """不能の後に起きたこと: 次の（取り消していない）振込の状態、決着の日、戻入の日、判定し直したか。"""
    payments, posting, verdict = _payments(connection), ward.posting, ward.verdict
    later = (
        items.select("id", "slot", "attempt")
        .join(payments.select("slot", "payment_id", next_attempt="attempt", next_state="state"), on="slot")
        .filter((pl.col("next_attempt") > pl.col("attempt")) & (pl.col("next_state") != "F49"))
        .sort("next_attempt")
        .group_by("id", maintain_order=True)
        .first()
        .select("id", "next_state", next_payment="payment_id")
    )
    settled = _days(
        connection,
        select(posting.c.payment_id, posting.c.at)
        .where(posting.c.kind.in_(["credit", "fail", "uncredit"]))
        .where(
            posting.c.payment_id.in_(
                select(ward.payment.c.id).where(ward.payment.c.slot.in_(select(ward.failure.c.slot)))
            )
        ),
        "settled_on",
    ).rename({"id": "next_payment"})
    reversed_days = _days(
        connection,
        select(posting.c.payment_id, posting.c.at).where(posting.c.kind.in_(["reverse", "drop"])),
        "reversed_on",
    ).rename({"id": "payment_id"})
    reversals = (
        items.select("id", "slot", "attempt")
        .join(payments.select("slot", "payment_id", at_attempt="attempt"), on="slot")
        .join(reversed_days, on="payment_id")
        .filter(pl.col("at_attempt") >= pl.col("attempt"))
        .group_by("id")
        .agg(pl.col("reversed_on").max())
    )
    judged = fetch(
        connection,
        select(verdict.c.entitlement_id, verdict.c.planned_file_id)
        .where(verdict.c.verdict == "支給可")
        .where(
            verdict.c.entitlement_id.in_(select(ward.payment.c.entitlement_id).where(ward.payment.c.state == "F43"))
        ),
        {"entitlement_id": pl.Int64, "judged_file": pl.Int64},
    )
    again = (
        items.select("id", "entitlement_id", "planned_file_id")
        .join(judged, on="entitlement_id")
        .group_by("id")
        .agg(judged_again=(pl.col("judged_file") > pl.col("planned_file_id")).any())
    )
    return (
        items.select("id")
        .join(later, on="id", how="left")
        .join(settled, on="next_payment", how="left")
        .join(reversals, on="id", how="left")
        .join(again, on="id", how="left")
    )


def steps(connection: Connection) -> pl.DataFrame:
    """照会と通知の、最後の課・期限・支出命令番号。"""
    step = ward.failure_step
    query = (
        select(step.c.failure_id, step.c.kind, step.c.section, step.c.order_number, step.c.due_on, step.c.made_at)
        .where(step.c.kind.in_(["照会", "督促", "通知"]))
        .order_by(step.c.id)
    )
    rows = [(*row[:5], day_of(row[5])) for row in connection.execute(query)]
    schema = {
        "id": pl.Int64,
        "kind": pl.String,
        "section": pl.String,
        "order_number": pl.String,
        "due_on": pl.Date,
        "made_on": pl.Date,
    }
    asked = pl.col("kind") != "通知"
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .group_by("id", maintain_order=True)
        .agg(
            asked_section=pl.col("section").filter(asked).last(),
            order_number=pl.col("order_number").filter(asked & (pl.col("order_number") != "")).last(),
            due_on=pl.col("due_on").last(),
            times_asked=asked.sum(),
            notified_on=pl.col("made_on").filter(~asked).last(),
        )
    )


def answers(connection: Connection) -> pl.DataFrame:
    """いま効いている回答（承認されたもののうち最後）と、承認を待つ新しい回答があるか。"""
    answer, approval = ward.failure_answer, ward.failure_answer_approval
    query = (
        select(answer.c.failure_id, answer.c.id, answer.c.kind, answer.c.review_on, approval.c.approved_at)
        .join(approval, approval.c.release_id == answer.c.id, isouter=True)
        .order_by(answer.c.id)
    )
    rows = [(*row[:4], day_of(row[4]) if row[4] else None) for row in connection.execute(query)]
    schema = {
        "id": pl.Int64,
        "answer_id": pl.Int64,
        "kind": pl.String,
        "review_on": pl.Date,
        "approved_on": pl.Date,
    }
    said = pl.col("approved_on").is_not_null()
    return (
        pl.DataFrame(rows, schema=schema, orient="row")
        .group_by("id", maintain_order=True)
        .agg(
            answer_id=pl.col("answer_id").filter(said).last(),
            answer_kind=pl.col("kind").filter(said).last(),
            review_on=pl.col("review_on").filter(said).last(),
            answered_on=pl.col("approved_on").filter(said).last(),
            waiting=~said.last(),
        )
    )
