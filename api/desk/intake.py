"""収受と返戻の画面。番号の箱が一つ、読み取り機は 11 桁と Enter を打つ。束の種類は、次の一枚にも残る。

窓口の人が見るのは、伏せた氏名と町名だけである（reliability §4.4）。番号の一覧の結果に氏名は出ない。
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api.desk.fields import Numbers, day, day_or_none, lines_of
from api.guard import PageSession
from api.once import Done, once
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.access import Actor
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import CHANNELS, FORM_KINDS, RETURN_REASONS
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import desk_bundle
from benefit.services.desk_intake import Arrival, read_number, receive, receive_many
from benefit.services.desk_returned_mail import Return, returned, returned_many

router = APIRouter(include_in_schema=False)
#: 扱いごとの、大きな一行と色合い。
HEADLINES = {
    "taken": ("収受しました", "good"),
    "duplicate": ("二重提出です", "look"),
    "old_branch": ("出し直す前の手紙です", "look"),
    "late": ("期限後です", "look"),
    "returned": ("返戻を入れました", "good"),
}
NOT_HERE = "番号がありません → 区で確認します"
_FIRST = {"kind": "confirmation", "channel": "post", "received_on": "", "postmark_on": "", "box": "", "numbers": ""}
_FIRST_RETURNED = {"reason": "unknown_address", "returned_on": "", "box": "", "numbers": ""}


def scan_form(connection: Connection, text: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """一枚を収受する。`text` は打った・読み取った番号。"""
    taken = receive(connection, _arrival(text, given, tokyo_date(at)), actor=actor, at=at)
    return {
        "form_id": taken.form_id,
        "case_number": taken.case_number,
        "standing": taken.standing,
        "state": taken.state,
        "says": taken.says,
    }


def scan_returned(connection: Connection, text: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """返戻を一通入れる。"""
    mail = _return(text, given, tokyo_date(at))
    returned(connection, mail, actor=actor, at=at)
    says = f"{RETURN_REASONS[mail.reason]}。再発行を区に頼みました。"
    return {"case_number": mail.case_number, "standing": "returned", "says": says}


def list_forms(connection: Connection, text: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """番号の一覧を収受する。読めない行・受けられない行には、わけが付く。"""
    read, lines = _read(text, lambda line: _arrival(line, given, tokyo_date(at)))
    done = receive_many(connection, [arrival for _, arrival in read], actor=actor, at=at)
    told: dict[str, list[tuple[str, str]]] = {taken.case_number: [] for taken in done.taken}
    for taken in done.taken:
        told[taken.case_number].append((taken.standing, taken.says))
    refused = {refusal.line: refusal.why for refusal in done.refused}
    for order, (place, arrival) in enumerate(read, 1):
        standing, says = ("refused", refused[order]) if order in refused else told[arrival.case_number].pop(0)
        lines[place] = {"case_number": arrival.case_number, "standing": standing, "says": says}
    desk_bundle.refused(connection, [one.case_number for one in done.refused], actor=actor, at=at, why="収受")
    return {"lines": [lines[place] for place in sorted(lines)]}


def list_returned(connection: Connection, text: str, given: Mapping[str, str], actor: Actor, at: datetime) -> Done:
    """番号の一覧の返戻を入れる。"""
    read, lines = _read(text, lambda line: _return(line, given, tokyo_date(at)))
    done = returned_many(connection, [mail for _, mail in read], actor=actor, at=at)
    refused = {refusal.line: refusal.why for refusal in done.refused}
    for order, (place, mail) in enumerate(read, 1):
        standing, says = ("refused", refused[order]) if order in refused else ("returned", "返戻を入れました。")
        lines[place] = {"case_number": mail.case_number, "standing": standing, "says": says}
    desk_bundle.refused(connection, [one.case_number for one in done.refused], actor=actor, at=at, why="返戻")
    return {"lines": [lines[place] for place in sorted(lines)]}


def _read(text: str, make: Callable[[str], Any]) -> tuple[list[tuple[int, Any]], dict[int, dict[str, str]]]:
    """読めた行（何行目、中身）と、読めない行の答え。"""
    read: list[tuple[int, Any]] = []
    lines: dict[int, dict[str, str]] = {}
    for place, line in enumerate(lines_of(text)):
        try:
            read.append((place, make(line)))
        except BenefitError as refused:
            lines[place] = {"case_number": line[:20], "standing": "refused", "says": str(refused)}
    return read, lines


def _arrival(text: str, given: Mapping[str, str], today: date) -> Arrival:
    number, branch = read_number(text)
    received_on = day(given["received_on"], "届いた日", latest=today)
    postmark_on = day_or_none(given.get("postmark_on", ""), "消印の日", latest=today)
    return Arrival(
        number, given["kind"], received_on, given["channel"], branch, postmark_on, given.get("box", "").strip()[:40]
    )


def _return(text: str, given: Mapping[str, str], today: date) -> Return:
    number, branch = read_number(text)
    returned_on = day(given["returned_on"], "戻った日", latest=today)
    return Return(number, given["reason"], returned_on, branch, given.get("box", "").strip()[:40])


@router.get("/intake")
def intake(request: Request, session: PageSession) -> Response:
    """収受の画面。"""
    return _page(request, session, _FIRST)


@router.post("/intake/scan")
def scan(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    kind: Text = "",
    channel: Text = "",
    received_on: Text = "",
    postmark_on: Text = "",
    box: Text = "",
) -> Response:
    """一枚を収受する。"""
    confirm(session, csrf)
    given = {"kind": kind, "channel": channel, "received_on": received_on, "postmark_on": postmark_on, "box": box}
    return _scanned(request, session, operation, case_number, given, scan_form)


@router.post("/intake/list")
def paste(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    numbers: Numbers = "",
    kind: Text = "",
    channel: Text = "",
    received_on: Text = "",
    postmark_on: Text = "",
    box: Text = "",
) -> Response:
    """番号の一覧を収受する。"""
    confirm(session, csrf)
    given = {"kind": kind, "channel": channel, "received_on": received_on, "postmark_on": postmark_on, "box": box}
    return _pasted(request, session, operation, numbers, given, list_forms)


@router.get("/intake/returned")
def returned_mail(request: Request, session: PageSession) -> Response:
    """返戻の画面。"""
    return _page(request, session, _FIRST_RETURNED)


@router.post("/intake/returned/scan")
def scan_back(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    case_number: Text = "",
    reason: Text = "",
    returned_on: Text = "",
    box: Text = "",
) -> Response:
    """返戻を一通入れる。"""
    confirm(session, csrf)
    given = {"reason": reason, "returned_on": returned_on, "box": box}
    return _scanned(request, session, operation, case_number, given, scan_returned)


@router.post("/intake/returned/list")
def paste_back(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    numbers: Numbers = "",
    reason: Text = "",
    returned_on: Text = "",
    box: Text = "",
) -> Response:
    """番号の一覧の返戻を入れる。"""
    confirm(session, csrf)
    given = {"reason": reason, "returned_on": returned_on, "box": box}
    return _pasted(request, session, operation, numbers, given, list_returned)


@router.post("/intake/undo")
def undo(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    form_id: int = Form(0, ge=0, le=2**31 - 1),
    reason: Text = "",
) -> Response:
    """最後の一枚を取り消す。"""
    confirm(session, csrf)
    at = request.app.state.clock()

    def deed(connection: Connection) -> Done:
        number = desk_bundle.undo_scan(connection, form_id, reason=reason, actor=session.actor, at=at)
        return {"case_number": number}

    try:
        done = once(request, session, operation, {"form_id": form_id, "reason": reason}, deed)
    except BenefitError as refused:
        return _page(request, session, _FIRST, status=400, error=str(refused))
    told = {"headline": "取り消しました", "tone": "look", "says": "紙を、正しい束で受け直してください。", "seen": None}
    return _page(request, session, _FIRST, last={**done, **told})


Deed = Callable[[Connection, str, Mapping[str, str], Actor, datetime], Done]


def _scanned(request: Request, session: Session, key: str, text: str, given: Mapping[str, str], deed: Deed) -> Response:
    at = request.app.state.clock()
    try:
        done = once(
            request,
            session,
            key,
            {**given, "case_number": text},
            lambda connection: deed(connection, text, given, session.actor, at),
        )
    except BenefitError as refused:
        log_refused(request, session, text)
        return _page(request, session, given, status=400, last=_refused(text, refused))
    headline, tone = HEADLINES[done["standing"]]
    with request.app.state.engine.begin() as connection:
        seen = desk_bundle.glimpse(connection, done["case_number"], actor=session.actor, at=at, why="収受")
    return _page(request, session, given, last={**done, "headline": headline, "tone": tone, "seen": seen})


def _pasted(
    request: Request, session: Session, key: str, numbers: str, given: Mapping[str, str], deed: Deed
) -> Response:
    at = request.app.state.clock()
    try:
        done = once(
            request,
            session,
            key,
            {**given, "numbers": numbers},
            lambda connection: deed(connection, numbers, given, session.actor, at),
        )
    except BenefitError as refused:
        return _page(request, session, {**given, "numbers": numbers}, status=400, error=str(refused))
    return _page(request, session, given, lines=done["lines"])


def log_refused(request: Request, session: Session, text: str) -> None:
    """受けられなかった一枚を残す（仕事の方は巻き戻っている）。形の違う番号からは、何も分からない。"""
    try:
        number, _branch = read_number(text)
    except BenefitError:
        return
    with request.app.state.engine.begin() as connection:
        at = request.app.state.clock()
        desk_bundle.refused(connection, [number], actor=session.actor, at=at, why="収受・返戻")


def _refused(text: str, refused: BenefitError) -> dict[str, Any]:
    unknown = isinstance(refused, RefusedByRule) and refused.code == "unknown-case"
    return {
        "headline": NOT_HERE if unknown else "受け付けていません",
        "tone": "stop",
        "case_number": text.strip()[:20],
        "says": "紙を別に置き、区へ回してください。" if unknown else str(refused),
        "seen": None,
    }


def _page(request: Request, session: Session, given: Mapping[str, str], *, status: int = 200, **shown: Any) -> Response:
    now = request.app.state.clock()
    with request.app.state.engine.connect() as connection:
        mine = desk_bundle.received_today(connection, actor=session.actor, now=now)
    back = "reason" in given
    today = tokyo_date(now).isoformat()
    dated = "returned_on" if back else "received_on"
    return page(
        request,
        "desk/intake.html",
        status=status,
        session=session,
        back=back,
        given={"numbers": "", **given, dated: given[dated] or today},
        kinds=tuple(FORM_KINDS.items()),
        channels=tuple(CHANNELS.items()),
        reasons=tuple(RETURN_REASONS.items()),
        today=today,
        mine=mine,
        **{"error": "", "last": None, "lines": (), **shown},
    )
