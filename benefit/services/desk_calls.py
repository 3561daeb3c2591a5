"""受けている電話: 始める、件を開く、終える。電話の番号と用件が決まるまで、何も探せない（画面の指針 13）。

どの関数も、呼んだ側のトランザクションの中で動く。いまの電話と開いている件は、入っている人（staff_session）に付く。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from benefit.domain.access import Actor
from benefit.domain.call import purposes_of
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.written import written
from benefit.store import desk
from benefit.store.bulk import insert_one

LONGEST_REFERENCE = 40


@dataclass(frozen=True)
class Call:
    """受けている電話。`case_number` はいま開いている件（まだなら空）。"""

    id: int
    reference: str
    purpose: str
    started_at: datetime
    case_number: str


def begin(connection: Connection, *, reference: str, purpose: str, actor: Actor, at: datetime) -> Call:
    """電話を受けた。前の電話が終わっていなければ、ここで終わる。番号か用件がなければ RefusedInput。"""
    given = written(reference)
    if not given or len(given) > LONGEST_REFERENCE:
        raise RefusedInput("電話の番号（受付番号）を先に入れてください", code="call-reference", allowed="1 から 40 字")
    if purpose not in purposes_of(actor.role):
        raise RefusedInput("用件を先に選んでください", code="call-purpose", allowed="、".join(purposes_of(actor.role)))
    _close(connection, actor, at)
    number = insert_one(
        connection, desk.call, reference=given, purpose=purpose, staff_id=actor.id, started_at=at, ended_at=None
    )
    _hold(connection, actor, call_id=number, call_reference=given, purpose=purpose, case_number=None)
    return Call(number, given, purpose, at, "")


def current(connection: Connection, actor: Actor) -> Call | None:
    """この人が受けている電話。"""
    call, session = desk.call, desk.staff_session
    query = (
        select(call.c.id, call.c.reference, call.c.purpose, call.c.started_at, session.c.case_number)
        .join(session, session.c.call_id == call.c.id)
        .where(session.c.staff_id == actor.id, call.c.staff_id == actor.id, call.c.ended_at.is_(None))
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    begun = row.started_at if row.started_at.tzinfo else row.started_at.replace(tzinfo=UTC)
    return Call(row.id, row.reference, row.purpose, begun, row.case_number or "")


def needed(connection: Connection, actor: Actor) -> Call:
    """受けている電話。なければ RefusedByRule。"""
    found = current(connection, actor)
    if found is None:
        raise RefusedByRule("電話の番号と用件を先に入れてください", code="no-call")
    return found


def open_case(connection: Connection, actor: Actor, case_number: str) -> None:
    """この件を開いた。番号は台帳が覚え、URL には出ない。"""
    _hold(connection, actor, case_number=case_number or None)


def end(connection: Connection, *, actor: Actor, at: datetime) -> None:
    """電話が終わった。次の電話の閲覧が、前の電話の記録に混ざらないようにする。"""
    _close(connection, actor, at)
    _hold(connection, actor, call_id=None, call_reference="", purpose="", case_number=None)


def _close(connection: Connection, actor: Actor, at: datetime) -> None:
    call = desk.call
    connection.execute(update(call).where(call.c.staff_id == actor.id, call.c.ended_at.is_(None)).values(ended_at=at))


def _hold(connection: Connection, actor: Actor, **values: object) -> None:
    session = desk.staff_session
    connection.execute(update(session).where(session.c.staff_id == actor.id).values(**values))
