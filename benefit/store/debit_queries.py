"""口座振替のための問い合わせ: いまの依頼、前の請求の行き先、請求の行。"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, text

from benefit.store.frames import fetch

ACCOUNT = {
    "bank_code": pl.String,
    "branch_code": pl.String,
    "account_type": pl.String,
    "account_number": pl.String,
    "holder_kana": pl.String,
}
_ENROLMENTS = """
    SELECT a.person_number, a.subject, a.enrolment_id, a.line_number, a.kind, CAST(a.from_on AS VARCHAR(10)),
           a.bank_code, a.branch_code, a.account_type, a.account_number, a.holder_kana
    FROM debit_account a JOIN debit_enrolment_approval p ON p.release_id = a.enrolment_id
    WHERE a.from_on <= :on
"""
_LAST = """
    SELECT o.receivable_id, o.id, o.attempt, o.request_id, COALESCE(e.outcome, '待ち'), e.code, e.unpaid, f.failures,
           l.bank_code, l.branch_code, l.account_type, l.account_number, l.holder_kana,
           CASE WHEN t.order_id IS NULL THEN 0 ELSE 1 END
    FROM debit_order o
    JOIN (SELECT receivable_id, MAX(attempt) AS attempt FROM debit_order GROUP BY receivable_id) m
      ON m.receivable_id = o.receivable_id AND m.attempt = o.attempt
    JOIN debit_line l ON l.order_id = o.id
    LEFT JOIN debit_outcome e ON e.order_id = o.id
    LEFT JOIN (SELECT receivable_id, CAST(COUNT(*) AS BIGINT) AS failures FROM debit_outcome
               WHERE outcome = '振替不能' GROUP BY receivable_id) f ON f.receivable_id = o.receivable_id
    LEFT JOIN (SELECT DISTINCT d.receivable_id AS order_id FROM debit_letter x
               JOIN debit_order d ON d.id = x.order_id) t ON t.order_id = o.receivable_id
"""
LAST = {
    "receivable_id": pl.Int64,
    "last_order": pl.Int64,
    "last_attempt": pl.Int64,
    "last_request": pl.Int64,
    "last": pl.String,
    "last_code": pl.String,
    "last_unpaid": pl.Int64,
    "failures": pl.Int64,
    **{f"last_{name}": kind for name, kind in ACCOUNT.items()},
    "lettered": pl.Int64,
}


def enrolments(connection: Connection, on: date) -> pl.DataFrame:
    """この日に効いている依頼（人と科目に一行）: 最後の異動と、最後の開始の日 `started_on`。"""
    rows = fetch(
        connection,
        text(_ENROLMENTS).bindparams(on=on.isoformat() if connection.dialect.name == "sqlite" else on),
        {
            "person": pl.String,
            "subject": pl.String,
            "enrolment_id": pl.Int64,
            "enrolment_line": pl.Int64,
            "kind": pl.String,
            "from_on": pl.String,
            **ACCOUNT,
        },
    ).sort("from_on", "enrolment_id", "enrolment_line")
    key = ["person", "subject"]
    started = rows.filter(pl.col("kind") == "開始").group_by(key).agg(started_on=pl.col("from_on").last().str.to_date())
    return rows.group_by(key, maintain_order=True).last().join(started, on=key, how="left")


def last_orders(connection: Connection) -> pl.DataFrame:
    """調定ごとの、最後の請求の行き先。"""
    return fetch(connection, _LAST, LAST).with_columns(
        pl.col("failures").fill_null(0), pl.col("lettered").cast(pl.Boolean)
    )


def before(connection: Connection, last: pl.DataFrame, request_id: int) -> pl.DataFrame:
    """この請求の行を、その前の回の姿に戻した `last_orders`（請求を見直すとき）。"""
    mine = pl.col("last_request") == request_id
    old = fetch(
        connection,
        text(_BEFORE).bindparams(request=request_id),
        {name: kind for name, kind in LAST.items() if name not in {"failures", "lettered"}},
    )
    kept = last.filter(mine).select("receivable_id", "failures", "lettered")
    back = old.join(kept, on="receivable_id").select(last.columns)
    return pl.concat([last.filter(~mine), back])


_BEFORE = """
    SELECT o.receivable_id, o.id, o.attempt, o.request_id, e.outcome, e.code, e.unpaid,
           p.bank_code, p.branch_code, p.account_type, p.account_number, p.holder_kana
    FROM debit_line l JOIN debit_order o ON o.id = l.after_order JOIN debit_outcome e ON e.order_id = o.id
    JOIN debit_line p ON p.order_id = o.id
    WHERE l.request_id = :request
"""
_LINES = """
    SELECT l.order_id, l.receivable_id, l.attempt, l.line_number, o.amount_yen, l.customer_number, l.new_code,
           l.bank_code, l.branch_code, l.account_type, l.account_number, l.holder_kana, e.outcome, e.code
    FROM debit_line l JOIN debit_order o ON o.id = l.order_id LEFT JOIN debit_outcome e ON e.order_id = l.order_id
    WHERE l.request_id = :request ORDER BY l.line_number
"""


def lines(connection: Connection, request_id: int) -> pl.DataFrame:
    """請求の行（ファイルの順）と、その行き先。"""
    return fetch(
        connection,
        text(_LINES).bindparams(request=request_id),
        {
            "order_id": pl.Int64,
            "receivable_id": pl.Int64,
            "attempt": pl.Int64,
            "line_number": pl.Int64,
            "amount_yen": pl.Int64,
            "customer_number": pl.String,
            "new_code": pl.String,
            **ACCOUNT,
            "outcome": pl.String,
            "code": pl.String,
        },
    )


def instalment_receivables(connection: Connection) -> pl.DataFrame:
    """分納の約束のある調定。"""
    return fetch(
        connection,
        "SELECT DISTINCT p.receivable_id FROM instalment_plan p JOIN instalment_plan_approval a ON a.release_id = p.id",
        {"receivable_id": pl.Int64},
    )
