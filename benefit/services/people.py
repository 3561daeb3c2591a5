"""職員・従事者: 登録、本人確認（合言葉）。合言葉は Argon2id で、台帳には要約だけを置く。

五回続けて間違えると 30 秒、その後は倍々に閉じる（reliability §4.3）。知らない ID でも同じ計算をして、
ID があるかどうかを時間から読めないようにする（P20）。
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from pwdlib import PasswordHash
from sqlalchemy import Connection, Engine, Table, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.store import audit

PASSWORD_LENGTH = 15
FREE_FAILURES = 5
_HASHER = PasswordHash.recommended()
# 知らない ID のときに照らす、誰のものでもない要約。
_NOBODY = _HASHER.hash(secrets.token_urlsafe(24))
REFUSED = "ID か合言葉が違うか、いまは使えません。5 回続けて間違えるとしばらく使えなくなります"


def add(
    connection: Connection,
    staff: Table,
    audit_log: Table,
    *,
    staff_id: str,
    name: str,
    role: str,
    password: str,
    actor: Actor,
    at: datetime,
) -> None:
    """一人を登録する。ID の重複と短い合言葉は断る。"""
    if len(password) < PASSWORD_LENGTH:
        raise WrongUse("合言葉が短すぎます", found=f"{len(password)} 文字", allowed=f"{PASSWORD_LENGTH} 文字以上")
    if not staff_id or not staff_id.isascii() or not staff_id.replace("-", "").replace("_", "").isalnum():
        raise WrongUse("ID は半角の英数字と - _ で書きます")
    if connection.execute(select(staff.c.id).where(staff.c.id == staff_id)).first():
        raise RefusedByRule(f"ID「{staff_id}」はもう使われています", code="staff-exists")
    connection.execute(
        staff.insert().values(
            id=staff_id, name=name, role=role, password_hash=_HASHER.hash(password), failed_count=0, created_at=at
        )
    )
    audit.record(connection, audit_log, at=at, actor=actor, action="staff.add", subject=staff_id, detail={"role": role})


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def authenticate(engine: Engine, staff: Table, audit_log: Table, staff_id: str, password: str, clock: Clock) -> Actor:
    """本人か確かめる。だめなら RefusedByRule（理由は一つの文しか言わない）。失敗の数は台帳に残る。"""
    with engine.connect() as connection:
        found = connection.execute(select(staff).where(staff.c.id == staff_id)).mappings().first()
    # 照合は遅い計算なので、書込みの約束を取る前にする。
    matched = _HASHER.verify(password, found["password_hash"] if found else _NOBODY)
    now = clock()
    with engine.begin() as connection:
        locked = None
        if found:
            # 行を押さえてから数える。並んで試されても、五回目で必ず閉じる。
            row = connection.execute(select(staff).where(staff.c.id == staff_id).with_for_update()).mappings().one()
            locked = _aware(row["locked_until"])
            ended = _aware(row["ended_at"])
            open_now = (locked is None or locked <= now) and (ended is None or ended > now)
            if matched and open_now:
                connection.execute(
                    staff.update().where(staff.c.id == staff_id).values(failed_count=0, locked_until=None)
                )
                actor = Actor(staff_id, row["role"])
                audit.record(connection, audit_log, at=now, actor=actor, action="login.accepted", subject=staff_id)
                return actor
            # 閉じている間の試みは数えない。数えると、本人が待っても開かなくなる。
            if open_now:
                failures = row["failed_count"] + 1
                over = failures - FREE_FAILURES
                wait = min(timedelta(seconds=30 * 2 ** min(over, 10)), timedelta(hours=1))
                connection.execute(
                    staff.update()
                    .where(staff.c.id == staff_id)
                    .values(failed_count=failures, locked_until=now + wait if over >= 0 else None)
                )
        audit.record(
            connection,
            audit_log,
            at=now,
            actor=Actor("nobody", "none"),
            action="login.refused",
            subject=staff_id[:40] if found else "unknown",
        )
    raise RefusedByRule(REFUSED, code="login")
