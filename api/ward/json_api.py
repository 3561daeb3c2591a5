"""JSON の道（/api/v1）: いまの様子、承認、振込。画面と同じ仕事を、同じ確かめ方で行う。"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from api import session as sessions
from api.guard import ApiSession
from api.once import IdempotencyKey
from api.session import Session
from api.ward import approving, handovers, holds, transfers
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import RefusedByRule
from benefit.services import approvals_view, approvals_view_sheets, dashboard, dashboard_open, people_login
from benefit.store.engine import reading

router = APIRouter(prefix="/api/v1")
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="番号")]
Kind = Annotated[str, Path(pattern=r"^[a-z_]{1,20}$", description="承認の種類")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="見た中身の指紋")]
_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Words = Annotated[str, Field(max_length=2000, pattern=_CONTROL)]


class Given(BaseModel):
    """受け取るもの。知らない項目があれば断る。"""

    model_config = ConfigDict(extra="forbid")


class Login(Given):
    """ID、合言葉、二要素の数字。"""

    staff_id: Annotated[str, Field(max_length=100, pattern=_CONTROL)]
    password: str = Field(max_length=200)
    code: str = Field("", max_length=10, pattern=r"^[0-9 ]*$")


class Proof(Given):
    """もう一度の本人確認（この 5 分の間に済んでいれば、要らない）。"""

    password: str = Field("", max_length=200, description="合言葉")
    code: str = Field("", max_length=10, pattern=r"^[0-9 ]*$", description="数字（6 桁）")


class Problem(BaseModel):
    """断り（RFC 9457）。"""

    type: str
    title: str
    status: int
    detail: str


_SAID = {
    400: "決まりに合わない",
    401: "ログインしていない",
    403: "役割が違うか、その人にはできないか、本人確認が足りない",
    404: "ない",
    409: "見た中身と違うか、同じ札で違う中身が送られた",
    422: "入力の形が違う",
    503: "記録ができない",
}


def refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    """この道の断り（OpenAPI に載せる）。"""
    body = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    listed = sorted({401, 403, 503, *codes})
    return {code: {"model": Problem, "description": _SAID[code], "content": body} for code in listed}


class Approval(Proof):
    """承認。"""

    digest: Digest
    reason: Words = Field("", description="誰も外さなかった検査があるときの、確かめたこと")


class Release(Proof):
    """送り出し。"""

    digest: Digest


class Making(Given):
    """振込ファイルを作る。"""

    programme: str = Field(max_length=40, pattern=r"^[a-z0-9\-]+$", description="給付事業")
    pay_date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="振込指定日（YYYY-MM-DD）")


class HoldAsking(Given):
    """保留の解除の申し出。"""

    programme: str = Field(max_length=40, pattern=r"^[a-z0-9\-]+$", description="給付事業")
    case_number: str = Field(pattern=r"^\d{11}$", description="給付管理番号")
    check: str = Field(pattern=r"^CHK\d{2}$", description="検査の番号")
    reason: Annotated[str, Field(min_length=1, max_length=100, pattern=_CONTROL, description="理由")]


class HandoverAsking(Given):
    """受渡の申し出。"""

    programme: str = Field(max_length=40, pattern=r"^[a-z0-9\-]+$", description="給付事業")
    reason: Annotated[str, Field(min_length=1, max_length=100, pattern=_CONTROL, description="理由")]


class Cancelling(Given):
    """振込ファイルを取り消す。"""

    reason: Annotated[str, Field(min_length=1, max_length=100, pattern=_CONTROL, description="理由")]


@router.post("/login", summary="入る", tags=["入る・出る"], responses=refusals(422))
def login(request: Request, given: Login) -> dict[str, str]:
    """合い札を返す。Authorization: Bearer で渡す。"""
    state = request.app.state
    try:
        entered = people_login.authenticate(
            state.engine,
            state.store.access,
            state.keys,
            given.staff_id,
            given.password,
            given.code,
            clock=state.clock,
            terminal=request.state.terminal.name,
        )
    except RefusedByRule as refused:
        raise HTTPException(401, str(refused), headers={"WWW-Authenticate": "Bearer"}) from None
    token = sessions.start(state.engine, state.store, entered.actor, state.clock, terminal=request.state.terminal)
    return {"token": token}


@router.post("/logout", summary="出る", tags=["入る・出る"], responses=refusals())
def logout(request: Request, session: ApiSession) -> dict[str, str]:
    """合い札を閉じる。"""
    sessions.end(request.app.state.engine, request.app.state.store, session.token)
    return {"detail": "ログアウトしました"}


@router.get("/dashboard", responses=refusals(), summary="いまの様子", tags=["様子"])
def figures(request: Request, session: ApiSession) -> dict[str, Any]:
    """六つの数、給付ごと、日ごと、待っている仕事。個人の情報は入らない。"""
    state = request.app.state
    today = tokyo_date(state.clock())
    with reading(state.home.ward) as connection:
        benefits = dashboard.by_benefit(connection)
        days = dashboard.by_day(connection, today)
    whole = dashboard.figures(benefits)
    return {
        "figures": {**vars(whole), "failed_rate": whole.failed_rate},
        "by_benefit": benefits.to_dicts(),
        "by_day": [{**row, "day": row["day"].isoformat()} for row in days.to_dicts()],
        "work": [
            {"name": one.name, "count": one.count, "says": one.says, "late": one.late}
            for one in dashboard_open.open_work(state.home, today).works
        ],
    }


@router.get("/approvals", responses=refusals(), summary="承認を待っているもの", tags=["承認"])
def waiting(request: Request, session: ApiSession) -> dict[str, Any]:
    """待っているものの一覧、古い順。"""
    with reading(request.app.state.home.ward) as connection:
        found = approvals_view.waiting(connection)
    return {
        "waiting": [
            {
                "kind": one.kind,
                "number": one.number,
                "what": one.what,
                "count": one.count,
                "total_yen": one.total_yen,
                "asked_by": one.asked_by,
                "step": one.step,
            }
            for one in found
        ]
    }


@router.get("/approvals/{kind}/{number}", responses=refusals(400, 404, 422), summary="承認の一枚", tags=["承認"])
def shown(request: Request, session: ApiSession, kind: Kind, number: Number) -> dict[str, Any]:
    """違い、合計、大きい十件、変わった十件と、その指紋。見た記録が残る。"""
    sheet = approving.opened(request, session, kind, number)
    return {**approvals_view.told(sheet), "refusal": sheet.refusal(session.actor)}


@router.post("/approvals/{kind}/{number}", responses=refusals(400, 404, 409, 422), summary="承認する", tags=["承認"])
def approve(
    request: Request, session: ApiSession, kind: Kind, number: Number, given: Approval, idempotency_key: IdempotencyKey
) -> dict[str, Any]:
    """見た指紋のまま承認する。変わっていれば 409 で、何も書かない。"""
    _prove(request, session, given)
    try:
        done = approving.approve(
            request, session, idempotency_key, kind, number, digest=given.digest, reason=given.reason
        )
    except RefusedByRule as refused:
        if refused.code in approving.CHANGED:
            raise HTTPException(409, approvals_view_sheets.CHANGED) from None
        raise HTTPException(403 if refused.code in approving.NOT_YOURS else 400, str(refused)) from None
    return dict(done)


@router.post("/transfers", responses=refusals(400, 404, 409, 422), summary="振込ファイルを作る", tags=["振込"])
def make(request: Request, session: ApiSession, given: Making, idempotency_key: IdempotencyKey) -> dict[str, Any]:
    """支給可の行から作る。行がなければ number は null。"""
    try:
        number = transfers.make_file(request, session, idempotency_key, given.programme, given.pay_date)
    except ValueError:
        raise HTTPException(422, "入力の形が違います: pay_date") from None
    return {"number": number}


@router.post(
    "/transfers/{number}/release", responses=refusals(400, 404, 409, 422), summary="銀行へ送り出す", tags=["振込"]
)
def release(
    request: Request, session: ApiSession, number: Number, given: Release, idempotency_key: IdempotencyKey
) -> dict[str, Any]:
    """二人が承認したファイルを出し箱に置く。"""
    _prove(request, session, given)
    try:
        transfers.release_file(request, session, idempotency_key, number, given.digest)
    except RefusedByRule as refused:
        raise HTTPException(409 if refused.code in approving.CHANGED else 400, str(refused)) from None
    return {"number": number, "released": True}


@router.post(
    "/transfers/{number}/cancel",
    responses=refusals(400, 404, 409, 422),
    summary="送り出す前のファイルを取り消す",
    tags=["振込"],
)
def cancel(
    request: Request, session: ApiSession, number: Number, given: Cancelling, idempotency_key: IdempotencyKey
) -> dict[str, Any]:
    """支払を取消にする。番号は使い回さない。"""
    transfers.cancel_file(request, session, idempotency_key, number, given.reason)
    return {"number": number, "cancelled": True}


@router.post("/holds", responses=refusals(400, 404, 409, 422), summary="保留の解除を申し出る", tags=["承認"])
def ask_hold(
    request: Request, session: ApiSession, given: HoldAsking, idempotency_key: IdempotencyKey
) -> dict[str, Any]:
    """別の人の承認を待つ。"""
    number = holds.ask_release(
        request, session, idempotency_key, given.programme, given.case_number, given.check, given.reason
    )
    return {"kind": "hold", "number": number}


@router.post("/handovers", responses=refusals(400, 404, 409, 422), summary="委託先への受渡を申し出る", tags=["受渡"])
def ask_handover(
    request: Request, session: ApiSession, given: HandoverAsking, idempotency_key: IdempotencyKey
) -> dict[str, Any]:
    """いま渡すものを固めて、承認を頼む。"""
    number = handovers.ask_handover(request, session, idempotency_key, given.programme, given.reason)
    return {"kind": "handover", "number": number}


@router.post(
    "/handovers/{number}/release",
    responses=refusals(400, 404, 409, 422),
    summary="承認された受渡を出し箱に置く",
    tags=["受渡"],
)
def hand_over(request: Request, session: ApiSession, number: Number, idempotency_key: IdempotencyKey) -> dict[str, Any]:
    """承認したバイト列と同じものだけが出る。"""
    handovers.hand_over_once(request, session, idempotency_key, number)
    return {"number": number, "released": True}


def _prove(request: Request, session: Session, given: Proof) -> None:
    try:
        approving.prove(request, session, given.password, given.code)
    except RefusedByRule as refused:
        raise HTTPException(403, str(refused)) from None
