"""区から見た、委託先の進みのいまの姿: 件ごとに、最後に届いた行。"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, Select, and_, exists, func, select

from benefit.records import desk_progress
from benefit.store import ward
from benefit.store.frames import fetch

COLUMNS = {**desk_progress.schema("cases.csv"), "present": pl.Boolean()}


def view(connection: Connection, programme_id: str, *, among: Select[tuple[str]] | None = None) -> pl.DataFrame:
    """最後に届いた進み（様式 cases.csv の列と present）。present が偽の件は、最後の受渡に載っていなかった。

    `among` は、この番号だけを見るとき。
    """
    table, entitlement = ward.desk_progress, ward.entitlement
    newest = (
        select(table.c.case_number, func.max(table.c.sequence).label("last"))
        .join(entitlement, entitlement.c.case_number == table.c.case_number)
        .where(entitlement.c.programme == programme_id)
        .group_by(table.c.case_number)
    )
    if among is not None:
        newest = newest.where(table.c.case_number.in_(among))
    last = newest.subquery()
    query = select(*(table.c[name] for name in COLUMNS)).join(
        last, and_(last.c.case_number == table.c.case_number, last.c.last == table.c.sequence)
    )
    return fetch(connection, query, COLUMNS)


def death_contacts(connection: Connection, *, among: Select[tuple[str]] | None = None) -> pl.DataFrame:
    """受給者死亡の申出と書かれた対応履歴（書き直されていないもの）のある件: case_number、death_contact_on。"""
    table, later = ward.desk_contact, ward.desk_contact.alias("later")
    query = (
        select(table.c.case_number, func.max(table.c.at))
        .where(table.c.category == "death", ~exists().where(later.c.corrects == table.c.contact_id))
        .group_by(table.c.case_number)
    )
    if among is not None:
        query = query.where(table.c.case_number.in_(among))
    found = fetch(connection, query, {"case_number": pl.String, "at": pl.Datetime("us", "UTC")})
    return found.select("case_number", death_contact_on=pl.col("at").dt.convert_time_zone("Asia/Tokyo").dt.date())
