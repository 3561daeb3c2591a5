"""区の照会の画面: 用件と理由が先、一覧はない。開いた一人は session に置き、番号を URL に出さない。"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api import session as sessions
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.deeds import seen
from benefit.domain.errors import RefusedInput
from benefit.services import ward_lookup, ward_why
from benefit.services.explain import change_lines
from benefit.services.ward_case import Trail, failed_checks
from benefit.services.ward_lookup import Keys, Person, Why
from benefit.store import ward

router = APIRouter(include_in_schema=False)
_FIELDS = {"purpose": "purpose", "reason": "reason", "search-birth": "birth", "search-keys": "case_number"}


@router.get("/people")
def form(request: Request, session: PageSession) -> Response:
    """探す画面。"""
    return _form(request, session)


def _form(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    shown = {"error": "", "field": "", "says": "", "hits": (), "given": {}, **values}
    shown["given"] = {"purpose": session.purpose, "reason": session.call_reference, **shown["given"]}
    return page(request, "ward/people.html", status=status, session=session, purposes=ward_lookup.PURPOSES, **shown)


@router.post("/people/search")
def search(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    purpose: Text = "",
    reason: Text = "",
    case_number: Text = "",
    person_number: Text = "",
    household_number: Text = "",
    kana_name: Text = "",
    birth: Text = "",
) -> Response:
    """探す。一人だけ当たれば、そのまま開く。"""
    confirm(session, csrf)
    state = request.app.state
    words = {
        "case_number": case_number,
        "person_number": person_number,
        "household_number": household_number,
        "kana_name": kana_name,
        "birth": birth,
    }
    # 開いている用件があれば、区直轄の並びなどからは、書き直さなくてよい。
    given = {"purpose": purpose or session.purpose, "reason": reason or session.call_reference, **words}
    try:
        why = Why.of(given["purpose"], given["reason"])
        keys = Keys.of(**words)
    except RefusedInput as refused:
        field = _FIELDS.get(refused.code, "case_number")
        return _form(request, session, status=400, error=refused.says, field=field, given=given)
    sessions.begin_call(state.engine, ward, session.token, why.reason, why.purpose)
    hits = ward_lookup.search(state.home, keys, why, actor=session.actor, clock=state.clock)
    if hits is None:
        return _form(request, session, says=ward_lookup.TOO_MANY, given=given)
    if len(hits) == 1:
        return _opened(request, session, hits[0].person_number)
    return _form(request, session, says="" if hits else ward_lookup.NO_SUCH, hits=hits, given=given)


@router.post("/people/open")
def choose(request: Request, session: PageSession, csrf: Text = "", person_number: Text = "") -> Response:
    """当たりの一人を選ぶ。"""
    confirm(session, csrf)
    # 番号でないものは、いない人と同じに扱う。
    plain = person_number.isascii() and person_number.isdigit() and len(person_number) <= 10
    number = int(person_number) if plain else 0
    return _opened(request, session, number)


def _opened(request: Request, session: Session, person_number: int) -> Response:
    with request.app.state.engine.begin() as connection:
        sessions.keep_case(connection, ward, session.token, f"{person_number:010d}")
    return RedirectResponse("/people/case", 303)


def open_person(request: Request, session: Session) -> tuple[Person, Why] | None:
    """いま開いている一人。開いていない、用件がない、見てはならない人なら None。見た記録が残ってから返る。"""
    if not session.case_number or not session.purpose:
        return None
    why = Why(session.purpose, session.call_reference)
    state = request.app.state
    found = ward_lookup.look(state.home, int(session.case_number), why, actor=session.actor, clock=state.clock)
    return (found, why) if found else None


@router.get("/people/case")
def show(request: Request, session: PageSession) -> Response:
    """開いている一人。"""
    return _person(request, session, "ward/person.html")


@router.get("/people/print")
def printed(request: Request, session: PageSession) -> Response:
    """印刷のための一枚。上の帯もボタンもなく、畳んだところも開いている。"""
    return _person(request, session, "ward/person_print.html")


@router.post("/people/close")
def close(request: Request, session: PageSession, csrf: Text = "") -> Response:
    """この用件を終える。次の用件の閲覧が、前の用件の記録に混ざらないようにする。"""
    confirm(session, csrf)
    state = request.app.state
    sessions.end_call(state.engine, ward, session.token)
    with state.engine.begin() as connection:
        sessions.keep_case(connection, ward, session.token, None)
    return RedirectResponse("/people", 303)


def _person(request: Request, session: Session, template: str) -> Response:
    found = open_person(request, session)
    if found is None:
        says = ward_lookup.NO_SUCH if session.case_number else ""
        return _form(request, session, says=says)
    person, why = found
    home = request.app.state.home
    if template.endswith("print.html"):
        seen(request, session, "person.print", f"{person.person_number:010d}", rows=1, reason=why.told)
    return page(
        request,
        template,
        session=session,
        person=person,
        why=why,
        cases=[_case(request, trail) for trail in person.trails],
        steps=sorted(
            ((trail.case["case_number"], step) for trail in person.trails for step in trail.steps),
            key=lambda pair: pair[1].on,
            reverse=True,
        ),
        explained=ward_why.explained(home, person.person_number),
        clauses=ward_why.clauses,
        change_lines=change_lines,
        readers=ward_why.readers,
        names=home.benefit_names,
    )


def _case(request: Request, trail: Trail) -> dict[str, Any]:
    programme = request.app.state.home.programme(trail.case["programme"])
    return {"row": trail.case, "told": trail.told, "trail": trail, "checks": failed_checks(trail, programme)}
