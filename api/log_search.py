"""監査ログを引く画面（どちらの台帳でも同じ）: 条件で引き、理由をそえて表にする。引いたことが、先にログに残る。"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.clock import TOKYO, tokyo_date
from benefit.domain.errors import RefusedInput
from benefit.services import audit_search, sheet
from benefit.services.audit_search import Query

_BLANK = dict.fromkeys(("actor", "number", "action", "since", "until", "terminal"), "")


def day_of(text: str) -> date | None:
    """期間の日。空は、問わない。読めなければ RefusedInput。"""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise RefusedInput("日付は 2024-08-06 のように入れてください", code="period") from None


def watermark(request: Request, session: Session) -> str:
    """表に入れる、いつ誰が作ったか。"""
    return f"{request.app.state.clock().astimezone(TOKYO):%Y-%m-%d %H:%M} に {session.actor.id} が作りました。"


def router_of(store: str, *, viewers: str = "") -> APIRouter:
    """`store`（ward・desk）の、引く画面の道。`viewers` は「誰が見たか」の画面（あれば、そこへの道を出す）。"""
    router = APIRouter(include_in_schema=False)

    def shown(
        request: Request, session: Session, given: dict[str, str], *, status: int = 200, **values: Any
    ) -> Response:
        choices = audit_search.choices(request.app.state.engine, store)
        told = {"error": "", "found": None, "viewers": viewers, "choices": choices, **values}
        return page(
            request, "shared/log_search.html", status=status, session=session, given={**_BLANK, **given}, **told
        )

    @router.get("/audit")
    def form(request: Request, session: PageSession) -> Response:
        """引く画面。初めは、この七日を引く条件が入っている。"""
        today = tokyo_date(request.app.state.clock())
        return shown(request, session, {"since": f"{today - timedelta(days=6)}", "until": f"{today}"})

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
        """引く。"""
        confirm(session, csrf)
        state = request.app.state
        given = _given(actor, number, action, since, until, terminal)
        turned = int(number_of_page) if number_of_page.isascii() and number_of_page.isdigit() else 1
        try:
            found = audit_search.search(
                state.engine, store, _query(given), page=min(turned, 10**6), actor=session.actor, at=state.clock()
            )
        except RefusedInput as refused:
            return shown(request, session, given, status=400, error=refused.says)
        return shown(request, session, given, found=found)

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
        given = _given(actor, number, action, since, until, terminal)
        try:
            table = audit_search.export(
                state.engine, store, _query(given), reason=reason, actor=session.actor, at=state.clock()
            )
        except RefusedInput as refused:
            return shown(request, session, given, status=400, error=refused.says)
        notes = [watermark(request, session), f"理由 {reason.strip()}"]
        made = sheet.render({"監査ログ": table}, made=state.clock(), title="監査ログ", notes=notes)
        return attached(made, XLSX, "kansa-log.xlsx")

    return router


def _given(actor: str, number: str, action: str, since: str, until: str, terminal: str) -> dict[str, str]:
    return {"actor": actor, "number": number, "action": action, "since": since, "until": until, "terminal": terminal}


def _query(given: dict[str, str]) -> Query:
    days = day_of(given["since"]), day_of(given["until"])
    return Query(given["actor"], given["number"], given["action"], *days, given["terminal"])
