"""入る・出る（JSON）。"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, StringConstraints

from api import session as sessions
from api.desk.json.shapes import Given, Message, Short, refusals
from api.guard import ApiSession
from benefit.domain.errors import RefusedByRule
from benefit.services import people_login
from benefit.store import desk

router = APIRouter(prefix="/api/v1", tags=["入る・出る"])


class Login(Given):
    """ID、合言葉、二要素の数字。"""

    staff_id: Short
    password: Annotated[str, StringConstraints(max_length=200)]
    code: Short = ""


class Token(BaseModel):
    """合い札。Authorization: Bearer で渡す。"""

    token: str


@router.post("/login", responses=refusals(422))
def login(request: Request, given: Login) -> Token:
    """入る。5 回続けて間違えると、しばらく閉じる。最初の手続きの残る人は、画面で済ませるまで、ほかの道に入れない。"""
    state = request.app.state
    try:
        entered = people_login.authenticate(
            state.engine,
            desk.access,
            state.keys,
            given.staff_id,
            given.password,
            given.code,
            clock=state.clock,
            terminal=request.state.terminal.name,
        )
    except RefusedByRule as refused:
        raise HTTPException(401, str(refused), headers={"WWW-Authenticate": "Bearer"}) from None
    return Token(token=sessions.start(state.engine, desk, entered.actor, state.clock, terminal=request.state.terminal))


@router.post("/logout", responses=refusals())
def logout(request: Request, session: ApiSession) -> Message:
    """出る。"""
    sessions.end(request.app.state.engine, desk, session.token)
    return Message(detail="ログアウトしました")
