"""区が外へ渡してある件の帳簿: 受渡の連番ごとに、前と変わった番号だけを書き足す。引上げの証しを待つ一覧もここから。"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, exists, func, or_, select

from benefit.store import ward
from benefit.store.frames import fetch

_COLUMNS = {"case_number": pl.String, "branch": pl.Int64, "state": pl.String, "given": pl.Boolean}


def given(connection: Connection, programme_id: str, *, up_to: int | None = None) -> pl.DataFrame:
    """連番 `up_to` まで（なければ全部）の受渡で、最後に何を知らせたか: case_number、branch、state、given。"""
    table = ward.desk_given
    mine = table.c.programme == programme_id
    if up_to is not None:
        mine &= table.c.sequence <= up_to
    newest = select(table.c.case_number, func.max(table.c.sequence).label("last")).where(mine)
    last = newest.group_by(table.c.case_number).subquery()
    query = select(*(table.c[name] for name in _COLUMNS)).join(
        last, and_(last.c.case_number == table.c.case_number, last.c.last == table.c.sequence)
    )
    return fetch(connection, query, _COLUMNS)


def note_given(connection: Connection, programme_id: str, sequence: int, rows: pl.DataFrame, at: datetime) -> int:
    """この受渡で変わったことを書き足し、引き上げた件の数を返す。`rows` は外へ出す行（case_number、branch、state）。"""
    before = given(connection, programme_id)
    now = rows.select("case_number", pl.col("branch").cast(pl.Int64), "state", given=pl.lit(value=True))
    changed = now.join(before, on=list(_COLUMNS), how="anti", nulls_equal=True)
    gone = (
        before.filter("given").join(now, on="case_number", how="anti").with_columns(given=pl.lit(value=False))
    ).select(*_COLUMNS)
    lines = pl.concat([changed, gone]).sort("case_number")
    if lines.height:
        head = {"sequence": sequence, "programme": programme_id, "at": at}
        connection.execute(ward.desk_given.insert(), [{**line, **head} for line in lines.to_dicts()])
    return gone.height


def last_taken(connection: Connection, programme_id: str) -> dict[str, Any] | None:
    """この事業で最後に受け取った進捗情報の、連番と指紋。なければ None。"""
    table = ward.desk_handback
    row = connection.execute(
        select(table.c.sequence, table.c.sha256)
        .where(table.c.programme == programme_id)
        .order_by(table.c.sequence.desc())
        .limit(1)
    ).first()
    return None if row is None else {"連番": row.sequence, "指紋": row.sha256}


def withdrawals(connection: Connection, programme_id: str) -> pl.DataFrame:
    """引上げの命令と、消したという証し: 受渡の連番、番号、命じた時刻、消した時刻（届いていなければ null）。

    命じた後で、また渡した件は入らない（消さなくてよくなった）。
    """
    asked, told, again = ward.desk_given, ward.desk_withdrawal, ward.desk_given.alias("again")
    query = (
        select(asked.c.sequence, asked.c.case_number, asked.c.at, func.min(told.c.deleted_at))
        .join(
            told,
            and_(told.c.asked_sequence == asked.c.sequence, told.c.case_number == asked.c.case_number),
            isouter=True,
        )
        .where(
            asked.c.programme == programme_id,
            asked.c.given.is_(False),
            or_(
                told.c.sequence.is_not(None),
                ~exists().where(
                    again.c.case_number == asked.c.case_number,
                    again.c.sequence > asked.c.sequence,
                    again.c.given.is_(True),
                ),
            ),
        )
        .group_by(asked.c.sequence, asked.c.case_number, asked.c.at)
        .order_by(asked.c.sequence, asked.c.case_number)
    )
    moment = pl.Datetime("us", "UTC")
    return fetch(
        connection,
        query,
        {"load_sequence": pl.Int64, "case_number": pl.String, "asked_at": moment, "deleted_at": moment},
    )
