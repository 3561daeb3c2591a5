"""区直轄の人の、いま効いている返事: 二人の入力が同じで、取り消されていないもののうち、権利と枝番ごとの最後の一つ。"""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, exists, select

from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward
from benefit.store.frames import fetch

_COLUMNS = {
    "reply_id": pl.Int64,
    "entitlement_id": pl.Int64,
    "branch_now": pl.Int64,
    "reply": pl.String,
    "received_on": pl.Date,
    **dict.fromkeys(ACCOUNT, pl.String),
    "checked_at": pl.Datetime("us", "UTC"),
}


def standing_replies(connection: Connection) -> pl.DataFrame:
    """権利といまの枝番ごとの、最後の返事: reply_id、entitlement_id、branch_now、reply（種類）、received_on、口座、

    checked_at、reviewed_on（二人目が入れた日。審査完了日にあたる）。
    """
    reply, check, entitlement = ward.ward_reply, ward.ward_reply_check, ward.entitlement
    undo, undone = reply.alias("undo"), check.alias("undone")
    cancelled = exists().where(undo.c.cancels == reply.c.id, undone.c.reply_id == undo.c.id)
    query = (
        select(
            reply.c.id,
            reply.c.entitlement_id,
            reply.c.branch,
            reply.c.kind,
            reply.c.received_on,
            *(reply.c[name] for name in ACCOUNT),
            check.c.checked_at,
        )
        .join(check, check.c.reply_id == reply.c.id)
        .join(entitlement, (entitlement.c.id == reply.c.entitlement_id) & (entitlement.c.branch == reply.c.branch))
        .where(reply.c.kind != "取消", ~cancelled)
        .order_by(reply.c.id)
    )
    last = fetch(connection, query, _COLUMNS).unique("entitlement_id", keep="last", maintain_order=True)
    return last.with_columns(reviewed_on=pl.col("checked_at").dt.convert_time_zone("Asia/Tokyo").dt.date())


def replied_since(connection: Connection, replies: pl.DataFrame) -> set[int]:
    """最後の判定（支給可でないもの）の後に、確認書の返事が効いた権利。もう一度判定できる。"""
    verdict, file = ward.verdict, ward.planned_file
    mine = replies.filter(pl.col("reply") == "確認書")
    query = (
        select(verdict.c.entitlement_id, verdict.c.verdict, file.c.judged_at)
        .join(file, file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.in_(mine["entitlement_id"].to_list()))
        .order_by(verdict.c.planned_file_id)
    )
    schema = {"entitlement_id": pl.Int64, "verdict": pl.String, "judged_at": pl.Datetime("us", "UTC")}
    last = fetch(connection, query, schema).unique("entitlement_id", keep="last", maintain_order=True)
    later = mine.join(last, on="entitlement_id").filter(
        (pl.col("verdict") != "支給可") & (pl.col("checked_at") >= pl.col("judged_at"))
    )
    return set(later["entitlement_id"])
