"""分納の約束の問い合わせ。"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, text

from benefit.store.frames import fetch

#: 約束（いちばん新しく承認されたもの）ごとの、見る日までに納めるはずの額。
_DUE = """
    SELECT p.receivable_id, p.total_yen, CAST(COALESCE(SUM(CASE WHEN i.due_on < :today THEN i.amount_yen ELSE 0 END), 0)
           AS BIGINT)
    FROM instalment_plan p JOIN instalment i ON i.plan_id = p.id
    WHERE p.id IN (SELECT MAX(q.id) FROM instalment_plan q
                   JOIN instalment_plan_approval a ON a.release_id = q.id GROUP BY q.receivable_id)
    GROUP BY p.receivable_id, p.total_yen
"""


def promised(connection: Connection, today: date) -> pl.DataFrame:
    """約束のある調定: id、約束した時の残り plan_yen、きのうまでに納めるはずの額 plan_due_yen。"""
    given = today.isoformat() if connection.dialect.name == "sqlite" else today
    return fetch(
        connection,
        text(_DUE).bindparams(today=given),
        {"id": pl.Int64, "plan_yen": pl.Int64, "plan_due_yen": pl.Int64},
    )
