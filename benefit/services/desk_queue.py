"""受けた人の今日の束と、審査の列: 古いものから一件ずつ、開いた人が 15 分だけ押さえる。"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, String, and_, case, cast, exists, func, literal, not_, or_, select

from benefit.domain.access import Actor
from benefit.domain.clock import TOKYO, tokyo_date
from benefit.domain.deficiency import FORM_KINDS, STANDINGS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.masking import masked_name, town_of
from benefit.store import audit, desk
from benefit.store.engine import in_turn

RECENT = 20


@dataclass(frozen=True)
class Glimpse:
    """紙と見比べるための、伏せた氏名と町名（窓口の人が見るのは、これだけ）。"""

    name: str
    town: str
    benefit: str
    branch: int


@dataclass(frozen=True)
class ReceivedRow:
    """受けた一枚。氏名はない。"""

    form_id: int
    at: datetime
    case_number: str
    kind: str
    standing: str
    undone: bool


@dataclass(frozen=True)
class Bundle:
    """この人が今日受けたもの: 枚数（取り消したものを除く）、種類ごと、新しい順の 20 枚。"""

    count: int
    by_kind: tuple[tuple[str, int], ...]
    rows: tuple[ReceivedRow, ...]

    @property
    def last(self) -> ReceivedRow | None:
        """取り消せる、最後の一枚。"""
        return next((row for row in self.rows if not row.undone), None)


def start_of_day(now: datetime) -> datetime:
    """日本の今日の零時（UTC）。"""
    return datetime.combine(tokyo_date(now), time(), TOKYO).astimezone(UTC)


def glimpse(connection: Connection, case_number: str, *, actor: Actor, at: datetime, why: str) -> Glimpse | None:
    """一件を、伏せて見る。ログは、この読みと同じトランザクションに残る。"""
    table, names = desk.benefit_case, desk.benefit_name
    row = (
        connection.execute(
            select(table.c.name, table.c.address, table.c.branch, table.c.benefit, names.c.name.label("benefit_name"))
            .outerjoin(names, names.c.benefit == table.c.benefit)
            .where(table.c.case_number == case_number)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    audit.record(connection, desk.audit_log, at=at, actor=actor, action="case.glimpse", subject=case_number, reason=why)
    return Glimpse(
        masked_name(row["name"]), town_of(row["address"]), row["benefit_name"] or row["benefit"], row["branch"]
    )


def received_today(connection: Connection, *, actor: Actor, now: datetime) -> Bundle:
    """この人が今日受けたもの。番号と種類だけで、誰のものかは出ない。"""
    form, event = desk.received_form, desk.case_event
    reversal = event.alias()
    undone = exists().where(
        event.c.case_number == form.c.case_number,
        event.c.evidence == literal("received_form:").concat(cast(form.c.id, String)),
        reversal.c.reverses == event.c.id,
    )
    query = (
        select(form, undone.label("undone"))
        .where(form.c.received_by == actor.id, form.c.at >= start_of_day(now))
        .order_by(form.c.id.desc())
    )
    rows = connection.execute(query).mappings().all()
    kinds = Counter(FORM_KINDS[row["kind"]] for row in rows if not row["undone"])
    return Bundle(
        sum(kinds.values()),
        tuple(kinds.most_common()),
        tuple(
            ReceivedRow(
                row["id"],
                _aware(row["at"]),
                row["case_number"],
                FORM_KINDS[row["kind"]],
                STANDINGS[row["standing"]],
                bool(row["undone"]),
            )
            for row in rows[:RECENT]
        ),
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


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
    table, review, second, event = desk.benefit_case, desk.form_review, desk.form_review_approval, desk.case_event
    since = (
        select(func.max(event.c.at))
        .where(event.c.case_number == table.c.case_number, event.c.to_state == table.c.state)
        .scalar_subquery()
    )
    last = (
        select(func.max(review.c.id))
        .where(review.c.case_number == table.c.case_number, review.c.branch == table.c.branch)
        .where(review.c.keyed_at >= func.coalesce(since, review.c.keyed_at))
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
