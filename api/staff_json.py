"""人・端末・非常用の ID を JSON で。画面（api.staff、api.sealed）と同じ仕事で、どちらの台帳でも同じ道である。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from api.guard import ApiSession
from api.once import IdempotencyKey, once
from api.session import Session, is_fresh
from benefit.services import break_glass, people, people_review, terminals
from benefit.services.people_first import aware
from benefit.store.access import AccessTables
from benefit.store.engine import reading

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Short = Annotated[str, StringConstraints(max_length=100, pattern=_PRINTABLE)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]


class Given(BaseModel):
    """受け取るもの。知らない項目があれば断る。"""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """断り（RFC 9457）。`detail` は読めば次にすることが分かる文。"""

    type: str
    title: str
    status: int
    detail: str


class Person(BaseModel):
    """一人の ID と権限（棚卸表の一行）。"""

    id: str
    name: str
    role: str
    kind: str
    state: str
    contract_ends_on: date | None
    created_at: datetime
    ended_at: datetime | None
    last_login_at: datetime | None
    terms_accepted_at: datetime | None


class Persons(BaseModel):
    """全部の ID（終わったものも）。"""

    rows: list[Person]


class NewPerson(Given):
    """登録する人。"""

    staff_id: Id
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
    role: Short
    contract_ends_on: date | None = None


class OnPerson(Given):
    """どの人に、なぜ。"""

    staff_id: Id
    reason: Reason


class NewRole(OnPerson):
    """新しい役割と、契約の終わり（なければ、なし）。"""

    role: Short
    contract_ends_on: date | None = None


class PersonDone(BaseModel):
    """した相手。`first_password` は一度だけ返り、同じ札で送り直すと空になる。"""

    staff_id: str
    first_password: str = ""


class TerminalRow(BaseModel):
    """名のある端末。"""

    name: str
    place: str
    certificate_sha256: str | None
    registered_by: str
    registered_at: datetime
    ended_at: datetime | None


class Terminals(BaseModel):
    """全部の端末（終えたものも）。"""

    rows: list[TerminalRow]


class NewTerminal(Given):
    """登録する端末と、その証明書（PEM）。"""

    name: Short
    place: Short
    certificate: Annotated[str, StringConstraints(max_length=10_000)]


class OnTerminal(Given):
    """どの端末を、なぜ終えるか。"""

    name: Short
    reason: Reason


class TerminalDone(BaseModel):
    """した端末。"""

    name: str


class Why(Given):
    """なぜ非常用の ID が要るか。"""

    reason: Reason


class Which(Given):
    """どの申し出か。"""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]


class SealedDone(BaseModel):
    """した申し出。`password` は承認のときに一度だけ返り、同じ札で送り直すと空になる。"""

    number: int
    password: str = ""


_SAID = {
    400: "決まりによる断り",
    401: "ログインしていない",
    403: "役割が違う、もう一度の確かめが要る",
    409: "同じ札で、違う中身",
    422: "入力の形が違う",
    503: "ログが書けない",
}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {
        "model": Problem,
        "description": says,
        # 断りは application/problem+json で返る。
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code, says in _SAID.items()
}
Deed = Callable[[Connection, AccessTables, datetime], str]


def router_for() -> APIRouter:
    """JSON の道（台帳ごとに一組）。"""
    router = APIRouter(prefix="/api/v1", tags=["人と端末"], responses=_REFUSALS)
    router.add_api_route("/staff", listed, methods=["GET"])
    router.add_api_route("/terminals", terminal_list, methods=["GET"])
    posts: tuple[tuple[str, Callable[..., BaseModel]], ...] = (
        ("/staff", add),
        ("/staff/end", end),
        ("/staff/reset", reset),
        ("/staff/unlock", unlock),
        ("/staff/role", change_role),
        ("/terminals", add_terminal),
        ("/terminals/end", end_terminal),
        ("/break-glass/ask", ask),
        ("/break-glass/approve", approve),
        ("/break-glass/close", close),
    )
    for path, endpoint in posts:
        router.add_api_route(path, endpoint, methods=["POST"])
    return router


def listed(request: Request, session: ApiSession) -> Persons:
    """ID と権限の一覧（棚卸表と同じ）。"""
    state = request.app.state
    with reading(state.engine) as connection:
        rows = people_review.rows(connection, state.store.access, state.clock())
    names = Person.model_fields
    return Persons(rows=[Person(**{name: row[name] for name in names}) for row in rows])


def add(request: Request, session: ApiSession, given: NewPerson, idempotency_key: IdempotencyKey) -> PersonDone:
    """一人を登録し、最初の合言葉を返す。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        return people.add_by(connection, tables, **given.model_dump(), actor=session.actor, at=at)

    return PersonDone(staff_id=given.staff_id, first_password=_do(request, session, idempotency_key, given, deed))


def end(request: Request, session: ApiSession, given: OnPerson, idempotency_key: IdempotencyKey) -> PersonDone:
    """ID を終える。入っている画面もすぐに閉じる。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        people.end(connection, tables, given.staff_id, reason=given.reason, actor=session.actor, at=at)
        return ""

    return PersonDone(staff_id=given.staff_id, first_password=_do(request, session, idempotency_key, given, deed))


def reset(request: Request, session: ApiSession, given: OnPerson, idempotency_key: IdempotencyKey) -> PersonDone:
    """合言葉と数字を最初に戻し、新しい最初の合言葉を返す。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        return people.reset(connection, tables, given.staff_id, reason=given.reason, actor=session.actor, at=at)

    return PersonDone(staff_id=given.staff_id, first_password=_do(request, session, idempotency_key, given, deed))


def unlock(request: Request, session: ApiSession, given: OnPerson, idempotency_key: IdempotencyKey) -> PersonDone:
    """閉じた ID を開く。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        people.unlock(connection, tables, given.staff_id, reason=given.reason, actor=session.actor, at=at)
        return ""

    return PersonDone(staff_id=given.staff_id, first_password=_do(request, session, idempotency_key, given, deed))


def change_role(request: Request, session: ApiSession, given: NewRole, idempotency_key: IdempotencyKey) -> PersonDone:
    """役割と契約の終わりを変える（ID は変えない）。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        people.change_role(connection, tables, **given.model_dump(), actor=session.actor, at=at)
        return ""

    return PersonDone(staff_id=given.staff_id, first_password=_do(request, session, idempotency_key, given, deed))


def terminal_list(request: Request, session: ApiSession) -> Terminals:
    """端末の一覧。"""
    state = request.app.state
    with reading(state.engine) as connection:
        rows = terminals.listed(connection, state.store.access)
    for row in rows:
        row.update({name: aware(row[name]) for name in ("registered_at", "ended_at")})
    return Terminals(rows=[TerminalRow(**{name: row[name] for name in TerminalRow.model_fields}) for row in rows])


def add_terminal(
    request: Request, session: ApiSession, given: NewTerminal, idempotency_key: IdempotencyKey
) -> TerminalDone:
    """端末を登録する。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        values = {"pem": given.certificate, "name": given.name, "place": given.place}
        terminals.add(connection, tables, **values, actor=session.actor, at=at)
        return ""

    _do(request, session, idempotency_key, given, deed)
    return TerminalDone(name=given.name)


def end_terminal(
    request: Request, session: ApiSession, given: OnTerminal, idempotency_key: IdempotencyKey
) -> TerminalDone:
    """端末を終える。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        terminals.end(connection, tables, given.name, reason=given.reason, actor=session.actor, at=at)
        return ""

    _do(request, session, idempotency_key, given, deed)
    return TerminalDone(name=given.name)


def ask(request: Request, session: ApiSession, given: Why, idempotency_key: IdempotencyKey) -> SealedDone:
    """非常用の ID を開けたいと申し出る。"""
    state = request.app.state

    def deed(connection: Connection) -> dict[str, Any]:
        reason, actor = given.reason, session.actor
        number = break_glass.ask(connection, state.store.access, reason=reason, actor=actor, at=state.clock())
        return {"number": number}

    return SealedDone(**once(request, session, idempotency_key, given.model_dump(), deed))


def approve(request: Request, session: ApiSession, given: Which, idempotency_key: IdempotencyKey) -> SealedDone:
    """申し出を承認し、一度きりの合言葉を返す。ログインから 5 分を過ぎていれば、入り直す。"""
    if not is_fresh(session, request.app.state.clock):
        raise HTTPException(403, "5 分以内に本人を確かめた人だけが承認できます。もう一度ログインしてください")

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        return break_glass.approve(connection, tables, given.number, actor=session.actor, at=at)

    return SealedDone(number=given.number, password=_do(request, session, idempotency_key, given, deed))


def close(request: Request, session: ApiSession, given: Which, idempotency_key: IdempotencyKey) -> SealedDone:
    """非常用の ID を返す（60 分を待たずに閉じる）。"""

    def deed(connection: Connection, tables: AccessTables, at: datetime) -> str:
        break_glass.close(connection, tables, given.number, actor=session.actor, at=at)
        return ""

    return SealedDone(number=given.number, password=_do(request, session, idempotency_key, given, deed))


def _do(request: Request, session: Session, key: str, given: Given, deed: Deed) -> str:
    """一度だけ行う。合言葉は済んだ書込みの表に残さないので、送り直しには返らない。"""
    state = request.app.state
    made: list[str] = []

    def once_only(connection: Connection) -> dict[str, Any]:
        made.append(deed(connection, state.store.access, state.clock()))
        return {}

    once(request, session, key, given.model_dump(mode="json"), once_only)
    return made[0] if made else ""
