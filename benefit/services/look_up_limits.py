"""調べる数の上限（一人ごと）。一時間に 30 で知らせの行、60 で止まり、管理者と区の二人が解くまで止まる（P19）。

数は台帳にあり、閲覧のログと同じトランザクションで増える。だから「数えなかった閲覧」はなく、再起動しても消えない。
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import WARD_AT_DESK, Actor, DeskRole
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.written import written
from benefit.services.people_first import aware
from benefit.store import audit, desk
from benefit.store.access import AccessTables
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn

SOFT = 30
HARD = 60
WINDOW = timedelta(hours=1)
STOPPED = "一時間に調べられる数を越えたので、止まっています。管理者に知らせてください（管理者と区の二人が解きます）"


class LookUpStopped(RefusedByRule):
    """調べる数を越えて止まっている。"""

    def __init__(self) -> None:
        super().__init__(STOPPED, code="look-up-stop")


def count_or_stop(connection: Connection, actor: Actor, at: datetime, *, tables: AccessTables = desk.access) -> int:
    """一件を数え、この一時間の数を返す。止まっていれば LookUpStopped（何も書かない）。

    60 件目までは見せ、その行と一緒に止める: 断りで巻き戻る中に、止めた印は残せないからである。
    """
    staff_id = actor.id
    in_turn(connection, f"look-up|{staff_id}")
    stop = _last_stop(connection, tables, staff_id)
    since = at - WINDOW
    if stop is not None:
        released = _released_at(connection, tables, stop)
        if released is None:
            raise LookUpStopped
        since = max(since, released)
    look_up = tables.look_up
    insert_one(connection, look_up, staff_id=staff_id, at=at)
    count = int(
        connection.execute(
            select(func.count()).select_from(look_up).where(look_up.c.staff_id == staff_id, look_up.c.at > since)
        ).scalar_one()
    )
    if count >= SOFT and not _alarmed(connection, tables, staff_id, since):
        insert_one(connection, tables.look_up_alarm, staff_id=staff_id, at=at, look_ups=count)
    if count >= HARD:
        number = insert_one(connection, tables.look_up_stop, staff_id=staff_id, at=at, look_ups=count)
        audit.record(
            connection,
            tables.audit_log,
            at=at,
            actor=actor,
            action="look-up.stop",
            subject=staff_id,
            detail={"number": number, "look_ups": count},
        )
    return count


def is_stopped(connection: Connection, actor: Actor, *, tables: AccessTables = desk.access) -> bool:
    """この人は、いま止まっているか。"""
    stop = _last_stop(connection, tables, actor.id)
    return stop is not None and _released_at(connection, tables, stop) is None


def release(
    connection: Connection,
    number: int,
    *,
    reason: str,
    actor: Actor,
    at: datetime,
    tables: AccessTables = desk.access,
) -> bool:
    """停止を解く一人になる。二つの側（管理者、区）がそろえば真。止まった本人、同じ側の二人目は断る。"""
    side = side_of(actor)
    if side is None:
        raise RefusedByRule("停止を解くのは、管理者と区の人です", code="role")
    if not written(reason):
        raise WrongUse("解く理由を書いてください", code="reason")
    stop = connection.execute(select(tables.look_up_stop).where(tables.look_up_stop.c.id == number)).mappings().first()
    if stop is None:
        raise WrongUse(f"停止 {number} はありません", code="no-such")
    if stop["staff_id"] == actor.id:
        raise RefusedByRule("止まった本人は、解けません", code="two-people")
    sides = _sides(connection, tables, number)
    if side in sides:
        raise RefusedByRule("この側は、もう解いています", code="released")
    connection.execute(
        tables.look_up_release.insert().values(
            stop_id=number,
            side=side,
            stopped_staff_id=stop["staff_id"],
            released_by=actor.id,
            reason=reason.strip(),
            released_at=at,
        )
    )
    audit.record(
        connection,
        tables.audit_log,
        at=at,
        actor=actor,
        action="look-up.release",
        subject=stop["staff_id"],
        reason=reason.strip(),
        detail={"number": number, "side": side},
    )
    return len(sides) == 1


def side_of(actor: Actor) -> str | None:
    """停止を解くときの側。解けない役割なら None。"""
    if actor.role == DeskRole.SUPERVISOR:
        return "supervisor"
    return "ward" if actor.role in WARD_AT_DESK - {DeskRole.WARD_AUDITOR} else None


def stopped(connection: Connection, *, tables: AccessTables = desk.access) -> list[dict[str, Any]]:
    """いま止まっている人（番号、ID、氏名、いつ、件数、もう解いた側）。"""
    stop, staff = tables.look_up_stop, tables.staff
    query = select(stop, staff.c.name).join(staff, staff.c.id == stop.c.staff_id).order_by(stop.c.id)
    rows = [
        {**row, "sides": _sides(connection, tables, row["id"])}
        for row in map(dict, connection.execute(query).mappings().all())
    ]
    return [row for row in rows if len(row["sides"]) < 2]


def _last_stop(connection: Connection, tables: AccessTables, staff_id: str) -> int | None:
    stop = tables.look_up_stop
    return connection.execute(select(func.max(stop.c.id)).where(stop.c.staff_id == staff_id)).scalar()


def _released_at(connection: Connection, tables: AccessTables, number: int) -> datetime | None:
    table = tables.look_up_release
    found = connection.execute(select(table.c.released_at).where(table.c.stop_id == number)).scalars().all()
    moments = [moment for at in found if (moment := aware(at)) is not None]
    return max(moments) if len(moments) == 2 else None


def _sides(connection: Connection, tables: AccessTables, number: int) -> set[str]:
    table = tables.look_up_release
    return set(connection.execute(select(table.c.side).where(table.c.stop_id == number)).scalars())


def _alarmed(connection: Connection, tables: AccessTables, staff_id: str, since: datetime) -> bool:
    table = tables.look_up_alarm
    query = select(table.c.id).where(table.c.staff_id == staff_id, table.c.at > since).limit(1)
    return connection.execute(query).first() is not None
