"""入ってよい人か。権限の表（api.access）の役割だけが通る。"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api import session as sessions
from api.session import Session

_bearer = HTTPBearer(auto_error=False, description="/api/v1/login が返す合い札")


def _found(request: Request, token: str) -> Session | None:
    state = request.app.state
    if not token:
        return None
    return sessions.find(state.engine, state.store, token, state.clock, terminal=request.state.terminal)


def _allowed(request: Request, found: Session) -> Session:
    roles = request.app.state.access[(request.method, request.scope["route"].path)]
    if found.actor.role not in roles:
        raise HTTPException(403, "この操作をする役割ではありません")
    return found


class FirstStepsNeeded(HTTPException):
    """最初の手続き（合言葉、数字、遵守事項）が残っている: その画面へ。"""

    def __init__(self, stage: str) -> None:
        super().__init__(303, "最初の手続きを済ませてください", headers={"Location": f"/login/{stage}"})


def api_session(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Session:
    """API の人。"""
    found = _found(request, credentials.credentials if credentials else "")
    if found is None:
        raise HTTPException(401, "ログインしてください", headers={"WWW-Authenticate": "Bearer"})
    if found.stage:
        raise HTTPException(403, "最初の手続きが残っています。画面でログインして済ませてください")
    return _allowed(request, found)


class LoginNeeded(HTTPException):
    """画面の人が入っていない: ログインの画面へ。"""

    def __init__(self) -> None:
        super().__init__(303, "ログインしてください", headers={"Location": "/login"})


def first_session(request: Request) -> Session:
    """最初の手続きの途中の人も通る道（合言葉、数字、遵守事項、出る）。"""
    found = _found(request, request.cookies.get(request.app.state.cookie, ""))
    if found is None:
        raise LoginNeeded
    return _allowed(request, found)


def page_session(request: Request) -> Session:
    """画面の人。いなければログインへ、最初の手続きが残っていればその画面へ。"""
    found = first_session(request)
    if found.stage:
        raise FirstStepsNeeded(found.stage)
    return found


ApiSession = Annotated[Session, Depends(api_session)]
FirstSession = Annotated[Session, Depends(first_session)]
PageSession = Annotated[Session, Depends(page_session)]
