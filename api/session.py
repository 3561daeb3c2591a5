"""ログイン中の人。合い札は 256 ビットの乱数で、台帳には指紋だけ。15 分さわらなければ閉じ、長くても 9 時間。

一人一つ、入った端末だけ: 新しく入れば前のは閉じ、ほかの端末から来た同じ合い札は通らない。画面は `__Host-` のクッキー
（Secure、HttpOnly、SameSite=Strict）、API は Authorization: Bearer で、同じ合い札を渡す。
`store` は表の束（benefit.store.desk か ward）。
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, delete, select, update

from api.proxy import CONSOLE, Terminal
from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.services import break_glass
from benefit.services.people_first import aware, stage_of
from benefit.services.people_login import is_living
from benefit.store.engine import reading

IDLE = timedelta(minutes=15)
LONGEST = timedelta(hours=9)
#: もう一度の本人確認が効く長さ（お金の承認）。
FRESH = timedelta(minutes=5)
#: さわった時刻を書き直す間隔。書かない間の分だけ早く閉じることはあっても、15 分より長く開くことはない。
_TOUCH = timedelta(seconds=30)


@dataclass(frozen=True)
class Session:
    """入っている人と、その電話、いま開いている一件。"""

    actor: Actor
    name: str
    token: str
    csrf: str
    call_reference: str
    purpose: str
    call_id: int | None = None
    case_number: str | None = None
    #: まだ済んでいない最初の手続き（なければ空）。
    stage: str = ""
    #: 最後に合言葉と数字で確かめた時刻。
    authenticated_at: datetime | None = None


def token_hash(token: str) -> str:
    """台帳に置く、合い札の指紋。"""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """この合い札の人だけが知る、書込みの合言葉（二重送信クッキーの代わり）。"""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def start(engine: Engine, store: ModuleType, actor: Actor, clock: Clock, *, terminal: Terminal = CONSOLE) -> str:
    """新しい合い札。前のは消える。"""
    token = secrets.token_urlsafe(32)
    table = store.staff_session
    now = clock()
    with engine.begin() as connection:
        connection.execute(delete(table).where(table.c.staff_id == actor.id))
        connection.execute(
            table.insert().values(
                token_hash=token_hash(token),
                staff_id=actor.id,
                terminal_id=terminal.id,
                csrf_hash=token_hash(csrf_of(token)),
                started_at=now,
                seen_at=now,
                authenticated_at=now,
            )
        )
    return token


def renew(engine: Engine, store: ModuleType, token: str) -> str:
    """合い札だけを新しくする（できることが増えたとき）。始まりの時刻は変わらない。"""
    fresh = secrets.token_urlsafe(32)
    _change(engine, store, token, token_hash=token_hash(fresh), csrf_hash=token_hash(csrf_of(fresh)))
    return fresh


def find(
    engine: Engine, store: ModuleType, token: str, clock: Clock, *, terminal: Terminal = CONSOLE
) -> Session | None:
    """合い札の人。切れている、終わった人、ほかの端末なら None。さわった時刻を新しくする。"""
    table = store.staff_session
    now = clock()
    key = token_hash(token)
    with reading(engine) as connection:
        row = _row(connection, store, key)
        if row is None or row["terminal_id"] != terminal.id:
            return None
        living = _living(connection, store, row, now)
    if not living:
        with engine.begin() as connection:
            connection.execute(delete(table).where(table.c.token_hash == key))
        return None
    if now - _at(row["seen_at"]) > _TOUCH:
        _change(engine, store, token, seen_at=now)
    return Session(
        Actor(row["staff_id"], row["role"], terminal.name),
        row["name"],
        token,
        csrf_of(token),
        row["call_reference"],
        row["purpose"],
        row["call_id"],
        row["case_number"],
        stage_of(row, now),
        aware(row["authenticated_at"]),
    )


def _row(connection: Connection, store: ModuleType, key: str) -> dict[str, Any] | None:
    table, staff = store.staff_session, store.staff
    query = select(table, staff).join(staff, staff.c.id == table.c.staff_id).where(table.c.token_hash == key)
    found = connection.execute(query).mappings().first()
    return dict(found) if found is not None else None


def _living(connection: Connection, store: ModuleType, row: dict[str, Any], now: datetime) -> bool:
    if now - _at(row["seen_at"]) > IDLE or now - _at(row["started_at"]) > LONGEST:
        return False
    if row["kind"] == "sealed" and break_glass.holder_of(connection, store.access, row["staff_id"], now) is None:
        return False
    return is_living(row, now)


def is_fresh(session: Session, clock: Clock) -> bool:
    """この 5 分の間に、合言葉と数字で確かめた人か。"""
    return session.authenticated_at is not None and clock() - session.authenticated_at <= FRESH


def confirmed(engine: Engine, store: ModuleType, token: str, clock: Clock) -> None:
    """もう一度確かめた。"""
    _change(engine, store, token, authenticated_at=clock())


def keep_case(connection: Connection, store: ModuleType, token: str, case_number: str | None) -> None:
    """いま開いている一件（番号を URL に出さないため、ここに置く）。"""
    table = store.staff_session
    connection.execute(update(table).where(table.c.token_hash == token_hash(token)).values(case_number=case_number))


def begin_call(engine: Engine, store: ModuleType, token: str, call_reference: str, purpose: str) -> None:
    """いま受けている電話の番号と用件。検索と閲覧のログに載る。"""
    _change(engine, store, token, call_reference=call_reference[:40], purpose=purpose[:40])


def end_call(engine: Engine, store: ModuleType, token: str) -> None:
    """電話が終わった。次の電話の閲覧が、前の電話の記録に混ざらないようにする。"""
    begin_call(engine, store, token, "", "")


def end(engine: Engine, store: ModuleType, token: str) -> None:
    """出る。"""
    table = store.staff_session
    with engine.begin() as connection:
        connection.execute(delete(table).where(table.c.token_hash == token_hash(token)))


def _change(engine: Engine, store: ModuleType, token: str, **values: Any) -> None:
    table = store.staff_session
    with engine.begin() as connection:
        connection.execute(update(table).where(table.c.token_hash == token_hash(token)).values(**values))


def _at(moment: datetime) -> datetime:
    known = aware(moment)
    assert known is not None
    return known
