"""入る・出る。どちらの画面（給付管理、区）でも同じ。"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api import session as sessions
from api.guard import FirstSession, PageSession
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.errors import RefusedByRule
from benefit.services import people_login

router = APIRouter(include_in_schema=False)
Password = Annotated[str, Form(max_length=200)]


@router.get("/login")
def login_page(request: Request) -> Response:
    """ログインの画面。"""
    return page(request, "shared/login.html", error="")


@router.post("/login")
def login(request: Request, staff_id: Text = "", password: Password = "", code: Text = "") -> Response:
    """入る。最初の手続きが残っている人は、その画面へ。"""
    state = request.app.state
    try:
        entered = people_login.authenticate(
            state.engine,
            state.store.access,
            state.keys,
            staff_id,
            password,
            code,
            clock=state.clock,
            terminal=request.state.terminal.name,
        )
    except RefusedByRule as refused:
        return page(request, "shared/login.html", status=401, error=str(refused))
    token = sessions.start(state.engine, state.store, entered.actor, state.clock, terminal=request.state.terminal)
    return with_token(request, token, f"/login/{entered.stage}" if entered.stage else "/")


def with_token(request: Request, token: str, to: str) -> Response:
    """合い札をクッキーに置いて、次の画面へ。"""
    answer = RedirectResponse(to, 303)
    answer.set_cookie(request.app.state.cookie, token, secure=True, httponly=True, samesite="strict", path="/")
    return answer


@router.post("/logout")
def logout(request: Request, session: FirstSession, csrf: Text = "") -> Response:
    """出る。"""
    confirm(session, csrf)
    state = request.app.state
    sessions.end(state.engine, state.store, session.token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(state.cookie, secure=True, httponly=True, samesite="strict", path="/")
    return answer


class AgainNeeded(HTTPException):
    """もう一度の本人確認が要る: その画面へ。"""

    def __init__(self, back: str) -> None:
        super().__init__(303, "もう一度、本人を確かめてください", headers={"Location": f"/login/again?back={back}"})


def confirm_again(request: Request, session: Session, back: str) -> None:
    """お金の承認の前に呼ぶ。この 5 分の間に合言葉と数字で確かめていなければ、その画面へ送り、済めば `back` へ戻す。"""
    if not sessions.is_fresh(session, request.app.state.clock):
        raise AgainNeeded(back)


@router.get("/login/again")
def again_page(request: Request, session: PageSession, back: str = "/") -> Response:
    """もう一度の本人確認の画面。"""
    return page(request, "shared/again.html", session=session, error="", back=_safe(request, back))


@router.post("/login/again")
def again(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    password: Password = "",
    code: Text = "",
    back: Text = "/",
) -> Response:
    """もう一度確かめる。"""
    confirm(session, csrf)
    state = request.app.state
    try:
        people_login.confirm_again(
            state.engine, state.store.access, state.keys, session.actor, password, code, clock=state.clock
        )
    except RefusedByRule as refused:
        shown = {"error": str(refused), "back": _safe(request, back)}
        return page(request, "shared/again.html", session=session, status=401, **shown)
    sessions.confirmed(state.engine, state.store, session.token, state.clock)
    return RedirectResponse(_safe(request, back), 303)


def _safe(request: Request, back: str) -> str:
    """戻り先は、この画面の道だけ（よその場所へ送られない）。"""
    return back if ("GET", back) in request.app.state.access else "/"
