"""たくさんの行を一度に入れる。SQLite は executemany、PostgreSQL は COPY。どちらも呼んだ側のトランザクションの中。"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """`columns` の順に並んだ行を入れる。制約に合わなければ、全体が入らない。"""
    names = ", ".join(f'"{name}"' for name in columns)
    if connection.dialect.name == "postgresql":
        cursor = connection.connection.cursor()
        with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        cursor.close()
        return
    marks = ", ".join("?" for _ in columns)
    statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608  # 表と列の名はコードから来る
    cursor = connection.connection.cursor()
    cursor.executemany(statement, list(rows))
    cursor.close()
