"""振込不能の画面: 日数ごとの帳簿と図、一件の歩み。することは failure_deeds。"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api import charts
from api.attachment import XLSX, attached
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.approving import is_fresh
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import WrongUse
from benefit.domain.transfer import FAILURE_ANSWERS
from benefit.services import failure_book, failure_chart, failure_view

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/failures")
def listed(request: Request, session: PageSession) -> Response:
    """帳簿。"""
    return _list(request, session)


def _list(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    state = request.app.state
    book = failure_view.book(state.home, actor=session.actor, clock=state.clock)
    ages = failure_chart.by_age(book)
    chart = charts.stacked(
        "ages",
        "終わっていない振込不能（届いてからの日数）",
        ages["日数"].to_list(),
        [
            charts.Series("期限の内", (ages["件数"] - ages["期限を過ぎた件数"]).to_list()),
            charts.Series("期限を過ぎた", ages["期限を過ぎた件数"].to_list()),
        ],
        unit="件",
        head="日数",
    )
    rows = failure_book.shown(book.sort("closed_on", "days_open", descending=[False, True], nulls_last=False))
    return page(
        request,
        "ward/failures.html",
        status=status,
        session=session,
        chart=chart,
        rows=list(rows.iter_rows(named=True)),
        totals=list(failure_book.totals(book, "status").iter_rows(named=True)),
        error=error,
    )


@router.post("/failures/workbook")
def workbook(request: Request, session: PageSession, csrf: Text = "", reason: Text = "") -> Response:
    """帳簿を Excel に。理由が要り、持ち出した行数が残る。"""
    confirm(session, csrf)
    if not reason.strip():
        return _list(request, session, status=400, error="持ち出す理由を書いてください")
    state = request.app.state
    book = failure_view.book(state.home, actor=session.actor, clock=state.clock, reason=reason.strip())
    return attached(failure_book.render(book, made=state.clock(), title="振込不能の帳簿"), XLSX, "furikomi-funo.xlsx")


@router.get("/failures/{number}")
def show(request: Request, session: PageSession, number: Number) -> Response:
    """一件。"""
    return item_page(request, session, number)


def item_page(request: Request, session: Session, number: int, *, status: int = 200, error: str = "") -> Response:
    """一件の画面。ない番号と、見てはならない一件は、帳簿に戻って同じに断る。"""
    state = request.app.state
    try:
        found = failure_view.item(state.home, number, actor=session.actor, clock=state.clock)
    except WrongUse as refused:
        return _list(request, session, status=404, error=refused.says)
    return page(
        request,
        "ward/failure.html",
        status=status,
        session=session,
        item=found,
        error=error,
        answers=FAILURE_ANSWERS,
        approver=session.actor.role == "approver",
        fresh=is_fresh(request, session),
        today=tokyo_date(state.clock()),
    )
