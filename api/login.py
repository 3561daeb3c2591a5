"""入る・出る。どちらの画面（給付管理、区）でも同じ。"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api import session as sessions
from api.guard import PageSession
from api.page import Text, confirm, page
from benefit.domain.errors import RefusedByRule
from benefit.services import people

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(request: Request) -> Response:
    """ログインの画面。"""
    return page(request, "shared/login.html", error="")


@router.post("/login")
def login(request: Request, staff_id: Text = "", password: Annotated[str, Form(max_length=200)] = "") -> Response:
    """入る。"""
    state = request.app.state
    try:
        actor = people.authenticate(
            state.engine, state.store.staff, state.store.audit_log, staff_id, password, state.clock
        )
    except RefusedByRule as refused:
        return page(request, "shared/login.html", status=401, error=str(refused))
    answer = RedirectResponse("/", 303)
    token = sessions.start(state.engine, state.store, actor, state.clock)
    answer.set_cookie(state.cookie, token, secure=True, httponly=True, samesite="strict", path="/")
    return answer


@router.post("/logout")
def logout(request: Request, session: PageSession, csrf: Text = "") -> Response:
    """出る。"""
    confirm(session, csrf)
    state = request.app.state
    sessions.end(state.engine, state.store, session.token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(state.cookie, secure=True, httponly=True, samesite="strict", path="/")
    return answer
