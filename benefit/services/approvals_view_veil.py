"""区直轄の覆い: 名ざされていない人の画面では、その行の番号・口座・名義を伏せる（0028）。件数と額は、承認のために残る。

承認の指紋は、覆う前の中身から作る。見える人にも見えない人にも、承認するものは同じである。
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import polars as pl
from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.domain.errors import WrongUse
from benefit.services import restricted_queue
from benefit.services.approvals_view import Sheet
from benefit.services.home import Home
from benefit.services.restricted_queue import PERSON_SLOTS
from benefit.store import ward
from benefit.store.engine import reading
from benefit.store.frames import fetch

WORD = "区直轄"
#: その人が分かる列。
_TELLING = (
    *("口座", "名義", "めずらしい所", "状態の動き"),
    *("前の理由", "今の理由", "前の受給者", "今の受給者", "前の経路", "今の経路"),
)
_RIGHTS = {
    "case_number": pl.String,
    "route": pl.String,
    "slot_kind": pl.String,
    "payee_number": pl.Int64,
    "subject_number": pl.Int64,
}


@dataclass(frozen=True)
class Veil:
    """この人に見せない番号: 給付管理番号、住民番号（10 桁）、世帯番号（10 桁）。"""

    cases: frozenset[str]
    people: frozenset[str]
    households: frozenset[str]

    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """隠れる人の行の番号・口座・名義を伏せる。"""
        if "給付管理番号" in frame.columns:
            key, secret = "給付管理番号", pl.col("給付管理番号").is_in(list(self.cases))
        elif "対象番号" in frame.columns:
            key = "対象番号"
            home = (pl.col("対象区分") == "世帯") & pl.col(key).is_in(list(self.households))
            secret = home | ((pl.col("対象区分") != "世帯") & pl.col(key).is_in(list(self.people)))
        else:
            return frame
        told = [name for name in _TELLING if name in frame.columns]
        return frame.with_columns(
            pl.when(secret).then(pl.lit(WORD)).otherwise(pl.col(key)).alias(key),
            *(pl.when(secret).then(pl.lit("")).otherwise(pl.col(name)).alias(name) for name in told),
        )


def veil_for(home: Home, actor: Actor) -> Veil:
    """この人の覆い。名ざされた人なら、何も隠さない。"""
    secret = restricted_queue.hidden(home)
    with reading(home.ward) as connection:
        if restricted_queue.is_member(connection, actor):
            return Veil(frozenset(), frozenset(), frozenset())
        rights = fetch(connection, select(*(ward.entitlement.c[name] for name in _RIGHTS)), _RIGHTS)
    people = list(secret.people)
    hidden = rights.filter(
        (pl.col("route") == "WARD")
        | (pl.col("slot_kind") == "EVACUEE")
        | pl.col("payee_number").is_in(people)
        | (pl.col("slot_kind").is_in(PERSON_SLOTS) & pl.col("subject_number").is_in(people))
    )
    homes = set(hidden.filter(~pl.col("slot_kind").is_in(PERSON_SLOTS))["subject_number"].to_list())
    frame = restricted_queue.residents(home)
    if frame is not None:
        near = frame.filter(pl.col("person_number").is_in(people)).select("household_number").unique().collect()
        homes |= set(near["household_number"].to_list())
    return Veil(
        frozenset(hidden["case_number"].to_list()),
        frozenset(f"{number:010d}" for number in people),
        frozenset(f"{number:010d}" for number in homes if number is not None),
    )


def veiled(sheet: Sheet, veil: Veil) -> Sheet:
    """覆いをかけた一枚。一人だけについての申し出で、その人が隠れるなら、ない番号と同じに断る。"""
    if dict(sheet.facts).get("給付管理番号") in veil.cases:
        raise WrongUse(f"{sheet.name}の申し出 {sheet.number} はありません", code="no-request")
    tables = [dataclasses.replace(table, frame=veil.rows(table.frame)) for table in sheet.tables]
    return dataclasses.replace(sheet, tables=tables)
