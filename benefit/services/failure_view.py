"""振込不能の帳簿を、見る人に合わせて: 区直轄の一件は、名ざされた人にしか見えない。見た記録が残ってから返る。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import WrongUse
from benefit.services import failure_history, failure_matches
from benefit.services.approvals_view_veil import Veil, veil_for
from benefit.services.failures import OPEN, register_in
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import reading

#: 帳簿の仕事そのものが用件である（用件のない閲覧として数えない）。
PURPOSE = "振込不能の対応"


@dataclass(frozen=True)
class Item:
    """帳簿の一件と、その歩み、承認を待つ回答（口座の全部）、結ぶ候補。"""

    row: dict[str, Any]
    history: tuple[str, ...]
    waiting: dict[str, Any] | None
    candidates: tuple[dict[str, Any], ...]
    matches: tuple[dict[str, Any], ...]

    @property
    def is_open(self) -> bool:
        """まだ終わっていないか。"""
        return self.row["status"] in OPEN


def book(home: Home, *, actor: Actor, clock: Clock, reason: str = "") -> pl.DataFrame:
    """この人に見える帳簿。`reason` を言えば、持ち出し（Excel）の記録になる。"""
    today, veil = tokyo_date(clock()), veil_for(home, actor)
    with home.ward.begin() as connection:
        rows = _visible(register_in(connection, today), veil)
        action = "failure.export" if reason else "failure.list"
        _record(connection, action, "", reason or PURPOSE, {"rows": rows.height}, actor, clock)
    return rows


def item(home: Home, number: int, *, actor: Actor, clock: Clock) -> Item:
    """一件。ない番号と、見てはならない一件は、同じ WrongUse。"""
    today, veil = tokyo_date(clock()), veil_for(home, actor)
    with home.ward.begin() as connection:
        rows = _visible(register_in(connection, today), veil).filter(pl.col("id") == number)
        # 給付管理番号があれば、誰が見たかを、その番号からも引けるように残す。
        cases = [one for one in rows["case_number"].to_list() if one]
        _record(connection, "failure.view", f"{number}", PURPOSE, {"found": rows.height, "cases": cases}, actor, clock)
    if rows.is_empty():
        raise WrongUse(f"不能 {number} は帳簿にありません", code="no-failure")
    row = rows.row(0, named=True)
    _, told = failure_history.of(home, number, today)
    with reading(home.ward) as connection:
        waiting = _waiting(connection, number) if row["waiting"] else None
        free = row["payment_id"] is None
        candidates = failure_matches.candidates(connection, row["candidates"]) if free and row["candidates"] else []
        matches = _matches(connection, row["bank_report_id"], row["line_number"])
    candidates = [one for one in candidates if one["case_number"] not in veil.cases]
    return Item(row, tuple(told), waiting, tuple(candidates), tuple(matches))


def _visible(rows: pl.DataFrame, veil: Veil) -> pl.DataFrame:
    # 経路だけを見ると、登録の後に名簿に載った人と、その世帯の人が漏れる。
    return rows.filter(~pl.col("case_number").is_in(list(veil.cases)).fill_null(value=False))


def refuse_hidden(connection: Connection, number: int, today: date, veil: Veil) -> None:
    """見てはならない一件には、何もさせない。ない番号と同じに断る。"""
    rows = _visible(register_in(connection, today), veil)
    if rows.filter(pl.col("id") == number).is_empty():
        raise WrongUse(f"不能 {number} は帳簿にありません", code="no-failure")


def failure_of_answer(connection: Connection, answer: int) -> int:
    """回答の不能の番号。なければ 0（どの不能でもない）。"""
    table = ward.failure_answer
    return int(connection.execute(select(table.c.failure_id).where(table.c.id == answer)).scalar() or 0)


def failure_of_match(connection: Connection, match: int) -> int:
    """結び付けの申し出の、不能の番号。なければ 0。"""
    table, failure = ward.report_match, ward.failure
    query = select(failure.c.id).join(
        table, (table.c.bank_report_id == failure.c.bank_report_id) & (table.c.line_number == failure.c.line_number)
    )
    return int(connection.execute(query.where(table.c.id == match)).scalar() or 0)


def _waiting(connection: Connection, number: int) -> dict[str, Any] | None:
    table, approval = ward.failure_answer, ward.failure_answer_approval
    query = (
        select(table)
        .join(approval, approval.c.release_id == table.c.id, isouter=True)
        .where(table.c.failure_id == number, approval.c.release_id.is_(None))
        .order_by(table.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).mappings().first()
    return dict(found) if found else None


def _matches(connection: Connection, report_id: int, line_number: int) -> list[dict[str, Any]]:
    table, approval = ward.report_match, ward.report_match_approval
    query = (
        select(table)
        .join(approval, approval.c.release_id == table.c.id, isouter=True)
        .where(table.c.bank_report_id == report_id, table.c.line_number == line_number, approval.c.release_id.is_(None))
        .order_by(table.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _record(
    connection: Connection, action: str, subject: str, reason: str, detail: dict[str, Any], actor: Actor, clock: Clock
) -> None:
    audit.record(
        connection, ward.audit_log, at=clock(), actor=actor, action=action, subject=subject, reason=reason,
        detail=detail,
    )  # fmt: skip
