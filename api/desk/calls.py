"""電話の照会の画面: 検索が先、一覧はない。"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api import session as sessions
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.errors import RefusedInput
from benefit.services import desk_lookup
from benefit.store import desk

router = APIRouter(include_in_schema=False)
PURPOSES = ("進み具合の問合せ", "届かない・なくした", "書き方", "口座のこと", "辞退", "そのほか")


@router.get("/")
def home(request: Request, session: PageSession) -> Response:
    """検索の画面。一覧はない。"""
    return _search_page(request, session)


def _search_page(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    shown = {"error": "", "field": "", "says": "", "hits": (), "given": {}, **values}
    return page(request, "desk/search.html", status=status, session=session, purposes=PURPOSES, **shown)


@router.post("/search")
def search(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    call_reference: Text = "",
    purpose: Text = "",
    case_number: Text = "",
    kana_name: Text = "",
    birth: Text = "",
) -> Response:
    """探す。一件だけ当たれば、そのまま開く。"""
    confirm(session, csrf)
    engine, clock = request.app.state.engine, request.app.state.clock
    call = call_reference.strip()[:40]
    kept = {
        "call_reference": call,
        "purpose": purpose,
        "case_number": case_number,
        "kana_name": kana_name,
        "birth": birth,
    }
    if not call or purpose not in PURPOSES:
        says = "電話の番号と用件を先に入れてください"
        return _search_page(request, session, status=400, error=says, field="call_reference", given=kept)
    sessions.begin_call(engine, desk, session.token, call, purpose)
    try:
        hits = desk_lookup.search(
            engine,
            actor=session.actor,
            clock=clock,
            case_number=kept["case_number"],
            kana_name=kept["kana_name"],
            birth=kept["birth"],
            call_reference=call,
            purpose=purpose,
        )
    except RefusedInput as refused:
        field = "birth" if refused.code == "search-birth" else "case_number"
        return _search_page(request, session, status=400, error=refused.says, field=field, given=kept)
    if hits is None:
        return _search_page(request, session, says=desk_lookup.TOO_MANY, given=kept)
    if len(hits) == 1:
        return _case(request, session, hits[0].case_number, call, purpose)
    return _search_page(request, session, says="" if hits else desk_lookup.ASK_WARD, hits=hits, given=kept)


@router.post("/case")
def read_case(request: Request, session: PageSession, case_number: Text = "", csrf: Text = "") -> Response:
    """一件を開く。"""
    confirm(session, csrf)
    return _case(request, session, case_number, session.call_reference, session.purpose)


@router.post("/call/end")
def end_call(request: Request, session: PageSession, csrf: Text = "") -> Response:
    """電話を終え、次の電話の検索へ。"""
    confirm(session, csrf)
    sessions.end_call(request.app.state.engine, desk, session.token)
    return RedirectResponse("/", 303)


def _case(request: Request, session: Session, case_number: str, call: str, purpose: str) -> Response:
    seen = desk_lookup.look(
        request.app.state.engine,
        case_number,
        actor=session.actor,
        clock=request.app.state.clock,
        call_reference=call,
        purpose=purpose,
    )
    if seen is None:
        return _search_page(request, session, says=desk_lookup.ASK_WARD)
    return page(request, "desk/case.html", session=session, case=seen, call=call, purpose=purpose)
