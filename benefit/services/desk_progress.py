"""給付管理システムの台帳から、進捗情報の四つの表を作る問い合わせ（委託先の側）。

氏名・住所・口座は取り出さない。自由に書いた文は、対応履歴の本文だけである。
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, String, cast, exists, func, literal, select

from benefit.records import desk_progress
from benefit.services.desk_letters_due import ENDING
from benefit.store import desk
from benefit.store.frames import fetch

#: 日付を持って行く出来事 → 列と、その出来事がいまも効いている状態（None はいつでも）。
_DATED: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "refusal_received": ("refused_on", ("P22", "C29")),
    "death_told": ("deceased_told_on", ("X60",)),
    "account_received": ("account_changed_on", None),
}
_OPEN_DEFECT = ("C24", "C25", "C26")


def numbers(programme_id: str) -> Select[Any]:
    """この事業の給付管理番号。"""
    case, named = desk.benefit_case, desk.benefit_name
    return (
        select(case.c.case_number)
        .join(named, named.c.benefit == case.c.benefit)
        .where(named.c.programme == programme_id)
    )


def cases(connection: Connection, programme_id: str) -> pl.DataFrame:
    """件ごとのいまの進み（様式 cases.csv の列）。"""
    case, mine = desk.benefit_case, numbers(programme_id)
    names = ("case_number", "branch", "state", "received_on", "reviewed_on")
    schema = {name: kind for name, kind in desk_progress.schema("cases.csv").items() if name in names}
    frame = fetch(connection, select(*(case.c[name] for name in names)).where(case.c.case_number.in_(mine)), schema)
    frame = frame.join(_returned(connection, mine), on=["case_number", "branch"], how="left")
    frame = frame.join(_defects(connection, mine), on=["case_number", "branch"], how="left")
    frame = frame.join(_letters_due(connection, mine), on=["case_number", "branch"], how="left")
    for event, (name, states) in _DATED.items():
        told = _last_day(connection, mine, event).rename({"on": name})
        frame = frame.join(told, on="case_number", how="left")
        if states is not None:
            frame = frame.with_columns(pl.when(pl.col("state").is_in(states)).then(pl.col(name)).alias(name))
    for name, table in (("contact_count", desk.contact), ("event_count", desk.case_event)):
        query = select(table.c.case_number, func.count()).where(table.c.case_number.in_(mine))
        counted = fetch(connection, query.group_by(table.c.case_number), {"case_number": pl.String, name: pl.Int64})
        frame = frame.join(counted, on="case_number", how="left").with_columns(pl.col(name).fill_null(0))
    open_ = pl.col("state").is_in(_OPEN_DEFECT)
    return frame.with_columns(deficiencies=pl.when(open_).then("deficiencies")).select(
        *desk_progress.schema("cases.csv")
    )


def events(connection: Connection, mine: Select[Any], *, after: int) -> pl.DataFrame:
    """番号が `after` より後の出来事。書かれた理由は出さない。"""
    table = desk.case_event
    columns = ("id", "case_number", "at", "event", "from_state", "to_state", "actor", "role", "evidence", "reverses")
    query = select(*(table.c[name] for name in columns)).where(table.c.id > after, table.c.case_number.in_(mine))
    return fetch(connection, query, desk_progress.schema("events.csv"))


def contacts(connection: Connection, mine: Select[Any], *, after: int) -> pl.DataFrame:
    """番号が `after` より後の対応履歴。"""
    table = desk.contact
    columns = ("id", "case_number", "at", "written_by", "category", "body", "corrects")
    query = select(*(table.c[name] for name in columns)).where(table.c.id > after, table.c.case_number.in_(mine))
    return fetch(connection, query, desk_progress.schema("contacts.csv"))


def withdrawn(connection: Connection, programme_id: str) -> pl.DataFrame:
    """消した件: 受渡の連番、番号、時刻。"""
    table = desk.withdrawal
    query = select(table.c.load_sequence, table.c.case_number, table.c.deleted_at)
    return fetch(connection, query.where(table.c.programme == programme_id), desk_progress.schema("withdrawn.csv"))


def _last_day(connection: Connection, mine: Select[Any], event: str) -> pl.DataFrame:
    """取り消されていない、この出来事の最後の日（日本の日付）: case_number、on。"""
    table, undone = desk.case_event, desk.case_event.alias("undone")
    query = (
        select(table.c.case_number, func.max(table.c.at))
        .where(
            table.c.event == event,
            table.c.case_number.in_(mine),
            ~exists().where(undone.c.reverses == table.c.id),
        )
        .group_by(table.c.case_number)
    )
    found = fetch(connection, query, {"case_number": pl.String, "at": pl.Datetime("us", "UTC")})
    return found.select("case_number", on=pl.col("at").dt.convert_time_zone("Asia/Tokyo").dt.date())


def _returned(connection: Connection, mine: Select[Any]) -> pl.DataFrame:
    """いまの枝番の、取り消されていない最後の返戻。"""
    mail, event, undone = desk.returned_mail, desk.case_event, desk.case_event.alias("undone")
    taken_back = exists().where(
        event.c.case_number == mail.c.case_number,
        event.c.evidence == literal("returned_mail:").concat(cast(mail.c.id, String)),
        undone.c.reverses == event.c.id,
    )
    query = (
        select(mail.c.case_number, mail.c.branch, mail.c.returned_on, mail.c.reason)
        .where(mail.c.case_number.in_(mine), ~taken_back)
        .order_by(mail.c.id)
    )
    schema = {"case_number": pl.String, "branch": pl.Int64, "returned_on": pl.Date, "returned_reason": pl.String}
    return fetch(connection, query, schema).unique(["case_number", "branch"], keep="last", maintain_order=True)


def _defects(connection: Connection, mine: Select[Any]) -> pl.DataFrame:
    """最後の回の不備の符号（; でつなぐ）。"""
    table = desk.deficiency
    query = select(table.c.case_number, table.c.branch, table.c.round, table.c.code).where(
        table.c.case_number.in_(mine)
    )
    schema = {"case_number": pl.String, "branch": pl.Int64, "round": pl.Int64, "code": pl.String}
    found = fetch(connection, query, schema)
    last = found.filter(pl.col("round") == pl.col("round").max().over("case_number", "branch"))
    return last.group_by("case_number", "branch").agg(deficiencies=pl.col("code").unique().sort().str.join(";"))


def _letters_due(connection: Connection, mine: Select[Any]) -> pl.DataFrame:
    """まだ送っていない手紙の種類（; でつなぐ）。"""
    due, done = desk.letter_due, desk.letter_done
    query = select(due.c.case_number, due.c.branch, due.c.kind).where(
        due.c.case_number.in_(mine),
        ~exists().where(done.c.letter_due_id == due.c.id, done.c.deed.in_(ENDING)),
    )
    found = fetch(connection, query, {"case_number": pl.String, "branch": pl.Int64, "kind": pl.String})
    return found.group_by("case_number", "branch").agg(letters_due=pl.col("kind").unique().sort().str.join(";"))
