"""銀行の口座に入ったお金を、一人が書き、別の人が通帳と見比べて承認する。承認されたものだけが、毎日の突き合わせに入る。"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.collection import Channel
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import two_people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn

#: 一件で書ける額。これより大きい額は、打ち間違いである。
MOST_YEN = 100_000_000_000


def ask(
    home: Home,
    channel: Channel,
    credited_on: date,
    amount_yen: int,
    reference: str,
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> int:
    """入金を書く。`reference` は通帳・入出金明細の取引の番号、`reason` は見た資料。申し出の番号を返す。"""
    reference = reference.strip()
    if not reference or len(reference) > 60:
        raise WrongUse("取引の番号を書いてください", allowed="1 字から 60 字")
    if not 0 < amount_yen < MOST_YEN:
        raise WrongUse("入金の額が違います", found=f"{amount_yen:,}", allowed=f"1 円から {MOST_YEN - 1:,} 円")
    if credited_on > tokyo_date(clock()):
        raise WrongUse("まだ来ていない日の入金は書けません", found=credited_on.isoformat())
    try:
        with home.ward.begin() as connection:
            in_turn(connection, "collections")
            _refuse_known(connection, reference)
            return two_people.ask(
                connection,
                ward.bank_credit,
                {
                    "channel": channel.value,
                    "credited_on": credited_on,
                    "amount_yen": amount_yen,
                    "reference": reference,
                },
                action="collection.credit",
                subject=reference,
                reason=reason,
                detail={"amount_yen": amount_yen, "channel": channel.value},
                actor=actor,
                clock=clock,
            )
    except IntegrityError:
        raise RefusedByRule("同じ入金が、もう承認を待っています", code="credit-twice", found=reference) from None


def _refuse_known(connection: Connection, reference: str) -> None:
    credit, approval = ward.bank_credit, ward.bank_credit_approval
    query = select(credit.c.id).join(approval, approval.c.release_id == credit.c.id)
    if connection.execute(query.where(credit.c.reference == reference)).first():
        raise RefusedByRule("この取引の番号の入金は、もう記録してあります", code="credit-twice", found=reference)


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> dict[str, Any]:
    """入金を承認する。書いた人は承認できず、同じ取引の番号は一度しか承認できない。"""
    credit = ward.bank_credit
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        reference = connection.execute(select(credit.c.reference).where(credit.c.id == number)).scalar()
        if reference is not None:
            _refuse_known(connection, reference)
        row = two_people.approve(
            connection, credit, ward.bank_credit_approval, number, what="入金", actor=actor, clock=clock
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="collection.credit.approve",
            subject=row["reference"],
            reason=row["reason"],
            detail={"amount_yen": row["amount_yen"], "channel": row["channel"], "number": number},
        )
    return row


def pending(connection: Connection) -> list[dict[str, Any]]:
    """承認を待つ入金。同じ番号が先に承認されたもの（書き間違い）は出さない。"""
    credit, approval = ward.bank_credit, ward.bank_credit_approval
    done = select(credit.c.reference).join(approval, approval.c.release_id == credit.c.id)
    query = select(credit).where(credit.c.reference.not_in(done)).order_by(credit.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]
