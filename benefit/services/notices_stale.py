"""組を出す日に、もう当たらないお知らせ: 取り消した振込、口座の届いた不能、納付の知らせ（速報）が届いた督促。

手紙の関門（mailing_release）は人と宛先を見る。ここは、お知らせのもとの出来事が、その日もそのままかを見る。
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.letter import NOTICE_KINDS
from benefit.services import notices_due
from benefit.services.gate import Standing
from benefit.services.home import Home
from benefit.services.notices_facts import digests
from benefit.store import ward
from benefit.store.frames import fetch

GONE = "この知らせは、もう当たらない"
CHANGED = "紙に刷った事柄が変わった"


def stale_notices(home: Home, connection: Connection, standing: Standing, letters: pl.DataFrame) -> Mapping[int, str]:
    """`letters`（letter_id と letter_kind の列）のうち、きょう出してはならないお知らせの、手紙の番号 → 訳。"""
    found: dict[int, str] = {}
    for kind in NOTICE_KINDS:
        numbers = letters.filter(pl.col("letter_kind") == kind)["letter_id"].to_list()
        if not numbers:
            continue
        letter = ward.letter
        printed = ward.letter_printed
        query = (
            select(letter.c.id, letter.c.entitlement_id, letter.c.occasion, printed.c.digest)
            .join(printed, printed.c.letter_id == letter.c.id)
            .where(letter.c.id.in_(numbers))
        )
        schema = {"id": pl.Int64, "entitlement_id": pl.Int64, "occasion": pl.String, "digest": pl.String}
        made = fetch(connection, query, schema).with_columns(pl.col("occasion").str.split("r").list.first())
        rows = notices_due.occasions(home, connection, standing, kind)
        now = rows.with_columns(digest_now=pl.Series(digests(kind, rows), dtype=pl.String))
        seen = made.join(
            now.select("entitlement_id", "occasion", "why", "digest_now"),
            on=["entitlement_id", "occasion"],
            how="left",
        ).with_columns(
            why=pl.when(pl.col("digest_now").is_null())
            .then(pl.lit(GONE))
            .when(pl.col("why").is_null() & (pl.col("digest_now") != pl.col("digest")))
            .then(pl.lit(CHANGED))
            .otherwise("why")
        )
        found |= dict(seen.filter(pl.col("why").is_not_null()).select("id", "why").iter_rows())
    return found
