"""非常用の ID の画面: 一人が申し出、別の人が承認し、60 分で閉じる。翌朝の報告もここから印刷する。"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.login import confirm_again
from api.once import once
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.errors import BenefitError
from benefit.services import break_glass
from benefit.store import audit
from benefit.store.engine import reading

HERE = "/break-glass"
Number = Annotated[int, Form(ge=0, le=2**31 - 1)]


def router_for() -> APIRouter:
    """非常用の ID の道（画面ごとに一組）。"""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(HERE, listed, methods=["GET"])
    for path, endpoint in (("ask", ask), ("approve", approve), ("close", close), ("report", report)):
        router.add_api_route(f"{HERE}/{path}", endpoint, methods=["POST"])
    return router


def listed(request: Request, session: PageSession) -> Response:
    """申し出の一覧。"""
    return _page(request, session)


def ask(request: Request, session: PageSession, csrf: Text = "", operation: Text = "", reason: Text = "") -> Response:
    """開けたいと申し出る。"""

    def deed(connection: Connection) -> dict[str, Any]:
        state = request.app.state
        number = break_glass.ask(connection, state.store.access, reason=reason, actor=session.actor, at=state.clock())
        return {"number": number}

    return _do(request, session, csrf, operation, {"reason": reason}, deed, "申し出ました。別の人の承認を待ちます")


def approve(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", number: Number = 0
) -> Response:
    """承認し、一度きりの合言葉を見せる（申し出た人に伝える）。"""
    confirm_again(request, session, HERE)
    made: list[str] = []

    def deed(connection: Connection) -> dict[str, Any]:
        state = request.app.state
        made.append(break_glass.approve(connection, state.store.access, number, actor=session.actor, at=state.clock()))
        # 合言葉は、済んだ書込みの表に残さない。
        return {}

    return _do(request, session, csrf, operation, {"number": number}, deed, "承認しました。60 分で閉じます", made)


def close(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", number: Number = 0
) -> Response:
    """返す（60 分を待たずに閉じる）。"""

    def deed(connection: Connection) -> dict[str, Any]:
        state = request.app.state
        break_glass.close(connection, state.store.access, number, actor=session.actor, at=state.clock())
        return {}

    return _do(request, session, csrf, operation, {"number": number}, deed, "閉じました")


def report(request: Request, session: PageSession, csrf: Text = "", number: Number = 0) -> Response:
    """したことの報告（xlsx）。"""
    confirm(session, csrf)
    state = request.app.state
    tables, now = state.store.access, state.clock()
    try:
        with state.engine.begin() as connection:
            break_glass.close_expired(connection, tables, at=now)
            _text, book = break_glass.report(connection, tables, number, at=now)
            audit.record(
                connection,
                tables.audit_log,
                at=now,
                actor=session.actor,
                action="break-glass.report",
                subject=f"{number}",
            )
    except BenefitError as refused:
        return _page(request, session, status=400, error=str(refused))
    name = f"break-glass-{tables.line}-{number:04d}.xlsx"
    return attached(book, XLSX, name)


def _do(
    request: Request,
    session: Session,
    csrf: str,
    operation: str,
    given: dict[str, Any],
    deed: Callable[[Connection], dict[str, Any]],
    says: str,
    made: list[str] | None = None,
) -> Response:
    confirm(session, csrf)
    try:
        once(request, session, operation, given, deed)
    except BenefitError as refused:
        return _page(request, session, status=400, error=str(refused))
    return _page(request, session, done=says, password=made[0] if made else "")


def _page(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    state = request.app.state
    tables, now = state.store.access, state.clock()
    with reading(state.engine) as connection:
        rows = [{**row, "now": break_glass.now_of(row, now)} for row in break_glass.used(connection, tables)]
    values = {"error": "", "done": "", "password": "", **shown}
    return page(
        request,
        "shared/break_glass.html",
        status=status,
        session=session,
        rows=rows,
        sealed_id=break_glass.SEALED_ID,
        may_approve=session.actor.role in break_glass.APPROVERS[tables.line],
        **values,
    )
