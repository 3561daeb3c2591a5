"""審査の列: 古いものから一件ずつ、開いた人が 15 分だけ押さえる。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, func, not_, or_, select

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_review import entering_event
from benefit.store import desk
from benefit.store.engine import in_turn

HOLD = timedelta(minutes=15)
#: 列の種類と、その名。並びは画面の順。
QUEUE_KINDS = {
    "new": "一次入力: 新規",
    "correction": "一次入力: 補正",
    "account": "一次入力: 口座の届出",
    "again": "一次入力: 再照合（二人の入力が違った）",
    "second": "二次入力（照合）",
}
_OWN = "待っている {many} 件は、あなたが一次入力した件です。別の人が照合します"


@dataclass(frozen=True)
class QueueRow:
    """列の一種: 件数、一番古いものの日数、開けないときのわけ。"""

    kind: str
    name: str
    count: int
    oldest: int
    refused: str


@dataclass(frozen=True)
class Hold:
    """押さえている一件と、いつまでか。"""

    case_number: str
    until: datetime


def _standing() -> Any:
    """審査を待つ件と、その種類（kind）。審査が途切れる前の一次入力は、続きとみない。"""
    table, review, second = desk.benefit_case, desk.form_review, desk.form_review_approval
    tried = review.alias()
    last = (
        select(func.max(tried.c.id))
        .where(tried.c.case_number == table.c.case_number, tried.c.branch == table.c.branch)
        .where(tried.c.entered == entering_event(table))
        .correlate(table)
        .scalar_subquery()
    )
    kind = case(
        (table.c.state == "C22", "new"),
        (table.c.state == "C26", "correction"),
        (and_(review.c.id.is_not(None), second.c.review_id.is_(None)), "second"),
        (second.c.differing != "", "again"),
        (table.c.state == "P23", "account"),
        else_="new",
    )
    return (
        select(
            table.c.case_number,
            table.c.received_on,
            table.c.changed_at,
            kind.label("kind"),
            review.c.id.label("review_id"),
            review.c.keyed_by,
            second.c.differing,
        )
        .select_from(table)
        .outerjoin(review, review.c.id == last)
        .outerjoin(second, second.c.review_id == review.c.id)
        .where(table.c.state.in_(("C22", "C23", "C26", "P23")))
    )


def queue(connection: Connection, *, actor: Actor, now: datetime) -> tuple[QueueRow, ...]:
    """審査の列。だれかが開いている件は数えない。二次入力は、この人が一次入力した件を数えない。"""
    waiting, held = _standing().subquery(), desk.review_hold
    busy = select(held.c.case_number).where(held.c.until > now, held.c.staff_id != actor.id)
    own = and_(waiting.c.kind == "second", waiting.c.keyed_by == actor.id)
    query = (
        select(
            waiting.c.kind,
            func.sum(case((own, 0), else_=1)).label("count_"),
            func.sum(case((own, 1), else_=0)).label("own"),
            func.min(waiting.c.changed_at).filter(not_(own)).label("oldest"),
        )
        .where(waiting.c.case_number.not_in(busy))
        .group_by(waiting.c.kind)
    )
    found = {row.kind: row for row in connection.execute(query)}
    return tuple(_queue_row(kind, name, found.get(kind), now) for kind, name in QUEUE_KINDS.items())


def _queue_row(kind: str, name: str, row: Any, now: datetime) -> QueueRow:
    count, own = (int(row.count_), int(row.own)) if row else (0, 0)
    oldest = (now - _aware(row.oldest)).days if count else 0
    refused = "" if count else (_OWN.format(many=own) if own else "いまはありません")
    return QueueRow(kind, name, count, max(0, oldest), refused)


def take_next(connection: Connection, kind: str, *, actor: Actor, at: datetime) -> str:
    """この種類の一番古い一件を押さえ、その番号を返す。なければ RefusedByRule。"""
    if kind not in QUEUE_KINDS:
        raise RefusedInput("列の種類が違います", code="word", found=kind, allowed="、".join(QUEUE_KINDS))
    in_turn(connection, "review.hold")
    waiting, held = _standing().subquery(), desk.review_hold
    busy = select(held.c.case_number).where(held.c.until > at, held.c.staff_id != actor.id)
    query = (
        select(waiting.c.case_number)
        .where(waiting.c.kind == kind, waiting.c.case_number.not_in(busy))
        .order_by(
            case((waiting.c.received_on.is_(None), 1), else_=0),
            waiting.c.received_on,
            waiting.c.changed_at,
            waiting.c.case_number,
        )
        .limit(1)
    )
    if kind == "second":
        query = query.where(waiting.c.keyed_by != actor.id)
    number = connection.execute(query).scalar()
    if number is None:
        raise RefusedByRule(f"「{QUEUE_KINDS[kind]}」は、いまはありません", code="empty-queue")
    _hold(connection, number, actor, at)
    return str(number)


def take(connection: Connection, number: str, *, actor: Actor, at: datetime) -> str:
    """番号で一件を押さえ、その種類を返す。ほかの人が開いている・審査を待っていない件は RefusedByRule。"""
    in_turn(connection, "review.hold")
    kind = kind_of(connection, number)
    if kind is None:
        raise RefusedByRule(
            "審査を待っている件ではありません。番号と、収受したかを確かめてください", code="not-waiting"
        )
    require_hold(connection, number, actor=actor, at=at)
    _hold(connection, number, actor, at)
    return kind


def kind_of(connection: Connection, number: str) -> str | None:
    """この件の、列の種類。審査を待っていなければ None。"""
    row = connection.execute(_standing().where(desk.benefit_case.c.case_number == number)).first()
    return None if row is None else str(row.kind)


def require_hold(connection: Connection, number: str, *, actor: Actor, at: datetime) -> None:
    """ほかの人が開いていれば断る。"""
    held = desk.review_hold
    other = connection.execute(
        select(held.c.staff_id).where(held.c.case_number == number, held.c.until > at, held.c.staff_id != actor.id)
    ).scalar()
    if other is not None:
        raise RefusedByRule("ほかの人が審査しています。15 分たつか、戻されるまで待ってください", code="held")


def held(connection: Connection, *, actor: Actor, at: datetime) -> Hold | None:
    """この人が押さえている一件。切れていれば None。"""
    table = desk.review_hold
    row = connection.execute(select(table).where(table.c.staff_id == actor.id, table.c.until > at)).mappings().first()
    return Hold(row["case_number"], _aware(row["until"])) if row else None


def put_back(connection: Connection, *, actor: Actor) -> None:
    """押さえている一件を、列へ戻す。"""
    connection.execute(desk.review_hold.delete().where(desk.review_hold.c.staff_id == actor.id))


def _hold(connection: Connection, number: str, actor: Actor, at: datetime) -> None:
    table = desk.review_hold
    connection.execute(
        table.delete().where(or_(table.c.staff_id == actor.id, table.c.case_number == number, table.c.until <= at))
    )
    connection.execute(table.insert().values(case_number=number, staff_id=actor.id, taken_at=at, until=at + HOLD))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
