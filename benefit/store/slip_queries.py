"""納付書を出すときの問い合わせ: 調定の残り、前の納付書、もう結んである鍵。呼んだ側のトランザクションの中。"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Connection, column, select, table

from benefit.store import ward
from benefit.store.frames import fetch
from benefit.store.temporary import with_temporary

_WANTED = table("slip_wanted", column("id"))
_KEYS = table("slip_key", column("pay_key"), column("receivable_id"))
_STANDING = """
    SELECT r.id, r.subject, r.fiscal_year, r.term, r.notice_number, COALESCE(r.person_number, ''), r.origin,
           COALESCE(c.principal_yen, r.principal_yen), COALESCE(c.late_charge_yen, r.late_charge_yen),
           CAST(COALESCE(c.due_on, r.due_on) AS VARCHAR(10)), CAST(COALESCE(p.paid, 0) AS BIGINT),
           (SELECT COUNT(*) FROM debit_order d LEFT JOIN debit_outcome e ON e.order_id = d.id
            WHERE d.receivable_id = r.id AND e.order_id IS NULL)
    FROM slip_wanted w JOIN receivable r ON r.id = w.id
    LEFT JOIN receivable_change c ON c.receivable_id = r.id
      AND c.turn = (SELECT MAX(turn) FROM receivable_change l WHERE l.receivable_id = r.id)
    LEFT JOIN (
        SELECT o.receivable_id,
            SUM(CASE WHEN o.credit IN ('調定', '延滞金') AND o.debit IN ('預金', '充当金', '決済待ち')
                     THEN o.amount_yen
                     WHEN o.debit IN ('調定', '延滞金') AND o.credit IN ('預金', '充当金', '決済待ち')
                     THEN -o.amount_yen ELSE 0 END) AS paid
        FROM collection_posting o JOIN slip_wanted v ON v.id = o.receivable_id GROUP BY o.receivable_id
    ) p ON p.receivable_id = r.id
    ORDER BY r.id
"""
_SCHEMA = {
    "id": pl.Int64,
    "subject": pl.String,
    "fiscal_year": pl.Int64,
    "term": pl.Int64,
    "notice_number": pl.String,
    "person_number": pl.String,
    "origin": pl.String,
    "principal_yen": pl.Int64,
    "late_charge_yen": pl.Int64,
    "due_on": pl.String,
    "paid_yen": pl.Int64,
    "debits_waiting": pl.Int64,
}


def standing(connection: Connection, wanted: pl.DataFrame) -> pl.DataFrame:
    """`wanted`（id の列）の調定の、いまの額・納期限と、納めた額（速報で届いた分を含む）、結果待ちの口座振替の数。"""
    with_temporary(connection, _WANTED.name, wanted)
    return fetch(connection, _STANDING, _SCHEMA).with_columns(pl.col("due_on").str.to_date())


def newest(connection: Connection) -> dict[int, dict[str, Any]]:
    """`standing` で見た調定の、いちばん新しい納付書。"""
    slip = ward.payment_slip
    query = select(slip).join(_WANTED, _WANTED.c.id == slip.c.receivable_id).order_by(slip.c.reissue)
    return {row["receivable_id"]: dict(row) for row in connection.execute(query).mappings()}


def payment_numbers(connection: Connection) -> dict[int, str]:
    """`standing` で見た調定に、もう結んである納付番号（一つだけのもの）。"""
    key = ward.receivable_key
    query = select(key.c.receivable_id, key.c.pay_key).join(_WANTED, _WANTED.c.id == key.c.receivable_id)
    found: dict[int, list[str]] = {}
    for owner, name in connection.execute(query.where(key.c.pay_key.like("MPN:%"))):
        found.setdefault(owner, []).append(name.removeprefix("MPN:"))
    good = {owner: names[0] for owner, names in found.items() if len(names) == 1}
    return {owner: name for owner, name in good.items() if name.isascii() and name.isdigit() and len(name) <= 20}


def bound(connection: Connection, keys: pl.DataFrame) -> dict[str, int]:
    """`keys`（pay_key、receivable_id）のうち、もう結んである鍵と、その調定。"""
    with_temporary(connection, _KEYS.name, keys)
    key = ward.receivable_key
    query = select(key.c.pay_key, key.c.receivable_id).join(_KEYS, _KEYS.c.pay_key == key.c.pay_key)
    return {row.pay_key: row.receivable_id for row in connection.execute(query)}


def slips_of(connection: Connection, receivables: list[int]) -> dict[int, list[dict[str, Any]]]:
    """調定ごとの、出した納付書の全部（再発行の順）。"""
    slip = ward.payment_slip
    found: dict[int, list[dict[str, Any]]] = {}
    query = select(slip).where(slip.c.receivable_id.in_(receivables)).order_by(slip.c.receivable_id, slip.c.reissue)
    for row in connection.execute(query).mappings():
        found.setdefault(row["receivable_id"], []).append(dict(row))
    return found
