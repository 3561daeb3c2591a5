"""どちらの監査ログも引く: 人で、番号で、操作で、期間で、端末で。引いたことも、先にログに残る（reliability §4.6）。

見えるのはログだけで、氏名も口座もない（番号と、職員が書いた理由まで）。
「誰が私の記録を見たか」という求めに答える報告（viewers）も、ここで作る。
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, Engine, Table, false, func, or_, select

from benefit.domain.access import ROLE_NAMES, Actor
from benefit.domain.clock import TOKYO, Clock
from benefit.domain.errors import RefusedInput
from benefit.domain.typed import read_keys
from benefit.services.audit_verify import side
from benefit.services.audit_words import NAMES, VIEWS
from benefit.services.home import Home
from benefit.services.restricted_queue import PERSON_SLOTS
from benefit.store import audit, ward
from benefit.store.engine import reading

PAGE = 50
#: 一枚に何人かが並ぶ画面。並んだ給付管理番号が、中身（cases）に残っている。
_SHEETS = ("approval.view", "holds.view", "dashboard.list", "export")
#: Excel に出す行の上限。
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Query:
    """引く条件。空は、問わない。`number` は、給付管理番号・宛名番号・世帯番号。"""

    actor: str = ""
    number: str = ""
    action: str = ""
    since: date | None = None
    until: date | None = None
    terminal: str = ""

    def __post_init__(self) -> None:
        """初めの日が終わりの日より後なら RefusedInput。"""
        if self.since and self.until and self.since > self.until:
            raise RefusedInput("期間の初めの日が、終わりの日より後です", code="period")

    @property
    def digits(self) -> str:
        """番号の数字だけ。"""
        return read_keys(case_number=self.number).case_number if self.number.strip() else ""


@dataclass(frozen=True)
class Line:
    """ログの一行。`subjects` は、対象の番号（見た人・見た件）。"""

    sequence: int
    at: datetime
    actor: str
    role: str
    terminal: str
    action: str
    action_name: str
    subjects: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Found:
    """引いた結果の一頁。"""

    lines: tuple[Line, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """頁の数。"""
        return max(1, -(-self.total // PAGE))


def search(engine: Engine, store: str, query: Query, *, page: int = 1, actor: Actor, at: datetime) -> Found:
    """`store`（ward・desk）のログの一頁を返す。引いた記録が残ってから返り、その記録自身は結果に入らない。"""
    table = side(store).log
    with engine.begin() as connection:
        mine = _record(connection, table, "audit.search", query, actor, at)
        where = [*_where(connection, table, query), table.c.sequence < mine]
        total = int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())
        turned = min(max(page, 1), max(1, -(-total // PAGE)))
        rows = connection.execute(
            select(table).where(*where).order_by(table.c.sequence.desc()).limit(PAGE).offset((turned - 1) * PAGE)
        ).mappings()
        return Found(tuple(_line(row) for row in rows), total, turned)


def export(engine: Engine, store: str, query: Query, *, reason: str, actor: Actor, at: datetime) -> pl.DataFrame:
    """同じ条件の全部（十万行まで）を、表にする。理由が要り、表にした記録が残ってから返る。"""
    if not reason.strip():
        raise RefusedInput("持ち出す理由を書いてください", code="reason")
    table = side(store).log
    with engine.begin() as connection:
        mine = _record(connection, table, "audit.export", query, actor, at, reason=reason.strip())
        rows = connection.execute(
            select(table)
            .where(*_where(connection, table, query), table.c.sequence < mine)
            .order_by(table.c.sequence.desc())
            .limit(MOST_ROWS)
        ).mappings()
        return frame([_line(row) for row in rows])


def viewers(
    home: Home, number: str, since: date | None, until: date | None, *, reason: str, actor: Actor, clock: Clock
) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """この番号の人の記録を見た行（古い順）と、その人の番号の全部。求めに答えた記録が残ってから返る。"""
    query = Query(number=number, since=since, until=until)
    if not query.digits:
        raise RefusedInput("給付管理番号か宛名番号を入れてください", code="number")
    if not reason.strip():
        raise RefusedInput("どの求めに答えるかを書いてください（受付番号など）", code="reason")
    table = ward.audit_log
    with home.ward.begin() as connection:
        mine = _record(connection, table, "audit.viewers", query, actor, clock(), reason=reason.strip())
        numbers = _numbers_of(connection, query.digits)
        where = [
            _about(table, numbers),
            *_period(table, query),
            table.c.action.in_((*VIEWS, *_SHEETS)),
            table.c.sequence < mine,
        ]
        rows = connection.execute(select(table).where(*where).order_by(table.c.sequence)).mappings()
        return tuple(_line(row) for row in rows), numbers


def frame(lines: Sequence[Line]) -> pl.DataFrame:
    """Excel の表。"""
    columns = ("番号", "時刻", "職員", "役割", "端末", "操作", "対象", "理由")
    rows = [
        (
            str(one.sequence),
            f"{one.at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}",
            one.actor,
            one.role,
            one.terminal,
            one.action_name,
            "、".join(one.subjects),
            one.reason,
        )
        for one in lines
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def choices(engine: Engine, store: str) -> list[tuple[str, str]]:
    """ログにある操作: (符号, 名)。"""
    table = side(store).log
    with reading(engine) as connection:
        known = connection.execute(select(table.c.action).distinct()).scalars()
        return sorted(((one, NAMES.get(one, one)) for one in known), key=lambda pair: pair[1])


def _record(
    connection: Connection, table: Table, action: str, query: Query, actor: Actor, at: datetime, *, reason: str = ""
) -> int:
    asked = {name: str(value) for name, value in asdict(query).items() if value and name != "number"}
    audit.record(
        connection,
        table,
        at=at,
        actor=actor,
        action=action,
        subject=query.digits[:64],
        reason=reason,
        detail=asked,
    )
    return int(connection.execute(select(func.max(table.c.sequence))).scalar_one())


def _where(connection: Connection, table: Table, query: Query) -> list[ColumnElement[bool]]:
    where = _period(table, query)
    if query.actor.strip():
        where.append(table.c.actor == query.actor.strip())
    if query.action:
        where.append(table.c.action == query.action)
    if query.terminal.strip():
        where.append(table.c.terminal == query.terminal.strip())
    if query.number.strip():
        # 数字のない番号は、どの行にも当たらない。
        where.append(_about(table, _asked_for(connection, table, query.digits)) if query.digits else false())
    return where


def _period(table: Table, query: Query) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.since:
        found.append(table.c.at >= _midnight(query.since))
    if query.until:
        found.append(table.c.at < _midnight(query.until + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TOKYO).astimezone(UTC)


def _asked_for(connection: Connection, table: Table, digits: str) -> tuple[str, ...]:
    """引く番号。区の台帳なら、その人の番号の全部（給付管理システムは、番号どうしの結び付きを知らない）。"""
    return _numbers_of(connection, digits) if table is ward.audit_log else (digits[:64],)


def _numbers_of(connection: Connection, digits: str) -> tuple[str, ...]:
    """この番号の人（か件）の、番号の全部: 宛名番号と、その人が受け取る・対象である給付管理番号。"""
    table = ward.entitlement
    plain = digits[:64]
    wide = int(plain) if len(plain) <= 10 else -1
    mine = or_(
        table.c.case_number == plain,
        table.c.payee_number == wide,
        (table.c.subject_number == wide) & table.c.slot_kind.in_(PERSON_SLOTS),
    )
    numbers = {plain} if wide < 0 else {f"{wide:010d}"}
    for row in connection.execute(select(table).where(mine)).mappings():
        numbers.add(row["case_number"])
        if row["case_number"] == plain:
            numbers.add(f"{row['payee_number']:010d}")
    return tuple(sorted(numbers))


def _about(table: Table, numbers: Sequence[str]) -> ColumnElement[bool]:
    """対象がこの番号か、中身にこの番号が（文字列として、丸ごと）ある行。"""
    return or_(table.c.subject.in_(numbers), *(table.c.detail.contains(f'"{one}"') for one in numbers))


def _line(row: Any) -> Line:
    detail: dict[str, Any] = json.loads(row["detail"])
    listed = [str(one) for name in ("people", "cases") for one in detail.get(name, ())]
    at = row["at"] if row["at"].tzinfo else row["at"].replace(tzinfo=UTC)
    return Line(
        row["sequence"],
        at,
        row["actor"],
        ROLE_NAMES.get(row["role"], row["role"]),
        row["terminal"] or "（端末なし）",
        row["action"],
        NAMES.get(row["action"], row["action"]),
        tuple(dict.fromkeys([row["subject"], *listed] if row["subject"] else listed)),
        row["reason"],
    )
