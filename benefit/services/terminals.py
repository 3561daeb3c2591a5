"""名のある端末。証明書の指紋（SHA-256）で見分け、登録のない端末の接続は断る（reliability §4.3、checklist 5s7）。"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.store import audit
from benefit.store.access import AccessTables
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn

CONSOLE = "console"
#: 一分に書く、断った接続の行の上限（台帳ごと）。
REFUSALS_A_MINUTE = 20


def fingerprint(pem: str) -> str:
    """証明書（PEM）の指紋。読めなければ RefusedInput。"""
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise RefusedInput("端末の証明書（PEM）が読めません", code="certificate") from None
    return hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()


def add(
    connection: Connection, tables: AccessTables, *, pem: str, name: str, place: str, actor: Actor, at: datetime
) -> int:
    """端末を登録する。名と証明書は、一台に一つ。"""
    if not name.strip() or not place.strip() or len(name.strip()) > 40:
        raise WrongUse("端末の名（40 文字まで）と置き場所を書いてください", code="terminal")
    print_ = fingerprint(pem)
    terminal = tables.terminal
    taken = select(terminal.c.name).where((terminal.c.name == name.strip()) | (terminal.c.certificate_sha256 == print_))
    if name.strip() == CONSOLE or connection.execute(taken).first():
        raise RefusedByRule("この名か証明書の端末は、もう登録されています", code="terminal-exists")
    number = insert_one(
        connection,
        terminal,
        certificate_sha256=print_,
        name=name.strip(),
        place=place.strip(),
        registered_by=actor.id,
        registered_at=at,
    )
    _record(connection, tables, "add", name.strip(), place.strip(), actor, at)
    return number


def console(connection: Connection, tables: AccessTables, *, actor: Actor, at: datetime) -> None:
    """サーバー自身の前の一台を、名簿に載せる（証明書はない。一台だけ）。もうあれば何もしない。"""
    terminal = tables.terminal
    if connection.execute(select(terminal.c.id).where(terminal.c.name == CONSOLE)).first() is None:
        place = "サーバー自身の前"
        insert_one(connection, terminal, name=CONSOLE, place=place, registered_by=actor.id, registered_at=at)
        _record(connection, tables, "add", CONSOLE, place, actor, at)


def end(connection: Connection, tables: AccessTables, name: str, *, reason: str, actor: Actor, at: datetime) -> None:
    """端末を終える（なくした、替えた）。その端末の画面はすぐに閉じる。"""
    terminal = tables.terminal
    row = connection.execute(select(terminal).where(terminal.c.name == name)).mappings().first()
    if row is None or name == CONSOLE:
        raise WrongUse("その名の端末はありません", code="no-such")
    if row["ended_at"] is not None:
        raise RefusedByRule("もう終わっています", code="ended")
    if not reason.strip():
        raise WrongUse("理由を書いてください", code="reason")
    connection.execute(terminal.update().where(terminal.c.id == row["id"]).values(ended_at=at))
    connection.execute(delete(tables.staff_session).where(tables.staff_session.c.terminal_id == row["id"]))
    _record(connection, tables, "end", name, reason.strip(), actor, at)


def known(connection: Connection, tables: AccessTables, certificate_sha256: str) -> dict[str, Any] | None:
    """いま使える端末。登録がない、終えた、なら None。"""
    terminal = tables.terminal
    query = select(terminal).where(terminal.c.certificate_sha256 == certificate_sha256, terminal.c.ended_at.is_(None))
    row = connection.execute(query).mappings().first()
    return dict(row) if row is not None else None


def listed(connection: Connection, tables: AccessTables) -> list[dict[str, Any]]:
    """全部の端末（終えたものも）。"""
    return [dict(row) for row in connection.execute(select(tables.terminal).order_by(tables.terminal.c.id)).mappings()]


def note_refusal(connection: Connection, tables: AccessTables, *, peer: str, reason: str, at: datetime) -> None:
    """断った接続を記す。相手・わけ・分ごとに一行、一分に決まった数まで（溢れさせない。E11 接続拒否）。"""
    table = tables.connection_refusal
    minute = int(at.timestamp() // 60)
    in_turn(connection, "connection-refusal")
    in_minute = select(func.count()).select_from(table).where(table.c.minute == minute)
    if connection.execute(in_minute).scalar_one() >= REFUSALS_A_MINUTE:
        return
    try:
        with connection.begin_nested():
            connection.execute(table.insert().values(minute=minute, peer=peer[:60], reason=reason[:40]))
    except IntegrityError:
        return
    audit.record(
        connection,
        tables.audit_log,
        at=at,
        actor=Actor("nobody", "none"),
        action="connection.refused",
        subject=peer[:60],
        reason=reason,
    )


def _record(
    connection: Connection, tables: AccessTables, deed: str, name: str, reason: str, actor: Actor, at: datetime
) -> None:
    audit.record(
        connection, tables.audit_log, at=at, actor=actor, action=f"terminal.{deed}", subject=name, reason=reason
    )
