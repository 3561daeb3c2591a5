"""振替不能の後、もう請求しないものに、納付書を送る。納付書を送ると決めたら、もう引き落とさない。"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import Connection

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.direct_debit import LEFT_SAYS
from benefit.records.direct_debit import RESULT_CODES
from benefit.rules.debit_selection import letters_due
from benefit.services import debit_facts, debit_terms_file
from benefit.services.debit_facts import Around
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn, reading

#: 一覧の列。
COLUMNS = (
    "receivable_id",
    "person",
    "subject",
    "fiscal_year",
    "term",
    "notice_number",
    "left_yen",
    "failures",
    "code",
    "why",
)

HEADINGS = dict(
    zip(
        COLUMNS,
        ("調定", "宛名番号", "科目", "年度", "期別", "通知書番号", "残り", "不能の回数", "コード", "わけ"),
        strict=True,
    )
)


def due(home: Home, *, today: date) -> pl.DataFrame:
    """納付書を送るべき調定（`COLUMNS` と order_id）。後で納めた人（速報を含む）は出ない。"""
    near = debit_facts.around(home)
    with reading(home.ward) as connection:
        return _due(home, connection, near, today)


def _due(home: Home, connection: Connection, near: Around, today: date) -> pl.DataFrame:
    decided = debit_facts.decided(connection, debit_terms_file.load(home), today, near)
    meaning = pl.col("last_code").replace_strict(RESULT_CODES, default="", return_dtype=pl.String)
    return decided.filter(letters_due()).select(
        *(name for name in COLUMNS if name not in {"code", "why"}),
        code=pl.concat_str(pl.col("last_code"), pl.lit(" "), meaning),
        why=pl.col("left_out").replace_strict(LEFT_SAYS, return_dtype=pl.String),
        order_id=pl.col("last_order"),
    )


def take(home: Home, *, actor: Actor, clock: Clock) -> pl.DataFrame:
    """納付書を送ることにする。渡した一覧のものは、二度は出ず、もう引き落とさない。"""
    near = debit_facts.around(home)
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        now = clock()
        rows = _due(home, connection, near, tokyo_date(now))
        lines = rows.select("order_id", by=pl.lit(actor.id), at=pl.lit(now.isoformat(sep=" ")))
        insert_rows(connection, ward.debit_letter, ("order_id", "listed_by", "listed_at"), lines.iter_rows())
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="debit.letters",
            detail={"rows": rows.height, "people": sorted(set(rows["person"].to_list()))},
        )
    return rows


def looked(home: Home, *, actor: Actor, clock: Clock) -> pl.DataFrame:
    """送るべきものを見る（見たことが残る）。"""
    rows = due(home, today=tokyo_date(clock()))
    with home.ward.begin() as connection:
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="debit.letters.list",
            detail={"rows": rows.height, "people": sorted(set(rows["person"].to_list()))},
        )
    return rows


def by_reason(rows: pl.DataFrame) -> list[tuple[str, int, int]]:
    """わけごとの (わけ、件数、残り)。"""
    grouped = rows.group_by("why").agg(pl.len(), pl.col("left_yen").sum()).sort("why")
    return [(str(why), int(count), int(yen)) for why, count, yen in grouped.iter_rows()]
