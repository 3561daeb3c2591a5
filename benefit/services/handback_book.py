"""届いた進捗情報の一覧を、職員が見る一冊の表（xlsx）にする。氏名と口座は載らない（給付管理番号だけ）。"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import polars as pl
from sqlalchemy import select

from benefit.domain.case import STATE_WORDS
from benefit.domain.deficiency import LETTER_KINDS, RETURN_REASONS
from benefit.domain.programme import Programme
from benefit.services import handback_lists, sheet
from benefit.services.handback_take import COUNTS
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

_STATES = {state: words.name for state, words in STATE_WORDS.items()}


def sheets(home: Home, programme: Programme, *, today: date) -> dict[str, pl.DataFrame]:
    """表の名 → 表。どの表も、いまの台帳から数える。"""
    with reading(home.ward) as connection:
        refused = handback_lists.refusals(connection, programme)
        returned = handback_lists.returned(connection, programme)
        letters = handback_lists.letters_due(connection, programme)
        deceased = handback_lists.deceased(connection, programme)
        differing = handback_lists.differences(connection, programme)
    waiting = handback_lists.withdrawals_waiting(home, programme, today=today)
    number, branch = pl.col("case_number").alias("給付管理番号"), pl.col("branch").alias("枝番")
    return {
        "食い違い": differing.select(
            number,
            pl.col("kind").alias("何が"),
            pl.col("ward_says").alias("区が知らせたこと"),
            pl.col("desk_says").alias("届いたこと"),
        ),
        "辞退": refused.select(
            number, branch, pl.col("refused_on").alias("受付の日"), pl.col("asked").alias("終わりの申し出")
        ),
        "返戻": returned.select(
            number,
            branch,
            pl.col("state").replace(_STATES).alias("進み"),
            pl.col("returned_on").alias("戻った日"),
            pl.col("returned_reason").replace(RETURN_REASONS).alias("わけ"),
        ),
        "送る手紙": letters.select(number, branch, pl.col("kind").replace(LETTER_KINDS).alias("手紙")),
        "死亡の申出": deceased.select(
            number, branch, pl.col("state").replace(_STATES).alias("進み"), pl.col("deceased_told_on").alias("聞いた日")
        ),
        "消した証し待ち": waiting.select(
            pl.col("load_sequence").alias("受渡連番"),
            number,
            pl.col("asked_on").alias("命じた日"),
            pl.col("days").alias("日数"),
            pl.when("overdue").then(pl.lit("遅れ")).alias("印"),
        ),
    }


def counts(home: Home, programme: Programme) -> dict[str, int] | None:
    """最後に受け取った進捗情報の数（Taken の列と sequence）。まだなければ None。"""
    table = ward.desk_handback
    query = select(table).where(table.c.programme == programme.id).order_by(table.c.sequence.desc()).limit(1)
    with reading(home.ward) as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else {name: row[name] for name in ("sequence", *COUNTS)}


def equations(found: Mapping[str, int]) -> list[str]:
    """数の合うことを言う三行。"""
    read, given = found["cases_read"], found["cases_given"]
    strange, vanished = found["cases_strange"], found["cases_vanished"]
    return [
        f"進捗情報 連番 {found['sequence']}",
        f"読んだ件 {read:,} = 一致 {found['cases_agreed']:,} + 食い違い {found['cases_listed']:,}",
        f"渡してある件 {given:,} = 読んだ件 {read:,} − 渡していない件 {strange:,} + 消えた行 {vanished:,}",
    ]


def render(home: Home, programme: Programme, *, today: date, made: datetime) -> bytes:
    """一冊の xlsx。"""
    found = counts(home, programme)
    notes = equations(found) if found else []
    return sheet.render(
        sheets(home, programme, today=today), made=made, title=f"{programme.name} 進捗情報の一覧", notes=notes
    )
