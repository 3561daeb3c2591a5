"""登録した組: どこにあるか、いま何通か、出す許しがあるか、どの手紙が入っているか。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.store import ward
from benefit.store.frames import fetch


@dataclass(frozen=True)
class LotState:
    """組一つ: どこにあるか、いま何通か、出す許しがあるか。`first_id` は、作り直す前の初めの組。"""

    id: int
    first_id: int
    kind: str
    place: str
    folder: str
    file_name: str
    sha256: str
    letter_count: int
    remade_as: int | None
    released_on: date | None


def lots_of(connection: Connection) -> dict[int, LotState]:
    """登録した組のすべて。"""
    lot, run, release = ward.lot, ward.lot_run, ward.lot_release
    rows = connection.execute(
        select(lot, run.c.folder, run.c.remade_from).outerjoin(run, run.c.lot_id == lot.c.id).order_by(lot.c.id)
    ).all()
    query = select(release.c.lot_id, func.max(release.c.released_on)).group_by(release.c.lot_id)
    released: dict[int, date] = {row[0]: row[1] for row in connection.execute(query)}
    later = {row.remade_from: row.id for row in rows if row.remade_from is not None}
    first: dict[int, int] = {}
    for row in rows:
        first[row.id] = first[row.remade_from] if row.remade_from is not None else row.id
    return {
        row.id: LotState(
            row.id,
            first[row.id],
            row.kind,
            row.place,
            row.folder or "",
            row.file_name,
            row.sha256,
            row.letter_count,
            later.get(row.id),
            released.get(row.id),
        )
        for row in rows
    }


def chosen_lots(connection: Connection, lots: Sequence[int]) -> list[LotState]:
    """この番号の組。ない、作り直されている組は断る。"""
    known = lots_of(connection)
    for number in lots:
        if number not in known:
            raise WrongUse(f"ロット {number} はありません", code="no-lot")
        if (later := known[number].remade_as) is not None:
            raise RefusedByRule(f"ロット {number} は、作り直されています（新しいロット {later}）", code="lot-remade")
    return [known[number] for number in dict.fromkeys(lots)]


_LETTERS = {
    "letter_id": pl.Int64,
    "id": pl.Int64,
    "letter_branch": pl.Int64,
    "letter_kind": pl.String,
    "first_lot": pl.Int64,
    "letter_address": pl.String,
    "letter_digest": pl.String,
    "issued_on": pl.Date,
    "case_number_written": pl.String,
    "programme": pl.String,
    "due_on": pl.Date,
}


def letters_in(connection: Connection, lots: Sequence[LotState]) -> pl.DataFrame:
    """組に入っていて、抜かれていない手紙。`lot_id` は、いまの組。"""
    letter, printed, pull, entitlement = ward.letter, ward.letter_printed, ward.letter_pull, ward.entitlement
    now = pl.DataFrame(
        [(lot.first_id, lot.id, lot.place) for lot in lots],
        schema={"first_lot": pl.Int64, "lot_id": pl.Int64, "lot_place": pl.String},
        orient="row",
    )
    query = (
        select(
            letter.c.id,
            letter.c.entitlement_id,
            letter.c.branch,
            letter.c.kind,
            letter.c.lot_id,
            letter.c.address_digest,
            printed.c.digest,
            letter.c.issued_on,
            entitlement.c.case_number,
            entitlement.c.programme,
            letter.c.due_on,
        )
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .outerjoin(printed, printed.c.letter_id == letter.c.id)
        .outerjoin(pull, pull.c.letter_id == letter.c.id)
        .where(letter.c.lot_id.in_([lot.first_id for lot in lots]), pull.c.letter_id.is_(None))
        .order_by(letter.c.id)
    )
    return fetch(connection, query, _LETTERS).join(now, on="first_lot")


def require_released(connection: Connection, lots: Sequence[int], on: date) -> None:
    """受渡の前に: どの組にも、`on` に出す許しがあるか。"""
    for lot in chosen_lots(connection, lots):
        if lot.released_on != on:
            raise RefusedByRule(
                f"ロット {lot.id} には、{on} に出す許しがありません（benefit letters release）", code="not-released"
            )
