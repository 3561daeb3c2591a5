"""納付状況を調べる画面。照会と同じ決まり: 用件と理由が先、番号を URL に出さない、見た記録が先に残る。

見つけた調定の残りの納付書も、ここで作って窓口で渡せる（氏名だけで、住所は刷らない）。
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import session as sessions
from api.attachment import PDF, attached
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.restricted import whole
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, RefusedInput
from benefit.services import collection_lookup, restricted_queue, slip_payees, ward_lookup
from benefit.services.collection_lookup import Keys
from benefit.services.ward_lookup import Why
from benefit.store import ward
from letters import ledger_notices

router = APIRouter(include_in_schema=False)
#: 画面で作る納付書の有効期限の初めの値（今日から）。
SLIP_DAYS = timedelta(days=30)
_FIELDS = {"purpose": "purpose", "reason": "reason", "search-birth": "birth", "search-keys": "payment_number"}


@router.get("/payments")
def form(request: Request, session: PageSession) -> Response:
    """探す画面。"""
    return _page(request, session)


def _page(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    until = tokyo_date(request.app.state.clock()) + SLIP_DAYS
    shown = {"error": "", "field": "", "debts": None, "given": {}, "slip_until": until, **values}
    shown["given"] = {"purpose": session.purpose, "reason": session.call_reference, **shown["given"]}
    return page(
        request,
        "ward/payments.html",
        status=status,
        session=session,
        purposes=ward_lookup.PURPOSES,
        most=collection_lookup.MOST,
        **shown,
    )


@router.post("/payments/search")
def search(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    purpose: Text = "",
    reason: Text = "",
    payment_number: Text = "",
    notice_number: Text = "",
    person_number: Text = "",
    kana_name: Text = "",
    birth: Text = "",
) -> Response:
    """探して、納付状況を出す。"""
    confirm(session, csrf)
    state = request.app.state
    words = {
        "payment_number": payment_number,
        "notice_number": notice_number,
        "person_number": person_number,
        "kana_name": kana_name,
        "birth": birth,
    }
    given = {"purpose": purpose, "reason": reason, **words}
    try:
        why = Why.of(purpose, reason)
        keys = Keys.of(**words)
    except RefusedInput as refused:
        field = _FIELDS.get(refused.code, "payment_number")
        return _page(request, session, status=400, error=refused.says, field=field, given=given)
    sessions.begin_call(state.engine, ward, session.token, why.reason, why.purpose)
    debts = collection_lookup.search(state.home, keys, why, actor=session.actor, clock=state.clock)
    return _page(request, session, debts=debts, given=given)


@router.post("/payments/slip")
def slip(request: Request, session: PageSession, csrf: Text = "", receivable: Text = "", until: Text = "") -> Response:
    """残りの納付書（PDF）。額も期限も同じなら、前と同じ納付書の刷り直し。調べたときの用件と理由が、記録に残る。"""
    confirm(session, csrf)
    state = request.app.state
    try:
        why = Why.of(session.purpose, session.call_reference)
        number, last = whole(receivable), _day(until)
        if not slip_payees.may_see(state.home, number, session.actor):
            raise RefusedInput(restricted_queue.NO_SUCH, code="search-keys")
        made = ledger_notices.one_slip(
            state.home,
            number,
            payable_until=last,
            issued_on=tokyo_date(state.clock()),
            actor=session.actor,
            clock=state.clock,
            reason=why.told,
        )
    except BenefitError as refused:
        field = _FIELDS.get(refused.code, "payment_number")
        return _page(request, session, status=400, error=refused.says, field=field)
    if isinstance(made, str):
        return _page(request, session, status=400, error=f"納付書を作れません: {made}", field="payment_number")
    return attached(made, PDF, "nofusho.pdf")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedInput("納付書の有効期限を YYYY-MM-DD で入れてください", code="slip-until") from None
