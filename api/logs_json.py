"""ログ分析報告書（JSON）。画面と同じ: 読んだことが先に残り、署名は読んだ中身の指紋に結ぶ。"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from api.guard import ApiSession
from api.logs import note
from api.once import IdempotencyKey, once
from api.staff_json import Problem
from benefit.domain.clock import tokyo_date
from benefit.services import log_reports
from benefit.services.log_reports import Report

Number = Annotated[int, Field(ge=1, le=2**31 - 1, description="報告書の番号")]
_SAID = {
    400: "ない報告書、または決まりに合わない",
    401: "ログインしていない",
    403: "役割が違う",
    409: "同じ札で、違う中身",
    422: "入力の形が違う",
    503: "ログが書けない",
}


def _refusals(*codes: int) -> dict[int | str, dict[str, Any]]:
    body = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"model": Problem, "description": _SAID[code], "content": body} for code in (401, 403, 503, *codes)}


class Detected(BaseModel):
    """検知一つの結果。"""

    id: str = Field(description="L01 から L16")
    says: str
    threshold: str
    here: bool = Field(description="この台帳で調べるか")
    count: int
    found: list[list[str]] = Field(description="[日, 誰・どれ, 内容] の並び（200 件まで）")


class Shown(BaseModel):
    """報告書一つ。"""

    number: int
    period_from: date
    period_to: date
    sound: bool = Field(description="監査ログの鎖と印が合った")
    verify: list[str]
    rows: int
    detectors: list[Detected]
    digest: str
    made_by: str
    made_at: datetime
    signed_by: str | None
    signed_at: datetime | None
    remarks: str | None


class Waiting(BaseModel):
    """署名のない週。"""

    period_from: date
    period_to: date
    number: int | None = Field(description="報告書の番号。まだなければ null")
    days: int = Field(description="週の終わりからの日数")


class Listed(BaseModel):
    """報告書の全部（新しい順）と、署名のない週。"""

    reports: list[Shown]
    unsigned: list[Waiting]


class Signature(BaseModel):
    """署名: 読んだ報告書の番号と指紋、確かめたこと。番号も URL には載せない。"""

    model_config = ConfigDict(extra="forbid")
    number: Number
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    remarks: Annotated[
        str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")
    ]


class Signed(BaseModel):
    """署名した。"""

    number: int


def router_of(store: str) -> APIRouter:
    """`store`（ward・desk）の道。"""
    router = APIRouter(prefix="/api/v1/log-reports", tags=["ログの報告"])

    @router.get("", response_model=Listed, responses=_refusals(), summary="報告書を読む")
    def listed(request: Request, session: ApiSession) -> Any:
        """報告書の並びと、署名のない週。"""
        state = request.app.state
        with state.engine.begin() as connection:
            note(request, connection, session, "list")
            reports = log_reports.every(connection, store)
            due = log_reports.unsigned(connection, store, tokyo_date(state.clock()))
        return {
            "reports": [_shown(one) for one in reports],
            "unsigned": [
                {"period_from": one.period_from, "period_to": one.period_to, "number": one.report_id, "days": one.days}
                for one in due
            ],
        }

    @router.post("/signature", response_model=Signed, responses=_refusals(400, 409, 422), summary="報告書に署名する")
    def sign(request: Request, session: ApiSession, idempotency_key: IdempotencyKey, given: Signature) -> Any:
        """作った人と管理の人のほかの、区の職員が署名する。"""

        def work(connection: Connection) -> dict[str, Any]:
            log_reports.sign(
                connection, store, given.number, digest=given.digest, remarks=given.remarks, actor=session.actor,
                at=request.app.state.clock(),
            )  # fmt: skip
            return {"number": given.number}

        return once(request, session, idempotency_key, given.model_dump(), work)

    return router


def _shown(report: Report) -> dict[str, Any]:
    return {
        "number": report.id,
        "period_from": report.period_from,
        "period_to": report.period_to,
        "sound": report.sound,
        "verify": report.body["verify"]["lines"],
        "rows": report.body["volumes"]["rows"],
        "detectors": report.body["detectors"],
        "digest": report.digest,
        "made_by": report.made_by,
        "made_at": report.made_at,
        "signed_by": report.signed_by,
        "signed_at": report.signed_at,
        "remarks": report.remarks,
    }
