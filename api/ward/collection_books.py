"""収納の帳簿の画面: 銀行の入金（二人で記録する）、特別徴収の納入書と明細の違い、立替金の違い。"""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward import collections
from api.ward.approving import prove
from api.ward.deeds import deed, seen
from api.ward.restricted import whole
from benefit.domain.clock import tokyo_date
from benefit.domain.collection import Channel
from benefit.domain.errors import BenefitError, WrongUse
from benefit.services import bank_credits, card_remittances, special_statements
from benefit.services.home import Home

router = APIRouter(include_in_schema=False)
MOST = 100


@router.post("/collections/credits")
def ask_credit(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    channel: Text = "",
    on: Text = "",
    amount: Text = "",
    reference: Text = "",
    reason: Text = "",
) -> Response:
    """銀行の口座に入ったお金を書く。別の人が通帳と見比べて承認するまで、突き合わせに入らない。"""
    confirm(session, csrf)
    given = {"channel": channel, "on": on, "amount": amount, "reference": reference, "reason": reason}
    clock = request.app.state.clock

    def work(home: Home) -> None:
        bank_credits.ask(
            home,
            _channel(channel),
            _day(on),
            whole(amount.replace(",", "")),
            reference,
            reason=reason,
            actor=session.actor,
            clock=clock,
        )

    return _done(request, session, operation, given, work)


@router.post("/collections/credits/approve")
def approve_credit(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    number: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """入金を承認する。書いた人は承認できない。"""
    confirm(session, csrf)
    clock = request.app.state.clock

    def work(home: Home) -> None:
        bank_credits.approve(home, whole(number), actor=session.actor, clock=clock)

    try:
        prove(request, session, password, code)
    except BenefitError as refused:
        return collections.balance_page(request, session, status=400, error=str(refused))
    return _done(request, session, operation, {"number": number}, work)


def _done(request: Request, session: Session, operation: str, given: dict[str, Any], work: Any) -> Response:
    try:
        deed(request, session, operation, given, work)
    except BenefitError as refused:
        return collections.balance_page(request, session, status=400, error=str(refused))
    return RedirectResponse("/collections/balance", 303)


def _channel(name: str) -> Channel:
    if name not in [one.value for one in Channel]:
        raise WrongUse("経路を選んでください")
    return Channel(name)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUse("銀行に入った日を入れてください", allowed="年-月-日") from None


@router.get("/collections/differences")
def differences(request: Request, session: PageSession) -> Response:
    """納入書と納入明細の違い、立替金と与信の知らせの違い。"""
    return _differences(request, session)


def _differences(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    state = request.app.state
    compared = special_statements.compare(state.home)
    cards = card_remittances.differences(state.home)
    seen(request, session, "collections.list", "differences", rows=compared.differences.height + len(cards))
    return page(
        request,
        "ward/collection_differences.html",
        status=status,
        session=session,
        compared=compared,
        rows=list(compared.differences.head(MOST).iter_rows(named=True)),
        cards=cards[:MOST],
        card_count=len(cards),
        waiting=card_remittances.waiting(state.home, tokyo_date(state.clock())),
        most=MOST,
        error=error,
    )


@router.post("/collections/differences/close")
def close(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    employer: Text = "",
    month: Text = "",
    digest: Text = "",
    reason: Text = "",
) -> Response:
    """違いを、確かめたことを書いて片づける。額が変われば、また出る。"""
    confirm(session, csrf)
    given = {"employer": employer, "month": month, "digest": digest, "reason": reason}
    clock = request.app.state.clock

    def work(home: Home) -> None:
        special_statements.close(home, employer, month, digest, reason=reason, actor=session.actor, clock=clock)

    try:
        deed(request, session, operation, given, work)
    except BenefitError as refused:
        return _differences(request, session, status=400, error=str(refused))
    return RedirectResponse("/collections/differences", 303)
