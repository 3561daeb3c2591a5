"""人が決める入金を、画面のために: 並び、一つの入金とその候補、承認を待つ申し出。機械は候補を言うだけで、決めない。"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import WrongUse
from benefit.services import collection_moves
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import reading

#: 理由ごとに、してよいこと。要確認は、届いたデータが食い違っているので、銀行・代行業者に確かめる。
MOVES = {"不明金": ("消込",), "過誤納": ("還付", "充当"), "要確認": ()}
MEANINGS = {
    "不明金": "どの調定の入金か分からないお金",
    "過誤納": "調定より多く納められたお金",
    "要確認": "速報のない取消など、届いたデータが食い違うもの",
}


@dataclass(frozen=True)
class Waiting:
    """決める入金一つ。"""

    row: dict[str, Any]
    candidates: tuple[dict[str, Any], ...]
    asked: tuple[dict[str, Any], ...]

    @property
    def moves(self) -> tuple[str, ...]:
        """してよいこと。"""
        return MOVES[self.row["why"]]


def queue(home: Home) -> pl.DataFrame:
    """並び（`collection_moves.queue` の列と、承認を待つ申し出の数 asked）。"""
    rows = collection_moves.queue(home)
    with reading(home.ward) as connection:
        events = [row["event"] for row in pending(connection)]
    counted = pl.DataFrame({"event": events}, schema={"event": pl.String}).group_by("event").agg(asked=pl.len())
    return rows.join(counted, on="event", how="left", maintain_order="left").with_columns(pl.col("asked").fill_null(0))


def listed(home: Home, *, actor: Actor, clock: Clock) -> pl.DataFrame:
    """並びを、見た記録を残してから返す。"""
    rows = queue(home)
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="collections.list",
            subject="queue",
            detail={"rows": rows.height},
        )
    return rows


def totals(rows: pl.DataFrame) -> list[tuple[str, str, int, int]]:
    """(理由、意味、件数、額)。"""
    counted = rows.group_by("why").agg(count=pl.len(), yen=pl.col("yen").sum())
    found = {why: (int(count), int(yen)) for why, count, yen in counted.iter_rows()}
    return [(why, MEANINGS[why], *found.get(why, (0, 0))) for why in MOVES]


def one(home: Home, event: str) -> Waiting:
    """一つの入金。もう決まった・ない入金は WrongUse。"""
    rows = collection_moves.queue(home).filter(pl.col("event") == event)
    if rows.is_empty():
        raise WrongUse("この入金は、もう決まっているか、ありません")
    row = rows.row(0, named=True)
    ids = [int(number) for number in row["candidates"].split(";") if number]
    table = ward.receivable
    with reading(home.ward) as connection:
        found = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id)).mappings().all()
        asked = [move for move in pending(connection) if move["event"] == event]
    return Waiting(row, tuple(dict(one_) for one_ in found), tuple(asked))


def pending(connection: Connection) -> list[dict[str, Any]]:
    """承認を待つ申し出。"""
    move, approval, event, table = (
        ward.collection_move,
        ward.collection_move_approval,
        ward.collection_event,
        ward.receivable,
    )
    query = (
        select(
            move,
            event.c.channel,
            event.c.paid_on,
            event.c.amount_yen.label("event_yen"),
            table.c.subject,
            table.c.fiscal_year,
            table.c.term,
            table.c.notice_number,
        )
        .join(event, event.c.event == move.c.event)
        .join(table, table.c.id == move.c.receivable_id, isouter=True)
        .join(approval, approval.c.release_id == move.c.id, isouter=True)
        .where(approval.c.release_id.is_(None))
        .order_by(move.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
