"""非常用の ID（封印）。二人で開け、60 分で閉じ、したことは二つめの記録にも残る（reliability §4.3）。

一人が理由を書いて申し出、別の人が承認すると、一度きりの合言葉が承認した人に見える。使うのは申し出た人で、合言葉のほかに
その人自身の数字（二要素）が要る。だから、どちらか一人では入れず、誰が使ったかも分かる。60 分が過ぎれば、
合言葉を知っていても入れず、入っていても次の操作で閉じる。翌朝に報告を印刷する。
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import Connection, delete, select

from benefit.domain.access import BATCH, ROLE_NAMES, Actor, DeskRole, WardRole
from benefit.domain.clock import TOKYO
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import people_password
from benefit.services.people_first import aware
from benefit.services.sheet import render
from benefit.store import audit
from benefit.store.access import AccessTables
from benefit.store.bulk import insert_one

Row = dict[str, Any]
OPEN_FOR = timedelta(minutes=60)
SEALED_ID = "hijo"
SEALED_ROLE = {"ward": WardRole.CLERK.value, "desk": DeskRole.WARD_CLERK.value}
#: 承認できる役割（区の人だけ）。
APPROVERS = {
    "ward": frozenset({WardRole.APPROVER.value, WardRole.ADMIN.value}),
    "desk": frozenset({DeskRole.WARD_CLERK.value, DeskRole.WARD_ADMIN.value}),
}


def seal(connection: Connection, tables: AccessTables, *, at: datetime) -> bool:
    """非常用の ID を、封印して作る。もうあれば何もしない（偽）。"""
    if connection.execute(select(tables.staff.c.id).where(tables.staff.c.id == SEALED_ID)).first():
        return False
    role = SEALED_ROLE[tables.line]
    connection.execute(
        tables.staff.insert().values(
            id=SEALED_ID, name="非常用（封印）", role=role, kind="sealed", password_hash=_unknown(), created_at=at
        )
    )
    audit.record(connection, tables.audit_log, at=at, actor=BATCH, action="break-glass.seal", subject=SEALED_ID)
    return True


def ask(connection: Connection, tables: AccessTables, *, reason: str, actor: Actor, at: datetime) -> int:
    """開けたいと申し出る。申し出の番号を返す。申し出られるのは、二要素を登録した人だけ。"""
    if not reason.strip():
        raise WrongUse("理由を書いてください", code="reason")
    row = connection.execute(select(tables.staff).where(tables.staff.c.id == actor.id)).mappings().first()
    if row is None or row["kind"] != "person" or row["totp_enrolled_at"] is None:
        raise RefusedByRule("数字（二要素）を登録した人だけが申し出られます", code="totp")
    if not connection.execute(select(tables.staff.c.id).where(tables.staff.c.id == SEALED_ID)).first():
        raise WrongUse("非常用の ID がありません。benefit init を実行してください", code="no-sealed")
    number = insert_one(
        connection, tables.break_glass, account=SEALED_ID, reason=reason.strip(), asked_by=actor.id, asked_at=at
    )
    _record(connection, tables, number, "ask", actor, at, reason.strip())
    return number


def approve(connection: Connection, tables: AccessTables, number: int, *, actor: Actor, at: datetime) -> str:
    """承認する。一度きりの合言葉を返す（承認した人が、申し出た人に伝える）。60 分の始まりである。"""
    asked = _asked(connection, tables, number)
    if actor.role not in APPROVERS[tables.line]:
        raise RefusedByRule("承認は、区の承認か管理の役割を持つ人が行います", code="role")
    if asked["asked_by"] == actor.id:
        raise RefusedByRule("申し出た人は、承認できません", code="two-people")
    approval = tables.break_glass_approval
    if connection.execute(select(approval.c.release_id).where(approval.c.release_id == number)).first():
        raise RefusedByRule("この申し出は、もう承認されています", code="approved")
    close_expired(connection, tables, at=at)
    if _open(connection, tables, asked["account"], at) is not None:
        raise RefusedByRule("いま、ほかの申し出で開いています。閉じてから承認してください", code="open")
    connection.execute(
        approval.insert().values(release_id=number, asked_by=asked["asked_by"], approved_by=actor.id, approved_at=at)
    )
    password = people_password.first_password()
    connection.execute(
        tables.staff.update()
        .where(tables.staff.c.id == asked["account"])
        .values(
            password_hash=people_password.PASSWORDS.hash(password), failed_count=0, locked_until=None, closed_at=None
        )
    )
    _record(connection, tables, number, "approve", actor, at, asked["reason"])
    return password


def holder_of(connection: Connection, tables: AccessTables, account: str, at: datetime) -> Row | None:
    """いま開いていれば、使ってよい人（申し出た人）の行。閉じていれば None。"""
    found = _open(connection, tables, account, at)
    if found is None:
        return None
    staff = tables.staff
    return dict(connection.execute(select(staff).where(staff.c.id == found["asked_by"])).mappings().one())


def close(connection: Connection, tables: AccessTables, number: int, *, actor: Actor, at: datetime) -> None:
    """返す: 合言葉を誰も知らないものに替え、入っている画面を閉じる。"""
    asked = _asked(connection, tables, number)
    closed = tables.break_glass_closed
    if connection.execute(select(closed.c.release_id).where(closed.c.release_id == number)).first():
        raise RefusedByRule("もう閉じています", code="closed")
    _close(connection, tables, number, asked, actor, at)


def close_expired(connection: Connection, tables: AccessTables, *, at: datetime) -> list[int]:
    """60 分の過ぎたものを閉じる（夜間処理と、次の承認の前）。閉じた番号を返す。"""
    asked, approval, closed = tables.break_glass, tables.break_glass_approval, tables.break_glass_closed
    query = (
        select(asked)
        .join(approval, approval.c.release_id == asked.c.id)
        .join(closed, closed.c.release_id == asked.c.id, isouter=True)
        .where(closed.c.release_id.is_(None), approval.c.approved_at <= at - OPEN_FOR)
        .order_by(asked.c.id)
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        _close(connection, tables, row["id"], row, BATCH, at)
    return [row["id"] for row in rows]


def report(connection: Connection, tables: AccessTables, number: int, *, at: datetime) -> tuple[str, bytes]:
    """翌朝に印刷する報告（読む文と、xlsx）。"""
    asked = _asked(connection, tables, number)
    approval = _one(connection, tables.break_glass_approval, number)
    closed = _one(connection, tables.break_glass_closed, number)
    log = tables.break_glass_log
    rows = connection.execute(select(log).where(log.c.release_id == number).order_by(log.c.sequence)).mappings().all()
    lines = [
        f"非常用の ID の報告（{_place(tables.line)}、申し出 {number}）",
        f"申し出た人: {_name(connection, tables, asked['asked_by'])}　{_moment(asked['asked_at'])}",
        f"理由: {asked['reason']}",
        f"承認した人: {_name(connection, tables, approval['approved_by'])}　{_moment(approval['approved_at'])}"
        if approval
        else "承認: まだない",
        f"閉じた: {_moment(closed['closed_at'])}（{closed['closed_by']}）" if closed else "閉じた: まだ",
        f"したこと: {len(rows):,} 行",
    ]
    frame = pl.DataFrame(
        {
            "連番": [row["sequence"] for row in rows],
            "時刻": [_moment(row["at"]) for row in rows],
            "端末": [row["terminal"] for row in rows],
            "したこと": [row["action"] for row in rows],
            "対象": [row["subject"] for row in rows],
            "理由": [row["reason"] for row in rows],
            "中身": [row["detail"] for row in rows],
        },
        schema_overrides=dict.fromkeys(("時刻", "端末", "したこと", "対象", "理由", "中身"), pl.String),
    )
    text = [*lines, *(f"  {row['時刻']}  {row['したこと']}  {row['対象']}" for row in frame.iter_rows(named=True))]
    book = render({"したこと": frame}, made=at, title=lines[0], notes=lines[1:])
    return "\n".join(text), book


def used(connection: Connection, tables: AccessTables) -> list[dict[str, Any]]:
    """申し出の一覧（新しい順）。"""
    asked, approval, closed = tables.break_glass, tables.break_glass_approval, tables.break_glass_closed
    query = (
        select(asked, approval.c.approved_by, approval.c.approved_at, closed.c.closed_at)
        .join(approval, approval.c.release_id == asked.c.id, isouter=True)
        .join(closed, closed.c.release_id == asked.c.id, isouter=True)
        .order_by(asked.c.id.desc())
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def now_of(row: Row, at: datetime) -> str:
    """申し出（used の一行）のいま。"""
    approved = aware(row["approved_at"])
    if approved is None:
        return "承認待ち"
    if row["closed_at"] is not None:
        return "閉じた"
    return "開いている" if at - approved < OPEN_FOR else "時間が過ぎた"


def _open(connection: Connection, tables: AccessTables, account: str, at: datetime) -> Row | None:
    asked, approval, closed = tables.break_glass, tables.break_glass_approval, tables.break_glass_closed
    query = (
        select(asked, approval.c.approved_at)
        .join(approval, approval.c.release_id == asked.c.id)
        .join(closed, closed.c.release_id == asked.c.id, isouter=True)
        .where(asked.c.account == account, closed.c.release_id.is_(None), approval.c.approved_at > at - OPEN_FOR)
        .order_by(asked.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return dict(row) if row is not None else None


def _close(connection: Connection, tables: AccessTables, number: int, asked: Row, actor: Actor, at: datetime) -> None:
    connection.execute(tables.break_glass_closed.insert().values(release_id=number, closed_at=at, closed_by=actor.id))
    connection.execute(
        tables.staff.update().where(tables.staff.c.id == asked["account"]).values(password_hash=_unknown())
    )
    session = tables.staff_session
    connection.execute(delete(session).where(session.c.staff_id == asked["account"]))
    _record(connection, tables, number, "close", actor, at, asked["reason"])


def _unknown() -> str:
    """誰も知らない合言葉の要約。"""
    return people_password.PASSWORDS.hash(secrets.token_urlsafe(32))


def _asked(connection: Connection, tables: AccessTables, number: int) -> Row:
    row = _one(connection, tables.break_glass, number)
    if row is None:
        raise WrongUse(f"非常用の申し出 {number} はありません", code="no-such")
    return row


def _one(connection: Connection, table: Any, number: int) -> Row | None:
    key = table.c.id if "id" in table.c else table.c.release_id
    row = connection.execute(select(table).where(key == number)).mappings().first()
    return dict(row) if row is not None else None


def _record(
    connection: Connection, tables: AccessTables, number: int, deed: str, actor: Actor, at: datetime, reason: str
) -> None:
    audit.record(
        connection,
        tables.audit_log,
        at=at,
        actor=actor,
        action=f"break-glass.{deed}",
        subject=SEALED_ID,
        reason=reason,
        detail={"number": number},
    )


def _name(connection: Connection, tables: AccessTables, staff_id: str) -> str:
    row = connection.execute(select(tables.staff).where(tables.staff.c.id == staff_id)).mappings().one()
    return f"{row['name']}（{staff_id}、{ROLE_NAMES[row['role']]}）"


def _place(line: str) -> str:
    return "区の台帳" if line == "ward" else "給付管理システム"


def _moment(at: datetime) -> str:
    known = aware(at)
    assert known is not None
    return f"{known.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"
