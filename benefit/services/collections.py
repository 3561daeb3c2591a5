"""収納データを受け取り、消し込む。

同じファイルも、同じ記録も、二度は数えない（台帳の一意の制約が守る）。仕訳は「届いたものの全部から導いた姿」と
「もう仕訳した姿」の差だけを書き足す。だから、速報と確報の順が替わっても、取り消されても、後から調定や人の判断が
加わっても、同じ関数（`settle`）が正しい姿に直す。

    読んだ行 = 消込 + 保留（過誤納・不明金・要確認） + 受け付けない（もう届いている記録）
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from sqlalchemy import Connection

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.collection import APPLIED, Channel, NoticeKind
from benefit.rules.collection_allocation import allocate, asset, corrections, moved, state
from benefit.rules.collection_notices import NOTICE, named
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store import collection_queries as queries
from benefit.store.bulk import insert_one, insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.temporary import sendable, with_temporary

_TAKING = ("line_number", "event", *[name for name in NOTICE if name != "line_number"])


#: 取込一回の数（台帳の列の名）。
COUNTS = ("rows_read", "rows_posted", "rows_held", "rows_rejected", "final_yen")


@dataclass(frozen=True)
class Collected:
    """取込一回の結果。rows_read = rows_posted + rows_held + rows_rejected。`repeated`: もう取り込んであった。"""

    file_id: int
    rows_read: int
    rows_posted: int
    rows_held: int
    rows_rejected: int
    final_yen: int
    repeated: bool


def take(
    home: Home,
    channel: Channel,
    notices: pl.DataFrame,
    *,
    file_name: str,
    sha256: str,
    clock: Clock,
) -> Collected:
    """収納データ（`NOTICE` の列）を取り込み、消し込む。様式に合わないファイルは、読む所でもう断られている。"""
    before = known(home, sha256)
    if before is not None:
        return before
    with home.ward.begin() as connection:
        return take_within(connection, channel, notices, file_name=file_name, sha256=sha256, now=clock())


def take_within(
    connection: Connection, channel: Channel, notices: pl.DataFrame, *, file_name: str, sha256: str, now: datetime
) -> Collected:
    """`take` の中身。ほかの表と一緒に書く仕事（口座振替の結果、立替金、納入書）が、そのトランザクションの中で呼ぶ。"""
    in_turn(connection, "collections")
    before = _stored(connection, sha256)
    if before is not None:
        return before
    rows = named(notices.select(list(NOTICE))).select(_TAKING)
    with_temporary(connection, "taking", rows)
    counted = queries.counted(connection)
    queries.add_events(connection)
    touched = queries.touched_by_file(connection)
    allocation, states = _derive(connection, touched, counted)
    held = _held(allocation, states)
    lines = _outcomes(rows, counted, held)
    said = dict(lines.group_by("outcome").len().iter_rows())
    final = rows.filter(pl.col("kind") == NoticeKind.FINAL.value)
    counts = {
        "rows_read": rows.height,
        "rows_posted": said.get("消込", 0),
        "rows_held": said.get("保留", 0),
        "rows_rejected": said.get("既収", 0),
        "final_yen": int(final["amount_yen"].sum()),
    }
    file_id = insert_one(
        connection,
        ward.collection_file,
        channel=channel.value,
        file_name=file_name,
        sha256=sha256,
        received_at=now,
        **counts,
    )
    columns = ("collection_file_id", "line_number", "event", "kind", "settle_on", "outcome")
    whole = lines.with_columns(collection_file_id=pl.lit(file_id)).select(columns)
    insert_rows(connection, ward.collection_notice, columns, sendable(whole).iter_rows())
    _post(connection, allocation, now)
    audit.record(
        connection,
        ward.audit_log,
        at=now,
        actor=BATCH,
        action="collection.take",
        subject=sha256[:16],
        detail={"sha256": sha256, **counts},
    )
    return Collected(file_id=file_id, repeated=False, **counts)


def settle(connection: Connection, receivables: Sequence[int], now: datetime) -> int:
    """これらの債権の消込を、いま届いているものと人の判断から導き直し、差を書き足す。書いた仕訳の数を返す。"""
    touched = queries.touched_by_receivables(connection, receivables)
    none = pl.DataFrame(schema={"event": pl.String, "kind": pl.String, "fresh": pl.Boolean})
    allocation, _states = _derive(connection, touched, none)
    return _post(connection, allocation, now)


def known(home: Home, sha256: str) -> Collected | None:
    """もう取り込んだファイルなら、その時の数。"""
    with reading(home.ward) as connection:
        return _stored(connection, sha256)


def _stored(connection: Connection, sha256: str) -> Collected | None:
    """もう取り込んだファイルなら、その時の数。"""
    table = ward.collection_file
    row = connection.execute(table.select().where(table.c.sha256 == sha256)).mappings().first()
    if row is None:
        return None
    return Collected(file_id=row["id"], repeated=True, **{name: row[name] for name in COUNTS})


def _derive(connection: Connection, touched: pl.DataFrame, counted: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(割り当て、入金ごとの状態)。"""
    arrived = (
        pl.concat([queries.arrived(connection), counted.select("event", "kind")]).group_by("event").agg(pl.col("kind"))
    )
    states = (
        touched.join(arrived, on="event", how="left")
        .with_columns(
            provisional=pl.col("kind").list.contains("速報").fill_null(value=False),
            final=pl.col("kind").list.contains("確報").fill_null(value=False),
            cancelled=pl.col("kind").list.contains("速報取消").fill_null(value=False),
        )
        .drop("kind")
        .with_columns(state())
        .with_columns(asset())
    )
    moves = queries.approved_moves(connection)
    used = moves.filter(pl.col("kind") == "充当").select(
        "event",
        "amount_yen",
        paid_on=pl.col("approved_at").str.slice(0, 10),
        paid_time=pl.lit("999999"),
        receivable_id="receivable_id",
        asset=pl.lit(APPLIED),
    )
    payments = pl.concat([states.select(used.columns), used])
    debts = queries.debts(connection, payments)
    return moved(allocate(payments, debts), moves), states


def _held(allocation: pl.DataFrame, states: pl.DataFrame) -> pl.DataFrame:
    """人が見る入金: 過誤納か不明金が出たもの、要確認のもの。"""
    strange = allocation.filter(pl.col("received_as").is_in(["過誤納", "不明金"])).select("event")
    unsettled = states.filter(pl.col("state") == "要確認").select("event")
    return pl.concat([strange, unsettled]).unique()


def _outcomes(rows: pl.DataFrame, counted: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    first = pl.int_range(pl.len()).over("event", "kind") == 0
    return (
        rows.join(counted, on=["event", "kind"], how="left", maintain_order="left")
        .join(held.with_columns(to_people=pl.lit(value=True)), on="event", how="left", maintain_order="left")
        .with_columns(
            outcome=pl.when(~pl.col("fresh") | ~first)
            .then(pl.lit("既収"))
            .when(pl.col("to_people").fill_null(value=False))
            .then(pl.lit("保留"))
            .otherwise(pl.lit("消込"))
        )
    )


def _post(connection: Connection, allocation: pl.DataFrame, now: datetime) -> int:
    """導いた姿と、仕訳済みの姿の差を書き足す。"""
    delta = corrections(allocation, queries.posted(connection))
    more = pl.col("amount_yen") > 0
    columns = ("at", "event", "receivable_id", "debit", "credit", "amount_yen")
    lines = delta.select(
        at=pl.lit(now.isoformat(sep=" ")),
        event="event",
        receivable_id="receivable_id",
        debit=pl.when(more).then(pl.col("asset")).otherwise(pl.col("received_as")),
        credit=pl.when(more).then(pl.col("received_as")).otherwise(pl.col("asset")),
        amount_yen=pl.col("amount_yen").abs(),
    )
    insert_rows(connection, ward.collection_posting, columns, lines.iter_rows())
    return lines.height
