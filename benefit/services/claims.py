"""申請を入れる・決める。入れた人と決めた人は必ず別で、決めるのは一度だけ（どちらも台帳の制約）。

入れるだけでは何も変わらない。受理した申請だけが、次の判定から効く。期限の後の申請は、理由を書いて開き直し、
承認の役割の人が決める。監査ログには、申請番号と種類だけを残す。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor, WardRole
from benefit.domain.claim import CLEARABLE, DECISIONS, KINDS, Claim, claim_number, in_time
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.services import claims_examined, claims_stored
from benefit.services.claims_form import Form, Receipt, check_receipt
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn

_ROLES = (WardRole.CLERK.value, WardRole.APPROVER.value)


def enter(
    home: Home,
    programme: Programme,
    form: Form,
    receipt: Receipt,
    *,
    today: date,
    actor: Actor,
    clock: Clock,
) -> Claim:
    """申請を入れ、申請番号を付ける。期限の後（理由なし）と、同じ紙の二度打ちは RefusedByRule。"""
    _refuse_role(actor)
    check_receipt(form.kind, receipt)
    if receipt.received_on > today:
        raise RefusedByRule("届いた日が、今日より後です", code="received-later")
    schedule = programme.schedule
    late = not in_time(
        receipt.received_on,
        receipt.postmarked_on,
        deadline=schedule.apply_deadline,
        kind=schedule.deadline_kind,
    )
    if late and not receipt.reopen.strip():
        counted = "消印" if schedule.deadline_kind == "POSTMARK" else "届いた日"
        raise RefusedByRule(
            f"申請期限（{counted}で数える）を過ぎています。開き直すときは --reopen に理由を書きます",
            code="late",
            found=str(receipt.postmarked_on or receipt.received_on),
            allowed=f"{schedule.apply_deadline} まで",
        )
    form = claims_examined.completed(home, programme, form, today)
    content = json.dumps(form.content, ensure_ascii=False, sort_keys=True)
    identity = [form.kind, form.household_number, form.person_number, content, str(receipt.received_on)]
    fingerprint = hashlib.sha256(json.dumps(identity, ensure_ascii=False).encode()).hexdigest()
    table = ward.claim
    with home.ward.begin() as connection:
        in_turn(connection, "claims")
        same = connection.execute(
            select(table.c.number).where(
                table.c.programme == programme.id,
                table.c.kind == form.kind,
                table.c.person_number == form.person_number,
                table.c.evidence_id == receipt.evidence_id,
            )
        ).scalar()
        if same is not None:
            raise RefusedByRule(f"同じ人・同じ書類の申請が、もう {same} にあります", code="same-paper")
        sequence = (connection.execute(select(func.max(table.c.id))).scalar() or 0) + 1
        connection.execute(
            table.insert().values(
                id=sequence,
                number=claim_number(sequence),
                programme=programme.id,
                kind=form.kind,
                household_number=form.household_number,
                person_number=form.person_number,
                received_on=receipt.received_on,
                postmarked_on=receipt.postmarked_on,
                reopened_reason=receipt.reopen.strip() if late else "",
                evidence_kind=receipt.evidence_kind,
                evidence_id=receipt.evidence_id,
                reason=receipt.reason.strip(),
                content=content,
                content_sha256=fingerprint,
                entered_by=actor.id,
                entered_at=clock(),
            )
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="claim.enter",
            subject=claim_number(sequence),
            detail={"kind": form.kind, "evidence": receipt.evidence_kind, "late": late, "sha256": fingerprint},
        )
        return claims_stored.find(connection, claim_number(sequence))[1]


def decide(
    home: Home,
    programme: Programme,
    number: str,
    decision: str,
    *,
    reason: str,
    today: date,
    actor: Actor,
    clock: Clock,
    cleared: Sequence[str] = (),
) -> Claim:
    """受理か不受理を決める。受理できないわけがあれば RefusedByRule。"""
    _refuse_role(actor)
    if decision not in DECISIONS:
        raise WrongUse("決定の言葉が違います", found=decision[:20], allowed="、".join(DECISIONS))
    if not reason.strip():
        raise WrongUse("決めた理由を書いてください（--reason）")
    with home.ward.connect() as connection:
        _row, claim = claims_stored.find(connection, number)
    _refuse_two_people(claim, actor)
    if claim.programme != programme.id:
        raise WrongUse("別の事業の申請です", found=claim.programme, allowed=programme.id)
    taken = tuple(sorted(set(cleared)))
    if any(word not in CLEARABLE and not (len(word) == 10 and word.isascii() and word.isdigit()) for word in taken):
        raise WrongUse("--clear の言葉が違います", allowed=f"{'、'.join(CLEARABLE)}、よく似た児童の番号（10 桁）")
    if decision == "accept":
        if (claim.reopened_reason or taken) and actor.role != WardRole.APPROVER:
            raise RefusedByRule("期限の後の申請と、確かめて外すものがある申請は、承認の役割の人が決めます", code="role")
        claims_examined.refuse_unless_acceptable(
            home, programme, replace(claim, decision="accept", cleared=taken, decided_on=today), today
        )
    elif taken:
        raise WrongUse("--clear は受理（accept）のときだけ使えます")
    try:
        _record(home, number, decision, reason.strip(), taken, today=today, actor=actor, clock=clock)
    except IntegrityError:
        # 同時に決めた人がいた。どちらが先かは台帳が決め、後の人には何も起きていない。
        raise RefusedByRule("同じ申請か、同じ人の申請が、いま別の人に決められました", code="slot-taken") from None
    with home.ward.connect() as connection:
        return claims_stored.find(connection, number)[1]


def _record(
    home: Home,
    number: str,
    decision: str,
    reason: str,
    cleared: tuple[str, ...],
    *,
    today: date,
    actor: Actor,
    clock: Clock,
) -> None:
    with home.ward.begin() as connection:
        in_turn(connection, "claims")
        row, claim = claims_stored.find(connection, number)
        _refuse_two_people(claim, actor)
        if decision == "accept":
            slot = ward.claim_slot
            if connection.execute(select(slot.c.slot).where(slot.c.slot.in_(claim.slots))).first():
                raise RefusedByRule(
                    f"この{KINDS[claim.kind]}の申請は、同じ人について、もう受理したものがあります", code="slot-taken"
                )
        connection.execute(
            ward.claim_decision.insert().values(
                claim_id=row,
                entered_by=claim.entered_by,
                decision=decision,
                reason=reason,
                cleared=";".join(cleared),
                decided_by=actor.id,
                decided_on=today,
                decided_at=clock(),
            )
        )
        if decision == "accept":
            for name in claim.slots:
                connection.execute(ward.claim_slot.insert().values(slot=name, claim_id=row, decision=decision))
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="claim.decide",
            subject=number,
            detail={"kind": claim.kind, "decision": decision, "cleared": len(cleared)},
        )


def _refuse_role(actor: Actor) -> None:
    if actor.role not in _ROLES:
        raise RefusedByRule("申請は、担当か承認の役割の職員が扱います", code="role")


def _refuse_two_people(claim: Claim, actor: Actor) -> None:
    if claim.decision:
        raise RefusedByRule(f"この申請は、もう決まっています（{claim.state}）", code="decided")
    if claim.entered_by == actor.id:
        raise RefusedByRule("入れた人は、決められません", code="two-people")
