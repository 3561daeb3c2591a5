"""区直轄の画面: 並び（番号と状態だけ）、住所を見る申し出と承認、見てよい人の名ざし。

名ざされていない人には、並びに何もないときと同じ画面になる。
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.deeds import deed
from benefit.domain.errors import BenefitError
from benefit.services import restricted_queue, ward_restricted

router = APIRouter(include_in_schema=False)
_RECENT = timedelta(days=7)


def whole(text: str) -> int:
    """申し出などの番号。番号でなければ、ない番号（0）。"""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0


@router.get("/restricted")
def queue(request: Request, session: PageSession) -> Response:
    """並び。"""
    return _queue(request, session)


def _queue(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    state = request.app.state
    rows, views = ward_restricted.queue(state.home, state.clock() - _RECENT, actor=session.actor, clock=state.clock)
    return page(
        request,
        "ward/restricted.html",
        status=status,
        session=session,
        rows=rows,
        views=views,
        error=error,
        now=state.clock(),
        names=state.home.benefit_names,
        approver=session.actor.role == "approver",
    )


@router.post("/restricted/address/ask")
def ask_address(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    person_number: Text = "",
    reason: Text = "",
) -> Response:
    """住所を見ることを申し出る。"""
    return _deed(
        request,
        session,
        csrf,
        operation,
        {"person_number": person_number, "reason": reason},
        lambda home, how: restricted_queue.ask_address(home, whole(person_number), reason=reason, **how),
    )


@router.post("/restricted/address/approve")
def approve_address(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", number: Text = ""
) -> Response:
    """住所を見ることを承認する。"""
    return _deed(
        request,
        session,
        csrf,
        operation,
        {"number": number},
        lambda home, how: restricted_queue.approve_address(home, whole(number), **how),
    )


def _deed(
    request: Request, session: Session, csrf: str, operation: str, params: dict[str, str], work: Any, *, to: str = ""
) -> Response:
    confirm(session, csrf)
    how = {"actor": session.actor, "clock": request.app.state.clock}
    try:
        deed(request, session, operation, params, lambda home: work(home, how))
    except BenefitError as refused:
        if to:
            return _members(request, session, status=400, error=refused.says)
        return _queue(request, session, status=400, error=refused.says)
    return RedirectResponse(to or "/restricted", 303)


@router.post("/restricted/address")
def address(request: Request, session: PageSession, csrf: Text = "", number: Text = "") -> Response:
    """住所を見る。承認から 60 分だけ、申し出た人に。見た記録が残ってから、出る。"""
    confirm(session, csrf)
    state = request.app.state
    try:
        shown = ward_restricted.address(state.home, whole(number), actor=session.actor, clock=state.clock)
    except BenefitError as refused:
        return _queue(request, session, status=403, error=refused.says)
    return page(request, "ward/restricted_address.html", session=session, shown=shown)


@router.get("/restricted/members")
def members(request: Request, session: PageSession) -> Response:
    """見てよい人の名ざし。職員の ID だけで、区直轄の人のことは何も出ない。"""
    return _members(request, session)


def _members(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    with request.app.state.engine.connect() as connection:
        rows = restricted_queue.members(connection)
    return page(
        request,
        "ward/restricted_members.html",
        status=status,
        session=session,
        rows=rows,
        error=error,
        approver=session.actor.role == "approver",
        may_name=session.actor.role in ("approver", "admin"),
    )


@router.post("/restricted/members/ask")
def name_member(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    staff_id: Text = "",
    reason: Text = "",
) -> Response:
    """加えることを申し出る。"""
    return _deed(
        request,
        session,
        csrf,
        operation,
        {"staff_id": staff_id, "reason": reason},
        lambda home, how: restricted_queue.name_member(home, staff_id.strip(), reason=reason, **how),
        to="/restricted/members",
    )


@router.post("/restricted/members/approve")
def approve_member(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", number: Text = ""
) -> Response:
    """名ざしを承認する。"""
    return _deed(
        request,
        session,
        csrf,
        operation,
        {"number": number},
        lambda home, how: restricted_queue.approve_member(home, whole(number), **how),
        to="/restricted/members",
    )


@router.post("/restricted/members/end")
def end_member(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    number: Text = "",
    reason: Text = "",
) -> Response:
    """外す。"""
    return _deed(
        request,
        session,
        csrf,
        operation,
        {"number": number, "reason": reason},
        lambda home, how: restricted_queue.end_member(home, whole(number), reason=reason, **how),
        to="/restricted/members",
    )
