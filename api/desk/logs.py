"""給付管理システムの監査ログ: 週次の報告書（中身は api.logs）と、引く画面。見るのは区の人だけである。"""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import logs_json
from api.guard import PageSession
from api.logs import router_of
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedInput, WrongUse
from benefit.services import log_search
from benefit.services.log_search import Asked, Found

router = APIRouter(include_in_schema=False)
reports = router_of("desk")
json_reports = logs_json.router_of("desk")


@router.get("/log-search")
def form(request: Request, session: PageSession) -> Response:
    """引く画面。初めは、この七日。"""
    today = tokyo_date(request.app.state.clock())
    return _page(request, session, {"since": f"{today - timedelta(days=6)}", "until": f"{today}"})


@router.post("/log-search")
def search(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    actor: Text = "",
    number: Text = "",
    action: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """引く。引いたことが、先にログに残る。"""
    confirm(session, csrf)
    given = {"actor": actor, "number": number, "action": action, "since": since, "until": until}
    state = request.app.state
    try:
        asked = Asked(actor, number, action, _day(since), _day(until))
        found = log_search.search(state.engine, "desk", asked, actor=session.actor, at=state.clock())
    except (RefusedInput, WrongUse) as refused:
        return _page(request, session, given, error=refused.says, status=400)
    return _page(request, session, given, found=found)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise RefusedInput("日付は 2024-08-06 のように入れてください", code="period") from None


def _page(
    request: Request,
    session: Session,
    given: dict[str, str],
    *,
    found: Found | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    blank = dict.fromkeys(("actor", "number", "action", "since", "until"), "")
    return page(
        request, "desk/log_search.html", session=session, status=status, given={**blank, **given}, found=found,
        error=error, most=log_search.MOST,
    )  # fmt: skip
