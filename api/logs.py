"""ログ分析報告書の画面（区でも給付管理システムでも同じ）: 並び、一つを読む、署名、Excel。

読んだことも、先にログに残る。署名は、読んだ中身の指紋とともに送られ、違えば断られる。
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.once import once
from api.page import LongText, Text, confirm, page
from api.session import Session
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import log_report_text, log_reports
from benefit.services.log_reports import Report
from benefit.store import audit

#: 台帳の番号の形。大きすぎる数は、台帳に届く前に断る。
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def router_of(store: str) -> APIRouter:
    """`store`（ward・desk）の報告書の道。"""
    router = APIRouter(include_in_schema=False)

    @router.get("/logs")
    def listed(request: Request, session: PageSession) -> Response:
        """報告書の並びと、署名のない週。"""
        state = request.app.state
        with state.engine.begin() as connection:
            note(request, connection, session, "list")
            reports = log_reports.every(connection, store)
            due = log_reports.unsigned(connection, store, tokyo_date(state.clock()))
        return page(
            request, "shared/logs.html", session=session, reports=reports, due=due,
            banner_after=log_reports.BANNER_AFTER, stop_after=log_reports.STOP_AFTER, stops=store == "ward",
        )  # fmt: skip

    @router.get("/logs/{number}")
    def one(request: Request, session: PageSession, number: Number) -> Response:
        """一つの報告書。"""
        return _page(request, session, number)

    @router.post("/logs/{number}/sign")
    def sign(
        request: Request,
        session: PageSession,
        number: Number,
        csrf: Text = "",
        operation: Text = "",
        digest: Text = "",
        remarks: LongText = "",
    ) -> Response:
        """読んだ報告書に署名する。"""
        confirm(session, csrf)

        def work(connection: Connection) -> dict[str, Any]:
            log_reports.sign(
                connection, store, number, digest=digest, remarks=remarks, actor=session.actor,
                at=request.app.state.clock(),
            )  # fmt: skip
            return {"number": number}

        given = {"number": number, "digest": digest, "remarks": remarks}
        try:
            once(request, session, operation, given, work)
        except (RefusedByRule, WrongUse) as refused:
            return _page(request, session, number, status=400, error=refused.says, remarks=remarks)
        return RedirectResponse(f"/logs/{number}", 303)

    @router.post("/logs/{number}/workbook")
    def workbook(request: Request, session: PageSession, number: Number, csrf: Text = "") -> Response:
        """Excel にする。"""
        confirm(session, csrf)
        report = _read(request, session, number, "workbook")
        name = log_report_text.file_name(store, report)
        return attached(log_report_text.workbook(report), XLSX, name)

    def _page(request: Request, session: Session, number: Number, *, status: int = 200, **values: Any) -> Response:
        report = _read(request, session, number, "view")
        shown = {"error": "", "remarks": "", **values}
        may_sign = session.actor.role in log_reports.SIGNERS[store] and session.actor.id != report.made_by
        return page(
            request, "shared/logs_report.html", session=session, status=status, report=report,
            result=log_report_text.result, may_sign=may_sign, **shown,
        )  # fmt: skip

    def _read(request: Request, session: Session, number: Number, how: str) -> Report:
        with request.app.state.engine.begin() as connection:
            report = log_reports.find(connection, store, number)
            note(request, connection, session, f"{how} {number}")
        return report

    return router


def note(request: Request, connection: Connection, session: Session, subject: str) -> None:
    """読んだことを、中身を返すのと同じトランザクションに残す。"""
    state = request.app.state
    audit.record(
        connection, state.store.audit_log, at=state.clock(), actor=session.actor, action="audit.read", subject=subject
    )
