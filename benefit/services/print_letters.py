"""刷った手紙を、封入の符号の頭の 15 桁（給付管理番号・枝番・種類の番号）で引く。"""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
from sqlalchemy import Connection, column, func, select, table

from benefit.domain.clock import tokyo_date
from benefit.domain.letter import LETTER_KINDS
from benefit.store import ward
from benefit.store.temporary import with_temporary

#: 種類 → 封入の符号に載る番号（L2 → "02"）。
KIND_NUMBERS = {kind.id: f"{int(kind.number.removeprefix('L')):02d}" for kind in LETTER_KINDS.values()}
LETTERS = {
    "letter_id": pl.Int64,
    "letter": pl.String,
    "case_number": pl.String,
    "lot_id": pl.Int64,
    "pulled": pl.Boolean,
    "void_on": pl.Date,
}


def day_of(moment: datetime) -> date:
    """日本の日付。SQLite は時差を忘れて返す（台帳の時刻は UTC である）。"""
    return tokyo_date(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def known_letters(connection: Connection, numbers: pl.DataFrame) -> pl.DataFrame:
    """給付管理番号（`case_number` の列）の、台帳にある手紙の全部。列は `LETTERS`。

    void_on は、枝番が進んで無効になった日（生きていれば null）。pulled は、出す前に組から抜いたもの。
    """
    with_temporary(connection, "asked_number", numbers.select("case_number"))
    asked = table("asked_number", column("case_number"))
    letter, right, again, pull = ward.letter, ward.entitlement, ward.reissue, ward.letter_pull
    void = (
        select(letter.c.id.label("letter_id"), func.min(again.c.made_at).label("void_at"))
        .join(right, right.c.id == letter.c.entitlement_id)
        .join(asked, asked.c.case_number == right.c.case_number)
        .join(again, (again.c.entitlement_id == letter.c.entitlement_id) & (again.c.branch > letter.c.branch))
        .group_by(letter.c.id)
        .subquery()
    )
    query = (
        select(
            letter.c.id,
            right.c.case_number,
            letter.c.branch,
            letter.c.kind,
            letter.c.lot_id,
            pull.c.letter_id,
            void.c.void_at,
        )
        .join(right, right.c.id == letter.c.entitlement_id)
        .join(asked, asked.c.case_number == right.c.case_number)
        .join(pull, pull.c.letter_id == letter.c.id, isouter=True)
        .join(void, void.c.letter_id == letter.c.id, isouter=True)
    )
    rows = [
        (
            number,
            f"{case_number}{branch:02d}{KIND_NUMBERS[kind]}",
            case_number,
            lot_id,
            pulled is not None,
            None if void_at is None else day_of(void_at),
        )
        for number, case_number, branch, kind, lot_id, pulled, void_at in connection.execute(query)
    ]
    return pl.DataFrame(rows, schema=LETTERS, orient="row")
