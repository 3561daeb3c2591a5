"""行を入れる: 一行なら付いた番号を返し、たくさんなら一度に（SQLite は executemany、PostgreSQL は COPY）。

どちらも呼んだ側のトランザクションの中。
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, TableClause


def insert_one(connection: Connection, table: Table, **values: Any) -> int:
    """一行を入れ、台帳が付けた番号（id）を返す。"""
    key = connection.execute(table.insert().values(**values)).inserted_primary_key
    assert key is not None  # 型の上では None がありうるが、一行の INSERT では必ず返る
    return int(key[0])


def insert_rows(
    connection: Connection, table: TableClause, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
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
