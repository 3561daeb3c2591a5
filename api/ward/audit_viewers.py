"""「誰が私の記録を見たか」という求めに答える画面。人の記録そのものは、ここからは開けない。"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.log_search import day_of, watermark
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.errors import RefusedInput
from benefit.services import audit_search, sheet

router = APIRouter(include_in_schema=False)


@router.get("/audit/viewers")
def viewers_form(request: Request, session: PageSession) -> Response:
    """「誰が私の記録を見たか」に答える画面。"""
    return _viewers(request, session, {})


def _viewers(
    request: Request, session: Session, given: dict[str, str], *, status: int = 200, **values: Any
) -> Response:
    blank = dict.fromkeys(("number", "reason", "since", "until"), "")
    shown = {"error": "", "lines": None, "numbers": (), **values}
    return page(request, "ward/audit_viewers.html", status=status, session=session, given={**blank, **given}, **shown)


@router.post("/audit/viewers")
def viewers(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    number: Text = "",
    reason: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """見た人の一覧。"""
    confirm(session, csrf)
    given = {"number": number, "reason": reason, "since": since, "until": until}
    try:
        lines, numbers = _seen_by(request, session, given)
    except RefusedInput as refused:
        return _viewers(request, session, given, status=400, error=refused.says)
    return _viewers(request, session, given, lines=lines, numbers=numbers)


@router.post("/audit/viewers/workbook")
def viewers_workbook(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    number: Text = "",
    reason: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """求めに答える表。職員の ID ではなく、役割と端末まで。"""
    confirm(session, csrf)
    state = request.app.state
    given = {"number": number, "reason": reason, "since": since, "until": until}
    lines, _ = _seen_by(request, session, given)
    table = audit_search.frame(lines).select("時刻", "役割", "操作", "理由")
    made = sheet.render(
        {"閲覧の記録": table}, made=state.clock(), title="あなたの記録を見た記録", notes=[watermark(request, session)]
    )
    return attached(made, XLSX, "etsuran-kiroku.xlsx")


def _seen_by(
    request: Request, session: Session, given: dict[str, str]
) -> tuple[tuple[audit_search.Line, ...], tuple[str, ...]]:
    state = request.app.state
    return audit_search.viewers(
        state.home,
        given["number"],
        day_of(given["since"]),
        day_of(given["until"]),
        reason=given["reason"],
        actor=session.actor,
        clock=state.clock,
    )
