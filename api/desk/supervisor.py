"""管理者の画面: 仕事の量、待っているもの、止まった検索の解除、取消。数と ID だけで、受給者の誰のことも出ない。"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api import charts
from api.desk import numbers
from api.guard import PageSession
from api.once import Done, once
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.access import Actor
from benefit.domain.case import EVENT_NAMES, STATE_WORDS
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import desk_undo, desk_workload, look_up_limits
from benefit.services.desk_intake import read_number
from benefit.store import audit, desk

router = APIRouter(include_in_schema=False)
SIDE_NAMES = {"supervisor": "管理者", "ward": "区"}
DAYS = 7


def days_until(today: date) -> tuple[date, ...]:
    """今日までの 7 日（古い順）。"""
    return tuple(today - timedelta(days=ago) for ago in reversed(range(DAYS)))


def release(connection: Connection, number: int, reason: str, actor: Actor, at: datetime) -> Done:
    """停止を解く一人になる。"""
    return {"released": look_up_limits.release(connection, number, reason=reason, actor=actor, at=at)}


def undo(connection: Connection, number: str, reason: str, actor: Actor, at: datetime) -> Done:
    """最後の一歩を取り消す。"""
    return {"case_number": number, "state": desk_undo.undo(connection, number, reason=reason, actor=actor, at=at)}


def stops(connection: Connection, actor: Actor) -> list[dict[str, Any]]:
    """止まっている人と、この人が解けないわけ（解けるなら空）。"""
    side = look_up_limits.side_of(actor)
    found = []
    for row in look_up_limits.stopped(connection):
        refused = ""
        if row["staff_id"] == actor.id:
            refused = "止まった本人は、解けません。"
        elif side in row["sides"]:
            refused = "この側は、もう解いています。もう一方の側を待っています。"
        told = [(name, "解いた" if key in row["sides"] else "まだ") for key, name in SIDE_NAMES.items()]
        found.append({**row, "sides": told, "refused": refused})
    return found


@router.get("/supervisor")
def supervisor(request: Request, session: PageSession) -> Response:
    """仕事の量と、止まったもの。"""
    return _page(request, session)


@router.post("/supervisor/release")
def release_stop(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    stop_id: int = Form(0, ge=0, le=2**31 - 1),
    reason: Text = "",
) -> Response:
    """止まった検索を、自分の側として解く。"""
    confirm(session, csrf)
    at = request.app.state.clock()
    try:
        done = once(
            request,
            session,
            operation,
            {"stop_id": stop_id, "reason": reason},
            lambda connection: release(connection, stop_id, reason, session.actor, at),
        )
    except BenefitError as refused:
        return _page(request, session, status=400, error=str(refused))
    says = "二つの側がそろい、解けました" if done["released"] else "この側を解きました。もう一方の側を待ちます"
    return _page(request, session, done=says)


@router.post("/supervisor/step")
def last_step(request: Request, session: PageSession, csrf: Text = "", case_number: Text = "") -> Response:
    """この番号の最後の一歩を見る（取り消す前に）。"""
    confirm(session, csrf)
    numbers.guard(request, session, {"case_number": case_number})
    try:
        return _page(request, session, step=_step(request, session, read_number(case_number)[0]))
    except BenefitError as refused:
        return _page(request, session, status=400, error=str(refused))


@router.post("/supervisor/undo")
def undo_step(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    reason: Text = "",
) -> Response:
    """最後の一歩を取り消す。"""
    confirm(session, csrf)
    at = request.app.state.clock()
    try:
        done = once(
            request,
            session,
            operation,
            {"case_number": case_number, "reason": reason},
            lambda connection: undo(connection, case_number, reason, session.actor, at),
        )
    except BenefitError as refused:
        return _page(request, session, status=400, error=str(refused))
    return _page(request, session, done=f"取り消しました（いまは「{STATE_WORDS[done['state']].name}」）")


def _step(request: Request, session: Session, number: str) -> dict[str, Any]:
    at = request.app.state.clock()
    with request.app.state.engine.begin() as connection:
        found = desk_undo.last_step(connection, number, actor=session.actor, at=at)
        audit.record(
            connection, desk.audit_log, at=at, actor=session.actor, action="case.step", subject=number, reason="取消"
        )
    if found is None:
        raise RefusedByRule("この番号に、取り消せる一歩はありません", code="nothing-to-undo")
    return {
        "case_number": number,
        "event": EVENT_NAMES.get(found.event, found.event),
        "from": STATE_WORDS[found.from_state].name,
        "to": STATE_WORDS[found.to_state].name,
        "actor": found.actor,
        "at": found.at,
        "refused": found.why_not,
    }


def _page(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    now = request.app.state.clock()
    days = days_until(tokyo_date(now))
    with request.app.state.engine.connect() as connection:
        work = desk_workload.by_person(connection, days)
        values = {
            "stops": stops(connection, session.actor),
            "queues": desk_workload.waiting(connection, now),
            "keyed": desk_workload.compared(connection, days),
        }
    side = look_up_limits.side_of(session.actor)
    return page(
        request,
        "desk/supervisor.html",
        status=status,
        session=session,
        side_name=SIDE_NAMES[side] if side else "",
        ages=[name for name, _ in desk_workload.AGES],
        first_day=days[0],
        last_day=days[-1],
        by_person=_by_person(work),
        by_day=_by_day(work, days),
        series=desk_workload.SERIES,
        work=work,
        may_undo=session.actor.role == "supervisor",
        **values,
        **{"error": "", "done": "", "step": None, **shown},
    )


def _by_person(work: tuple[desk_workload.Worked, ...]) -> charts.Chart:
    people = {row.staff_id: row.name for row in work}
    sums = {who: [0] * len(desk_workload.SERIES) for who in sorted(people)}
    for row in work:
        sums[row.staff_id] = [one + more for one, more in zip(sums[row.staff_id], row.counts, strict=True)]
    series = [
        charts.Series(name, [many[place] for many in sums.values()]) for place, name in enumerate(desk_workload.SERIES)
    ]
    return charts.bars("person", "人ごとの仕事", [_short(people[who]) for who in sums], series, unit="件", head="人")


def _short(name: str) -> str:
    """図の左に入る長さの名（全角で 10 字まで）。"""
    room = 20
    for place, letter in enumerate(name):
        room -= 2 if ord(letter) > 0xFF else 1
        if room < 0:
            return f"{name[: place - 1]}…"
    return name


def _by_day(work: tuple[desk_workload.Worked, ...], days: tuple[date, ...]) -> charts.Chart:
    sums = {day: [0] * len(desk_workload.SERIES) for day in days}
    for row in work:
        sums[row.day] = [one + more for one, more in zip(sums[row.day], row.counts, strict=True)]
    series = [
        charts.Series(name, [many[place] for many in sums.values()]) for place, name in enumerate(desk_workload.SERIES)
    ]
    return charts.line("day", "日ごとの仕事", days, series, unit="件", head="日")
