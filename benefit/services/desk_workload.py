"""仕事の量: 人と日ごとの数、列の長さと古さ、二人の入力の食い違い。数だけで、受給者の誰のことも出ない。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, select

from benefit.domain.clock import TOKYO
from benefit.services.desk_letters_due import ENDING
from benefit.store import desk

#: 数える仕事。画面の列の順。
SERIES = ("収受", "一次入力", "照合", "不備", "照会")
#: 待った日数の区切り: 名と、その中で一番長い日数。
AGES = (("3 日まで", 3), ("7 日まで", 7), ("14 日まで", 14), ("15 日以上", 10**6))


@dataclass(frozen=True)
class Worked:
    """一人の、一日の仕事の数（`SERIES` の順）。"""

    day: date
    staff_id: str
    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Waiting:
    """待っているもの一種: 件数、一番古いものの日数、区切りごとの件数。"""

    name: str
    count: int
    oldest: int
    by_age: tuple[int, ...]


@dataclass(frozen=True)
class Compared:
    """二人の入力を比べた数と、違った数。"""

    compared: int
    different: int


def _starts(days: Sequence[date]) -> list[datetime]:
    """それぞれの日の始まり（日本の零時）と、最後の日の終わり。"""
    last = days[-1] + timedelta(days=1)
    return [datetime.combine(day, time(), TOKYO).astimezone(UTC) for day in (*days, last)]


def _day_of(at: ColumnElement[Any], starts: Sequence[datetime]) -> ColumnElement[Any]:
    """何番目の日か。台帳の時刻は UTC なので、日付の切り出しでは日本の日にならない。"""
    return case(*((at < end, literal(place)) for place, end in enumerate(starts[1:])), else_=literal(-1))


def by_person(connection: Connection, days: Sequence[date]) -> tuple[Worked, ...]:
    """`days`（続いた日、古い順）の、人と日ごとの数。何もない日は載らない。新しい日から。"""
    starts = _starts(days)
    form, review, approval = desk.received_form, desk.form_review, desk.form_review_approval
    found, look = desk.deficiency, desk.access.look_up
    sources = (
        (form.c.at, form.c.received_by),
        (review.c.keyed_at, review.c.keyed_by),
        (approval.c.checked_at, approval.c.checked_by),
        (found.c.at, found.c.found_by),
        (look.c.at, look.c.staff_id),
    )
    counts: dict[tuple[int, str], list[int]] = {}
    for place, (at, who) in enumerate(sources):
        day = _day_of(at, starts).label("day")
        query: Select[Any] = (
            select(day, who.label("who"), func.count().label("many"))
            .where(at >= starts[0], at < starts[-1])
            .group_by(day, who)
        )
        for row in connection.execute(query):
            counts.setdefault((row.day, row.who), [0] * len(SERIES))[place] = row.many
    names = {row.id: row.name for row in connection.execute(select(desk.staff.c.id, desk.staff.c.name))}
    return tuple(
        Worked(days[day], who, names.get(who, who), tuple(many))
        for (day, who), many in sorted(counts.items(), key=lambda item: (-item[0][0], item[0][1]))
    )


#: 待っている列: 名と、その状態。
_QUEUES = (
    ("収受したまま、審査の前（新規）", ("C22",)),
    ("補正を受けたまま、審査の前", ("C26",)),
    ("口座の届出を受けたまま、審査の前", ("P23",)),
    ("審査中", ("C23",)),
    ("不備（手紙の前）", ("C24",)),
    ("補正を待っている", ("C25",)),
    ("返戻（お知らせ・確認書）", ("P21", "C21")),
    ("口座の再届出を待っている", ("F43", "F44")),
)


def waiting(connection: Connection, now: datetime) -> tuple[Waiting, ...]:
    """列の長さと古さ。日数は、いまの状態になってからの日数。"""
    table, letter, done = desk.benefit_case, desk.letter_due, desk.letter_done
    found = [
        _waiting(connection, name, select(table.c.changed_at.label("at")).where(table.c.state.in_(states)), now)
        for name, states in _QUEUES
    ]
    over = select(done.c.letter_due_id).where(done.c.deed.in_(ENDING))
    letters = select(letter.c.at.label("at")).where(letter.c.id.not_in(over))
    return (*found, _waiting(connection, "送るべき手紙", letters, now))


def _waiting(connection: Connection, name: str, since: Select[Any], now: datetime) -> Waiting:
    rows = since.subquery()
    sums, newer = [], now + timedelta(days=1)
    for _, longest in AGES:
        older = now - timedelta(days=longest + 1) if longest < 10**6 else None
        inside = rows.c.at <= newer if older is None else and_(rows.c.at <= newer, rows.c.at > older)
        sums.append(func.coalesce(func.sum(case((inside, 1), else_=0)), 0))
        newer = older or newer
    row = connection.execute(select(func.count(), func.min(rows.c.at), *sums)).one()
    oldest = row[1].replace(tzinfo=row[1].tzinfo or UTC) if row[1] else now
    return Waiting(name, row[0], max(0, (now - oldest).days), tuple(int(many) for many in row[2:]))


def compared(connection: Connection, days: Sequence[date]) -> Compared:
    """この日々に比べた数と、違った数。"""
    starts, table = _starts(days), desk.form_review_approval
    row = connection.execute(
        select(func.count(), func.coalesce(func.sum(case((table.c.agreed_sha256.is_(None), 1), else_=0)), 0)).where(
            table.c.checked_at >= starts[0], table.c.checked_at < starts[-1]
        )
    ).one()
    return Compared(row[0], int(row[1]))
