"""読む: 一件に届いた紙、二重提出の一覧、この人の枚数、入力の跡（口座は出さない）。"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.deficiency import STANDINGS
from benefit.services.desk_accounts import ACCOUNT_NAMES
from benefit.store import desk


def duplicates(connection: Connection, *, since: datetime | None = None) -> list[dict[str, Any]]:
    """二重提出の一覧（新しい順）: 番号、種類、届いた日、箱、初めの一通の番号と箱。"""
    later, first = desk.received_form.alias("later"), desk.received_form.alias("first")
    query = (
        select(
            later.c.id,
            later.c.case_number,
            later.c.kind,
            later.c.received_on,
            later.c.box,
            later.c.at,
            first.c.id.label("first_id"),
            first.c.received_on.label("first_received_on"),
            first.c.box.label("first_box"),
        )
        .join(first, first.c.id == later.c.first_id)
        .order_by(later.c.id.desc())
    )
    if since is not None:
        query = query.where(later.c.at >= since)
    return [dict(row) for row in connection.execute(query).mappings()]


def forms_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件に届いた紙の全部（古い順）。"""
    table = desk.received_form
    query = select(table).where(table.c.case_number == case_number).order_by(table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def day_counts(connection: Connection, *, actor: Actor, since: datetime) -> dict[str, int]:
    """この人が `since` から入れた枚数（扱いごと）。箱の枚数と合わせるため。"""
    table = desk.received_form
    query = (
        select(table.c.standing, func.count())
        .where(table.c.received_by == actor.id, table.c.at >= since)
        .group_by(table.c.standing)
    )
    counts = {row[0]: row[1] for row in connection.execute(query)}
    return {standing: counts.get(standing, 0) for standing in STANDINGS}


def reviews_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件の入力の跡（口座は返さない）: いつ・誰が一度目・二度目、違った項目。"""
    review, second = desk.form_review, desk.form_review_approval
    first = [column for column in review.c if column.name not in {*ACCOUNT_NAMES, "account_sha256", "entered"}]
    query = (
        select(*first, second.c.checked_by, second.c.checked_at, second.c.differing)
        .outerjoin(second, second.c.review_id == review.c.id)
        .where(review.c.case_number == case_number)
        .order_by(review.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
