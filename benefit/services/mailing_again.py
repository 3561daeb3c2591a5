"""出し直しの手紙の印と、新しい期限（benefit-rules L10 返戻の後の再送、L16 再発行）。

枝番を進めた権利の手紙で、前の枝番の紙を本当に送っていたものだけが「出し直し」である（刷る前に止めた手紙や、
組から抜いた手紙は、相手の手元に前の紙がない）。前の枝番の紙が戻っていれば再送、ほかは再発行。
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from sqlalchemy import Connection, exists, or_, select

from benefit.domain.letter import CONFIRMATION_LETTER, REISSUED, RESENT
from benefit.domain.programme import Programme
from benefit.services.mailing_sent import sent
from benefit.store import ward
from benefit.store.frames import fetch


def with_again(connection: Connection, letters: pl.DataFrame, programme: Programme, issued_on: date) -> pl.DataFrame:
    """`letters`（mailing の行）に `again`（空、resent、reissued）を足し、出し直しの確認書の期限を新しくする。"""
    again = (
        letters.select("entitlement_id", "branch")
        .join(_sent_before(connection).rename({"branch": "sent"}), on="entitlement_id")
        .filter(pl.col("sent") < pl.col("branch"))
        .sort("sent")
        .unique("entitlement_id", keep="last")
        .select(
            "entitlement_id",
            again=pl.when("came_back").then(pl.lit(RESENT)).otherwise(pl.lit(REISSUED)),
        )
    )
    soonest = issued_on + timedelta(days=programme.schedule.push_window_days)
    late = (pl.col("kind") == CONFIRMATION_LETTER) & (pl.col("again") != "") & (pl.col("due_on") < soonest)
    return (
        letters.join(again, on="entitlement_id", how="left", maintain_order="left")
        .with_columns(pl.col("again").fill_null(""))
        .with_columns(due_on=pl.when(late).then(pl.lit(soonest)).otherwise("due_on"))
    )


def _sent_before(connection: Connection) -> pl.DataFrame:
    """送った手紙（entitlement_id、branch）と、それが戻ったか（came_back）。

    戻ったことは、委託先の進捗情報、区の返戻の一覧、区が直接扱う人の返事のどれかで分かる。
    """
    letter, entitlement, progress = ward.letter, ward.entitlement, ward.desk_progress
    listed, reply, check = ward.returned_letter, ward.ward_reply, ward.ward_reply_check
    told = exists().where(
        progress.c.case_number == entitlement.c.case_number,
        progress.c.branch == letter.c.branch,
        progress.c.returned_on.is_not(None),
    )
    scanned = exists().where(listed.c.letter_id == letter.c.id)
    replied = exists().where(
        reply.c.entitlement_id == letter.c.entitlement_id,
        reply.c.branch == letter.c.branch,
        reply.c.kind == "返戻",
        check.c.reply_id == reply.c.id,
    )
    query = (
        select(letter.c.entitlement_id, letter.c.branch, or_(told, scanned, replied))
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        # 一度も出し直していない権利（ほとんど）は見ない。
        .where(sent(), letter.c.branch < entitlement.c.branch)
    )
    schema = {"entitlement_id": pl.Int64, "branch": pl.Int64, "came_back": pl.Boolean}
    return fetch(connection, query, schema)
