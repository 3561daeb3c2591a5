"""審査と不備（JSON）。画面と同じ仕事の関数を呼ぶ。開いた一件は、呼んだ人が 15 分だけ押さえる。"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Connection

from api.desk import deficiencies, review
from api.desk.json.intake import Line
from api.desk.json.shapes import Given, Message, Reason, Short, refusals
from api.guard import ApiSession
from api.once import Done, IdempotencyKey, once
from api.session import Session
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import CORRECTION_DAYS, DEFECTS
from benefit.services import desk_defects, desk_queue, desk_reviewing

router = APIRouter(prefix="/api/v1", tags=["審査と不備"])
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{11}$"), Field(description="給付管理番号")]


class QueueRow(BaseModel):
    """列の一種。`refused` は、開けないときのわけ。"""

    kind: str
    name: str
    count: int
    oldest: int = Field(description="一番古い件の日数")
    refused: str


class Queue(BaseModel):
    """審査の列。"""

    rows: list[QueueRow]


class Next(Given):
    """列の種類（new、correction、account、again、second）。"""

    kind: Short


class Opened(Given):
    """開く件。"""

    case_number: Number


class Taken(BaseModel):
    """押さえた件。"""

    case_number: str


class ReviewCase(BaseModel):
    """審査で開いた一件。二次入力の件に、カナ氏名も一次入力もない。"""

    case_number: str
    branch: int
    kind: str
    kind_name: str
    name: str
    kana_name: str
    benefit: str
    received_on: date | None
    defects: list[str]
    differing: str
    refused: str


class AccountTyped(Opened):
    """紙に書かれた口座。ゆうちょ銀行は「記号-番号」を口座番号に書き、支店と種目を空にする。"""

    bank_code: Short = ""
    branch_code: Short = ""
    account_type: Short = ""
    account_number: Short = ""
    holder_kana: Short = ""


class FirstTyped(AccountTyped):
    """一次入力: 見た項目の ○・×・不要と、口座。"""

    checks: dict[Short, Short]
    holder_reason: Short = ""


class Keyed(BaseModel):
    """一次入力が済んだ。"""

    review_id: int
    attempt: int
    holder_agrees: bool


class ComparedRow(BaseModel):
    """見比べの一行。"""

    name: str
    first: str
    second: str
    ledger: str
    differs: bool


class Compared(BaseModel):
    """照合の結果。`differing` が空なら審査完了。"""

    review_id: int
    differing: list[str]
    state: str
    rows: list[ComparedRow]


class DefectsFound(Opened):
    """見つけた不備（符号は一つ以上）。"""

    codes: Annotated[list[Short], Field(min_length=1, max_length=len(DEFECTS))]
    note: Short = ""


class DefectsWritten(BaseModel):
    """書いた不備。"""

    round: int
    codes: list[str]


class OpenDefect(BaseModel):
    """開いている不備一件（氏名はない）。"""

    case_number: str
    stage: str
    defects: str
    since: date
    due_on: date | None
    days_left: int | None


class OpenDefects(BaseModel):
    """開いている不備: 段ごとの件数と、急ぐものから 200 件。"""

    counts: dict[str, int]
    rows: list[OpenDefect]


class Told(Opened):
    """不備を知らせた: posted（発送）、handed（手渡し）、told（口頭）。"""

    how: Short
    told_on: date
    days: Annotated[int, Field(ge=1, le=999, description="補正期限までの日数")] = CORRECTION_DAYS
    note: Short = ""


class DueSet(BaseModel):
    """決まった補正期限。"""

    case_number: str
    correction_due_on: date


class Reminding(Opened):
    """勧奨を頼む件と、そのわけ。"""

    reason: Reason


class Corrected(Opened):
    """届いた補正の紙。"""

    channel: Short = "post"
    received_on: date


@router.get("/reviews/queue", responses=refusals())
def queue(request: Request, session: ApiSession) -> Queue:
    """審査の列。だれかが開いている件は数えない。"""
    with request.app.state.engine.connect() as connection:
        rows = desk_queue.queue(connection, actor=session.actor, now=request.app.state.clock())
    return Queue(rows=[QueueRow(**asdict(row)) for row in rows])


@router.post("/reviews/next", responses=refusals(400, 409, 422, 429))
def take_next(request: Request, session: ApiSession, given: Next, idempotency_key: IdempotencyKey) -> Taken:
    """この種類の、一番古い一件を押さえる。"""

    def deed(connection: Connection) -> Done:
        at = request.app.state.clock()
        return {"case_number": desk_queue.take_next(connection, given.kind, actor=session.actor, at=at)}

    return Taken.model_validate(once(request, session, idempotency_key, given.model_dump(), deed))


@router.post("/reviews/open", responses=refusals(400, 409, 422, 429))
def open_one(request: Request, session: ApiSession, given: Opened, idempotency_key: IdempotencyKey) -> Taken:
    """番号で一件を押さえる。自分が一次入力した件は断る。"""

    def deed(connection: Connection) -> Done:
        return review.open_one(connection, given.case_number, session.actor, request.app.state.clock())

    done = once(request, session, idempotency_key, given.model_dump(), deed)
    if done["own"]:
        raise HTTPException(403, desk_reviewing.OWN_KEYED)
    return Taken(case_number=done["case_number"])


@router.post("/reviews/put-back", responses=refusals(400, 409, 422, 429))
def put_back(request: Request, session: ApiSession, idempotency_key: IdempotencyKey) -> Message:
    """押さえている一件を、列へ戻す。"""

    def deed(connection: Connection) -> Done:
        desk_queue.put_back(connection, actor=session.actor)
        return {"detail": "列へ戻しました"}

    return Message.model_validate(once(request, session, idempotency_key, {}, deed))


@router.get("/reviews/current", responses=refusals(400, 404))
def current(request: Request, session: ApiSession) -> ReviewCase:
    """押さえている一件を見る（ログが残ってから返る）。なければ 404。"""
    at = request.app.state.clock()
    with request.app.state.engine.begin() as connection:
        mine = desk_queue.held(connection, actor=session.actor, at=at)
        if mine is None:
            raise HTTPException(404, "押さえている件はありません")
        seen = desk_reviewing.view(connection, mine.case_number, actor=session.actor, at=at)
    values = asdict(seen)
    return ReviewCase(**{name: values[name] for name in ReviewCase.model_fields})


@router.post("/reviews/first", responses=refusals(400, 409, 422, 429))
def first(request: Request, session: ApiSession, given: FirstTyped, idempotency_key: IdempotencyKey) -> Keyed:
    """一次入力。× の項目があれば断る（不備にする）。名義が氏名と違えば、わけが要る。"""
    return Keyed.model_validate(_do(request, session, idempotency_key, given, review.key_first))


@router.post("/reviews/second", responses=refusals(400, 409, 422, 429))
def second(request: Request, session: ApiSession, given: AccountTyped, idempotency_key: IdempotencyKey) -> Compared:
    """二次入力。一次入力をした人は断る。五項目とも同じなら審査完了。"""
    done = _do(request, session, idempotency_key, given, review.key_second)
    with request.app.state.engine.begin() as connection:
        rows = desk_reviewing.comparison(
            connection, done["review_id"], actor=session.actor, at=request.app.state.clock()
        )
    return Compared(**done, rows=[ComparedRow(**asdict(row)) for row in rows])


@router.post("/deficiencies", responses=refusals(400, 409, 422, 429))
def find(request: Request, session: ApiSession, given: DefectsFound, idempotency_key: IdempotencyKey) -> DefectsWritten:
    """不備にする。不備のお知らせが、送るべき手紙に入る。"""

    def work(connection: Connection, number: str, told: Mapping[str, Any], actor: Any, at: datetime) -> Done:
        return review.find_defects(
            connection, number, {"defects": told["codes"], "defect_note": told["note"]}, actor, at
        )

    return DefectsWritten.model_validate(_do(request, session, idempotency_key, given, work))


@router.get("/deficiencies", responses=refusals())
def listed(request: Request, session: ApiSession) -> OpenDefects:
    """開いている不備。"""
    today = tokyo_date(request.app.state.clock())
    with request.app.state.engine.connect() as connection:
        counts, rows = desk_defects.open_defects(connection, today)
    return OpenDefects(counts=counts, rows=[OpenDefect(**asdict(row)) for row in rows])


@router.post("/deficiencies/notified", responses=refusals(400, 409, 422, 429))
def notified(request: Request, session: ApiSession, given: Told, idempotency_key: IdempotencyKey) -> DueSet:
    """不備を知らせた。補正期限が決まる。"""
    return DueSet.model_validate(_do(request, session, idempotency_key, given, deficiencies.notify))


@router.post("/deficiencies/remind", responses=refusals(400, 409, 422, 429))
def remind(request: Request, session: ApiSession, given: Reminding, idempotency_key: IdempotencyKey) -> Taken:
    """補正のない人に、勧奨の手紙を頼む。まだ送っていない勧奨があれば断る。"""
    return Taken.model_validate(_do(request, session, idempotency_key, given, deficiencies.remind_one))


@router.post("/deficiencies/correction", responses=refusals(400, 409, 422, 429))
def corrected(request: Request, session: ApiSession, given: Corrected, idempotency_key: IdempotencyKey) -> Line:
    """補正の紙を収受する。"""
    return Line.model_validate(_do(request, session, idempotency_key, given, deficiencies.correct))


def _do(
    request: Request,
    session: Session,
    key: str,
    given: Opened,
    work: Callable[[Connection, str, Mapping[str, Any], Any, datetime], Done],
) -> Done:
    """画面の仕事の関数を、JSON の中身で一度だけ呼ぶ。日付と数は、画面と同じ文字列で渡す。"""
    at = request.app.state.clock()
    told = given.model_dump(mode="json")
    values = {name: f"{value}" if isinstance(value, int) else value for name, value in told.items()}
    return once(
        request, session, key, told, lambda connection: work(connection, given.case_number, values, session.actor, at)
    )
