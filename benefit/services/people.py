"""職員・従事者の登録。作るのは区の管理者だけで、契約とともに終わり、一人に一つの ID である（reliability §4.3）。

役割が変わっても ID は変えない: 前の ID で申し出た人が、新しい ID で自分の申し出を承認できないように。
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from benefit.domain.access import Actor, DeskRole, WardRole
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import people_password
from benefit.store import audit
from benefit.store.access import AccessTables

ROLES: Mapping[str, tuple[str, ...]] = {
    "ward": tuple(role.value for role in WardRole),
    "desk": tuple(role.value for role in DeskRole),
}
#: 人と端末を世話する役割（台帳ごと）。
ADMIN = {"ward": WardRole.ADMIN.value, "desk": DeskRole.WARD_ADMIN.value}
ID_LENGTH = 40


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
    contract_ends_on: date | None = None,
) -> None:
    """一人を登録する。`password` は最初の合言葉で、本人が最初に変える。ID の重複と短い合言葉は断る。"""
    if len(password) < people_password.SHORTEST:
        raise WrongUse(
            "合言葉が短すぎます", found=f"{len(password)} 文字", allowed=f"{people_password.SHORTEST} 文字以上"
        )
    plain = staff_id.replace("-", "").replace("_", "")
    if not plain or not staff_id.isascii() or not plain.isalnum() or len(staff_id) > ID_LENGTH:
        raise WrongUse("ID は半角の英数字と - _ で書きます（40 文字まで）")
    if not name.strip():
        raise WrongUse("氏名を書いてください（共用の ID は作れません）")
    if connection.execute(select(staff.c.id).where(staff.c.id == staff_id)).first():
        raise RefusedByRule(f"ID「{staff_id}」はもう使われています", code="staff-exists")
    connection.execute(
        staff.insert().values(
            id=staff_id,
            name=name,
            role=role,
            password_hash=people_password.PASSWORDS.hash(password),
            failed_count=0,
            created_at=at,
            contract_ends_on=contract_ends_on,
        )
    )
    audit.record(connection, audit_log, at=at, actor=actor, action="staff.add", subject=staff_id, detail={"role": role})


def add_by(
    connection: Connection,
    tables: AccessTables,
    *,
    staff_id: str,
    name: str,
    role: str,
    contract_ends_on: date | None,
    actor: Actor,
    at: datetime,
) -> str:
    """役割を確かめて登録し、最初の合言葉を返す（一度だけ見せる）。"""
    check_role(tables, role)
    password = people_password.first_password()
    add(
        connection,
        tables.staff,
        tables.audit_log,
        staff_id=staff_id.strip(),
        name=name.strip(),
        role=role,
        password=password,
        actor=actor,
        at=at,
        contract_ends_on=contract_ends_on,
    )
    return password


def first_admin(connection: Connection, tables: AccessTables, staff_id: str, *, actor: Actor, at: datetime) -> str:
    """管理者が一人もいなければ作り、最初の合言葉を返す。いれば空を返し、何もしない。"""
    staff = tables.staff
    if connection.execute(select(staff.c.id).where(staff.c.role == ADMIN[tables.line])).first():
        return ""
    return add_by(
        connection,
        tables,
        staff_id=staff_id,
        name="最初の管理者（着任した人の氏名に直した ID を作り、これを終える）",
        role=ADMIN[tables.line],
        contract_ends_on=None,
        actor=actor,
        at=at,
    )


def end(
    connection: Connection, tables: AccessTables, staff_id: str, *, reason: str, actor: Actor, at: datetime
) -> None:
    """ID を終える。入っている画面もすぐに閉じる。"""
    row = _person(connection, tables, staff_id)
    _not_self(actor, staff_id)
    if row["ended_at"] is not None:
        raise RefusedByRule("もう終わっています", code="ended")
    if row["role"] == ADMIN[tables.line] and len(_living(connection, tables, ADMIN[tables.line])) < 2:
        raise RefusedByRule("最後の管理者は終えられません。先に次の管理者を登録してください", code="last-admin")
    _set(connection, tables, staff_id, ended_at=at)
    _sign_out(connection, tables, staff_id)
    _record(connection, tables, "end", staff_id, reason, actor, at)


def reset(
    connection: Connection, tables: AccessTables, staff_id: str, *, reason: str, actor: Actor, at: datetime
) -> str:
    """合言葉と二要素を最初に戻し、新しい最初の合言葉を返す（端末をなくした、合言葉を忘れた）。"""
    _person(connection, tables, staff_id)
    _not_self(actor, staff_id)
    password = people_password.first_password()
    _set(
        connection,
        tables,
        staff_id,
        password_hash=people_password.PASSWORDS.hash(password),
        password_changed_at=None,
        totp_secret=None,
        totp_step=None,
        totp_enrolled_at=None,
        failed_count=0,
        locked_until=None,
        closed_at=None,
        opened_at=at,
    )
    _sign_out(connection, tables, staff_id)
    _record(connection, tables, "reset", staff_id, reason, actor, at)
    return password


def unlock(
    connection: Connection, tables: AccessTables, staff_id: str, *, reason: str, actor: Actor, at: datetime
) -> None:
    """閉じた ID（100 回の間違い、14 日使われない）を開く。"""
    _person(connection, tables, staff_id)
    _not_self(actor, staff_id)
    _set(connection, tables, staff_id, failed_count=0, locked_until=None, closed_at=None, opened_at=at)
    _record(connection, tables, "unlock", staff_id, reason, actor, at)


def change_role(
    connection: Connection,
    tables: AccessTables,
    staff_id: str,
    *,
    role: str,
    contract_ends_on: date | None,
    reason: str,
    actor: Actor,
    at: datetime,
) -> None:
    """役割と契約の終わりを変える。入っている画面は閉じる（次に入るときから新しい役割になる）。"""
    check_role(tables, role)
    row = _person(connection, tables, staff_id)
    _not_self(actor, staff_id)
    admin = ADMIN[tables.line]
    if row["role"] == admin and role != admin and len(_living(connection, tables, admin)) < 2:
        raise RefusedByRule("最後の管理者の役割は変えられません", code="last-admin")
    _set(connection, tables, staff_id, role=role, contract_ends_on=contract_ends_on)
    _sign_out(connection, tables, staff_id)
    _record(connection, tables, "role", staff_id, reason, actor, at, role=role, before=row["role"])


def check_role(tables: AccessTables, role: str) -> None:
    """この台帳の役割か。"""
    if role not in ROLES[tables.line]:
        raise WrongUse("役割が違います", found=role, allowed="、".join(ROLES[tables.line]))


def find(connection: Connection, tables: AccessTables, staff_id: str) -> dict[str, Any]:
    """一人。いなければ WrongUse。"""
    return _person(connection, tables, staff_id)


def _person(connection: Connection, tables: AccessTables, staff_id: str) -> dict[str, Any]:
    query = select(tables.staff).where(tables.staff.c.id == staff_id, tables.staff.c.kind == "person")
    row = connection.execute(query).mappings().first()
    if row is None:
        raise WrongUse("その ID の人はいません", code="no-such")
    return dict(row)


def _living(connection: Connection, tables: AccessTables, role: str) -> list[str]:
    staff = tables.staff
    query = select(staff.c.id).where(staff.c.role == role, staff.c.ended_at.is_(None)).with_for_update(key_share=True)
    return list(connection.execute(query).scalars())


def _not_self(actor: Actor, staff_id: str) -> None:
    if actor.id == staff_id:
        raise RefusedByRule("自分の ID は、ほかの管理者に頼んでください", code="two-people")


def _sign_out(connection: Connection, tables: AccessTables, staff_id: str) -> None:
    connection.execute(delete(tables.staff_session).where(tables.staff_session.c.staff_id == staff_id))


def _set(connection: Connection, tables: AccessTables, staff_id: str, **values: Any) -> None:
    connection.execute(tables.staff.update().where(tables.staff.c.id == staff_id).values(**values))


def _record(
    connection: Connection,
    tables: AccessTables,
    deed: str,
    staff_id: str,
    reason: str,
    actor: Actor,
    at: datetime,
    **detail: str,
) -> None:
    if not reason.strip():
        raise WrongUse("理由を書いてください", code="reason")
    audit.record(
        connection,
        tables.audit_log,
        at=at,
        actor=actor,
        action=f"staff.{deed}",
        subject=staff_id,
        reason=reason.strip(),
        detail=detail,
    )
