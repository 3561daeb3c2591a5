"""不備の画面と、送るべき手紙の画面。一覧に氏名はない。一件を開くと、ログが残る。"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from api.desk import numbers
from api.desk.fields import day, past
from api.guard import PageSession
from api.once import Done, once
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.access import Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import CHANNELS, CORRECTION_DAYS, LETTER_DEEDS, LETTER_KINDS
from benefit.domain.errors import BenefitError, RefusedInput
from benefit.services import desk_defects, desk_deficiencies, desk_letters_due
from benefit.services.desk_intake import Arrival, read_number, receive

router = APIRouter(include_in_schema=False)
#: 行の番号（台帳の列に入る大きさ）。
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
HOW = {name: LETTER_DEEDS[name] for name in ("posted", "handed", "told")}
MOST_LETTERS = 200


def notify(connection: Connection, number: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """不備を知らせた。補正期限が決まる。"""
    today = tokyo_date(at)
    days = given["days"].strip()
    if not (days.isascii() and days.isdecimal() and len(days) <= 3):
        raise RefusedInput("補正期限までの日数は、数字で入れます", code="days", allowed="1 から 999")
    due = desk_deficiencies.notify(
        connection,
        number,
        on=day(given["told_on"], "知らせた日", latest=today),
        deed=given["how"],
        days=int(days),
        note=given.get("note", ""),
        actor=actor,
        at=at,
    )
    return {"case_number": number, "correction_due_on": due.isoformat()}


def remind_one(connection: Connection, number: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """補正のない人に、勧奨の手紙を頼む。まだ送っていない勧奨があれば断る。"""
    desk_letters_due.ask(connection, number, "reminder", reason=given["reason"], actor=actor, at=at)
    return {"case_number": number}


def correct(connection: Connection, number: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """補正の紙を受けた。"""
    received_on = day(given["received_on"], "届いた日", latest=tokyo_date(at))
    arrival = Arrival(number, "correction", received_on, given["channel"])
    taken = receive(connection, arrival, actor=actor, at=at)
    return {"case_number": number, "standing": taken.standing, "says": taken.says}


def mark(
    connection: Connection, letters: list[int], deed: str, on: date, note: str, actor: Actor, at: datetime
) -> Done:
    """選んだ手紙に、したことを付ける。不備のお知らせを送ったことは、補正期限と一緒に書く。"""
    past(on, "した日", latest=tokyo_date(at))
    if not 1 <= len(letters) <= MOST_LETTERS:
        raise RefusedInput("手紙を選んでください", code="letters", allowed=f"1 から {MOST_LETTERS} 通")
    waiting = {row["id"]: row for row in desk_letters_due.waiting(connection)}
    for letter_id in letters:
        row = waiting.get(letter_id)
        if row is not None and row["kind"] == "deficiency" and deed in HOW:
            desk_deficiencies.notify(connection, row["case_number"], on=on, deed=deed, note=note, actor=actor, at=at)
        else:
            desk_letters_due.done(connection, letter_id, deed, note=note, actor=actor, at=at)
    return {"letters": letters, "deed": deed}


@router.get("/deficiencies")
def listed(request: Request, session: PageSession) -> Response:
    """開いている不備の一覧。"""
    return _list_page(request, session)


@router.post("/deficiencies/open")
def open_one(request: Request, session: PageSession, csrf: Text = "", case_number: Text = "") -> Response:
    """一件を開く。"""
    confirm(session, csrf)
    try:
        numbers.guard(request, session, {"case_number": case_number})
        return _case_page(request, session, read_number(case_number)[0])
    except BenefitError as refused:
        return _list_page(request, session, status=400, error=str(refused))


@router.post("/deficiencies/notified")
def notified(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    how: Text = "",
    told_on: Text = "",
    days: Text = "",
    note: Text = "",
) -> Response:
    """不備を知らせた。"""
    confirm(session, csrf)
    given = {"how": how, "told_on": told_on, "days": days, "note": note}
    return _deed(request, session, operation, case_number, given, notify, "補正期限は {correction_due_on} です。")


@router.post("/deficiencies/correction")
def corrected(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    channel: Text = "",
    received_on: Text = "",
) -> Response:
    """補正の紙を受けた。"""
    confirm(session, csrf)
    given = {"channel": channel, "received_on": received_on}
    return _deed(request, session, operation, case_number, given, correct, "補正: {says}")


@router.post("/deficiencies/remind")
def reminded(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    reason: Text = "",
) -> Response:
    """補正のない人に、勧奨の手紙を頼む。"""
    confirm(session, csrf)
    return _deed(
        request, session, operation, case_number, {"reason": reason}, remind_one, "勧奨を、送るべき手紙に入れました。"
    )


@router.get("/letters-due")
def letters(request: Request, session: PageSession) -> Response:
    """送るべき手紙。"""
    return _letters_page(request, session)


@router.post("/letters-due/done")
def letters_done(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    letter: Annotated[list[Id], Form()] = [],  # noqa: B006  # FastAPI が毎回写す
    deed: Text = "",
    told_on: Text = "",
    note: Text = "",
) -> Response:
    """選んだ手紙に、したことを付ける。"""
    confirm(session, csrf)
    at, chosen = request.app.state.clock(), sorted(set(letter))
    try:
        on = day(told_on, "した日", latest=tokyo_date(at))
        once(
            request,
            session,
            operation,
            {"letters": chosen, "deed": deed, "on": told_on, "note": note},
            lambda connection: mark(connection, chosen, deed, on, note, session.actor, at),
        )
    except BenefitError as refused:
        return _letters_page(request, session, status=400, error=str(refused))
    return _letters_page(request, session, done=f"{len(chosen)} 通を「{LETTER_DEEDS[deed]}」にしました")


@router.post("/letters-due/remind")
def remind(request: Request, session: PageSession, csrf: Text = "", operation: Text = "") -> Response:
    """期限が近いのに返送のない件に、勧奨の手紙を頼む。"""
    confirm(session, csrf)
    at = request.app.state.clock()

    def deed(connection: Connection) -> Done:
        return {"count": desk_letters_due.remind(connection, today=tokyo_date(at), actor=session.actor, at=at)}

    done = once(request, session, operation, {}, deed)
    return _letters_page(request, session, done=f"勧奨を {done['count']:,} 通、頼みました")


def _deed(
    request: Request, session: Session, key: str, text: str, given: Mapping[str, str], work: Any, told: str
) -> Response:
    at, number = request.app.state.clock(), text
    try:
        number = read_number(text)[0]
        done = once(
            request,
            session,
            key,
            {**given, "case_number": number},
            lambda connection: work(connection, number, given, session.actor, at),
        )
    except BenefitError as refused:
        try:
            return _case_page(request, session, number, error=str(refused))
        except BenefitError:
            return _list_page(request, session, status=400, error=str(refused))
    return _list_page(request, session, done=f"{told.format(**done)}", number=number)


def _list_page(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    today = tokyo_date(request.app.state.clock())
    with request.app.state.engine.connect() as connection:
        counts, rows = desk_defects.open_defects(connection, today)
    values = {"error": "", "done": "", "number": "", **shown}
    return page(
        request,
        "desk/deficiencies.html",
        status=status,
        session=session,
        stages=[(name, counts[key]) for key, name in desk_defects.STAGES.items()],
        rows=rows,
        **values,
    )


def _case_page(request: Request, session: Session, number: str, *, error: str = "") -> Response:
    now = request.app.state.clock()
    with request.app.state.engine.begin() as connection:
        seen = desk_defects.open_one(connection, number, actor=session.actor, at=now)
    return page(
        request,
        "desk/deficiency.html",
        status=400 if error else 200,
        session=session,
        case=seen,
        error=error,
        how=tuple(HOW.items()),
        channels=tuple(CHANNELS.items()),
        days=CORRECTION_DAYS,
        today=tokyo_date(now).isoformat(),
    )


def _letters_page(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    now = request.app.state.clock()
    with request.app.state.engine.connect() as connection:
        rows = desk_letters_due.waiting(connection)
    counts = Counter(row["kind"] for row in rows)
    values = {"error": "", "done": "", **shown}
    return page(
        request,
        "desk/letters_due.html",
        status=status,
        session=session,
        counts=[(name, counts[key]) for key, name in LETTER_KINDS.items()],
        rows=[
            {
                "id": row["id"],
                "case_number": row["case_number"],
                "kind": LETTER_KINDS[row["kind"]],
                "reason": row["reason"],
                "at": row["at"],
            }
            for row in rows[:MOST_LETTERS]
        ],
        total=len(rows),
        deeds=tuple(LETTER_DEEDS.items()),
        today=tokyo_date(now).isoformat(),
        may_remind=session.actor.role == "supervisor",
        **values,
    )
