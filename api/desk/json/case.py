"""開いている一件（JSON）: 本人確認、読み上げる文、対応の記録、電話で受けること、口座の 30 秒。"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.desk import hits, typed_digest
from api.desk.json.case_shapes import AccountShown, ActionShown, OperatorCase, StaffCase, shown
from api.desk.json.shapes import (
    Caller,
    Category,
    Given,
    Long,
    Message,
    Question,
    Reason,
    Seen,
    Short,
    Template,
    refusals,
)
from api.guard import ApiSession
from api.once import IdempotencyKey, once
from benefit.domain.call import QUESTIONS
from benefit.domain.errors import RefusedByRule
from benefit.services import (
    desk_actions,
    desk_calls,
    desk_contacts,
    desk_identity,
    desk_lookup,
    desk_notes,
    desk_reveal,
    desk_view,
)

router = APIRouter(prefix="/api/v1/case", tags=["開いている一件"])
MOVED_ON = "その件を開いた後に、ほかの電話か件へ移っています。何もしていません。いまの件を読み直してください"
NOT_YET = "本人確認が足りません。件の中身は、まだ出せません"


class Asked(BaseModel):
    """聞くこと一つ。`typed` は、聞いたとおりに打って照らす問い。"""

    code: str
    name: str
    ask: str
    typed: bool


class IdentityShown(BaseModel):
    """本人確認の今。`asked` は聞くこと（空なら、この相手には電話で話さない）、`says` は足りないときに言う文。"""

    complete: bool
    caller: str
    asked: list[Asked]
    at_least: int
    matched: list[str]
    missed: list[str]
    says: str


class IdentityGiven(Given):
    """聞いたこと。`ticked` は聞いて確かめた問い、ほかは聞いたとおりの言葉（台帳と照らすだけで、残らない）。"""

    caller: Caller
    ticked: Annotated[list[Question], Field(max_length=len(QUESTIONS), default_factory=list)]
    birth: Short = ""
    address: Short = ""
    number: Short = ""


class ContactGiven(Given):
    """対応の記録。`corrects` は追記する記録の番号。"""

    category: Category = "call"
    template: Template = ""
    body: Long = ""
    corrects: int | None = Field(default=None, ge=1, le=2**31 - 1)


class ContactWritten(BaseModel):
    """書いた記録の番号。"""

    contact_id: int


class StepGiven(Given):
    """電話で受けること（`GET /case` の actions の key）と、聞いたこと・わけ。"""

    key: Short
    reason: Reason


class RevealGiven(Given):
    """口座を出すわけ。"""

    reason: Reason


@router.get("/identity", responses=refusals(400, 404))
def identity_state(request: Request, response: Response, session: ApiSession) -> IdentityShown:
    """本人確認の今と、聞くこと。ETag は、この件に書くときの印。"""
    with request.app.state.engine.connect() as connection:
        call = _open(connection, session)
        response.headers["ETag"] = etag(request, session, call)
        return _identity(desk_identity.standing(connection, call))


@router.post("/identity", responses=refusals(400, 404, 409, 412, 422))
def identity(
    request: Request, session: ApiSession, given: IdentityGiven, idempotency_key: IdempotencyKey, mark: Seen
) -> IdentityShown:
    """聞いたことを照らす。合わない試みが一日に 5 回あった件は、その日は電話で話さない。"""
    state = request.app.state
    typed = {"birth": given.birth, "address": given.address, "number": given.number}
    params = {"caller": given.caller, "ticked": sorted(given.ticked), "typed": typed_digest.digest(state.keys, typed)}

    def deed(connection: Connection) -> dict[str, Any]:
        call = _same(request, connection, session, mark)
        result = desk_identity.check(
            connection,
            call=call,
            caller=given.caller,
            ticked=given.ticked,
            typed=typed,
            actor=session.actor,
            at=state.clock(),
        )
        return _identity(result).model_dump()

    return IdentityShown.model_validate(once(request, session, idempotency_key, params, deed))


@router.get("", responses=refusals(400, 404))
def read_case(request: Request, response: Response, session: ApiSession) -> OperatorCase | StaffCase:
    """開いている一件。ETag は、この件に書くときの印。

    本人確認が足りなければ 403。引き上げられた件は、知らない番号と同じ 404。
    """
    state, actor = request.app.state, session.actor
    with state.engine.begin() as connection:
        call = _open(connection, session)
        standing = desk_identity.standing(connection, call)
        at, number = state.clock(), call.case_number
        now = desk_view.state_or_none(connection, number)
        offered = desk_actions.available(connection, number, now, standing, actor=actor, at=at) if now else ()
        seen = desk_view.look(connection, call=call, standing=standing, actor=actor, at=at)
    if now is None:
        raise HTTPException(404, desk_lookup.ASK_WARD)
    if seen is None:
        raise HTTPException(403, NOT_YET)
    response.headers["ETag"] = etag(request, session, call)
    return shown(seen, [ActionShown(key=one.key, label=one.label, means=one.means) for one in offered])


@router.post("/contacts", responses=refusals(400, 404, 409, 412, 422))
def contact(
    request: Request, session: ApiSession, given: ContactGiven, idempotency_key: IdempotencyKey, mark: Seen
) -> ContactWritten:
    """対応の記録を足す。"""

    def deed(connection: Connection) -> dict[str, Any]:
        call = _same(request, connection, session, mark)
        number = desk_contacts.write(
            connection,
            call.case_number,
            given.category,
            desk_notes.text_of(given.template, given.body),
            call_reference=call.reference,
            corrects=given.corrects,
            actor=session.actor,
            at=request.app.state.clock(),
        )
        return {"contact_id": number}

    return ContactWritten.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))


@router.post("/steps", responses=refusals(400, 404, 409, 412, 422))
def step(
    request: Request, session: ApiSession, given: StepGiven, idempotency_key: IdempotencyKey, mark: Seen
) -> Message:
    """電話で聞いたことで、件を進める（辞退、死亡の申出、再発行、取消など）。"""

    def deed(connection: Connection) -> dict[str, Any]:
        call = _same(request, connection, session, mark)
        did = desk_actions.perform(
            connection,
            given.key,
            state=desk_view.state_of(connection, call.case_number),
            reason=given.reason,
            call=call,
            standing=desk_identity.standing(connection, call),
            actor=session.actor,
            at=request.app.state.clock(),
        )
        return {"detail": did}

    return Message.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))


@router.post("/account", responses=refusals(400, 404, 409, 412, 422))
def account(
    request: Request, session: ApiSession, given: RevealGiven, idempotency_key: IdempotencyKey, mark: Seen
) -> AccountShown:
    """口座を出す。わけが要り、本人の氏名・生年月日・住所が合った電話だけ。30 秒を過ぎた送り直しには 404。"""
    state, actor = request.app.state, session.actor

    def deed(connection: Connection) -> dict[str, Any]:
        call = _same(request, connection, session, mark)
        standing = desk_identity.standing(connection, call)
        return {
            "reveal": desk_reveal.reveal(
                connection, call=call, standing=standing, reason=given.reason, actor=actor, at=state.clock()
            )
        }

    once(request, session, idempotency_key, given.model_dump(), deed)
    # 番号は、済んだ書込みの控えに残さない。だから、出したことを残した後に、別に読む。
    with state.engine.begin() as connection:
        found = desk_reveal.shown(connection, call=_open(connection, session), actor=actor, at=state.clock())
    if found is None:
        raise HTTPException(404, "もう隠れています。わけを書いて、もう一度出してください")
    return AccountShown(
        bank_code=found.bank_code,
        branch_code=found.branch_code,
        account_type=found.account_type,
        account_number=found.account_number,
        holder_kana=found.holder_kana,
    )


def _open(connection: Connection, session: ApiSession) -> desk_calls.Call:
    call = desk_calls.needed(connection, session.actor)
    if not call.case_number:
        raise HTTPException(404, desk_lookup.ASK_WARD)
    return call


def _same(request: Request, connection: Connection, session: ApiSession, mark: str) -> desk_calls.Call:
    """いまの電話。印が、いまの電話のいまの件のものでなければ断る（412）。"""
    call = _open(connection, session)
    try:
        hits.same_page(request.app.state.keys, session.actor, call, mark.strip('"'), call.case_number)
    except RefusedByRule:
        raise HTTPException(412, MOVED_ON) from None
    return call


def etag(request: Request, session: ApiSession, call: desk_calls.Call) -> str:
    """いま開いている件の印。"""
    return f'"{hits.mark(request.app.state.keys, session.actor, call, call.case_number)}"'


def _identity(standing: desk_identity.Standing) -> IdentityShown:
    required = standing.required
    return IdentityShown(
        complete=standing.complete,
        caller=standing.caller,
        asked=[]
        if required is None
        else [
            Asked(code=code, name=QUESTIONS[code].name, ask=QUESTIONS[code].ask, typed=QUESTIONS[code].typed)
            for code in required.asked
        ],
        at_least=required.at_least if required else 0,
        matched=sorted(standing.matched),
        missed=sorted(standing.missed),
        says="" if standing.complete else desk_lookup.TO_WARD,
    )
