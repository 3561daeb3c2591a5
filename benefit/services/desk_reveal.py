"""口座の番号を 30 秒だけ出す。わけを書き、本人確認が済み、一時間の数の内で。ログが残ってから、返る（画面の指針 20）。

番号そのものは、ログにも、済んだ書込みの控え（operation）にも残さない。だから「出した」ことと「番号」を別に渡す。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor, DeskRole
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.written import without_secrets, written
from benefit.services.desk_calls import Call
from benefit.services.desk_identity import Standing
from benefit.store import audit, desk
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn

SHOWN_FOR = timedelta(seconds=30)
#: 一時間に出してよい数。コールセンターは、とくに少なく。
MOST_AN_HOUR, MOST_AN_HOUR_BY_PHONE = 10, 3
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Account:
    """口座の五項目。委託先の台帳にあるもの（公金受取口座・生活保護費の口座は、ここにない）。"""

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str
    holder_kana: str


def reveal(connection: Connection, *, call: Call, standing: Standing, reason: str, actor: Actor, at: datetime) -> int:
    """口座を出すことを残し、その番号（id）を返す。わけがない・本人確認が足りない・数を越えたら断る。"""
    why = without_secrets(written(reason))
    if not why:
        raise RefusedInput("口座を出すわけを書いてください", code="reason")
    if not standing.acts:
        raise RefusedByRule(
            "口座を出すには、本人の氏名・生年月日・住所の三つが合うことが要ります", code="identity-account"
        )
    in_turn(connection, f"reveal|{actor.id}")
    table = desk.account_reveal
    query = select(func.count()).where(table.c.staff_id == actor.id, table.c.at > at - _HOUR)
    most = MOST_AN_HOUR_BY_PHONE if actor.role == DeskRole.OPERATOR else MOST_AN_HOUR
    if int(connection.execute(query).scalar_one()) >= most:
        raise RefusedByRule(f"口座を出せるのは、一時間に {most} 件までです", code="reveal-limit")
    if _account(connection, call.case_number) is None:
        raise RefusedByRule("この件の口座の番号は、ここにありません。区で確認します", code="no-account")
    number = insert_one(
        connection, table, call_id=call.id, case_number=call.case_number, reason=why, staff_id=actor.id, at=at
    )
    _log(connection, "account.reveal", call, why, actor, at, number)
    return number


def shown(connection: Connection, *, call: Call, actor: Actor, at: datetime) -> Account | None:
    """この人が、この電話のこの件で、いま（30 秒の内に）出している口座。なければ None。"""
    table = desk.account_reveal
    row = connection.execute(
        select(table.c.id, table.c.reason)
        .where(
            table.c.call_id == call.id,
            table.c.case_number == call.case_number,
            table.c.staff_id == actor.id,
            table.c.at > at - SHOWN_FOR,
        )
        .order_by(table.c.id.desc())
        .limit(1)
    ).first()
    account = _account(connection, call.case_number) if row else None
    if row is not None and account is not None:
        _log(connection, "account.show", call, row.reason, actor, at, row.id)
    return account


def _account(connection: Connection, case_number: str) -> Account | None:
    table = desk.benefit_case
    row = connection.execute(select(table).where(table.c.case_number == case_number)).mappings().first()
    if row is None:
        return None
    prefix = "" if row["account_number"] else "past_"
    if not row[f"{prefix}account_number"]:
        return None
    names = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")
    return Account(*(row[f"{prefix}{name}"] or "" for name in names))


def _log(connection: Connection, action: str, call: Call, why: str, actor: Actor, at: datetime, number: int) -> None:
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action=action,
        subject=call.case_number,
        reason=why,
        detail={"call": call.reference, "number": number},
    )
