"""審査の画面: 列、一次入力、二次入力（見ないで）、見比べ。キーボードだけで一日使える。

開いた一件は 15 分だけ押さえる（desk_queue）。番号は URL に出ない: 押さえている一件が、そのまま /review/case に出る。
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from api.guard import PageSession
from api.once import Done, once
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.access import Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import CHECK_ITEMS, CHECK_MARKS, DEFECTS
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import desk_deficiencies, desk_queue, desk_review, desk_reviewing
from benefit.services.desk_intake import read_number

router = APIRouter(include_in_schema=False)
ACCOUNT_FIELDS = tuple(desk_review.ACCOUNT_NAMES)
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(ACCOUNT_FIELDS, ""),
    "checks": {},
    "defects": [],
    "holder_reason": "",
    "defect_note": "",
}


def key_first(connection: Connection, number: str, given: Mapping[str, Any], actor: Actor, at: datetime) -> Done:
    """一次入力を終える。"""
    desk_queue.require_hold(connection, number, actor=actor, at=at)
    account = desk_review.account_of(*(given[name] for name in ACCOUNT_FIELDS))
    keyed = desk_review.key(
        connection, number, account, given["checks"], holder_reason=given["holder_reason"], actor=actor, at=at
    )
    desk_queue.put_back(connection, actor=actor)
    return {"review_id": keyed.review_id, "attempt": keyed.attempt, "holder_agrees": keyed.holder_agrees}


def find_defects(connection: Connection, number: str, given: Mapping[str, Any], actor: Actor, at: datetime) -> Done:
    """不備にする。"""
    desk_queue.require_hold(connection, number, actor=actor, at=at)
    count = desk_deficiencies.find(connection, number, given["defects"], note=given["defect_note"], actor=actor, at=at)
    desk_queue.put_back(connection, actor=actor)
    return {"round": count, "codes": list(dict.fromkeys(given["defects"]))}


def key_second(connection: Connection, number: str, given: Mapping[str, Any], actor: Actor, at: datetime) -> Done:
    """二次入力を照合する。"""
    desk_queue.require_hold(connection, number, actor=actor, at=at)
    account = desk_review.account_of(*(given[name] for name in ACCOUNT_FIELDS))
    checked = desk_review.check(connection, number, account, actor=actor, at=at)
    desk_queue.put_back(connection, actor=actor)
    return {"review_id": checked.review_id, "differing": list(checked.differing), "state": checked.state}


def open_one(connection: Connection, number: str, actor: Actor, at: datetime) -> Done:
    """番号で一件を押さえる。自分が一次入力した件は、押さえずに（ほかの人を待たせずに）わけを見せる。"""
    if desk_queue.kind_of(connection, number) == "second" and desk_reviewing.keyed_by(connection, number) == actor.id:
        return {"case_number": number, "own": True}
    kind = desk_queue.take(connection, number, actor=actor, at=at)
    return {"case_number": number, "kind": kind, "own": False}


async def _checks(request: Request) -> dict[str, str]:
    """見た項目。選ばれていない項目は空。"""
    form = await request.form()
    return {key: str(form.get(f"check_{key}", ""))[:4] for key in CHECK_ITEMS}


Checks = Annotated[dict[str, str], Depends(_checks)]


@router.get("/review")
def queue(request: Request, session: PageSession) -> Response:
    """審査の列。"""
    return _queue_page(request, session)


@router.post("/review/next")
def take_next(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", kind: Text = ""
) -> Response:
    """この種類の、次の一件を開く。"""
    confirm(session, csrf)
    at = request.app.state.clock()

    def deed(connection: Connection) -> Done:
        return {"case_number": desk_queue.take_next(connection, kind, actor=session.actor, at=at)}

    try:
        once(request, session, operation, {"kind": kind}, deed)
    except BenefitError as refused:
        return _queue_page(request, session, status=400, error=refused.says)
    return RedirectResponse("/review/case", 303)


@router.post("/review/open")
def open_by_number(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", case_number: Text = ""
) -> Response:
    """紙の番号で一件を開く。"""
    confirm(session, csrf)
    at = request.app.state.clock()
    try:
        number, _branch = read_number(case_number)
        done = once(
            request,
            session,
            operation,
            {"case_number": number},
            lambda connection: open_one(connection, number, session.actor, at),
        )
        if done["own"]:
            return _case_page(request, session, number)
    except BenefitError as refused:
        return _queue_page(request, session, status=400, error=str(refused))
    return RedirectResponse("/review/case", 303)


@router.post("/review/put-back")
def put_back(request: Request, session: PageSession, csrf: Text = "", operation: Text = "") -> Response:
    """開いている一件を列へ戻す。"""
    confirm(session, csrf)

    def deed(connection: Connection) -> Done:
        desk_queue.put_back(connection, actor=session.actor)
        return {}

    once(request, session, operation, {}, deed)
    return RedirectResponse("/review", 303)


@router.get("/review/case")
def case_page(request: Request, session: PageSession) -> Response:
    """押さえている一件。"""
    with request.app.state.engine.connect() as connection:
        mine = desk_queue.held(connection, actor=session.actor, at=request.app.state.clock())
    if mine is None:
        return RedirectResponse("/review", 303)
    return _case_page(request, session, mine.case_number)


@router.post("/review/first")
def first(
    request: Request,
    session: PageSession,
    checks: Checks,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    deed: Text = "keyed",
    bank_code: Text = "",
    branch_code: Text = "",
    account_type: Text = "",
    account_number: Text = "",
    holder_kana: Text = "",
    holder_reason: Text = "",
    defects: Annotated[list[str], Form()] = [],  # noqa: B006  # FastAPI が毎回写す
    defect_note: Text = "",
) -> Response:
    """一次入力を終える、または不備にする。"""
    confirm(session, csrf)
    account = dict(
        zip(ACCOUNT_FIELDS, (bank_code, branch_code, account_type, account_number, holder_kana), strict=True)
    )
    given = {
        **_EMPTY,
        **account,
        "checks": checks,
        "defects": [code for code in defects if code in DEFECTS],
        "holder_reason": holder_reason,
        "defect_note": defect_note,
    }
    work = find_defects if deed == "deficient" else key_first
    try:
        done = _do(request, session, operation, case_number, given, work)
    except BenefitError as refused:
        named = isinstance(refused, RefusedByRule) and refused.code == "holder-name"
        return _case_page(
            request, session, case_number, given=given, error=str(refused), holder_differs=named or bool(holder_reason)
        )
    if deed == "deficient":
        told = {
            "headline": "不備にしました",
            "tone": "look",
            "says": f"不備 {len(done['codes'])} つ。手紙の列に入りました。",
        }
    else:
        told = {"headline": "一次入力が済みました", "tone": "good", "says": "別の人が、見ないでもう一度入力します。"}
    return _queue_page(request, session, done=told)


@router.post("/review/second")
def second(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    bank_code: Text = "",
    branch_code: Text = "",
    account_type: Text = "",
    account_number: Text = "",
    holder_kana: Text = "",
) -> Response:
    """二次入力を照合し、二人の入力を並べて見せる。"""
    confirm(session, csrf)
    account = (bank_code, branch_code, account_type, account_number, holder_kana)
    given = {**_EMPTY, **dict(zip(ACCOUNT_FIELDS, account, strict=True))}
    try:
        done = _do(request, session, operation, case_number, given, key_second)
    except BenefitError as refused:
        return _case_page(request, session, case_number, given=given, error=str(refused))
    with request.app.state.engine.begin() as connection:
        rows = desk_reviewing.comparison(
            connection, done["review_id"], actor=session.actor, at=request.app.state.clock()
        )
    wrong = done["differing"]
    return page(
        request,
        "desk/review_compared.html",
        session=session,
        case_number=case_number,
        headline="二人の入力が違います" if wrong else "審査完了",
        tone="stop" if wrong else "good",
        says=f"違うのは {'、'.join(wrong)}。再照合の列へ戻しました。" if wrong else "五つの項目がみな同じです。",
        rows=rows,
    )


def _do(
    request: Request,
    session: Session,
    key: str,
    number: str,
    given: Mapping[str, Any],
    work: Callable[[Connection, str, Mapping[str, Any], Actor, datetime], Done],
) -> Done:
    at = request.app.state.clock()
    return once(
        request,
        session,
        key,
        {**given, "case_number": number},
        lambda connection: work(connection, number, given, session.actor, at),
    )


def _queue_page(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    now = request.app.state.clock()
    with request.app.state.engine.connect() as connection:
        rows = desk_queue.queue(connection, actor=session.actor, now=now)
        mine = desk_queue.held(connection, actor=session.actor, at=now)
    values = {"error": "", "done": None, **shown}
    return page(request, "desk/review.html", status=status, session=session, queue=rows, mine=mine, **values)


def _case_page(
    request: Request, session: Session, number: str, *, given: Mapping[str, Any] = _EMPTY, error: str = "", **shown: Any
) -> Response:
    now = request.app.state.clock()
    try:
        with request.app.state.engine.begin() as connection:
            desk_queue.require_hold(connection, number, actor=session.actor, at=now)
            seen = desk_reviewing.view(connection, number, actor=session.actor, at=now)
            mine = desk_queue.held(connection, actor=session.actor, at=now)
    except RefusedByRule as refused:
        return _queue_page(request, session, status=400, error=error or refused.says)
    return page(
        request,
        "desk/review_second.html" if seen.kind == "second" else "desk/review_first.html",
        status=400 if error else 200,
        session=session,
        case=seen,
        until=mine.until if mine and mine.case_number == number else None,
        given=given,
        error=error,
        items=tuple((key, item.name) for key, item in CHECK_ITEMS.items()),
        marks=CHECK_MARKS,
        defects=tuple((key, defect.name) for key, defect in DEFECTS.items()),
        today=tokyo_date(now).isoformat(),
        **{"holder_differs": False, **shown},
    )
