"""仕事の量、送るべき手紙、止まった検索の解除、取消（JSON）。受給者の誰のことも出ない。"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.desk import deficiencies, supervisor
from api.desk.json.review import Number
from api.desk.json.shapes import Given, Reason, Short, refusals
from api.guard import ApiSession
from api.once import Done, IdempotencyKey, once
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import LETTER_KINDS
from benefit.services import desk_letters_due, desk_workload, look_up_limits

router = APIRouter(prefix="/api/v1", tags=["管理者"])
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Worked(BaseModel):
    """一人の、一日の仕事の数。"""

    day: date
    staff_id: str
    name: str
    counts: dict[str, int]


class Waiting(BaseModel):
    """待っているもの一種。"""

    name: str
    count: int
    oldest: int = Field(description="一番古いものの日数")
    by_age: dict[str, int]


class Workload(BaseModel):
    """この 7 日の仕事の量。"""

    work: list[Worked]
    waiting: list[Waiting]
    compared: int = Field(description="二人の入力を比べた数")
    different: int = Field(description="そのうち、違った数")


class LetterDue(BaseModel):
    """送るべき手紙一通。"""

    id: int
    case_number: str
    kind: str
    reason: str
    at: datetime


class LettersDue(BaseModel):
    """送るべき手紙: 種類ごとの数と、頼んだ順に 200 通。"""

    counts: dict[str, int]
    rows: list[LetterDue]


class LettersDone(Given):
    """選んだ手紙に、したこと（printed、posted、handed、told、cancelled）。"""

    letters: Annotated[list[Id], Field(min_length=1, max_length=deficiencies.MOST_LETTERS)]
    deed: Short
    done_on: date
    note: Short = ""


class LettersMarked(BaseModel):
    """付けた手紙。"""

    letters: list[int]
    deed: str


class Reminded(BaseModel):
    """頼んだ勧奨の数。"""

    count: int


class Stop(BaseModel):
    """止まっている人。`released_by` は、もう解いた側（supervisor、ward）。"""

    id: int
    staff_id: str
    name: str
    at: datetime
    look_ups: int
    released_by: list[str]


class Stops(BaseModel):
    """止まっている検索。"""

    rows: list[Stop]


class StopReleased(Given):
    """解く停止と、そのわけ。"""

    stop_id: Id
    reason: Reason


class Released(BaseModel):
    """二つの側がそろって、解けたか。"""

    released: bool


class StepUndone(Given):
    """取り消す件（最後の一歩）と、そのわけ。"""

    case_number: Number
    reason: Reason


class Undone(BaseModel):
    """取り消した後の状態。"""

    case_number: str
    state: str


@router.get("/workload", responses=refusals())
def workload(request: Request, session: ApiSession) -> Workload:
    """人と日ごとの仕事、待っているもの、食い違い。"""
    now = request.app.state.clock()
    days = supervisor.days_until(tokyo_date(now))
    with request.app.state.engine.connect() as connection:
        work = desk_workload.by_person(connection, days)
        waiting = desk_workload.waiting(connection, now)
        compared = desk_workload.compared(connection, days)
    ages = [name for name, _ in desk_workload.AGES]
    return Workload(
        work=[
            Worked(
                day=row.day,
                staff_id=row.staff_id,
                name=row.name,
                counts=dict(zip(desk_workload.SERIES, row.counts, strict=True)),
            )
            for row in work
        ],
        waiting=[
            Waiting(name=row.name, count=row.count, oldest=row.oldest, by_age=dict(zip(ages, row.by_age, strict=True)))
            for row in waiting
        ],
        **asdict(compared),
    )


@router.get("/letters-due", responses=refusals())
def letters(request: Request, session: ApiSession) -> LettersDue:
    """送るべき手紙。"""
    with request.app.state.engine.connect() as connection:
        rows = desk_letters_due.waiting(connection)
    counts = {name: sum(row["kind"] == key for row in rows) for key, name in LETTER_KINDS.items()}
    shown = [LetterDue(**{name: row[name] for name in LetterDue.model_fields}) for row in rows]
    return LettersDue(counts=counts, rows=shown[: deficiencies.MOST_LETTERS])


@router.post("/letters-due/done", responses=refusals(400, 409, 422, 429))
def letters_done(
    request: Request, session: ApiSession, given: LettersDone, idempotency_key: IdempotencyKey
) -> LettersMarked:
    """選んだ手紙に、したことを付ける。不備のお知らせを送れば、補正期限が決まる。"""
    at = request.app.state.clock()

    def deed(connection: Connection) -> Done:
        chosen = sorted(set(given.letters))
        return deficiencies.mark(connection, chosen, given.deed, given.done_on, given.note, session.actor, at)

    return LettersMarked.model_validate(once(request, session, idempotency_key, given.model_dump(mode="json"), deed))


@router.post("/letters-due/remind", responses=refusals(400, 409, 422, 429))
def remind(request: Request, session: ApiSession, idempotency_key: IdempotencyKey) -> Reminded:
    """期限が近いのに返送のない件に、勧奨の手紙を頼む（一件に二度まで）。"""
    at = request.app.state.clock()

    def deed(connection: Connection) -> Done:
        return {"count": desk_letters_due.remind(connection, today=tokyo_date(at), actor=session.actor, at=at)}

    return Reminded.model_validate(once(request, session, idempotency_key, {}, deed))


@router.get("/look-up-stops", responses=refusals())
def stops(request: Request, session: ApiSession) -> Stops:
    """止まっている検索。"""
    with request.app.state.engine.connect() as connection:
        rows: list[dict[str, Any]] = look_up_limits.stopped(connection)
    return Stops(rows=[Stop(**{**row, "released_by": sorted(row["sides"])}) for row in rows])


@router.post("/look-up-stops/release", responses=refusals(400, 409, 422, 429))
def release(request: Request, session: ApiSession, given: StopReleased, idempotency_key: IdempotencyKey) -> Released:
    """止まった検索を、自分の側として解く。管理者と区の二人がそろって解ける。"""

    def deed(connection: Connection) -> Done:
        at = request.app.state.clock()
        return supervisor.release(connection, given.stop_id, given.reason, session.actor, at)

    return Released.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))


@router.post("/steps/undo", responses=refusals(400, 409, 422, 429))
def undo(request: Request, session: ApiSession, given: StepUndone, idempotency_key: IdempotencyKey) -> Undone:
    """件の最後の一歩を取り消す。"""

    def deed(connection: Connection) -> Done:
        at = request.app.state.clock()
        return supervisor.undo(connection, given.case_number, given.reason, session.actor, at)

    return Undone.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))
