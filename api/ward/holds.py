"""保留: 一覧と、解除の申し出。承認は /approvals/hold/番号。"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select

from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.deeds import deed, seen
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import approvals_view_lists, holds
from benefit.services.approvals_view_veil import veil_for
from benefit.services.home import Home
from benefit.store import ward

router = APIRouter(include_in_schema=False)
#: 一枚に出す行の数。全部は表計算で。
MOST = 50


@router.get("/holds")
def listed(request: Request, session: PageSession) -> Response:
    """保留の一覧。見た記録を残してから出す。"""
    return _list_page(request, session)


@router.post("/holds")
def ask(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    programme: Text = "",
    case_number: Text = "",
    check: Text = "",
    reason: Text = "",
) -> Response:
    """解除を申し出る。別の人の承認を待つ。"""
    confirm(session, csrf)
    try:
        number = ask_release(request, session, operation, programme, case_number, check, reason)
    except BenefitError as refused:
        return _list_page(request, session, error=str(refused), status=400)
    return RedirectResponse(f"/approvals/hold/{number}", 303)


def ask_release(
    request: Request, session: Session, key: str, programme: str, case_number: str, check: str, reason: str
) -> int:
    """一度だけ解除を申し出て、申し出の番号を返す。"""
    state = request.app.state
    chosen = state.home.programme(programme)

    def work(home: Home) -> None:
        if case_number in veil_for(state.home, session.actor).cases:
            # ない番号と同じ断り。
            raise RefusedByRule(f"この給付管理番号は、{check} で保留になっていません", code="not-held")
        holds.ask(home, chosen, case_number, check, reason=reason, actor=session.actor, clock=state.clock)

    table = ward.hold_release
    done = deed(
        request,
        session,
        key,
        {"programme": programme, "case_number": case_number, "check": check, "reason": reason},
        work,
        result=lambda connection: {
            "number": connection.execute(
                select(func.max(table.c.id)).where(table.c.asked_by == session.actor.id)
            ).scalar()
        },
    )
    return int(done["number"])


def _list_page(request: Request, session: Session, *, error: str = "", status: int = 200) -> Response:
    home: Home = request.app.state.home
    secret = veil_for(home, session.actor).cases
    every = [
        (one, [line for line in approvals_view_lists.held(home, one) if line.case_number not in secret])
        for one in approvals_view_lists.programmes(home)
    ]
    total = sum(len(lines) for _programme, lines in every)
    shown = [(programme, lines[:MOST]) for programme, lines in every if lines]
    cases = [line.case_number for _programme, lines in shown for line in lines]
    seen(request, session, "holds.view", "list", rows=len(cases), cases=cases)
    return page(
        request,
        "ward/holds.html",
        session=session,
        status=status,
        shown=shown,
        total=total,
        most=MOST,
        error=error,
    )
