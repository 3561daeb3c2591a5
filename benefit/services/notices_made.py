"""もう作ったお知らせ: どの出来事の紙があり、何通を組から抜いたか。"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, select

from benefit.store import ward
from benefit.store.frames import fetch


def base(occasion: str) -> str:
    """出来事の名。抜いた紙の代わりに作り直した紙には「r1」が付く。"""
    return occasion.split("r", maxsplit=1)[0]


def papers(connection: Connection, kind: str) -> pl.DataFrame:
    """作った紙: entitlement_id、occasion（出来事の名）、due_on、pulled（組から抜いたか）。"""
    letter, pull = ward.letter, ward.letter_pull
    query = (
        select(letter.c.entitlement_id, letter.c.occasion, letter.c.due_on, pull.c.letter_id.is_not(None))
        .outerjoin(pull, pull.c.letter_id == letter.c.id)
        .where(letter.c.kind == kind)
    )
    schema = {"entitlement_id": pl.Int64, "occasion": pl.String, "due_on": pl.Date, "pulled": pl.Boolean}
    rows = fetch(connection, query, schema)
    return rows.with_columns(occasion=pl.col("occasion").str.split("r").list.first())


def made(connection: Connection, kind: str) -> pl.DataFrame:
    """出来事ごとの、送る紙があるか（made）と、抜いた紙の数（pulled）。"""
    return (
        papers(connection, kind)
        .group_by("entitlement_id", "occasion")
        .agg(made=(~pl.col("pulled")).any(), pulled=pl.col("pulled").sum().cast(pl.Int64))
    )
