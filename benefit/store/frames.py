"""問い合わせの答えを、Polars の表にする。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import Connection, Executable, text


def fetch(connection: Connection, query: Executable | str, schema: Mapping[str, Any]) -> pl.DataFrame:
    """問い合わせの列を、`schema` の名と型で順に受け取る。行がなくても、列のある表になる。"""
    rows = connection.execute(text(query) if isinstance(query, str) else query)
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
