"""問い合わせの答えを、Polars の表にする。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import Connection, Executable, text


def fetch(connection: Connection, query: Executable | str, schema: Mapping[str, Any]) -> pl.DataFrame:
    """問い合わせの列を、`schema` の名と型で順に受け取る。行がなくても、列のある表になる。"""
    if isinstance(query, str):
        # 型のない文の答えは、直す所がない。一行ずつ包まずに、まとめて受け取る（百万行で数秒の差）。
        cursor = connection.execute(text(query)).cursor
        assert cursor is not None
        rows = cursor.fetchall()
    else:
        rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=schema, orient="row")
