"""収受と返戻（JSON）。画面と同じ仕事の関数を呼ぶ。返すのは、伏せた氏名と町名だけ。"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Connection

from api.desk import intake
from api.desk.fields import MOST_LINES
from api.desk.json.shapes import Given, Reason, Short, refusals
from api.guard import ApiSession
from api.once import Done, IdempotencyKey, once
from api.session import Session
from benefit.domain.errors import BenefitError
from benefit.services import desk_bundle

router = APIRouter(prefix="/api/v1", tags=["収受と返戻"])
Typed = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="打った・読み取った番号（11 桁。後ろに枝番が付いてもよい）"),
]
Lines = Annotated[list[Typed], Field(min_length=1, max_length=MOST_LINES, description="番号の一覧（200 行まで）")]


class Bundle(Given):
    """紙の束: 種類、届き方、届いた日。"""

    kind: Short
    channel: Short = "post"
    received_on: date
    postmark_on: date | None = None
    box: Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class FormScanned(Bundle):
    """届いた紙一枚。"""

    case_number: Typed


class FormsListed(Bundle):
    """届いた紙の一覧。"""

    case_numbers: Lines


class ReturnBundle(Given):
    """戻った手紙の束: わけ、戻った日。"""

    reason: Short
    returned_on: date
    box: Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class ReturnScanned(ReturnBundle):
    """戻った手紙一通。"""

    case_number: Typed


class ReturnsListed(ReturnBundle):
    """戻った手紙の一覧。"""

    case_numbers: Lines


class ScanUndone(Given):
    """取り消す紙と、そのわけ。"""

    form_id: Annotated[int, Field(ge=1, le=2**31 - 1)]
    reason: Reason


class Scanned(BaseModel):
    """入れた一枚。

    `standing` は taken（受付）、duplicate（二重提出）、old_branch（前の枝番）、late（期限後）、returned（返戻）。
    """

    form_id: int | None = None
    case_number: str
    standing: str
    says: str
    name: str = Field(description="伏せた氏名")
    town: str


class Line(BaseModel):
    """一覧の一行の答え。断った行の `standing` は refused。"""

    case_number: str
    standing: str
    says: str


class LinesAnswered(BaseModel):
    """一覧の答え（受け取った順）。"""

    lines: list[Line]


class Undone(BaseModel):
    """取り消した紙の件。"""

    case_number: str


class Today(BaseModel):
    """この人が今日受けた枚数（取り消したものを除く）。"""

    count: int
    by_kind: dict[str, int]


Work = Callable[[Connection, str, Mapping[str, str], Any, Any], Done]


@router.post("/received-forms", responses=refusals(400, 409, 422, 429))
def receive(request: Request, session: ApiSession, given: FormScanned, idempotency_key: IdempotencyKey) -> Scanned:
    """一枚を収受する。二枚目は初めの一枚に結び、二重提出と答える。"""
    return _one(request, session, idempotency_key, given, intake.scan_form)


@router.post("/received-forms/list", responses=refusals(400, 409, 422, 429))
def receive_list(
    request: Request, session: ApiSession, given: FormsListed, idempotency_key: IdempotencyKey
) -> LinesAnswered:
    """番号の一覧を収受する。受けられない行があっても、ほかの行は受ける。"""
    return _many(request, session, idempotency_key, given, intake.list_forms)


@router.post("/received-forms/undo", responses=refusals(400, 409, 422, 429))
def undo(request: Request, session: ApiSession, given: ScanUndone, idempotency_key: IdempotencyKey) -> Undone:
    """自分が受けた最後の一枚を取り消す（10 分以内）。"""
    at = request.app.state.clock()

    def deed(connection: Connection) -> Done:
        number = desk_bundle.undo_scan(connection, given.form_id, reason=given.reason, actor=session.actor, at=at)
        return {"case_number": number}

    return Undone.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))


@router.get("/received-forms/today", responses=refusals())
def today(request: Request, session: ApiSession) -> Today:
    """今日の枚数。箱の枚数と合わせるため。"""
    with request.app.state.engine.connect() as connection:
        mine = desk_bundle.received_today(connection, actor=session.actor, now=request.app.state.clock())
    return Today(count=mine.count, by_kind=dict(mine.by_kind))


@router.post("/returned-mail", responses=refusals(400, 409, 422, 429))
def returned(request: Request, session: ApiSession, given: ReturnScanned, idempotency_key: IdempotencyKey) -> Scanned:
    """戻った手紙を一通入れる。再発行を区に頼む。"""
    return _one(request, session, idempotency_key, given, intake.scan_returned)


@router.post("/returned-mail/list", responses=refusals(400, 409, 422, 429))
def returned_list(
    request: Request, session: ApiSession, given: ReturnsListed, idempotency_key: IdempotencyKey
) -> LinesAnswered:
    """戻った手紙の一覧を入れる。"""
    return _many(request, session, idempotency_key, given, intake.list_returned)


def _texts(given: Given) -> dict[str, str]:
    """画面と同じ、文字列の束。"""
    values = given.model_dump(exclude={"case_number", "case_numbers"})
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _one(request: Request, session: Session, key: str, given: FormScanned | ReturnScanned, work: Work) -> Scanned:
    at = request.app.state.clock()
    try:
        done = once(
            request,
            session,
            key,
            given.model_dump(mode="json"),
            lambda connection: work(connection, given.case_number, _texts(given), session.actor, at),
        )
    except BenefitError:
        intake.log_refused(request, session, given.case_number)
        raise
    with request.app.state.engine.begin() as connection:
        seen = desk_bundle.glimpse(connection, done["case_number"], actor=session.actor, at=at, why="収受")
    return Scanned(**_shown(done), name=seen.name if seen else "", town=seen.town if seen else "")


def _many(
    request: Request, session: Session, key: str, given: FormsListed | ReturnsListed, work: Work
) -> LinesAnswered:
    at, text = request.app.state.clock(), "\n".join(given.case_numbers)
    done = once(
        request,
        session,
        key,
        given.model_dump(mode="json"),
        lambda connection: work(connection, text, _texts(given), session.actor, at),
    )
    return LinesAnswered.model_validate(done)


def _shown(done: Done) -> dict[str, Any]:
    return {name: done[name] for name in ("form_id", "case_number", "standing", "says") if name in done}
