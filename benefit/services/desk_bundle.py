"""受けた人の今日の束: 伏せて見る一件、枚数、最後の一枚の取消。"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import Connection, String, and_, cast, exists, literal, select

from benefit.domain.access import Actor
from benefit.domain.clock import TOKYO, tokyo_date
from benefit.domain.deficiency import FORM_KINDS, STANDINGS
from benefit.domain.errors import RefusedByRule
from benefit.domain.masking import masked_name, town_of
from benefit.services import desk_undo
from benefit.store import audit, desk

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
    moved: bool
    undone: bool


@dataclass(frozen=True)
class Bundle:
    """この人が今日受けたもの: 枚数（取り消したものを除く）、種類ごと、新しい順の 20 枚。"""

    count: int
    by_kind: tuple[tuple[str, int], ...]
    rows: tuple[ReceivedRow, ...]

    @property
    def last(self) -> ReceivedRow | None:
        """取り消せる、最後の一枚（件を進めた紙だけ）。"""
        return next((row for row in self.rows if row.moved and not row.undone), None)


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


def refused(connection: Connection, numbers: list[str], *, actor: Actor, at: datetime, why: str) -> None:
    """受けられなかった番号。断りの言葉は件の状態を言うので、見たのと同じに、返る前に残す。"""
    if numbers:
        subject = numbers[0] if len(numbers) == 1 else ""
        detail = {} if subject else {"cases": numbers}
        audit.record(
            connection,
            desk.audit_log,
            at=at,
            actor=actor,
            action="form.refuse",
            subject=subject,
            reason=why,
            detail=detail,
        )


def received_today(connection: Connection, *, actor: Actor, now: datetime) -> Bundle:
    """この人が今日受けたもの。番号と種類だけで、誰のものかは出ない。"""
    form, event = desk.received_form, desk.case_event
    reversal = event.alias()
    step = and_(
        event.c.case_number == form.c.case_number,
        event.c.evidence == literal("received_form:").concat(cast(form.c.id, String)),
    )
    moved = exists().where(step).correlate(form)
    undone = exists().where(step, reversal.c.reverses == event.c.id).correlate(form)
    query = (
        select(form, moved.label("moved"), undone.label("undone"))
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
                bool(row["moved"]),
                bool(row["undone"]),
            )
            for row in rows[:RECENT]
        ),
    )


def undo_scan(connection: Connection, form_id: int, *, reason: str, actor: Actor, at: datetime) -> str:
    """自分の収受の一枚を取り消し、その番号を返す。その紙が件の最後の一歩でなければ RefusedByRule。"""
    form, event = desk.received_form, desk.case_event
    row = connection.execute(select(form).where(form.c.id == form_id)).mappings().first()
    if row is None or row["received_by"] != actor.id:
        raise RefusedByRule("取り消せるのは、自分が受けた紙だけです", code="undo")
    step = connection.execute(
        select(event.c.id).where(
            event.c.case_number == row["case_number"], event.c.evidence == f"received_form:{form_id}"
        )
    ).scalar()
    last = desk_undo.last_step(connection, row["case_number"], actor=actor, at=at)
    if step is None or last is None or last.event_id != step:
        raise RefusedByRule("この紙の後に、件が進んでいます。管理者に頼んでください", code="undo")
    desk_undo.undo(connection, row["case_number"], reason=reason, actor=actor, at=at)
    return str(row["case_number"])


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
