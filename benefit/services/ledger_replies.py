"""支給判定が見る返事: 委託先から届いた進み（不備、返戻、辞退、死亡の申出）と、区の職員が入れた区直轄の人の返事。

進みは申し出より前の姿なので、その後に審査の済んだ行には当てない（不備・辞退）。返戻は、その後に収受があれば解けている。
同じ日のうちに起きたことの順は分からない。分からないときは止め、次の進捗情報の後に判定し直す。
"""

from __future__ import annotations

from datetime import UTC, date

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.clock import tokyo_date
from benefit.domain.programme import Programme
from benefit.services.handback_view import death_contacts, view
from benefit.services.judged_lines import LINE
from benefit.services.replies_standing import standing_replies
from benefit.store import ward

_DEFECT, _REFUSED, _DEAD = ("C24", "C25", "C26"), ("P22", "C29"), "X60"
#: 足す列。何も届いていない行では、みな偽である。
COLUMNS = ("open_defect", "undelivered", "refusal_told", "death_told")


def with_replies(connection: Connection, rows: pl.DataFrame, programme: Programme) -> pl.DataFrame:
    """行に COLUMNS を足す。"""
    among = select(LINE.case_number).where(LINE.line_number.is_not(None))
    told = view(connection, programme.id, among=among)
    told = told.select(
        "case_number",
        branch_now="branch",
        told_state="state",
        returned_on="returned_on",
    )
    replies = standing_replies(connection).select("entitlement_id", "branch_now", "reply", reply_on="received_on")
    as_of = pl.lit(_as_of(connection, programme), dtype=pl.Date)
    state, received = pl.col("told_state"), pl.col("received_on")
    unsettled = pl.col("reviewed_on").is_null() | (pl.col("reviewed_on") <= as_of)
    not_since = received.is_null() | (received < pl.col("returned_on"))
    return (
        rows.join(told, on=["case_number", "branch_now"], how="left", maintain_order="left")
        .join(death_contacts(connection, among=among), on="case_number", how="left", maintain_order="left")
        .join(replies, on=["entitlement_id", "branch_now"], how="left", maintain_order="left")
        .with_columns(
            open_defect=state.is_in(_DEFECT) & unsettled,
            undelivered=(pl.col("returned_on").is_not_null() & not_since) | (pl.col("reply") == "返戻"),
            refusal_told=(state.is_in(_REFUSED) & unsettled) | (pl.col("reply") == "辞退"),
            death_told=(state == _DEAD).fill_null(value=False) | pl.col("death_contact_on").is_not_null(),
        )
        .with_columns(pl.col(COLUMNS).fill_null(value=False))
        .drop("told_state", "returned_on", "reply", "reply_on", "death_contact_on")
    )


def _as_of(connection: Connection, programme: Programme) -> date | None:
    """最後に受け取った進捗情報の作られた日。"""
    table = ward.desk_handback
    made = connection.execute(
        select(table.c.made_at).where(table.c.programme == programme.id).order_by(table.c.sequence.desc()).limit(1)
    ).scalar()
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    return None if made is None else tokyo_date(made.replace(tzinfo=made.tzinfo or UTC))
