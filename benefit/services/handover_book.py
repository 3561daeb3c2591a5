"""受渡管理簿: いつ、誰が、何を、いくつ、誰へ渡し、いつ返り、消したという報告が届いたか（checklist 5）。

受渡の行（handover）が作成で、その後の歩みを書き足していく。順番は台帳の制約が守る（0034）。終わっていない受渡は
画面の「いまの様子」に、期限を過ぎたものは `benefit handover overdue` と週のログの報告（L16）に出る。
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor, WardRole
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.handover_states import (
    CANCELLED,
    CROSSINGS,
    ERASED,
    GIVEN_BACK,
    ISSUED,
    LINES,
    MADE,
    MEDIA,
    PRINT_OUT,
    RECEIVED,
    REPORTED,
    USED,
)
from benefit.services.handover_book_item import Entry, Event, Item, Told
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

__all__ = [
    "Entry",
    "Event",
    "Item",
    "Told",
    "by_id",
    "item",
    "items",
    "need_staff",
    "one",
    "overdue",
    "record",
    "write",
]
#: 歩みの、監査ログの名。受領と消去報告は、ログの検知（L16）が見る名である。
ACTIONS = {
    ISSUED: "handover.issue",
    RECEIVED: "handover.received",
    USED: "handover.use",
    GIVEN_BACK: "handover.given_back",
    ERASED: "handover.wiped",
    REPORTED: "handover.erased",
    CANCELLED: "handover.cancel",
}
#: 返却・消去・消去報告の前に、終わっていなければならない歩みの日（消した日は、返した日より前でもよい）。
_AFTER = (MADE, ISSUED, RECEIVED, USED)


def name_of(text: str) -> tuple[str, int]:
    """「print_out/3」か「3」（印刷の包み）を、種類と連番に。"""
    crossing, slash, sequence = text.partition("/")
    if not slash:
        crossing, sequence = PRINT_OUT, text
    if crossing not in CROSSINGS or not (sequence.isascii() and sequence.isdigit() and len(sequence) < 10):
        raise _no_such(text)
    return crossing, int(sequence)


def _no_such(name: str) -> WrongUse:
    return WrongUse("その受渡はありません。benefit handover list で確かめてください", code="no-such", found=name)


def items(home: Home, today: date, *, crossing: str = "") -> list[Item]:
    """受渡の全部（`crossing` を言えば、その種類）。新しい順。"""
    table = ward.handover
    with reading(home.ward) as connection:
        return _items(connection, today, table.c.crossing == crossing if crossing else table.c.id > 0)


def item(home: Home, name: str, today: date) -> Item:
    """受渡一つ。なければ WrongUse。"""
    with reading(home.ward) as connection:
        return one(connection, name, today)


def by_id(home: Home, number: int, today: date) -> Item:
    """受渡一つ（台帳の番号で）。なければ WrongUse。"""
    with reading(home.ward) as connection:
        found = _items(connection, today, ward.handover.c.id == number)
    if not found:
        raise _no_such(str(number))
    return found[0]


def one(connection: Connection, name: str, today: date) -> Item:
    """受渡一つ、呼んだ側のトランザクションで。"""
    crossing, sequence = name_of(name)
    table = ward.handover
    found = _items(connection, today, (table.c.crossing == crossing) & (table.c.sequence == sequence))
    if not found:
        raise _no_such(name)
    return found[0]


def overdue(home: Home, today: date) -> list[Item]:
    """期限を過ぎた受渡。"""
    return [each for each in items(home, today) if each.days_late]


def _items(connection: Connection, today: date, where: Any) -> list[Item]:
    table, package = ward.handover, ward.handover_package
    events: dict[int, list[Event]] = {}
    chosen = select(table.c.id).where(where)
    event = ward.handover_event
    for row in connection.execute(
        select(event).where(event.c.handover_id.in_(chosen)).order_by(event.c.handover_id, event.c.place)
    ).mappings():
        events.setdefault(row["handover_id"], []).append(
            Event(**{key: row[key] for key in Event.__dataclass_fields__ if key != "at"}, at=_utc(row["at"]))
        )
    told: dict[int, list[Told]] = {}
    passphrase = ward.handover_passphrase
    for row in connection.execute(
        select(passphrase).where(passphrase.c.handover_id.in_(chosen)).order_by(passphrase.c.id)
    ).mappings():
        told.setdefault(row["handover_id"], []).append(Told(row["told_by"], row["told_to"], _utc(row["at"])))
    query = (
        select(
            table, package.c.programme, package.c.title, package.c.content, package.c.sheet_count,
            package.c.inside_sha256, package.c.report_days,
        )
        .outerjoin(package, package.c.handover_id == table.c.id)
        .where(where)
        .order_by(table.c.id.desc())
    )  # fmt: skip
    return [
        Item(
            id=row["id"],
            crossing=row["crossing"],
            sequence=row["sequence"],
            title=row["title"] or CROSSINGS[row["crossing"]].name,
            counterpart=row["counterpart"],
            content=row["content"] or CROSSINGS[row["crossing"]].content,
            folder=row["folder"],
            sha256=row["sha256"],
            row_count=row["row_count"],
            sheet_count=row["sheet_count"],
            made_by=row["actor"],
            made_at=_utc(row["at"]),
            today=today,
            report_days=row["report_days"] or 0,
            programme=row["programme"] or "",
            inside_sha256=row["inside_sha256"] or "",
            events=tuple(events.get(row["id"], ())),
            told=tuple(told.get(row["id"], ())),
        )
        for row in connection.execute(query).mappings()
    ]


def _utc(at: datetime) -> datetime:
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def need_staff(actor: Actor) -> None:
    """受渡は、担当と承認の人の仕事である（監査と管理の人は、包みにも合言葉にも触れない）。"""
    if actor.role not in {WardRole.CLERK.value, WardRole.APPROVER.value}:
        raise RefusedByRule("受渡の記録は、担当か承認の役割の職員が行います", code="role")


def record(home: Home, name: str, step: str, entry: Entry, *, actor: Actor, clock: Clock) -> Item:
    """歩みを一つ書く。順が違う、二度目、同じ人の出庫、数が違うものは断り、台帳の制約も断る。"""
    with home.ward.begin() as connection:
        return write(connection, name, step, entry, actor=actor, clock=clock)


def write(connection: Connection, name: str, step: str, entry: Entry, *, actor: Actor, clock: Clock) -> Item:
    """`record` を、呼んだ側のトランザクションで。書いた後の姿を返す。"""
    need_staff(actor)
    now, table = clock(), ward.handover_event
    today = tokyo_date(now)
    in_turn(connection, "handover-book")
    before = one(connection, name, today)
    if step not in before.next_steps:
        raise RefusedByRule(
            "いまの状態から、この歩みは書けません",
            code="handover-step",
            found=f"{before.state} から {step}",
            allowed="、".join(before.next_steps) or "なし",
        )
    medium, quantity = _same_pieces(before, entry)
    _check(before, step, entry, medium, actor, today)
    try:
        connection.execute(
            table.insert().values(
                handover_id=before.id,
                place=len(before.events) + 1,
                previous=len(before.events) or None,
                crossing=before.crossing,
                made_by=before.made_by,
                state=before.state,
                step=step,
                medium=medium,
                quantity=quantity,
                done_on=entry.done_on,
                handler=entry.handler.strip(),
                companion=entry.companion.strip(),
                locked_bag=entry.locked_bag,
                note=entry.note.strip(),
                recorded_by=actor.id,
                at=now,
            )
        )
    except IntegrityError:
        raise RefusedByRule("この歩みは、台帳の決まりに合いません", code="handover-store", found=step) from None
    audit.record(
        connection,
        ward.audit_log,
        at=now,
        actor=actor,
        action=ACTIONS[step],
        subject=before.name,
        reason=entry.note.strip(),
        detail={"medium": medium, "quantity": quantity, "rows": before.row_count, "done_on": f"{entry.done_on}"},
    )
    return one(connection, name, today)


def _same_pieces(before: Item, entry: Entry) -> tuple[str, int]:
    """媒体と数。二つ目の歩みからは、初めに書いたもの。"""
    if before.events:
        first = before.events[0]
        if entry.quantity is not None and entry.quantity != first.quantity:
            raise RefusedByRule(
                "媒体の数が、渡した数と違います。足りなければ事故として扱い、数をそろえてから記録してください",
                code="quantity",
                found=f"{entry.quantity}",
                allowed=f"{first.quantity}",
            )
        return first.medium, first.quantity
    # 作ってすぐ取り消すものには、まだ媒体がない。
    medium = entry.medium or LINES[0]
    if medium not in MEDIA:
        raise WrongUse("記録媒体が違います", code="medium", found=medium, allowed="、".join(MEDIA))
    quantity = 1 if entry.quantity is None else entry.quantity
    if not 1 <= quantity <= 9999:
        raise WrongUse("媒体の数が違います", code="quantity", found=str(quantity), allowed="1 から 9999")
    return medium, quantity


def _check(before: Item, step: str, entry: Entry, medium: str, actor: Actor, today: date) -> None:
    if not entry.handler.strip():
        raise WrongUse("取扱者（渡した人・受け取った人）の名を書いてください", code="handler")
    if step == ISSUED:
        if actor.id == before.made_by:
            raise RefusedByRule("作った人は、出庫できません。別の人が出庫します", code="two-people")
        if medium not in LINES and not (entry.companion.strip() and entry.locked_bag):
            raise RefusedByRule("手で運ぶ媒体は、二人で、鍵付きかばんで運びます", code="two-carriers")
    if step in {REPORTED, CANCELLED, ERASED} and not entry.note.strip():
        raise WrongUse("書類の番号か理由を書いてください", code="reason")
    first = max([before.made_on, *(one.done_on for one in before.events if one.step in _AFTER)])
    if not first <= entry.done_on <= today:
        raise WrongUse(
            "した日が違います", code="done-on", found=f"{entry.done_on}", allowed=f"{first} から {today} まで"
        )
