"""委託先への受渡: 一覧、申し出、渡す。承認は /approvals/handover/番号。"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select

from api.guard import PageSession
from api.logs import Number
from api.page import Text, confirm, page
from api.session import Session
from api.ward.deeds import deed
from benefit.domain.errors import BenefitError
from benefit.services import approvals_view_handovers, approvals_view_lists
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)


@router.get("/handovers")
def listed(request: Request, session: PageSession) -> Response:
    """一覧と、申し出る欄。"""
    return _list_page(request, session)


@router.post("/handovers")
def ask(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    programme: Text = "",
    reason: Text = "",
) -> Response:
    """いま渡すものを固めて、承認を頼む。まだ何も渡らない。"""
    confirm(session, csrf)
    try:
        number = ask_handover(request, session, operation, programme, reason)
    except BenefitError as refused:
        return _list_page(request, session, error=str(refused), status=400)
    return RedirectResponse(f"/approvals/handover/{number}", 303)


def ask_handover(request: Request, session: Session, key: str, programme: str, reason: str) -> int:
    """一度だけ申し出て、番号を返す。"""
    state = request.app.state
    chosen = state.home.programme(programme)
    asked = ward.handover_request

    def work(home: Home) -> None:
        approvals_view_handovers.prepare(home, chosen, reason=reason, actor=session.actor, clock=state.clock)

    done = deed(
        request,
        session,
        key,
        {"programme": programme, "reason": reason},
        work,
        result=lambda connection: {
            "number": connection.execute(
                select(func.max(asked.c.id)).where(asked.c.asked_by == session.actor.id)
            ).scalar()
        },
    )
    return int(done["number"])


@router.post("/handovers/{number}/release")
def hand_over(
    request: Request, session: PageSession, number: Number, csrf: Text = "", operation: Text = ""
) -> Response:
    """承認されたものを、出し箱に置く。"""
    confirm(session, csrf)
    try:
        hand_over_once(request, session, operation, number)
    except BenefitError as refused:
        return _list_page(request, session, error=str(refused), status=400)
    return RedirectResponse("/handovers", 303)


def hand_over_once(request: Request, session: Session, key: str, number: Number) -> None:
    """承認されたものを、一度だけ出し箱に置く。"""
    clock = request.app.state.clock

    def work(home: Home) -> None:
        approvals_view_handovers.hand_over(home, number, actor=session.actor, clock=clock)

    deed(request, session, key, {"number": number}, work)


def _list_page(request: Request, session: Session, *, error: str = "", status: int = 200) -> Response:
    home: Home = request.app.state.home
    with reading(home.ward) as connection:
        lines = approvals_view_handovers.requests(connection)
    return page(
        request,
        "ward/handovers.html",
        session=session,
        status=status,
        lines=lines,
        programmes=approvals_view_lists.programmes(home),
        error=error,
    )
