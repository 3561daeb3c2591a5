"""判定する行を入れる、トランザクションだけの一時の表と、そこから台帳に結ぶ問い合わせの部品。"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Column, Connection, Date, Integer, MetaData, Select, String, Table, select

from benefit.services.judgment_rows import Prepared
from benefit.services.transfer_lines import ACCOUNT
from benefit.store.bulk import insert_rows

#: 判定する行（line_number あり）と、その行が頼るほかの権利（line_number なし）。このトランザクションだけの表。
judged_line = Table(
    "judged_line",
    MetaData(),
    Column("line_number", Integer),
    Column("case_number", String(20)),
    Column("entitlement_id", Integer),
    *(Column(name, String) for name in ACCOUNT),
    Column("reviewed_on", Date),
    prefixes=["TEMPORARY"],
)
_COLUMNS = tuple(column.name for column in judged_line.columns)
LINE = judged_line.c


def load(connection: Connection, prepared: Prepared) -> None:
    """一時の表に、判定する行と、行が頼る権利（世帯の給付、人の重なる権利）を入れる。"""
    rows = prepared.rows
    lines = rows.with_columns(pl.col("reviewed_on").dt.strftime("%Y-%m-%d")).select(_COLUMNS)
    leaned = pl.concat([rows["parent_id"].cast(pl.Int64), prepared.overlaps["other_id"].cast(pl.Int64)])
    others = leaned.drop_nulls().unique().sort()
    judged_line.create(connection)
    insert_rows(connection, judged_line, _COLUMNS, lines.iter_rows())
    insert_rows(connection, judged_line, ("entitlement_id",), ((number,) for number in others))
    if connection.dialect.name == "postgresql":
        # 作ったばかりの表の大きさを知らせる。知らなければ、台帳のほうを全部読む計画になる。
        connection.exec_driver_sql("ANALYZE judged_line")


def ids() -> Select[tuple[int]]:
    """一時の表にある権利。台帳の表を、これで絞る。"""
    return select(LINE.entitlement_id).where(LINE.entitlement_id.is_not(None))


def numbers(connection: Connection, query: Select[Any]) -> pl.Series:
    """問い合わせの初めの列（番号）。"""
    return pl.Series([row[0] for row in connection.execute(query)], dtype=pl.Int64)
