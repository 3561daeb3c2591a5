"""数のうしろにある一覧: 対象、発送、収受、審査済、支給済、振込不能の、一件ずつ。氏名は載らない（番号と状態だけ）。"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.services.dashboard import NAMES, facts_query
from benefit.store.frames import fetch

#: 一枚に出す行の数。
PAGE = 50
LISTS = ("targets", "sent", "received", "reviewed", "paid", "failed")
_SCHEMA = {"給付管理番号": pl.String, "給付": pl.String, "額（円）": pl.Int64, "いま": pl.String}


def name_of(which: str) -> str:
    """一覧の名。"""
    return NAMES[which]


def rows(
    connection: Connection, which: str, names: dict[str, str], stages: dict[str, str], *, page: int | None
) -> tuple[pl.DataFrame, int]:
    """`which` の一覧（給付管理番号の順）と、全部の数。`page` は 1 から。None なら全部。"""
    one = facts_query().subquery()
    query = select(one.c.case_number, one.c.benefit, one.c.amount_yen, one.c.stage)
    counted = select(func.count()).select_from(one)
    if which != "targets":
        query, counted = query.where(one.c[which] > 0), counted.where(one.c[which] > 0)
    query = query.order_by(one.c.case_number)
    if page is not None:
        query = query.limit(PAGE).offset((page - 1) * PAGE)
    found = fetch(connection, query, _SCHEMA)
    told = found.with_columns(
        pl.col("給付").replace_strict(names, default=pl.col("給付")),
        pl.col("いま").replace_strict(stages, default=pl.col("いま")),
    )
    return told, int(connection.execute(counted).scalar_one())
