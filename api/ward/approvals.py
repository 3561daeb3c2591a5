"""承認の画面: 待っているものの一覧と、一枚ずつの承認。違いを見て、立ち止まり、確かめてから承認する。"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import charts
from api.guard import PageSession
from api.logs import Number
from api.page import LongText, Text, confirm, page
from api.session import Session
from api.ward import approving
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import approvals_view, approvals_view_sheets
from benefit.services.approvals_view import Sheet
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
Password = Annotated[str, Form(max_length=200)]
Digest = Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")]


@router.get("/approvals")
def listed(request: Request, session: PageSession) -> Response:
    """待っているものの一覧。ここには、給付管理番号も氏名も出ない。"""
    with reading(request.app.state.home.ward) as connection:
        waiting = approvals_view.waiting(connection)
    return page(request, "ward/approvals.html", session=session, waiting=waiting)


@router.get("/approvals/{kind}/{number}")
def shown(request: Request, session: PageSession, kind: str, number: Number) -> Response:
    """承認の一枚。"""
    return _sheet_page(request, session, approving.opened(request, session, kind, number))


@router.post("/approvals/{kind}/{number}/confirm")
def asked(
    request: Request,
    session: PageSession,
    kind: str,
    number: Number,
    digest: Digest,
    csrf: Text = "",
    noted: Text = "",
) -> Response:
    """承認の前の一枚: 間違いかもしれないことがあれば、先に立ち止まる。"""
    confirm(session, csrf)
    sheet = approving.opened(request, session, kind, number)
    refusal = sheet.refusal(session.actor)
    if refusal:
        return _sheet_page(request, session, sheet, error=refusal, status=403)
    if sheet.digest != digest:
        return _sheet_page(request, session, sheet, error=approvals_view_sheets.CHANGED, status=409)
    if sheet.warnings and noted != "yes":
        return page(request, "ward/approval_pause.html", session=session, sheet=sheet)
    return _confirm_page(request, session, sheet)


@router.post("/approvals/{kind}/{number}/approve")
def approve(
    request: Request,
    session: PageSession,
    kind: str,
    number: Number,
    digest: Digest,
    csrf: Text = "",
    operation: Text = "",
    reason: LongText = "",
    password: Password = "",
    code: Text = "",
) -> Response:
    """承認する。見た中身と違っていれば、何も書かずに、新しい違いを見せる。"""
    confirm(session, csrf)
    try:
        approving.prove(request, session, password, code)
    except RefusedByRule as refused:
        sheet = approving.opened(request, session, kind, number)
        return _confirm_page(request, session, sheet, error=str(refused), reason=reason, status=401)
    try:
        approving.approve(request, session, operation, kind, number, digest=digest, reason=reason)
    except BenefitError as refused:
        sheet = approving.opened(request, session, kind, number)
        changed = refused.code in approving.CHANGED
        says = approvals_view_sheets.CHANGED if changed else str(refused)
        return _sheet_page(request, session, sheet, error=says, status=409 if changed else 400)
    return RedirectResponse(f"/approvals/{kind}/{number}", 303)


def _sheet_page(request: Request, session: Session, sheet: Sheet, *, error: str = "", status: int = 200) -> Response:
    return page(
        request,
        "ward/approval.html",
        session=session,
        status=status,
        sheet=sheet,
        refusal=sheet.refusal(session.actor),
        mine=session.actor.id in sheet.approvers,
        charts=_charts(sheet),
        error=error,
    )


def _confirm_page(
    request: Request, session: Session, sheet: Sheet, *, error: str = "", reason: str = "", status: int = 200
) -> Response:
    return page(
        request,
        "ward/approval_confirm.html",
        session=session,
        status=status,
        sheet=sheet,
        fresh=approving.is_fresh(request, session),
        error=error,
        reason=reason,
    )


def _charts(sheet: Sheet) -> list[charts.Chart]:
    """判定なら、給付ごとの前と今。"""
    if sheet.kind != "build":
        return []
    rows = sheet.tables[0].frame.rows(named=True)
    both = [
        charts.Series(when, [row[f"{name}の額（円）"] // 10_000 for row in rows])
        for when, name in (("前に承認した判定", "前"), ("この判定", "今"))
    ]
    names = [row["給付種別"] for row in rows]
    return [charts.bars("benefits", "給付ごとの支給額", names, both, unit="万円", head="給付")]
