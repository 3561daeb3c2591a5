"""調定（債権）: 登録、変更、返還からの生まれ、いまの残り。鍵（納付書・納付番号）も、ここで結ぶ。"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.rules.collection_notices import receivable_key
from benefit.services.collections import settle
from benefit.services.home import Home
from benefit.store import audit, instalment_queries, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading
from benefit.store.frames import fetch
from benefit.store.temporary import sendable, with_temporary

#: 登録する調定の列。
RECEIVABLE = {
    "subject": pl.String,
    "fiscal_year": pl.Int64,
    "term": pl.Int64,
    "notice_number": pl.String,
    "person_number": pl.String,
    "principal_yen": pl.Int64,
    "late_charge_yen": pl.Int64,
    "due_on": pl.Date,
}


@dataclass(frozen=True)
class Registered:
    """登録一回の結果。`same` は、もう同じ額で登録してあった行。"""

    added: int
    changed: int
    same: int


def register(home: Home, rows: pl.DataFrame, *, reason: str, clock: Clock) -> Registered:
    """調定を登録する。科目・年度・期別・通知書番号が同じものは、額か期限が違えば変更（更正）として足す。

    二度打っても何も変わらない。入金が先に届いていれば、ここで消し込まれる。
    """
    key = ["subject", "fiscal_year", "term", "notice_number"]
    twice = rows.filter(rows.select(key).is_duplicated())
    if not twice.is_empty():
        raise RefusedByRule(
            f"同じ調定が {twice.height} 行あります（科目・年度・期別・通知書番号）", code="receivable-twice"
        )
    now = clock()
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        with_temporary(connection, "registering", rows.select(list(RECEIVABLE)))
        known = fetch(
            connection,
            """
            SELECT g.subject, g.fiscal_year, g.term, g.notice_number, r.id,
                   COALESCE(c.principal_yen, r.principal_yen), COALESCE(c.late_charge_yen, r.late_charge_yen),
                   CAST(COALESCE(c.due_on, r.due_on) AS VARCHAR(10)), COALESCE(c.turn, 0)
            FROM registering g JOIN receivable r ON r.subject = g.subject AND r.fiscal_year = g.fiscal_year
              AND r.term = g.term AND r.notice_number = g.notice_number
            LEFT JOIN receivable_change c ON c.receivable_id = r.id
              AND c.turn = (SELECT MAX(turn) FROM receivable_change l WHERE l.receivable_id = r.id)
            """,
            {
                **{name: RECEIVABLE[name] for name in key},
                "id": pl.Int64,
                "principal_now": pl.Int64,
                "late_charge_now": pl.Int64,
                "due_now": pl.String,
                "turn": pl.Int64,
            },
        )
        whole = rows.join(known, on=key, how="left", maintain_order="left")
        new = _add(connection, whole.filter(pl.col("id").is_null()), now)
        differs = (
            (pl.col("principal_yen") != pl.col("principal_now"))
            | (pl.col("late_charge_yen") != pl.col("late_charge_now"))
            | (pl.col("due_on").dt.strftime("%Y-%m-%d") != pl.col("due_now"))
        )
        changed = whole.filter(pl.col("id").is_not_null() & differs)
        columns = ("receivable_id", "turn", "principal_yen", "late_charge_yen", "due_on", "reason", "made_at")
        lines = changed.select(
            "principal_yen",
            "late_charge_yen",
            "due_on",
            receivable_id="id",
            turn=pl.col("turn") + 1,
            reason=pl.lit(reason),
            made_at=pl.lit(now.isoformat(sep=" ")),
        ).select(columns)
        insert_rows(connection, ward.receivable_change, columns, sendable(lines).iter_rows())
        settle(connection, [*new["id"].to_list(), *changed["id"].to_list()], now)
        counts = Registered(new.height, changed.height, whole.height - new.height - changed.height)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=BATCH,
            action="receivable.register",
            detail={"added": counts.added, "changed": counts.changed, "same": counts.same},
        )
    return counts


def _add(connection: Connection, rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    start = (connection.execute(select(func.max(ward.receivable.c.id))).scalar() or 0) + 1
    new = rows.with_columns(
        id=pl.int_range(start, start + rows.height, dtype=pl.Int64),
        origin=pl.lit("登録"),
        made_at=pl.lit(now.isoformat(sep=" ")),
    )
    columns = ("id", *RECEIVABLE, "origin", "made_at")
    insert_rows(connection, ward.receivable, columns, sendable(new.select(columns)).iter_rows())
    own = receivable_key(pl.col("subject"), pl.col("fiscal_year"), pl.col("term"), pl.col("notice_number"))
    insert_rows(
        connection,
        ward.receivable_key,
        ("pay_key", "receivable_id"),
        new.select(own.alias("pay_key"), "id").iter_rows(),
    )
    return new


def own_key(rows: Sequence[Mapping[str, Any]]) -> pl.Series:
    """調定の行の、そのものの鍵。"""
    frame = pl.DataFrame(
        [(row["subject"], row["fiscal_year"], row["term"], row["notice_number"]) for row in rows],
        schema={name: RECEIVABLE[name] for name in ("subject", "fiscal_year", "term", "notice_number")},
        orient="row",
    )
    key = receivable_key(pl.col("subject"), pl.col("fiscal_year"), pl.col("term"), pl.col("notice_number"))
    return frame.select(key.alias("key"))["key"]


def add_keys(home: Home, keys: pl.DataFrame, *, clock: Clock) -> int:
    """納付書の鍵（pay_key、receivable_id）を結ぶ。もう別の調定に結ばれた鍵は断る。結んだ数を返す。"""
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        keys = keys.select("pay_key", pl.col("receivable_id").cast(pl.Int64))
        with_temporary(connection, "new_key", keys)
        known = fetch(
            connection,
            "SELECT n.pay_key, k.receivable_id FROM new_key n JOIN receivable_key k ON k.pay_key = n.pay_key",
            {"pay_key": pl.String, "bound_to": pl.Int64},
        )
        whole = keys.join(known, on="pay_key", how="left")
        wrong = whole.filter(pl.col("bound_to").is_not_null() & (pl.col("bound_to") != pl.col("receivable_id")))
        if not wrong.is_empty():
            raise RefusedByRule(f"{wrong.height} 件の納付書の番号が、別の調定のものです", code="key-bound")
        new = whole.filter(pl.col("bound_to").is_null()).select("pay_key", "receivable_id")
        insert_rows(connection, ward.receivable_key, ("pay_key", "receivable_id"), new.iter_rows())
        settle(connection, new["receivable_id"].to_list(), clock())
        return new.height


_STANDING = """
    SELECT r.id, r.subject, r.fiscal_year, r.term, r.notice_number, r.person_number,
           COALESCE(c.principal_yen, r.principal_yen) + COALESCE(c.late_charge_yen, r.late_charge_yen),
           CAST(COALESCE(c.due_on, r.due_on) AS VARCHAR(10)), CAST(COALESCE(p.settled, 0) AS BIGINT),
           CAST(COALESCE(p.promised, 0) AS BIGINT)
    FROM receivable r
    LEFT JOIN receivable_change c ON c.receivable_id = r.id
      AND c.turn = (SELECT MAX(turn) FROM receivable_change l WHERE l.receivable_id = r.id)
    LEFT JOIN (
        SELECT receivable_id,
            SUM(CASE WHEN debit IN ('預金', '充当金') AND credit IN ('調定', '延滞金') THEN amount_yen
                     WHEN credit IN ('預金', '充当金') AND debit IN ('調定', '延滞金') THEN -amount_yen
                     ELSE 0 END) AS settled,
            SUM(CASE WHEN debit = '決済待ち' AND credit IN ('調定', '延滞金') THEN amount_yen
                     WHEN credit = '決済待ち' AND debit IN ('調定', '延滞金') THEN -amount_yen
                     ELSE 0 END) AS promised
        FROM collection_posting GROUP BY receivable_id
    ) p ON p.receivable_id = r.id
"""


def standing(connection: Connection) -> pl.DataFrame:
    """どの調定の、いまの額・納期限・納めた額（settled）・速報で届いた額（promised）。"""
    frame = fetch(
        connection,
        _STANDING,
        {
            "id": pl.Int64,
            "subject": pl.String,
            "fiscal_year": pl.Int64,
            "term": pl.Int64,
            "notice_number": pl.String,
            "person_number": pl.String,
            "due_yen": pl.Int64,
            "due_on": pl.String,
            "settled_yen": pl.Int64,
            "promised_yen": pl.Int64,
        },
    )
    return frame.with_columns(pl.col("due_on").str.to_date())


def outstanding(home: Home, today: date) -> pl.DataFrame:
    """期限を過ぎて残っている調定: id、調定の額、消し込んだ額、残り、速報だけで督促が止まるか。

    分納の約束のあるものは、約束の期限で見る: 約束どおりなら出ず、遅れていれば、遅れた分だけが残りになる。
    """
    with reading(home.ward) as connection:
        frame = standing(connection).drop("person_number")
        plans = instalment_queries.promised(connection, today)
    left = pl.col("due_yen") - pl.col("settled_yen") - pl.col("promised_yen")
    since = pl.col("plan_yen") - left
    rows = frame.join(plans, on="id", how="left", maintain_order="left")
    late = rows.filter((pl.col("due_on") < today) & (pl.col("settled_yen") < pl.col("due_yen"))).filter(
        pl.col("plan_yen").is_null() | (since < pl.col("plan_due_yen"))
    )
    behind = (
        pl.when(pl.col("plan_yen").is_null())
        .then(left)
        .otherwise(pl.min_horizontal(left, pl.col("plan_due_yen") - since))
    )
    return late.with_columns(left_yen=behind, stopped_by_notice=left <= 0).drop("plan_yen", "plan_due_yen").sort("id")
