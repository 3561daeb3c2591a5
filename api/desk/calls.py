"""電話の照会の画面: 電話の番号と用件、検索。検索が先で、一覧はない。"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.access import CASE_ROLES
from api.desk import hits
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.call import purposes_of
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.typed import read_keys
from benefit.services import desk_calls, desk_identity, desk_lookup, look_up_limits

router = APIRouter(include_in_schema=False)
#: 断りの符号 → 直す欄。
_FIELDS = {
    "call-reference": "call_reference",
    "call-purpose": "purpose",
    "no-call": "call_reference",
    "search-birth": "words",
    "search-keys": "words",
}
#: 件を見ない役割の最初の画面に並べる仕事。
WORKS = {
    "/logs": "一週間のログの報告を読み、署名します。",
    "/audit": "だれが、いつ、何を見たかを調べます。",
    "/staff": "人を登録し、終わりの日を決め、合言葉と数字を決め直します。",
    "/terminals": "入ってよい端末を登録し、使わなくなった端末を外します。",
    "/break-glass": "非常用の ID を開ける申し出を承認し、使った後の報告を印刷します。",
}


@router.get("/")
def home(request: Request, session: PageSession) -> Response:
    """検索の画面。一覧はない。件を見ない役割には、その役割の画面の名だけ。"""
    if session.actor.role not in CASE_ROLES:
        return page(request, "desk/home.html", session=session, works=WORKS)
    with request.app.state.engine.connect() as connection:
        call = desk_calls.current(connection, session.actor)
    return search_page(request, session, call=call)


def search_page(
    request: Request, session: Session, *, call: desk_calls.Call | None, status: int = 200, **values: Any
) -> Response:
    """検索の画面（断り、当たりの一覧、言う文）。"""
    mark = hits.mark(request.app.state.keys, session.actor, call) if call else ""
    english = desk_lookup.IN_ENGLISH.get(values.get("says", ""), "")
    shown = {
        "error": "",
        "field": "",
        "says": "",
        "says_english": english,
        "listed": (),
        "given": {},
        "mark": mark,
        **values,
    }
    return page(
        request,
        "desk/search.html",
        status=status,
        session=session,
        call=call,
        purposes=purposes_of(session.actor.role),
        **shown,
    )


@router.post("/search")
def search(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    call_reference: Text = "",
    purpose: Text = "",
    words: Text = "",
    case_number: Text = "",
    kana_name: Text = "",
    birth: Text = "",
    seen: Text = "",
) -> Response:
    """電話を始め（まだなら）、探す。一件だけ当たれば、その本人確認へ。"""
    confirm(session, csrf)
    actor, state = session.actor, request.app.state
    given = {"call_reference": call_reference, "purpose": purpose, "words": words}
    given |= {"case_number": case_number, "kana_name": kana_name, "birth": birth}
    call = None
    try:
        with state.engine.begin() as connection:
            call = _call(connection, session, call_reference, purpose, state.clock)
            hits.same_page(state.keys, actor, call, seen)
            keys = read_keys(words, case_number=case_number, kana_name=kana_name, birth=birth)
            found = desk_lookup.search(connection, keys, call=call, actor=actor, at=state.clock())
            if len(found.hits) == 1:
                desk_identity.open_found(connection, found, call=call, actor=actor, at=state.clock())
    except look_up_limits.LookUpStopped:
        return stopped(request, session)
    except (RefusedInput, RefusedByRule) as refused:
        # 断られたら、電話も始まっていない（同じトランザクション）。打ったものは残す。
        with state.engine.connect() as connection:
            call = desk_calls.current(connection, actor)
        field = _FIELDS.get(refused.code, "words")
        return search_page(request, session, call=call, status=400, error=refused.says, field=field, given=given)
    if len(found.hits) == 1:
        return RedirectResponse("/case", 303)
    listed = [(hits.seal(state.keys, actor, call, hit.case_number, found.by), hit) for hit in found.hits]
    return search_page(request, session, call=call, says=found.says, listed=listed, given=given)


def _call(connection: Any, session: Session, reference: str, purpose: str, clock: Any) -> desk_calls.Call:
    """いまの電話。まだなら、番号と用件で始める。同じ番号と用件なら、続きである。"""
    now = desk_calls.current(connection, session.actor)
    if now is not None and (not reference.strip() or (reference.strip(), purpose) == (now.reference, now.purpose)):
        return now
    return desk_calls.begin(connection, reference=reference, purpose=purpose, actor=session.actor, at=clock())


@router.post("/case")
def open_case(request: Request, session: PageSession, hit: Text = "", csrf: Text = "") -> Response:
    """当たりの一覧から、一件を開く。これも一件と数える。"""
    confirm(session, csrf)
    actor, state = session.actor, request.app.state
    try:
        with state.engine.begin() as connection:
            call = desk_calls.needed(connection, actor)
            opened = hits.unseal(state.keys, actor, call, hit)
            look_up_limits.count_or_stop(connection, actor, state.clock())
            if opened is not None:
                number, by = opened
                proved = desk_identity.PROVED_BY[by]
                desk_identity.open_case(connection, number, proved=proved, call=call, actor=actor, at=state.clock())
    except look_up_limits.LookUpStopped:
        return stopped(request, session)
    if opened is None:
        return search_page(request, session, call=call, says=desk_lookup.ASK_WARD)
    return RedirectResponse("/case", 303)


@router.post("/call/end")
def end_call(request: Request, session: PageSession, csrf: Text = "") -> Response:
    """電話を終え、次の電話の検索へ。"""
    confirm(session, csrf)
    state = request.app.state
    with state.engine.begin() as connection:
        desk_calls.end(connection, actor=session.actor, at=state.clock())
    return RedirectResponse("/", 303)


def stopped(request: Request, session: Session) -> Response:
    """調べる数を越えた: なぜ止まり、誰が解けるか。"""
    said = {"to_ward": desk_lookup.TO_WARD, "to_ward_english": desk_lookup.IN_ENGLISH[desk_lookup.TO_WARD]}
    return page(request, "desk/stopped.html", status=429, session=session, most=look_up_limits.HARD, **said)
