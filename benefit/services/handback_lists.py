"""届いた進捗情報から、区がすることの一覧: 辞退の確認、返戻、送る手紙、死亡の申出、食い違い、引上げの証し待ち。

どれも台帳を読むだけである。することは、それぞれの二人の道（endings、reissue、holds）で行う。
"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection, Select, exists, func, select

from benefit.domain.programme import Programme
from benefit.services.handback_given import withdrawals
from benefit.services.handback_view import death_contacts, view
from benefit.services.home import Home
from benefit.services.replies_standing import standing_replies
from benefit.store import ward
from benefit.store.engine import reading
from benefit.store.frames import fetch

#: 引上げを命じてから、証しの届かないことが許される日数。毎日の受渡が一度なくなっても、待てる長さ。
PROOF_DAYS = 3
REFUSED_STATES = ("P22", "C29")
DEAD_STATE = "X60"
_OPEN = {"case_number": pl.String, "entitlement_id": pl.Int64, "branch_now": pl.Int64}


def refusals(connection: Connection, programme: Programme) -> pl.DataFrame:
    """辞退の届いた、終わっていない件: case_number、branch、refused_on、asked（終わりの申し出の番号か null）。"""
    rows = _standing(connection, programme).filter(pl.col("state").is_in(REFUSED_STATES))
    return _with_asked(connection, rows)


def ward_refusals(connection: Connection, programme: Programme) -> pl.DataFrame:
    """区直轄の人の、終わっていない辞退（二人が入れたもの）。列は refusals と同じ。区の限られた人だけが見る。"""
    return _with_asked(connection, _ward_replies(connection, programme, "辞退").rename({"received_on": "refused_on"}))


def ward_returned(connection: Connection, programme: Programme) -> pl.DataFrame:
    """区直轄の人の、手紙が戻ったままの件: case_number、branch、received_on。区の限られた人だけが見る。"""
    return _ward_replies(connection, programme, "返戻").select("case_number", "branch", "received_on")


def returned(connection: Connection, programme: Programme) -> pl.DataFrame:
    """いまの枝番の手紙が戻ったままの件: case_number、branch、state、returned_on、returned_reason。

    届いていないお知らせでは、受け取る意思が分からない（CHK54）。住所が分かれば出し直す（letters reissue）。
    """
    rows = _standing(connection, programme).filter(
        pl.col("returned_on").is_not_null() & (pl.col("branch") == pl.col("branch_now"))
    )
    return rows.select("case_number", "branch", "state", "returned_on", "returned_reason")


def letters_due(connection: Connection, programme: Programme) -> pl.DataFrame:
    """委託先が送れずに待っている手紙: case_number、branch、kind。"""
    rows = _standing(connection, programme).filter(pl.col("letters_due").is_not_null())
    return rows.select("case_number", "branch", kind=pl.col("letters_due").str.split(";")).explode("kind")


def deceased(connection: Connection, programme: Programme) -> pl.DataFrame:
    """亡くなったと聞いた件: case_number、branch、state、deceased_told_on。判定前の件は止めてある（CHK60 の保留）。

    判定に出た後に聞いた件は、委託先では状態が進まず、対応履歴にだけ残る。その件もここに並ぶ。
    """
    rows = _standing(connection, programme).join(death_contacts(connection), on="case_number", how="left")
    told = rows.filter((pl.col("state") == DEAD_STATE) | pl.col("death_contact_on").is_not_null())
    on = pl.coalesce("deceased_told_on", "death_contact_on")
    return told.select("case_number", "branch", "state", deceased_told_on=on)


def differences(connection: Connection, programme: Programme) -> pl.DataFrame:
    """最後に受け取った進捗情報の食い違い: case_number、kind、ward_says、desk_says。"""
    table, head = ward.desk_difference, ward.desk_handback
    last = select(func.max(head.c.sequence)).where(head.c.programme == programme.id).scalar_subquery()
    query = (
        select(table.c.case_number, table.c.kind, table.c.ward_says, table.c.desk_says)
        .where(table.c.sequence == last)
        .order_by(table.c.kind, table.c.case_number)
    )
    return fetch(connection, query, dict.fromkeys(("case_number", "kind", "ward_says", "desk_says"), pl.String))


def withdrawals_waiting(home: Home, programme: Programme, *, today: date) -> pl.DataFrame:
    """消したという証しの届いていない引上げ: load_sequence、case_number、asked_on、days、overdue。"""
    with reading(home.ward) as connection:
        rows = withdrawals(connection, programme.id).filter(pl.col("deleted_at").is_null())
    asked_on = pl.col("asked_at").dt.convert_time_zone("Asia/Tokyo").dt.date()
    return rows.select(
        "load_sequence", "case_number", asked_on=asked_on, days=(pl.lit(today) - asked_on).dt.total_days()
    ).with_columns(overdue=pl.col("days") > PROOF_DAYS)


def _with_asked(connection: Connection, rows: pl.DataFrame) -> pl.DataFrame:
    ending = ward.ending
    query = select(ending.c.entitlement_id, func.max(ending.c.id)).group_by(ending.c.entitlement_id)
    asked = fetch(connection, query, {"entitlement_id": pl.Int64, "asked": pl.Int64})
    return rows.join(asked, on="entitlement_id", how="left").select("case_number", "branch", "refused_on", "asked")


def _ward_replies(connection: Connection, programme: Programme, kind: str) -> pl.DataFrame:
    rows = standing_replies(connection).filter(pl.col("reply") == kind)
    open_ = fetch(connection, _open(programme), _OPEN)
    return rows.join(open_.drop("branch_now"), on="entitlement_id").rename({"branch_now": "branch"}).sort("case_number")


def _standing(connection: Connection, programme: Programme) -> pl.DataFrame:
    """最後の受渡に載っていて、権利の終わっていない件: 進みの列に entitlement_id と branch_now を足したもの。"""
    rows = view(connection, programme.id).filter("present")
    open_ = fetch(connection, _open(programme), _OPEN)
    return rows.join(open_, on="case_number").sort("case_number")


def _open(programme: Programme) -> Select[tuple[str, int, int]]:
    table, ending, approval = ward.entitlement, ward.ending, ward.ending_approval
    over = exists().where(ending.c.entitlement_id == table.c.id, approval.c.release_id == ending.c.id)
    return select(table.c.case_number, table.c.id, table.c.branch).where(table.c.programme == programme.id, ~over)
