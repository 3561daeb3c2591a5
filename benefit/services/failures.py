"""振込不能の帳簿（seed 000）: 返ってきた一件一件の、届いてから終わるまで。状態は台帳としたことから導き、書き込まない。

- この給付の支払（支払に結べた行）は、台帳の次の振込と仕訳が状態を言う。
- ほかの課の支払（結べない行）は、担当課への照会と、承認された回答と、その再振込が言う。
- どの一件も 返った額 = 再振込 + 戻入 + 未処理 であり、同じお金の生きた再振込は一つだけである（slot の一意索引）。
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import failure_facts as facts
from benefit.services.home import Home
from benefit.store.engine import reading

#: 終わっていない状態。お金は、まだ区にある。
OPEN = ("受付", "照会中", "口座再届出待ち", "承認待ち", "回答済", "保留")
RESENT = ("再振込中", "再振込済", "再び不能")
STATUSES = (*OPEN, *RESENT, "戻入済", "重複")
OWN_SECTION = "この給付"


def register(home: Home, today: date) -> pl.DataFrame:
    """帳簿の全部。一行が一件、届いた順。`today` までの日数（days_open）と、遅れ（overdue）が付く。"""
    with reading(home.ward) as connection:
        return register_in(connection, today)


def register_in(connection: Connection, today: date) -> pl.DataFrame:
    """同じ接続で見た帳簿（書く前に確かめる人のため）。"""
    items = facts.items(connection)
    following = facts.following(connection, items)
    steps, answers = facts.steps(connection), facts.answers(connection)
    own = pl.col("entitlement_id").is_not_null()
    state, answered = pl.col("next_state"), pl.col("answer_kind")
    status = (
        pl.when("duplicate")
        .then(pl.lit("重複"))
        .when(state.is_in(["F40", "F41"]))
        .then(pl.lit("再振込中"))
        .when(state.is_in(["F42", "F48"]))
        .then(pl.lit("再振込済"))
        .when(state == "F43")
        .then(pl.lit("再び不能"))
        .when(pl.when(own).then(pl.col("reversed_on").is_not_null()).otherwise(answered == "戻入"))
        .then(pl.lit("戻入済"))
        .when(own & pl.col("judged_again").fill_null(value=False))
        .then(pl.lit("回答済"))
        .when(pl.col("waiting").fill_null(value=False))
        .then(pl.lit("承認待ち"))
        .when(answered == "再振込")
        .then(pl.lit("回答済"))
        .when(answered == "保留")
        .then(pl.lit("保留"))
        .when(pl.col("notified_on").is_not_null() & own)
        .then(pl.lit("口座再届出待ち"))
        .when(pl.col("asked_section").is_not_null() & ~own)
        .then(pl.lit("照会中"))
        .otherwise(pl.lit("受付"))
    )
    ended = (
        pl.when(pl.col("status") == "重複")
        .then("matched_on")
        .when(pl.col("status").is_in(["再振込済", "再び不能"]))
        .then("settled_on")
        .when(pl.col("status") == "戻入済")
        .then(pl.when(own).then("reversed_on").otherwise("answered_on"))
    )
    late = (pl.col("status").is_in(["照会中", "口座再届出待ち"]) & (pl.col("due_on") < today)) | (
        (pl.col("status") == "保留") & (pl.col("review_on") <= today)
    )
    worth = pl.when(pl.col("status") == "重複").then(0).otherwise("amount_yen")
    found = (
        items.join(following, on="id", how="left")
        .join(steps, on="id", how="left")
        .join(answers, on="id", how="left")
        .with_columns(status=status)
        .with_columns(closed_on=ended, overdue=late.fill_null(value=False), returned_yen=worth)
    )
    return found.with_columns(
        section=pl.when(own).then(pl.lit(OWN_SECTION)).otherwise(pl.col("asked_section").fill_null("（未定）")),
        days_open=(pl.coalesce("closed_on", pl.lit(today)) - pl.col("received_on")).dt.total_days(),
        resent_yen=pl.when(pl.col("status").is_in(RESENT)).then("returned_yen").otherwise(0),
        reversed_yen=pl.when(pl.col("status") == "戻入済").then("returned_yen").otherwise(0),
        open_yen=pl.when(pl.col("status").is_in(OPEN)).then("returned_yen").otherwise(0),
    ).sort("id")


def item(connection: Connection, number: int, today: date) -> dict[str, Any]:
    """一件。なければ WrongUse。"""
    rows = register_in(connection, today).filter(pl.col("id") == number)
    if rows.is_empty():
        raise WrongUse(f"不能 {number} は帳簿にありません", code="no-failure")
    return rows.row(0, named=True)


def refuse_closed(row: dict[str, Any]) -> None:
    """終わった一件、再振込の途中の一件には、もう何もできない。"""
    if row["status"] not in OPEN:
        raise RefusedByRule(f"不能 {row['id']} は {row['status']} です", code="closed")
