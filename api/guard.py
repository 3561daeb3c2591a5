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
    return sessions.find(state.engine, state.store, token, state.clock) if token else None


def _allowed(request: Request, found: Session) -> Session:
    roles = request.app.state.access[(request.method, request.scope["route"].path)]
    if found.actor.role not in roles:
        raise HTTPException(403, "この操作をする役割ではありません")
    return found


def api_session(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Session:
    """API の人。"""
    found = _found(request, credentials.credentials if credentials else "")
    if found is None:
        raise HTTPException(401, "ログインしてください", headers={"WWW-Authenticate": "Bearer"})
    return _allowed(request, found)


class LoginNeeded(HTTPException):
    """画面の人が入っていない: ログインの画面へ。"""

    def __init__(self) -> None:
        super().__init__(303, "ログインしてください", headers={"Location": "/login"})


def page_session(request: Request) -> Session:
    """画面の人。いなければログインへ。"""
    found = _found(request, request.cookies.get(request.app.state.cookie, ""))
    if found is None:
        raise LoginNeeded
    return _allowed(request, found)


ApiSession = Annotated[Session, Depends(api_session)]
PageSession = Annotated[Session, Depends(page_session)]
