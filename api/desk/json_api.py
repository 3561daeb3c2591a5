"""同じことを JSON で。応答の形は役割が見てよい項目だけでできている。"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from api import session as sessions
from api.guard import ApiSession
from benefit.domain.errors import RefusedByRule
from benefit.services import desk_lookup, people_login
from benefit.store import desk

router = APIRouter(prefix="/api/v1", tags=["給付管理"])
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Short = Annotated[str, StringConstraints(max_length=100, pattern=_PRINTABLE)]


class Message(BaseModel):
    """知らせの文。"""

    detail: str


class Problem(BaseModel):
    """断り（RFC 9457）。`detail` は読めば次にすることが分かる文。"""

    type: str
    title: str
    status: int
    detail: str


class Login(BaseModel):
    """ID、合言葉、数字（認証アプリの 6 桁）。"""

    model_config = ConfigDict(extra="forbid")
    staff_id: Short
    password: Annotated[str, StringConstraints(max_length=200)]
    code: Short = ""


class Token(BaseModel):
    """合い札。Authorization: Bearer で渡す。"""

    token: str


class Call(BaseModel):
    """いま受けている電話: 受付番号と用件。ログに載る。"""

    model_config = ConfigDict(extra="forbid")
    call_reference: Annotated[str, StringConstraints(max_length=40, pattern=_PRINTABLE)] = ""
    purpose: Annotated[str, StringConstraints(max_length=40, pattern=_PRINTABLE)] = ""


class SearchByNumber(Call):
    """給付管理番号（11 桁。空白と - は気にしない）。"""

    case_number: Annotated[str, StringConstraints(pattern=r"^[0-9][0-9 \-]{0,19}$")]


class SearchByName(Call):
    """カナ氏名（幅、空白、小さい仮名は気にしない）と生年月日（YYYY-MM-DD）。"""

    kana_name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
    birth: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Hit(BaseModel):
    """当たり一件。"""

    case_number: str
    name: str
    kana_name: str
    birth: str
    benefit: str
    state: str


class Found(BaseModel):
    """検索の結果。当たりがないときと多すぎるときは、`says` に読み上げる文がある。"""

    hits: list[Hit]
    says: str


class Step(BaseModel):
    """進んだ跡。"""

    at: datetime
    what: str
    state: str


class Case(BaseModel):
    """一件。"""

    case_number: str
    branch: int
    benefit: str
    name: str
    kana_name: str
    birth: str
    postal_code: str
    address: str
    braille: bool
    state: str
    state_name: str
    says: str
    says_english: str
    next_step: str
    account: str
    sent_on: date | None
    due_on: date | None
    received_on: date | None
    reviewed_on: date | None
    transferred_on: date | None
    deficiency: str
    steps: list[Step]


_REFUSALS = {
    400: {"model": Problem, "description": "入力が足りない"},
    401: {"model": Problem, "description": "ログインしていない"},
    403: {"model": Problem, "description": "役割が違う"},
    422: {"model": Problem, "description": "入力の形が違う"},
    503: {"model": Problem, "description": "ログが書けない"},
}


@router.post("/login", responses={key: _REFUSALS[key] for key in (401, 403, 422, 503)})
def login(request: Request, given: Login) -> Token:
    """入る。5 回続けて間違えると、しばらく閉じる。"""
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
    if entered.stage:
        raise HTTPException(403, "最初の手続きが残っています。画面でログインして済ませてください")
    return Token(token=sessions.start(state.engine, desk, entered.actor, state.clock, terminal=request.state.terminal))


@router.post("/logout", responses={key: _REFUSALS[key] for key in (401, 403, 503)})
def logout(request: Request, session: ApiSession) -> Message:
    """出る。"""
    sessions.end(request.app.state.engine, desk, session.token)
    return Message(detail="ログアウトしました")


@router.post("/search", responses=_REFUSALS)
def search(request: Request, session: ApiSession, given: SearchByNumber | SearchByName) -> Found:
    """探す。5 件を超えるときは、何も返さない。受付番号と用件は、続けて開く一件のログにも載る。"""
    sessions.begin_call(request.app.state.engine, desk, session.token, given.call_reference, given.purpose)
    hits = desk_lookup.search(
        request.app.state.engine, actor=session.actor, clock=request.app.state.clock, **given.model_dump()
    )
    if hits is None:
        return Found(hits=[], says=desk_lookup.TOO_MANY)
    return Found(hits=[Hit(**asdict(hit)) for hit in hits], says="" if hits else desk_lookup.ASK_WARD)


@router.get("/cases/{case_number}", responses={**_REFUSALS, 404: {"model": Problem, "description": "区で確認する"}})
def read_case(request: Request, session: ApiSession, case_number: Annotated[str, Path(pattern=r"^[0-9]{11}$")]) -> Case:
    """一件を見る。知らない番号と、区だけが知る番号は、同じ 404 になる。"""
    seen = desk_lookup.look(
        request.app.state.engine,
        case_number,
        actor=session.actor,
        clock=request.app.state.clock,
        call_reference=session.call_reference,
        purpose=session.purpose,
    )
    if seen is None:
        raise HTTPException(404, desk_lookup.ASK_WARD)
    return Case(**asdict(seen))
