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
from benefit.store import ward
from benefit.store.frames import fetch

GONE = "この知らせは、もう当たらない"


def stale_notices(home: Home, connection: Connection, standing: Standing, letters: pl.DataFrame) -> Mapping[int, str]:
    """`letters`（letter_id と letter_kind の列）のうち、きょう出してはならないお知らせの、手紙の番号 → 訳。"""
    found: dict[int, str] = {}
    for kind in NOTICE_KINDS:
        numbers = letters.filter(pl.col("letter_kind") == kind)["letter_id"].to_list()
        if not numbers:
            continue
        letter = ward.letter
        query = select(letter.c.id, letter.c.entitlement_id, letter.c.occasion).where(letter.c.id.in_(numbers))
        made = fetch(connection, query, {"id": pl.Int64, "entitlement_id": pl.Int64, "occasion": pl.String})
        now = notices_due.occasions(home, connection, standing, kind)
        seen = made.join(
            now.select("entitlement_id", "occasion", "why", still=pl.lit(value=True)),
            on=["entitlement_id", "occasion"],
            how="left",
        ).with_columns(why=pl.when(pl.col("still").is_null()).then(pl.lit(GONE)).otherwise("why"))
        found |= dict(seen.filter(pl.col("why").is_not_null()).select("id", "why").iter_rows())
    return found
