"""納付状況を調べる画面。照会と同じ決まり: 用件と理由が先、番号を URL に出さない、見た記録が先に残る。"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api import session as sessions
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.errors import RefusedInput
from benefit.services import collection_lookup, ward_lookup
from benefit.services.collection_lookup import Keys
from benefit.services.ward_lookup import Why
from benefit.store import ward

router = APIRouter(include_in_schema=False)
_FIELDS = {"purpose": "purpose", "reason": "reason", "search-birth": "birth", "search-keys": "payment_number"}


@router.get("/payments")
def form(request: Request, session: PageSession) -> Response:
    """探す画面。"""
    return _page(request, session)


def _page(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    shown = {"error": "", "field": "", "debts": None, "given": {}, **values}
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
