"""入ってよい人か。表（api.access）の役割だけが通る。"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.access import DESK_ACCESS
from api.desk import session as sessions
from api.desk.session import COOKIE, Session

_bearer = HTTPBearer(auto_error=False, description="/api/login が返す合い札")


def _allowed(request: Request, found: Session) -> Session:
    roles = DESK_ACCESS[(request.method, request.scope["route"].path)]
    if found.actor.role not in roles:
        raise HTTPException(403, "この操作をする役割ではありません")
    return found


def api_session(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
) -> Session:
    """API の人。"""
    token = credentials.credentials if credentials else ""
    found = sessions.find(request.app.state.engine, token, request.app.state.clock) if token else None
    if found is None:
        raise HTTPException(401, "ログインしてください", headers={"WWW-Authenticate": "Bearer"})
    return _allowed(request, found)


class LoginNeeded(HTTPException):
    """画面の人が入っていない: ログインの画面へ。"""

    def __init__(self) -> None:
        super().__init__(303, "ログインしてください", headers={"Location": "/login"})


def page_session(request: Request) -> Session:
    """画面の人。いなければログインへ。"""
    token = request.cookies.get(COOKIE, "")
    found = sessions.find(request.app.state.engine, token, request.app.state.clock) if token else None
    if found is None:
        raise LoginNeeded
    return _allowed(request, found)


ApiSession = Annotated[Session, Depends(api_session)]
PageSession = Annotated[Session, Depends(page_session)]
