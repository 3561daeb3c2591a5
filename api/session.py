"""ログイン中の人。合い札は 256 ビットの乱数で、台帳には指紋だけ。15 分さわらなければ閉じ、長くても 9 時間。

一人一つ: 新しく入れば、前のは閉じる。画面は `__Host-` のクッキー（Secure、HttpOnly、SameSite=Strict）、
API は Authorization: Bearer で、同じ合い札を渡す。`store` は表の束（benefit.store.desk か ward）。
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType

from sqlalchemy import Engine, delete, select, update

from benefit.domain.access import Actor
from benefit.domain.clock import Clock

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=9)


@dataclass(frozen=True)
class Session:
    """入っている人と、その電話。"""

    actor: Actor
    name: str
    token: str
    csrf: str
    call_reference: str
    purpose: str


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """この合い札の人だけが知る、書込みの合言葉（二重送信クッキーの代わり）。"""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def start(engine: Engine, store: ModuleType, actor: Actor, clock: Clock) -> str:
    """新しい合い札。前のは消える。"""
    token = secrets.token_urlsafe(32)
    table = store.staff_session
    now = clock()
    with engine.begin() as connection:
        connection.execute(delete(table).where(table.c.staff_id == actor.id))
        connection.execute(
            table.insert().values(
                token_hash=_hash(token), staff_id=actor.id, csrf_hash=_hash(csrf_of(token)), started_at=now, seen_at=now
            )
        )
    return token


def find(engine: Engine, store: ModuleType, token: str, clock: Clock) -> Session | None:
    """合い札の人。切れていれば None。さわった時刻を新しくする。"""
    table, staff = store.staff_session, store.staff
    now = clock()
    with engine.begin() as connection:
        row = (
            connection.execute(
                select(table, staff.c.role, staff.c.name, staff.c.ended_at)
                .join(staff, staff.c.id == table.c.staff_id)
                .where(table.c.token_hash == _hash(token))
            )
            .mappings()
            .first()
        )
        if row is None:
            return None
        ended = row["ended_at"]
        if (
            now - _aware(row["seen_at"]) > IDLE
            or now - _aware(row["started_at"]) > LONGEST
            or (ended is not None and _aware(ended) <= now)
        ):
            connection.execute(delete(table).where(table.c.token_hash == row["token_hash"]))
            return None
        connection.execute(update(table).where(table.c.token_hash == row["token_hash"]).values(seen_at=now))
    return Session(
        Actor(row["staff_id"], row["role"]), row["name"], token, csrf_of(token), row["call_reference"], row["purpose"]
    )


def begin_call(engine: Engine, store: ModuleType, token: str, call_reference: str, purpose: str) -> None:
    """いま受けている電話の番号と用件。検索と閲覧のログに載る。"""
    table = store.staff_session
    with engine.begin() as connection:
        connection.execute(
            update(table)
            .where(table.c.token_hash == _hash(token))
            .values(call_reference=call_reference[:40], purpose=purpose[:40])
        )


def end_call(engine: Engine, store: ModuleType, token: str) -> None:
    """電話が終わった。次の電話の閲覧が、前の電話の記録に混ざらないようにする。"""
    begin_call(engine, store, token, "", "")


def end(engine: Engine, store: ModuleType, token: str) -> None:
    """出る。"""
    with engine.begin() as connection:
        connection.execute(delete(store.staff_session).where(store.staff_session.c.token_hash == _hash(token)))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
