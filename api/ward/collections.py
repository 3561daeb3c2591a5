"""収納の画面: 人が決める入金（申し出と別の人の承認）、毎日の突き合わせ、督促の一覧。"""

from __future__ import annotations

from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import charts
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.approving import is_fresh, prove
from api.ward.deeds import deed, seen
from api.ward.restricted import whole
from benefit.domain.clock import tokyo_date
from benefit.domain.collection import Channel
from benefit.domain.errors import BenefitError, WrongUse
from benefit.services import (
    bank_credits,
    collection_balance,
    collection_moves,
    collection_open,
    receivables,
)
from benefit.services.home import Home
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
#: 一枚に出す行の数。
MOST = 100
DAYS = 14
#: 入金の名（経路・鍵・店・日・時・額）。
EventName = Annotated[str, Form(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]


@router.get("/collections")
def queue(request: Request, session: PageSession) -> Response:
    """人が決める入金の並びと、承認を待つ申し出。"""
    return queue_page(request, session)


def queue_page(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    """人が決める入金の一枚。"""
    home: Home = request.app.state.home
    rows = collection_open.queue(home)
    with reading(home.ward) as connection:
        asked = collection_open.pending(connection)
    seen(request, session, "collections.list", "queue", rows=rows.height)
    return page(
        request,
        "ward/collections.html",
        status=status,
        session=session,
        rows=list(rows.head(MOST).iter_rows(named=True)),
        count=rows.height,
        most=MOST,
        totals=collection_open.totals(rows),
        asked=asked,
        error=error,
        approver=session.actor.role == "approver",
        fresh=is_fresh(request, session),
    )


@router.post("/collections/event")
def event(request: Request, session: PageSession, csrf: Text = "", event: EventName = "") -> Response:
    """一つの入金を開く。"""
    confirm(session, csrf)
    return _event(request, session, event)


def _event(request: Request, session: Session, name: str, *, status: int = 200, error: str = "") -> Response:
    try:
        found = collection_open.one(request.app.state.home, name)
    except WrongUse as refused:
        return queue_page(request, session, status=404, error=refused.says)
    seen(request, session, "collections.view", name[:64], rows=1)
    return page(request, "ward/collection.html", status=status, session=session, found=found, error=error)


@router.post("/collections/ask")
def ask(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    event: EventName = "",
    kind: Text = "",
    amount: Text = "",
    receivable: Text = "",
    other: Text = "",
    reason: Text = "",
) -> Response:
    """決め方を申し出る。別の人が承認するまで、一円も動かない。"""
    confirm(session, csrf)
    given = {"event": event, "kind": kind, "amount": amount, "receivable": other or receivable, "reason": reason}
    try:
        ask_once(request, session, operation, given)
    except BenefitError as refused:
        return _event(request, session, event, status=400, error=str(refused))
    return RedirectResponse("/collections", 303)


def ask_once(request: Request, session: Session, operation: str, given: dict[str, Any]) -> None:
    """申し出を一度だけ（画面と JSON）。"""
    clock = request.app.state.clock
    owner = whole(str(given["receivable"] or "")) if given["kind"] != "還付" else None

    def work(home: Home) -> None:
        collection_moves.ask(
            home,
            given["event"],
            given["kind"],
            whole(str(given["amount"]).replace(",", "")),
            receivable_id=owner,
            reason=given["reason"],
            actor=session.actor,
            clock=clock,
        )

    deed(request, session, operation, given, work)


@router.post("/collections/approve")
def approve(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    number: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """申し出を承認し、消込を導き直す。申し出た人は承認できない。"""
    confirm(session, csrf)
    try:
        prove(request, session, password, code)
        approve_once(request, session, operation, whole(number))
    except BenefitError as refused:
        return queue_page(request, session, status=400, error=str(refused))
    return RedirectResponse("/collections", 303)


def approve_once(request: Request, session: Session, operation: str, number: int) -> None:
    """承認を一度だけ（画面と JSON）。"""
    clock = request.app.state.clock

    def work(home: Home) -> None:
        collection_moves.approve(home, number, actor=session.actor, clock=clock)

    deed(request, session, operation, {"number": number}, work)


@router.get("/collections/balance")
def balance(request: Request, session: PageSession) -> Response:
    """毎日の突き合わせ: 銀行の入金 = 消込 + 保留 - 手数料。"""
    return balance_page(request, session)


def balance_page(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    """突き合わせの一枚と、銀行の入金の書き込み・承認。"""
    with reading(request.app.state.home.ward) as connection:
        credits_ = bank_credits.pending(connection)
    table = collection_balance.days(request.app.state.home)
    days = table.group_by("day").agg(pl.col("arrived_yen").sum(), pl.col("credited_yen").sum()).sort("day").tail(DAYS)
    chart = charts.bars(
        "balance",
        f"届いた額と銀行の入金（この {DAYS} 日分）",
        days["day"].to_list(),
        [
            charts.Series("届いた額", days["arrived_yen"].to_list()),
            charts.Series("銀行の入金", days["credited_yen"].to_list()),
        ],
        unit="円",
        head="日",
    )
    wrong = table.filter(pl.col("difference_yen") != 0)
    seen(request, session, "collections.list", "balance", rows=table.height)
    return page(
        request,
        "ward/balance.html",
        session=session,
        chart=chart,
        rows=list(table.sort("day", "channel", descending=[True, False]).head(MOST).iter_rows(named=True)),
        count=table.height,
        wrong=wrong.height,
        most=MOST,
        status=status,
        error=error,
        asked=credits_,
        channels=[one.value for one in Channel],
        today=tokyo_date(request.app.state.clock()),
        approver=session.actor.role == "approver",
        fresh=is_fresh(request, session),
    )


@router.get("/collections/overdue")
def overdue(request: Request, session: PageSession) -> Response:
    """督促の一覧。速報が届いたものには出さない（行き違いの督促を避ける）。"""
    state = request.app.state
    late = receivables.outstanding(state.home, tokyo_date(state.clock()))
    due = late.filter(~pl.col("stopped_by_notice"))
    seen(request, session, "collections.list", "overdue", rows=due.height)
    return page(
        request,
        "ward/overdue.html",
        session=session,
        rows=list(due.sort("due_on", "id").head(MOST).iter_rows(named=True)),
        late=late.height,
        due=due.height,
        avoided=late.height - due.height,
        left=int(due["left_yen"].sum()),
        most=MOST,
    )
