"""JSON の道: 振込不能の回答、入金の決め方、区直轄の住所。書込みには札（Idempotency-Key）が要り、一度だけ行う。"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.guard import ApiSession
from api.once import IdempotencyKey
from api.ward.approving import prove
from api.ward.collections import approve_once, ask_once
from api.ward.deeds import deed
from api.ward.failure_deeds import once, write_answer
from api.ward.json_shapes import REFUSALS, PersonNumber, Words
from benefit.services import (
    collection_open,
    failure_answers,
    failure_book,
    failure_view,
    restricted_queue,
    ward_restricted,
)

router = APIRouter(prefix="/api/v1")
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="番号")]
_REFUSALS = {**REFUSALS, 409: {"model": REFUSALS[400]["model"], "description": "同じ札で、違う中身"}}


class Strict(BaseModel):
    """知らない項目は断る。"""

    model_config = ConfigDict(extra="forbid")


class Done(BaseModel):
    """済んだ。"""

    detail: str


class Proof(Strict):
    """もう一度の本人確認（この 5 分の間に済んでいれば、要らない）。"""

    password: Annotated[str, StringConstraints(max_length=200)] = ""
    code: Annotated[str, StringConstraints(max_length=10, pattern=r"^[0-9 ]*$")] = ""


class Account(Strict):
    """新しい口座の五項目。"""

    bank_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
    branch_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    account_type: Annotated[str, StringConstraints(pattern=r"^[0-9]$")]
    account_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{7}$")]
    holder_kana: Words


class FailureAnswer(Strict):
    """担当課の回答。"""

    kind: Words = Field(description="再振込、戻入、保留")
    reason: Words
    account: Account | None = Field(None, description="再振込のとき")
    review_on: date | None = Field(None, description="保留のとき")
    not_ours: bool = Field(default=False, description="候補の支払ではないことを確かめた")


class AnswerApproval(Proof):
    """回答の承認。"""

    answer: int = Field(ge=1, le=2**31 - 1, description="回答の番号")


class Failure(BaseModel):
    """帳簿の一件。口座は末尾三桁。"""

    id: int
    received_on: str
    section: str
    status: str
    days_open: int
    late: str
    returned_yen: int
    open_yen: int
    reason: str
    masked: str
    case_number: str


class Move(Strict):
    """入金の決め方。"""

    event: Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        description="入金の名"
    )
    kind: Words = Field(description="消込、還付、充当")
    amount_yen: int = Field(ge=1, le=10**12)
    receivable: int | None = Field(None, ge=1, le=2**31 - 1, description="相手の調定（消込と充当）")
    reason: Words


class Waiting(BaseModel):
    """人が決める入金。"""

    event: str
    why: str
    yen: int
    channel: str
    paid_on: str
    candidates: list[int]
    asked: int


class AddressAsked(Strict):
    """住所を見る申し出。"""

    person_number: PersonNumber
    reason: Words


class RestrictedCase(BaseModel):
    """区直轄の一件。氏名と住所の列はない。"""

    case_number: str
    benefit: str
    amount_yen: int
    state: str
    next_step: str


class Address(BaseModel):
    """承認された申し出の住所。"""

    kind: str
    postal_code: str
    address: str
    address2: str
    until: str


@router.get("/failures", summary="振込不能の帳簿", tags=["振込不能"], responses=REFUSALS)
def failures(request: Request, session: ApiSession) -> list[Failure]:
    """この人に見える帳簿。"""
    state = request.app.state
    rows = failure_book.shown(failure_view.book(state.home, actor=session.actor, clock=state.clock))
    return [Failure(**{name: row[name] for name in Failure.model_fields}) for row in rows.iter_rows(named=True)]


@router.post("/failures/{number}/answers", summary="回答を記す", tags=["振込不能"], responses=_REFUSALS)
def answer(
    request: Request, session: ApiSession, number: Number, given: FailureAnswer, idempotency_key: IdempotencyKey
) -> Done:
    """担当課の回答を記す。別の人が承認するまで効かない。"""
    typed = list(given.account.model_dump().values()) if given.account else [""] * 5
    told: dict[str, Any] = {
        "kind": given.kind,
        "reason": given.reason,
        "review_on": f"{given.review_on or ''}",
        "account": typed,
        "not_ours": "1" if given.not_ours else "",
    }
    once(request, session, idempotency_key, number, told, lambda home, how: write_answer(home, number, told, how))
    return Done(detail="記しました。別の人の承認を待ちます")


@router.post("/failures/{number}/answers/approval", summary="回答を承認する", tags=["振込不能"], responses=_REFUSALS)
def approve_answer(
    request: Request, session: ApiSession, number: Number, given: AnswerApproval, idempotency_key: IdempotencyKey
) -> Done:
    """回答を承認する。記した人は承認できない。"""
    prove(request, session, given.password, given.code)
    once(
        request,
        session,
        idempotency_key,
        number,
        {"answer": given.answer},
        lambda home, how: failure_answers.approve(home, given.answer, **how),
        about=lambda connection: failure_view.failure_of_answer(connection, given.answer),
    )
    return Done(detail="承認しました")


@router.get("/collections/queue", summary="人が決める入金", tags=["収納"], responses=REFUSALS)
def queue(request: Request, session: ApiSession) -> list[Waiting]:
    """並び。"""
    rows = collection_open.listed(request.app.state.home, actor=session.actor, clock=request.app.state.clock)
    return [
        Waiting(
            **{name: row[name] for name in ("event", "why", "yen", "channel", "paid_on", "asked")},
            candidates=[int(one) for one in row["candidates"].split(";") if one],
        )
        for row in rows.iter_rows(named=True)
    ]


@router.post("/collections/moves", summary="入金の決め方を申し出る", tags=["収納"], responses=_REFUSALS)
def ask_move(request: Request, session: ApiSession, given: Move, idempotency_key: IdempotencyKey) -> Done:
    """申し出る。別の人が承認するまで、一円も動かない。"""
    told = {
        "event": given.event,
        "kind": given.kind,
        "amount": str(given.amount_yen),
        "receivable": str(given.receivable or ""),
        "reason": given.reason,
    }
    ask_once(request, session, idempotency_key, told)
    return Done(detail="申し出ました。別の人の承認を待ちます")


@router.post("/collections/moves/{number}/approval", summary="決め方を承認する", tags=["収納"], responses=_REFUSALS)
def approve_move(
    request: Request, session: ApiSession, number: Number, given: Proof, idempotency_key: IdempotencyKey
) -> Done:
    """承認する。申し出た人は承認できない。"""
    prove(request, session, given.password, given.code)
    approve_once(request, session, idempotency_key, number)
    return Done(detail="承認しました")


@router.get("/restricted/queue", summary="区直轄の並び", tags=["区直轄"], responses=REFUSALS)
def restricted(request: Request, session: ApiSession) -> list[RestrictedCase]:
    """名ざされた人に見える並び。ほかの人には、いつも空。"""
    state = request.app.state
    rows, _ = ward_restricted.queue(state.home, state.clock(), actor=session.actor, clock=state.clock)
    return [
        RestrictedCase(
            case_number=row.case_number,
            benefit=state.home.benefit_names.get(row.benefit, row.benefit),
            amount_yen=row.amount_yen,
            state=row.told.state,
            next_step=row.told.next_step,
        )
        for row in rows
    ]


@router.post("/restricted/addresses", summary="住所を見ることを申し出る", tags=["区直轄"], responses=_REFUSALS)
def ask_address(request: Request, session: ApiSession, given: AddressAsked, idempotency_key: IdempotencyKey) -> Done:
    """申し出る。別の人が承認すると、60 分だけ見える。"""
    clock = request.app.state.clock
    deed(
        request,
        session,
        idempotency_key,
        given.model_dump(),
        lambda home: restricted_queue.ask_address(
            home, int(given.person_number), reason=given.reason, actor=session.actor, clock=clock
        ),
    )
    return Done(detail="申し出ました。別の人の承認を待ちます")


@router.post(
    "/restricted/addresses/{number}/approval", summary="住所の閲覧を承認する", tags=["区直轄"], responses=_REFUSALS
)
def approve_address(request: Request, session: ApiSession, number: Number, idempotency_key: IdempotencyKey) -> Done:
    """承認する。申し出た人は承認できない。"""
    clock = request.app.state.clock
    deed(
        request,
        session,
        idempotency_key,
        {"number": number},
        lambda home: restricted_queue.approve_address(home, number, actor=session.actor, clock=clock),
    )
    return Done(detail="承認しました")


@router.post("/restricted/addresses/{number}/view", summary="住所を見る", tags=["区直轄"], responses=REFUSALS)
def address(request: Request, session: ApiSession, number: Number) -> Address:
    """見る。見た一回ごとに、記録が残る。"""
    state = request.app.state
    shown = ward_restricted.address(state.home, number, actor=session.actor, clock=state.clock)
    return Address(
        kind=shown.kind,
        postal_code=shown.postal_code,
        address=shown.address,
        address2=shown.address2,
        until=shown.until.isoformat(),
    )
