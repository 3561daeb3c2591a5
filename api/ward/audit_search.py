"""監査の画面: ログを引く、誰が見たかを答える。人の記録そのものは、ここからは開けない。"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.certificates import XLSX, attached
from benefit.domain.clock import TOKYO
from benefit.domain.errors import RefusedInput
from benefit.services import audit_search, sheet
from benefit.services.audit_search import Query

router = APIRouter(include_in_schema=False)


def day_of(text: str) -> date | None:
    """期間の日。空は、問わない。読めなければ RefusedInput。"""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise RefusedInput("日付は 2024-08-06 のように入れてください", code="period") from None


def query_of(given: dict[str, str]) -> Query:
    """打たれた条件から。"""
    return Query(
        given["actor"],
        given["number"],
        given["action"],
        day_of(given["since"]),
        day_of(given["until"]),
        given["terminal"],
    )


@router.get("/audit")
def form(request: Request, session: PageSession) -> Response:
    """引く画面。初めは、今日の分を引く条件が入っている。"""
    today = request.app.state.clock().astimezone(TOKYO).date()
    return _page(request, session, {"since": f"{today - timedelta(days=6)}", "until": f"{today}"})


def _page(request: Request, session: Session, given: dict[str, str], *, status: int = 200, **values: Any) -> Response:
    blank = dict.fromkeys(("actor", "number", "action", "since", "until", "terminal"), "")
    shown = {"error": "", "found": None, **values}
    choices = audit_search.choices(request.app.state.home)
    return page(
        request, "ward/audit.html", status=status, session=session, given={**blank, **given}, choices=choices, **shown
    )


@router.post("/audit/search")
def search(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    actor: Text = "",
    number: Text = "",
    action: Text = "",
    since: Text = "",
    until: Text = "",
    terminal: Text = "",
    number_of_page: Text = "1",
) -> Response:
    """引く。引いたことが、先にログに残る。"""
    confirm(session, csrf)
    state = request.app.state
    given = {
        "actor": actor, "number": number, "action": action, "since": since, "until": until, "terminal": terminal,
    }  # fmt: skip
    at = int(number_of_page) if number_of_page.isascii() and number_of_page.isdigit() else 1
    try:
        found = audit_search.search(
            state.home, query_of(given), page=min(at, 10**6), actor=session.actor, clock=state.clock
        )
    except RefusedInput as refused:
        return _page(request, session, given, status=400, error=refused.says)
    return _page(request, session, given, found=found)


@router.post("/audit/workbook")
def workbook(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    actor: Text = "",
    number: Text = "",
    action: Text = "",
    since: Text = "",
    until: Text = "",
    terminal: Text = "",
    reason: Text = "",
) -> Response:
    """同じ条件の全部を Excel に。理由が要る。"""
    confirm(session, csrf)
    state = request.app.state
    given = {
        "actor": actor, "number": number, "action": action, "since": since, "until": until, "terminal": terminal,
    }  # fmt: skip
    try:
        query = query_of(given)
        table = audit_search.export(state.home, query, reason=reason, actor=session.actor, clock=state.clock)
    except RefusedInput as refused:
        return _page(request, session, given, status=400, error=refused.says)
    notes = [_mark(request, session), f"理由 {reason.strip()}"]
    made = sheet.render({"監査ログ": table}, made=state.clock(), title="監査ログ", notes=notes)
    return attached(made, XLSX, "kansa-log.xlsx")


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
        {"閲覧の記録": table}, made=state.clock(), title="あなたの記録を見た記録", notes=[_mark(request, session)]
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


def _mark(request: Request, session: Session) -> str:
    at: datetime = request.app.state.clock().astimezone(TOKYO)
    return f"{at:%Y-%m-%d %H:%M} に {session.actor.id} が作りました。"
