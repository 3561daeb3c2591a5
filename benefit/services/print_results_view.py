"""印刷所の結果を見る: 束ごとのいまの結果、名ざした番号、まだ結果の来ない組、表計算に出す一覧。"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.errors import WrongUse
from benefit.domain.letter import LETTER_NAMES
from benefit.domain.print_result import SHEET_FAULTS
from benefit.services.mailing_lots import lots_of
from benefit.services.print_results import faults_of
from benefit.store import ward

PLACES = {"printer": "印刷所", "ward": "区の中"}


def results(connection: Connection) -> list[dict[str, Any]]:
    """束ごとの、いまの結果（新しい順）。列は print_result と、組の数 `lots`、刷った所 `place`。"""
    table, part, lot = ward.print_result, ward.print_result_lot, ward.lot
    newest = select(func.max(table.c.id)).group_by(table.c.expected_sha256)
    query = (
        select(table, func.count(part.c.lot_id).label("lots"), func.min(lot.c.place).label("place"))
        .join(part, part.c.print_result_id == table.c.id)
        .join(lot, lot.c.id == part.c.lot_id)
        .where(table.c.id.in_(newest))
        .group_by(table.c.id)
        .order_by(table.c.id.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def one(connection: Connection, result_id: int) -> dict[str, Any]:
    """一回の結果。`now` は、後の結果に代えられていないか。なければ WrongUse。"""
    table = ward.print_result
    row = connection.execute(select(table).where(table.c.id == result_id)).mappings().first()
    if row is None:
        raise WrongUse(f"印刷所の結果 {result_id} はありません", code="no-print-result")
    same = select(func.max(table.c.turn)).where(table.c.expected_sha256 == row["expected_sha256"])
    return {**row, "now": row["turn"] == connection.execute(same).scalar_one()}


def history(connection: Connection, result_id: int) -> list[dict[str, Any]]:
    """同じ束の、全部の回（古い順）。"""
    table = ward.print_result
    whole = select(table.c.expected_sha256).where(table.c.id == result_id).scalar_subquery()
    query = select(table).where(table.c.expected_sha256 == whole).order_by(table.c.turn)
    return [dict(row) for row in connection.execute(query).mappings()]


def totals(faults: pl.DataFrame) -> list[tuple[str, str, int]]:
    """(わけ、読み方、番号の数)。様式の順。"""
    counted = dict(faults.group_by("fault").len().iter_rows())
    return [(fault, says, counted[fault]) for fault, says in SHEET_FAULTS.items() if fault in counted]


def table_of(faults: pl.DataFrame) -> pl.DataFrame:
    """名ざした番号の一覧（CSV と表計算の列）。"""
    return faults.select(
        pl.col("code").alias("封入の符号"),
        pl.col("code").str.slice(0, 11).alias("給付管理番号"),
        pl.col("fault").alias("わけ"),
        pl.col("fault").replace_strict(dict(SHEET_FAULTS), return_dtype=pl.String).alias("意味"),
        pl.col("record").alias("ファイルの行"),
    )


def waiting(connection: Connection) -> list[dict[str, Any]]:
    """まだ結果の来ない組: 出す許しの出た組のうち、どの結果も数えていないもの（古い順）。"""
    counted = set(connection.execute(select(ward.print_result_lot.c.lot_id).distinct()).scalars())
    return [
        {
            "id": lot.id,
            "folder": lot.folder,
            "kind": LETTER_NAMES.get(lot.kind, "額の頁"),
            "place": PLACES[lot.place],
            "letters": lot.letter_count,
            "released_on": lot.released_on,
        }
        for lot in lots_of(connection).values()
        if lot.released_on is not None and lot.remade_as is None and lot.id not in counted
    ]


def closed_lots(connection: Connection) -> set[int]:
    """投函済の組。止まった結果や、まだ結果のない組は入らない。"""
    table, part = ward.print_result, ward.print_result_lot
    newest = select(func.max(table.c.id)).group_by(table.c.expected_sha256)
    query = select(part.c.lot_id).join(table, table.c.id == part.c.print_result_id)
    return set(connection.execute(query.where(table.c.id.in_(newest), table.c.wrong == 0)).scalars())


__all__ = ["PLACES", "closed_lots", "faults_of", "history", "one", "results", "table_of", "totals", "waiting"]
