"""画面。サーバーで組み、JavaScript なしで動く。氏名と番号は URL に載せない（検索も閲覧も POST）。"""

from __future__ import annotations

import hmac
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pylopdf_fonts_jp
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from api.desk import session as sessions
from api.desk.guard import PageSession
from api.desk.session import COOKIE, Session
from benefit.domain.access import ROLE_NAMES, DeskRole
from benefit.domain.clock import TOKYO
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.wareki import wareki
from benefit.services import desk_lookup, people
from benefit.store import desk

router = APIRouter(include_in_schema=False)
_STATIC = {
    "desk.css": (Path(__file__).parents[1] / "static" / "desk.css", "text/css; charset=utf-8"),
    "NotoSansJP.otf": (Path(pylopdf_fonts_jp.__file__).parent / "NotoSansJP-Regular.otf", "font/otf"),
}
PURPOSES = ("進み具合の問合せ", "届かない・なくした", "書き方", "口座のこと", "辞退", "そのほか")
# 制御文字は、PostgreSQL に渡せないもの（NUL）がある。入口で断る。
Text = Annotated[str, Form(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("api", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["wareki"] = lambda day: wareki(day) if day else "未登録"
    made.filters["moment"] = lambda at: f"{at.astimezone(TOKYO):%Y-%m-%d %H:%M}"
    made.filters["birth"] = desk_lookup.spoken_birth
    return made


def _page(template: str, request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
    session: Session | None = values.pop("session", None)
    role = ROLE_NAMES[DeskRole(session.actor.role)] if session else ""
    html = (
        _environment()
        .get_template(f"desk/{template}")
        .render(session=session, role=role, at=request.app.state.clock().astimezone(TOKYO), **values)
    )
    return HTMLResponse(html, status)


def message(request: Request, status: int, says: str, headers: dict[str, str] | None = None) -> Response:
    """断りの画面。"""
    if status == 303 and headers and "Location" in headers:
        return RedirectResponse(headers["Location"], 303)
    page = _page("message.html", request, status=status, says=says)
    page.headers.update(headers or {})
    return page


def _confirm(session: Session, csrf: str) -> None:
    if not hmac.compare_digest(session.csrf.encode(), csrf.encode()):
        raise HTTPException(403, "画面を開き直してから、もう一度送ってください")


@router.get("/static/{name}")
def static(name: str) -> Response:
    """字形と見た目。名前は決まったものだけ。"""
    if name not in _STATIC:
        raise HTTPException(404, "ありません")
    path, kind = _STATIC[name]
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/favicon.ico")
def no_icon() -> Response:
    """印はない。ブラウザが必ず尋ねるので、ないと答える。"""
    return Response(status_code=204)


@router.get("/login")
def login_page(request: Request) -> Response:
    """ログインの画面。"""
    return _page("login.html", request, error="")


@router.post("/login")
def login(request: Request, staff_id: Text = "", password: Annotated[str, Form(max_length=200)] = "") -> Response:
    """入る。"""
    engine, clock = request.app.state.engine, request.app.state.clock
    try:
        actor = people.authenticate(engine, desk.staff, desk.audit_log, staff_id, password, clock)
    except RefusedByRule as refused:
        return _page("login.html", request, status=401, error=str(refused))
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE, sessions.start(engine, actor, clock), secure=True, httponly=True, samesite="strict", path="/"
    )
    return answer


@router.post("/logout")
def logout(request: Request, session: PageSession, csrf: Text = "") -> Response:
    """出る。"""
    _confirm(session, csrf)
    sessions.end(request.app.state.engine, session.token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict", path="/")
    return answer


@router.get("/")
def home(request: Request, session: PageSession) -> Response:
    """検索の画面。一覧はない。"""
    return _search_page(request, session)


def _search_page(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    shown = {"error": "", "field": "", "says": "", "hits": (), "given": {}, **values}
    return _page("search.html", request, status=status, session=session, purposes=PURPOSES, **shown)


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
    _confirm(session, csrf)
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
    sessions.begin_call(engine, session.token, call, purpose)
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
    _confirm(session, csrf)
    return _case(request, session, case_number, session.call_reference, session.purpose)


@router.post("/call/end")
def end_call(request: Request, session: PageSession, csrf: Text = "") -> Response:
    """電話を終え、次の電話の検索へ。"""
    _confirm(session, csrf)
    sessions.end_call(request.app.state.engine, session.token)
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
    return _page("case.html", request, session=session, case=seen, call=call, purpose=purpose)
