"""その場限りの表: たくさんの行を一度に渡し、台帳の表との結合を SQL に任せる。"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, table, text

from benefit.store.bulk import insert_rows

_TYPES = {pl.Int64: "BIGINT", pl.String: "TEXT", pl.Date: "DATE", pl.Boolean: "BOOLEAN"}


def with_temporary(connection: Connection, name: str, rows: pl.DataFrame) -> None:
    """その場限りの表に行を入れる（接続の中だけ。前のものは消す）。結合を SQL に任せるため。"""
    kinds = ", ".join(
        f"{column} {_TYPES[type(dtype)]}" for column, dtype in zip(rows.columns, rows.dtypes, strict=True)
    )
    connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    connection.execute(text(f"CREATE TEMPORARY TABLE {name} ({kinds})"))
    insert_rows(connection, table(name), rows.columns, sendable(rows).iter_rows())
    connection.execute(text(f"CREATE INDEX {name}_first ON {name} ({rows.columns[min(1, rows.width - 1)]})"))


def sendable(rows: pl.DataFrame) -> pl.DataFrame:
    """日付を ISO の文字にする（SQLite は文字で持ち、PostgreSQL は文字から読む）。"""
    return rows.with_columns(pl.col(pl.Date).dt.strftime("%Y-%m-%d"))
