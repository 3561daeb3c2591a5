"""出し直し: 枝番を一つ進め、登録を最後に承認した判定に合わせる。古い枝番の手紙と申し出は、無効になる（CHK12）。

給付管理番号は変わらない。一度払った、払っている途中の権利は、出し直せない（CHK13）。
知らせた後の調整給付の額は、出し直しても変わらない。
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import Connection, select, update

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.services import runs, two_people
from benefit.services.entitlements import WATCHED
from benefit.services.home import Home
from benefit.services.mailing_sent import sent
from benefit.services.returns import is_ended
from benefit.services.transfer_lines import pending_verdicts
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading


def ask(home: Home, programme: Programme, case_number: str, *, reason: str, actor: Actor, clock: Clock) -> int:
    """支給可の判定が出て、まだ振込になっていない権利の出し直しを申し出る。申し出の番号を返す。

    口座の書き間違いなどが、判定の後で分かったときのため。別の人が承認するまで、何も変わらない。
    """
    reason = two_people.need_reason(reason)
    table = ward.entitlement
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        row = connection.execute(
            select(table.c.id, table.c.branch).where(
                table.c.case_number == case_number, table.c.programme == programme.id
            )
        ).first()
        if row is None:
            raise WrongUse("この給付管理番号は、支給対象者データベースにありません", found=f"{len(case_number)} 文字")
        if all(line["entitlement_id"] != row.id for line in pending_verdicts(connection)):
            raise RefusedByRule(
                "支給可の判定が出て振込を待っている権利ではありません。benefit letters reissue で出し直します",
                code="not-waiting",
            )
        return two_people.ask(
            connection,
            ward.reissue_request,
            {"entitlement_id": row.id, "branch": row.branch},
            action="letters.ask_reissue",
            subject=case_number,
            reason=reason,
            actor=actor,
            clock=clock,
        )


def approve(home: Home, programme: Programme, number: int, *, actor: Actor, clock: Clock) -> int:
    """申し出を承認して出し直し、新しい枝番を返す。申し出た人は承認できない。前の支給可の判定では、もう払えない。"""
    request, table = ward.reissue_request, ward.entitlement
    with reading(home.ward) as connection:
        asked = connection.execute(
            select(request.c.reason, table.c.case_number)
            .join(table, table.c.id == request.c.entitlement_id)
            .where(request.c.id == number)
        ).first()
    if asked is None:
        raise WrongUse(f"出し直しの申し出 {number} はありません")
    return reissue(home, programme, asked.case_number, reason=asked.reason, actor=actor, clock=clock, request=number)


def reissue(
    home: Home,
    programme: Programme,
    case_number: str,
    *,
    reason: str,
    actor: Actor,
    clock: Clock,
    request: int | None = None,
) -> int:
    """この番号を出し直し、新しい枝番を返す。次の benefit letters make が、新しい手紙を作る。

    `request` は、支給可の判定の後の出し直しの申し出。`actor` はその承認者である。
    """
    two_people.need_clerk(actor)
    if not reason.strip():
        raise WrongUse("出し直す理由を書いてください（--reason）")
    approved = runs.last_approved(home, programme)
    if approved is None:
        raise RefusedByRule("承認された判定がありません", code="not-approved")
    eligible = {row["slot"]: row for row in runs.eligible_of(home, approved).iter_rows(named=True)}
    table = ward.entitlement
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        row = (
            connection.execute(
                select(table).where(table.c.case_number == case_number, table.c.programme == programme.id)
            )
            .mappings()
            .first()
        )
        if row is None:
            raise WrongUse("この給付管理番号は、支給対象者データベースにありません", found=f"{len(case_number)} 文字")
        if is_ended(connection, row["id"]):
            raise RefusedByRule("この権利は終わっているので、出し直せません", code="ended")
        if request is not None:
            asked = two_people.approve(
                connection,
                ward.reissue_request,
                ward.reissue_request_approval,
                request,
                what="出し直し",
                actor=actor,
                clock=clock,
            )
            if (asked["entitlement_id"], asked["branch"]) != (row["id"], row["branch"]):
                raise RefusedByRule("申し出の後に、もう出し直されています", code="reissued")
        now: Mapping[str, Any] | None = eligible.get(row["slot"])
        if row["slot_kind"] == "ADJ" and _told(connection, row["id"]):
            now = _frozen(home, approved, dict(row), now)
        stale = request is not None or (now is not None and _differs(dict(row), now))
        _refuse_if_moving(connection, row["id"], row["branch"], stale=stale)
        if now is None:
            raise RefusedByRule(
                "最後に承認した判定では対象でないので、出し直せません。作り直して承認を受けてください",
                code="not-eligible",
            )
        branch = int(row["branch"]) + 1
        connection.execute(
            update(table).where(table.c.id == row["id"]).values(branch=branch, **{name: now[name] for name in WATCHED})
        )
        connection.execute(
            ward.reissue.insert().values(
                entitlement_id=row["id"],
                branch=branch,
                payee_number=now["payee_number"],
                reason=reason.strip(),
                made_by=actor.id,
                made_at=clock(),
            )
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="letters.reissue",
            subject=case_number,
            reason=reason.strip(),
            detail={"branch": branch},
        )
    return branch


def _told(connection: Connection, entitlement_id: int) -> bool:
    """刷った手紙で、額を知らせたか。"""
    letter = ward.letter
    query = select(letter.c.id).where(letter.c.entitlement_id == entitlement_id, sent())
    return connection.execute(query).first() is not None


def _frozen(
    home: Home, approved: runs.Run, row: Mapping[str, Any], now: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """知らせた調整給付は、出し直しても、後からの税の更正では額も対象も変わらない（benefit-rules A.6、決定 0008）。"""
    if now is not None:
        return {**now, "benefit": row["benefit"], "amount_yen": row["amount_yen"]}
    outcome = runs.outcomes_of(home, approved).filter(
        (pl.col("subject_kind") == "納税者") & (pl.col("subject_number") == row["subject_number"])
    )
    if outcome.is_empty() or {"ALIVE", "PAYEE"} & set(outcome["reasons"][0].split(";")):
        return None
    return {name: row[name] for name in WATCHED}


def _differs(row: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """受給者か額が、登録と変わったか。変わった権利は、関門が閉じていて、前の判定のままでは払えない。"""
    return any(row[name] != now[name] for name in ("payee_number", "amount_yen"))


def _refuse_if_moving(connection: Connection, entitlement_id: int, branch: int, *, stale: bool) -> None:
    """手紙がまだない、払った、払っている途中、支給可の判定が出ている権利は断る。

    支給可の判定の後に受給者や額が変わった権利と、二人が出し直すと決めた権利（`stale`）は、出し直すほかに払う道がない。
    古い判定は使えなくなる。
    """
    letter, payment = ward.letter, ward.payment
    waiting = any(line["entitlement_id"] == entitlement_id for line in pending_verdicts(connection))
    told = connection.execute(
        select(letter.c.id).where(letter.c.entitlement_id == entitlement_id, letter.c.branch == branch)
    ).first()
    if told is None and not waiting:
        raise RefusedByRule("この枝番の手紙は、まだ作られていません。benefit letters make で作れます", code="no-letter")
    live = connection.execute(
        select(payment.c.id).where(payment.c.entitlement_id == entitlement_id, payment.c.state.in_(LIVE_STATES))
    ).first()
    if live is not None:
        raise RefusedByRule("振込済か、振込の途中の権利は、出し直せません", code="CHK13")
    if waiting and not stale:
        raise RefusedByRule(
            "支給可の判定が出て、振込を待っている権利は、出し直せません。口座の誤りなどが分かったときは、"
            "benefit letters reissue-ask で申し出て、別の人が承認します",
            code="CHK13",
        )
