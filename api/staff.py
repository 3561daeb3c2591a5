"""人と端末の画面（区の管理者だけ）。どちらの画面（給付管理、区）でも同じで、受給者の誰のことも出ない。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.once import once
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.access import ROLE_NAMES, Actor
from benefit.domain.errors import BenefitError, WrongUse
from benefit.services import people, people_review, terminals
from benefit.store import audit
from benefit.store.access import AccessTables
from benefit.store.engine import reading

Pem = Annotated[str, Form(max_length=10_000)]
#: その仕事をする関数: (接続, 表, 誰が, いつ) → 一度だけ見せる合言葉（なければ空）。
Deed = Callable[[Connection, AccessTables, Actor, datetime], str]


def router_for() -> APIRouter:
    """人と端末の道（画面ごとに一組）。"""
    router = APIRouter(include_in_schema=False)
    posts: tuple[tuple[str, Callable[..., Response]], ...] = (
        ("/staff/add", add),
        ("/staff/open", open_person),
        ("/staff/end", end),
        ("/staff/reset", reset),
        ("/staff/unlock", unlock),
        ("/staff/role", change_role),
        ("/terminals/add", add_terminal),
        ("/terminals/end", end_terminal),
    )
    for path, endpoint in posts:
        router.add_api_route(path, endpoint, methods=["POST"])
    for path, endpoint in (("/staff", listed), ("/staff/review.xlsx", review), ("/terminals", terminal_list)):
        router.add_api_route(path, endpoint, methods=["GET"])
    return router


def listed(request: Request, session: PageSession) -> Response:
    """ID の一覧と、登録の欄。"""
    return _list(request, session)


def review(request: Request, session: PageSession) -> Response:
    """棚卸表（xlsx）。"""
    state = request.app.state
    tables, now = state.store.access, state.clock()
    with state.engine.begin() as connection:
        audit.record(connection, tables.audit_log, at=now, actor=session.actor, action="staff.review")
        book = people_review.workbook(connection, tables, now)
    name = f"staff-{tables.line}-{now:%Y%m%d}.xlsx"
    return attached(book, XLSX, name)


def add(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    staff_id: Text = "",
    name: Text = "",
    role: Text = "",
    contract_ends_on: Text = "",
) -> Response:
    """一人を登録し、最初の合言葉を一度だけ見せる。"""
    confirm(session, csrf)
    given = {"staff_id": staff_id.strip(), "name": name, "role": role, "contract_ends_on": contract_ends_on}

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        ends_on = _day(contract_ends_on)
        return people.add_by(
            connection,
            tables,
            staff_id=given["staff_id"],
            name=name,
            role=role,
            contract_ends_on=ends_on,
            actor=actor,
            at=at,
        )

    try:
        password = _do(request, session, operation, given, deed)
    except BenefitError as refused:
        return _list(request, session, status=400, error=str(refused), given=given)
    return _list(request, session, done=f"{given['staff_id']} を登録しました", password=password)


def open_person(request: Request, session: PageSession, csrf: Text = "", staff_id: Text = "") -> Response:
    """一人と、できること。"""
    confirm(session, csrf)
    return _person(request, session, staff_id)


def end(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    staff_id: Text = "",
    reason: Text = "",
) -> Response:
    """終える。"""

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        people.end(connection, tables, staff_id, reason=reason, actor=actor, at=at)
        return ""

    return _change(request, session, csrf, operation, staff_id, {"reason": reason}, deed, "終えました")


def reset(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    staff_id: Text = "",
    reason: Text = "",
) -> Response:
    """合言葉と数字を最初に戻す。"""

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        return people.reset(connection, tables, staff_id, reason=reason, actor=actor, at=at)

    return _change(request, session, csrf, operation, staff_id, {"reason": reason}, deed, "最初に戻しました")


def unlock(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    staff_id: Text = "",
    reason: Text = "",
) -> Response:
    """閉じた ID を開く。"""

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        people.unlock(connection, tables, staff_id, reason=reason, actor=actor, at=at)
        return ""

    return _change(request, session, csrf, operation, staff_id, {"reason": reason}, deed, "開きました")


def change_role(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    staff_id: Text = "",
    role: Text = "",
    contract_ends_on: Text = "",
    reason: Text = "",
) -> Response:
    """役割と契約の終わりを変える。"""

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        ends_on = _day(contract_ends_on)
        people.change_role(
            connection, tables, staff_id, role=role, contract_ends_on=ends_on, reason=reason, actor=actor, at=at
        )
        return ""

    given = {"role": role, "contract_ends_on": contract_ends_on, "reason": reason}
    return _change(request, session, csrf, operation, staff_id, given, deed, "変えました")


def terminal_list(request: Request, session: PageSession) -> Response:
    """端末の一覧と、登録の欄。"""
    return _terminals(request, session)


def add_terminal(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    name: Text = "",
    place: Text = "",
    certificate: Pem = "",
) -> Response:
    """端末を登録する。"""
    confirm(session, csrf)
    given = {"name": name, "place": place, "certificate": certificate}

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        terminals.add(connection, tables, pem=certificate, name=name, place=place, actor=actor, at=at)
        return ""

    try:
        _do(request, session, operation, given, deed)
    except BenefitError as refused:
        return _terminals(request, session, status=400, error=str(refused), given=given)
    return _terminals(request, session, done=f"端末 {name} を登録しました")


def end_terminal(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", name: Text = "", reason: Text = ""
) -> Response:
    """端末を終える。"""
    confirm(session, csrf)

    def deed(connection: Connection, tables: AccessTables, actor: Actor, at: datetime) -> str:
        terminals.end(connection, tables, name, reason=reason, actor=actor, at=at)
        return ""

    try:
        _do(request, session, operation, {"name": name, "reason": reason}, deed)
    except BenefitError as refused:
        return _terminals(request, session, status=400, error=str(refused))
    return _terminals(request, session, done=f"端末 {name} を終えました")


def _change(
    request: Request,
    session: Session,
    csrf: str,
    operation: str,
    staff_id: str,
    given: dict[str, str],
    deed: Deed,
    says: str,
) -> Response:
    confirm(session, csrf)
    try:
        password = _do(request, session, operation, {"staff_id": staff_id, **given}, deed)
    except BenefitError as refused:
        return _person(request, session, staff_id, status=400, error=str(refused))
    return _person(request, session, staff_id, done=f"{staff_id} を{says}", password=password)


def _do(request: Request, session: Session, operation: str, given: dict[str, str], deed: Deed) -> str:
    """一度だけ行う。合言葉は済んだ書込みの表に残さないので、送り直しには出ない。"""
    state = request.app.state
    made: list[str] = []

    def once_only(connection: Connection) -> dict[str, str]:
        made.append(deed(connection, state.store.access, session.actor, state.clock()))
        return {}

    once(request, session, operation, given, once_only)
    return made[0] if made else ""


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise WrongUse("契約の終わりの日付が読めません", found=text, allowed="2025-03-31 の形") from None


def _list(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    state = request.app.state
    now = state.clock()
    with reading(state.engine) as connection:
        rows = people_review.rows(connection, state.store.access, now)
    values = {"error": "", "done": "", "password": "", "given": {}, **shown}
    return page(
        request, "shared/staff.html", status=status, session=session, rows=rows, roles=_roles(request), **values
    )


def _person(request: Request, session: Session, staff_id: str, *, status: int = 200, **shown: Any) -> Response:
    state = request.app.state
    with reading(state.engine) as connection:
        rows = people_review.rows(connection, state.store.access, state.clock())
    found = next((row for row in rows if row["id"] == staff_id and row["kind"] == "person"), None)
    if found is None:
        return _list(request, session, status=400, error="その ID の人はいません")
    values = {"error": "", "done": "", "password": "", **shown}
    return page(
        request,
        "shared/staff_person.html",
        status=status,
        session=session,
        person=found,
        roles=_roles(request),
        **values,
    )


def _terminals(request: Request, session: Session, *, status: int = 200, **shown: Any) -> Response:
    state = request.app.state
    with reading(state.engine) as connection:
        rows = terminals.listed(connection, state.store.access)
    values = {"error": "", "done": "", "given": {}, **shown}
    return page(request, "shared/terminals.html", status=status, session=session, rows=rows, **values)


def _roles(request: Request) -> list[tuple[str, str]]:
    line = request.app.state.store.access.line
    return [(role, ROLE_NAMES[role]) for role in people.ROLES[line]]
