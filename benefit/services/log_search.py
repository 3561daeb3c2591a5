"""監査ログを引く（どちらの台帳でも）: 人で、番号で、操作で、期間で。引いたことが、先にログに残る。

区の画面には、人の番号をまとめて引くもの（audit_search）がある。ここは、給付管理システムの画面とコマンドのためである。
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, func, or_, select

from benefit.domain.access import ROLE_NAMES, Actor
from benefit.domain.clock import TOKYO
from benefit.domain.errors import WrongUse
from benefit.services.audit_verify import side
from benefit.store import audit

MOST = 200


@dataclass(frozen=True)
class Asked:
    """引く条件。空は問わない。"""

    actor: str = ""
    number: str = ""
    action: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def digits(self) -> str:
        """番号の、数字だけ。"""
        return "".join(c for c in unicodedata.normalize("NFKC", self.number) if c.isascii() and c.isdigit())


@dataclass(frozen=True)
class Line:
    """見せる一行。"""

    sequence: int
    time: str
    actor: str
    role: str
    terminal: str
    action: str
    subject: str
    reason: str


@dataclass(frozen=True)
class Found:
    """新しい順に `MOST` 行まで。`total` は全部の数。"""

    lines: tuple[Line, ...]
    total: int


def search(engine: Engine, store: str, asked: Asked, *, actor: Actor, at: datetime) -> Found:
    """引く。引いた行が確定してから、結果が返る。"""
    if asked.since and asked.until and asked.since > asked.until:
        raise WrongUse("期間の初めの日が、終わりの日より後です", code="period")
    if asked.number.strip() and not asked.digits:
        raise WrongUse("番号は数字で入れてください", code="number")
    table = side(store).log
    with engine.begin() as connection:
        where = _where(table, asked)
        total = connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
        query = select(table).where(*where).order_by(table.c.sequence.desc()).limit(MOST)
        rows = connection.execute(query).mappings().all()
        given = {name: str(value) for name, value in asdict(asked).items() if value and name != "number"}
        audit.record(
            connection,
            table,
            at=at,
            actor=actor,
            action="audit.search",
            subject=asked.digits[:64],
            detail={**given, "found": int(total)},
        )
    return Found(tuple(_line(dict(row)) for row in rows), int(total))


def _where(table: Table, asked: Asked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.actor.strip():
        where.append(table.c.actor == asked.actor.strip())
    if asked.action.strip():
        where.append(table.c.action == asked.action.strip())
    if asked.digits:
        # 探して当たった件は、中身の並びにある。
        where.append(or_(table.c.subject == asked.digits, table.c.detail.contains(f'"{asked.digits}"')))
    if asked.since:
        where.append(table.c.at >= _midnight(asked.since))
    if asked.until:
        where.append(table.c.at < _midnight(asked.until + timedelta(days=1)))
    return where


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TOKYO).astimezone(UTC)


def _line(row: Mapping[str, Any]) -> Line:
    at: datetime = row["at"] if row["at"].tzinfo else row["at"].replace(tzinfo=UTC)
    listed = json.loads(row["detail"]).get("cases") or ()
    return Line(
        row["sequence"],
        f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}",
        row["actor"],
        ROLE_NAMES.get(row["role"], row["role"]),
        row["terminal"],
        row["action"],
        row["subject"] or "、".join(str(one) for one in listed),
        row["reason"],
    )
