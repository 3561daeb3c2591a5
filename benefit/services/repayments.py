"""返還（R50–R53）: 払ったお金を返してもらう。請求は別の人の承認で立ち、入金は収納の番号ごとに一度だけ数える。

請求の合計は払った額を超えない。入金の合計は請求の額を超えない。払った全額が返ってきたら、支払は返還済（F48）になる。
一部の返還（過払）では、支払は振込済のままである。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.entitlement import check_digit
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.transfer import REPAYMENT_CAUSES, REPAYMENT_STEPS
from benefit.services import two_people
from benefit.services.home import Home
from benefit.services.returns import case_of, entry
from benefit.store import audit, ward
from benefit.store.engine import in_turn

#: 収納の番号の長さ（台帳の列）。
REFERENCE_MAX = 60


@dataclass(frozen=True)
class Received:
    """入金を数えた結果。`repeated` は、同じ収納の番号がもう数えてあったこと。"""

    amount_yen: int
    outstanding_yen: int
    repaid_in_full: bool
    repeated: bool


def slip_number(repayment_id: int) -> str:
    """納付番号: 10 桁の請求の番号と、検査数字（Damm）。"""
    body = f"{repayment_id:010d}"
    return body + check_digit(body)


def claimed_yen(connection: Connection, payment_id: int) -> int:
    """この支払に、承認された請求の合計。"""
    table, approval = ward.repayment, ward.repayment_approval
    query = (
        select(func.coalesce(func.sum(table.c.amount_yen), 0))
        .join(approval, approval.c.release_id == table.c.id)
        .where(table.c.payment_id == payment_id)
    )
    return int(connection.execute(query).scalar_one())


def received_yen(connection: Connection, repayment_id: int) -> int:
    """この請求に返ってきた額の合計。"""
    table = ward.repayment_receipt
    query = select(func.coalesce(func.sum(table.c.amount_yen), 0)).where(table.c.repayment_id == repayment_id)
    return int(connection.execute(query).scalar_one())


def ask(
    home: Home,
    case_number: str,
    *,
    amount_yen: int | None,
    cause: str,
    due_on: date,
    today: date,
    reason: str,
    actor: Actor,
    clock: Clock,
) -> int:
    """この権利の振り込んだ支払に、返還を請求することを申し出る。額を言わなければ、まだ請求していない全額。"""
    if cause not in REPAYMENT_CAUSES:
        raise WrongUse("返還の理由の言葉が違います", found=cause, allowed="、".join(REPAYMENT_CAUSES))
    if due_on <= today:
        raise WrongUse("納期限は、今日より後の日にします", found=str(due_on))
    reason = two_people.need_reason(reason)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        case = case_of(connection, case_number)
        if case.payment is None or case.state != "F42":
            raise RefusedByRule(
                f"給付管理番号 {case_number} には、返してもらうお金がありません（振込済ではない）",
                code="not-paid",
                found=case.state or "支払なし",
            )
        left = case.payment["amount_yen"] - claimed_yen(connection, case.payment["id"])
        amount = left if amount_yen is None else amount_yen
        _refuse_over(amount, left)
        return two_people.ask(
            connection,
            ward.repayment,
            {"payment_id": case.payment["id"], "amount_yen": amount, "cause": cause, "due_on": due_on},
            action="repayment.ask",
            subject=case_number,
            reason=reason,
            detail={"amount_yen": amount, "cause": cause},
            actor=actor,
            clock=clock,
        )


def _refuse_over(amount: int, left: int) -> None:
    if not 0 < amount <= left:
        raise RefusedByRule(
            "請求できるのは、払った額のうち、まだ請求していない額までです",
            code="over-claim",
            found=f"{amount:,} 円",
            allowed=f"1 円から {left:,} 円" if left else "なし（全額を請求済み）",
        )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> dict[str, Any]:
    """請求を承認し、支給済のうちその額を返還債権にする。申し出の行を返す。"""
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        asked = two_people.approve(
            connection, ward.repayment, ward.repayment_approval, number, what="返還の請求", actor=actor, clock=clock
        )
        payment = _payment(connection, asked["payment_id"])
        if payment["state"] != "F42":
            raise RefusedByRule(
                "申し出の後に支払の状態が変わりました。申し出直してください", code="moved", found=payment["state"]
            )
        # いま承認した分も合計に入っている。
        over = claimed_yen(connection, payment["id"]) - payment["amount_yen"]
        if over > 0:
            _refuse_over(asked["amount_yen"], asked["amount_yen"] - over)
        now = clock()
        connection.execute(
            ward.posting.insert(),
            [
                entry(
                    "claim_back",
                    payment["entitlement_id"],
                    payment["id"],
                    asked["amount_yen"],
                    now,
                    reference=f"{number}",
                )
            ],
        )
        audit.record(
            connection, ward.audit_log, at=now, actor=actor, action="repayment.approve", subject=f"{number}",
            reason=asked["reason"], detail={"amount_yen": asked["amount_yen"]},
        )  # fmt: skip
    return asked


def _payment(connection: Connection, payment_id: int) -> Any:
    return connection.execute(select(ward.payment).where(ward.payment.c.id == payment_id)).mappings().one()


def _approved(connection: Connection, number: int) -> Any:
    table, approval = ward.repayment, ward.repayment_approval
    row = (
        connection.execute(
            select(table).join(approval, approval.c.release_id == table.c.id).where(table.c.id == number)
        )
        .mappings()
        .first()
    )
    if row is None:
        raise WrongUse(f"承認された返還の請求 {number} はありません", code="no-repayment")
    return row


def receive(
    home: Home, number: int, *, amount_yen: int, received_on: date, reference: str, actor: Actor, clock: Clock
) -> Received:
    """返ってきたお金を数える。同じ収納の番号は二度数えない。請求の残りを超える入金は断る（過誤納は収納で扱う）。"""
    reference = reference.strip()
    if not reference:
        raise WrongUse("収納の番号を書いてください（--reference）", code="reference")
    if len(reference) > REFERENCE_MAX:
        raise WrongUse(f"収納の番号は {REFERENCE_MAX} 字までです", code="reference", found=f"{len(reference)} 字")
    if amount_yen <= 0:
        raise WrongUse("入金の額は 1 円以上です", found=str(amount_yen))
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        claim = _approved(connection, number)
        before = _receipt(connection, reference)
        left = claim["amount_yen"] - received_yen(connection, number)
        if before is not None:
            same = (number, amount_yen, received_on)
            if (before["repayment_id"], before["amount_yen"], before["received_on"]) != same:
                raise RefusedByRule(
                    f"収納の番号 {reference} は、ほかの入金として記録してあります", code="receipt-reference"
                )
            return Received(amount_yen, left, _in_full(connection, claim), repeated=True)
        if amount_yen > left:
            raise RefusedByRule(
                "請求の残りより多い入金です。多い分は過誤納なので、返還の入金にはできません",
                code="over-receipt",
                found=f"{amount_yen:,} 円",
                allowed=f"{left:,} 円まで",
            )
        now = clock()
        connection.execute(
            ward.repayment_receipt.insert().values(
                repayment_id=number,
                amount_yen=amount_yen,
                received_on=received_on,
                reference=reference,
                recorded_by=actor.id,
                recorded_at=now,
            )
        )
        payment = _payment(connection, claim["payment_id"])
        connection.execute(
            ward.posting.insert(),
            [entry("repaid", payment["entitlement_id"], payment["id"], amount_yen, now, reference=reference)],
        )
        done = _in_full(connection, claim)
        if done:
            connection.execute(ward.payment.update().where(ward.payment.c.id == payment["id"]).values(state="F48"))
        audit.record(
            connection, ward.audit_log, at=now, actor=actor, action="repayment.receive", subject=f"{number}",
            detail={"amount_yen": amount_yen, "reference": reference},
        )  # fmt: skip
    return Received(amount_yen, left - amount_yen, done, repeated=False)


def _receipt(connection: Connection, reference: str) -> Any:
    table = ward.repayment_receipt
    return connection.execute(select(table).where(table.c.reference == reference)).mappings().first()


def _in_full(connection: Connection, claim: Any) -> bool:
    """この支払の全額が返ってきたか（請求がいくつに分かれていても）。"""
    receipt, repayment = ward.repayment_receipt, ward.repayment
    back = connection.execute(
        select(func.coalesce(func.sum(receipt.c.amount_yen), 0))
        .join(repayment, repayment.c.id == receipt.c.repayment_id)
        .where(repayment.c.payment_id == claim["payment_id"])
    ).scalar_one()
    return bool(back == _payment(connection, claim["payment_id"])["amount_yen"])


def step(home: Home, number: int, kind: str, *, done_on: date, note: str, actor: Actor, clock: Clock) -> None:
    """請求のためにしたこと（請求・分納・督促・法的措置）を残す。お金は動かない。"""
    if kind not in REPAYMENT_STEPS:
        raise WrongUse("したことの言葉が違います", found=kind, allowed="、".join(REPAYMENT_STEPS))
    with home.ward.begin() as connection:
        _approved(connection, number)
        now = clock()
        connection.execute(
            ward.repayment_step.insert().values(
                repayment_id=number, kind=kind, done_on=done_on, note=note, made_by=actor.id, made_at=now
            )
        )
        audit.record(
            connection, ward.audit_log, at=now, actor=actor, action="repayment.step", subject=f"{number}",
            detail={"kind": kind, "done_on": str(done_on)},
        )  # fmt: skip


def requested(home: Home, numbers: Sequence[int], *, done_on: date, actor: Actor, clock: Clock) -> int:
    """請求書を作ったことを、請求ごとに一度だけ残す。残した数。"""
    table = ward.repayment_step
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        query = select(table.c.repayment_id).where(table.c.kind == "請求")
        done = set(connection.execute(query).scalars())
        now = clock()
        rows = [
            {
                "repayment_id": number,
                "kind": "請求",
                "done_on": done_on,
                "note": "",
                "made_by": actor.id,
                "made_at": now,
            }
            for number in numbers
            if number not in done
        ]
        if rows:
            connection.execute(table.insert(), rows)
            audit.record(
                connection,
                ward.audit_log,
                at=now,
                actor=actor,
                action="repayment.letters",
                detail={"letters": len(rows)},
            )
    return len(rows)
