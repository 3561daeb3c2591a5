"""電話と検索（JSON）。画面と同じサービスの関数を呼ぶ。番号も氏名も、URL には載らない。"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, StringConstraints
from sqlalchemy import Connection

from api.desk import hits
from api.desk.json.shapes import Given, Message, Purpose, Short, refusals
from api.guard import ApiSession
from api.once import IdempotencyKey, once
from benefit.domain.errors import RefusedByRule
from benefit.domain.typed import read_keys
from benefit.services import desk_calls, desk_identity, desk_lookup, look_up_limits

router = APIRouter(prefix="/api/v1", tags=["電話と検索"])
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class CallBegun(Given):
    """受けた電話: 受付番号と用件。この後の検索と閲覧のログに載る。"""

    reference: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_PRINTABLE)]
    purpose: Purpose


class CallShown(BaseModel):
    """受けている電話。"""

    reference: str
    purpose: str
    started_at: datetime


class SearchByNumber(Given):
    """給付管理番号（11 桁。空白と - は気にしない）。"""

    case_number: Annotated[str, StringConstraints(pattern=r"^[0-9][0-9 \-]{0,19}$")]


class SearchByName(Given):
    """カナ氏名（幅、空白、小さい仮名は気にしない）と生年月日（YYYY-MM-DD）。"""

    kana_name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
    birth: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class HitShown(BaseModel):
    """当たり一件（伏せ字）。`hit` は、この人のこの電話だけで開ける札。"""

    hit: str
    masked_kana: str
    birth_year: str
    town: str
    benefit: str


class FoundShown(BaseModel):
    """検索の結果。当たりがないときと多すぎるときは、`says` に読み上げる文がある。"""

    hits: list[HitShown]
    says: str
    says_english: str


class HitOpened(Given):
    """開く当たりの札。"""

    hit: Short


@router.post("/calls", responses=refusals(400, 409, 422))
def begin(request: Request, session: ApiSession, given: CallBegun, idempotency_key: IdempotencyKey) -> CallShown:
    """電話を受けた。前の電話が残っていれば、そこで終わる。"""

    def deed(connection: Connection) -> dict[str, Any]:
        call = desk_calls.begin(connection, **given.model_dump(), actor=session.actor, at=request.app.state.clock())
        return {"reference": call.reference, "purpose": call.purpose, "started_at": call.started_at.isoformat()}

    return CallShown.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))


@router.post("/calls/end", responses=refusals(400, 409, 422))
def end(request: Request, session: ApiSession, idempotency_key: IdempotencyKey) -> Message:
    """電話を終えた。"""

    def deed(connection: Connection) -> dict[str, Any]:
        desk_calls.end(connection, actor=session.actor, at=request.app.state.clock())
        return {"detail": "電話を終えました"}

    return Message.model_validate(once(request, session, idempotency_key, {}, deed))


@router.post("/search", responses=refusals(400, 422, 429))
def search(request: Request, session: ApiSession, given: SearchByNumber | SearchByName) -> FoundShown:
    """探す。電話の番号と用件が先に要る。5 件を超えるときは、何も返さない。"""
    state, actor = request.app.state, session.actor
    keys = read_keys(**given.model_dump())
    try:
        with state.engine.begin() as connection:
            call = desk_calls.needed(connection, actor)
            found = desk_lookup.search(connection, keys, call=call, actor=actor, at=state.clock())
    except look_up_limits.LookUpStopped as stop:
        raise HTTPException(429, stop.says) from None
    shown = [
        HitShown(
            hit=hits.seal(state.keys, actor, call, hit.case_number, found.by),
            masked_kana=hit.masked_kana,
            birth_year=hit.birth_year,
            town=hit.town,
            benefit=hit.benefit,
        )
        for hit in found.hits
    ]
    return FoundShown(hits=shown, says=found.says, says_english=desk_lookup.IN_ENGLISH.get(found.says, ""))


@router.post("/case", responses=refusals(400, 404, 409, 422, 429))
def open_case(
    request: Request, response: Response, session: ApiSession, given: HitOpened, idempotency_key: IdempotencyKey
) -> Message:
    """当たりの一件を開く（これも一件と数える）。ほかの人・ほかの電話の札は 404。次は本人確認。

    答えの ETag は、この件に書くときの印（If-Match）。
    """
    state, actor = request.app.state, session.actor

    def deed(connection: Connection) -> dict[str, Any]:
        call = desk_calls.needed(connection, actor)
        opened = hits.unseal(state.keys, actor, call, given.hit)
        look_up_limits.count_or_stop(connection, actor, state.clock())
        if opened is None:
            return {"mark": ""}
        number, by = opened
        proved = desk_identity.PROVED_BY[by]
        desk_identity.open_case(connection, number, proved=proved, call=call, actor=actor, at=state.clock())
        return {"mark": hits.mark(state.keys, actor, call, number)}

    try:
        done = once(request, session, idempotency_key, given.model_dump(), deed)
    except look_up_limits.LookUpStopped as stop:
        raise HTTPException(429, stop.says) from None
    except RefusedByRule as refused:
        raise HTTPException(400, refused.says) from None
    if not done["mark"]:
        raise HTTPException(404, desk_lookup.ASK_WARD)
    response.headers["ETag"] = f'"{done["mark"]}"'
    return Message(detail="開きました。本人確認をしてください")
