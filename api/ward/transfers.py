"""振込ファイル: 一覧、作る、送り出す、取り消す。承認は /approvals/transfer/番号。"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, select

from api.guard import PageSession
from api.logs import Number
from api.page import Text, confirm, page
from api.session import Session
from api.ward import approving
from api.ward.deeds import deed
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import approvals_view_lists, bank_master, transfers
from benefit.services.approvals_view import Sheet
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
Password = Annotated[str, Form(max_length=200)]
Digest = Annotated[str, Form(pattern=r"^[0-9a-f]{64}$")]


@router.get("/transfers")
def listed(request: Request, session: PageSession) -> Response:
    """一覧と、作る欄。"""
    return _list_page(request, session)


@router.post("/transfers")
def make(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    programme: Text = "",
    pay_date: Text = "",
) -> Response:
    """支給可の行から振込ファイルを作る。まだ何も送り出されない。"""
    confirm(session, csrf)
    try:
        number = make_file(request, session, operation, programme, pay_date)
    except (BenefitError, ValueError) as refused:
        says = str(refused) if isinstance(refused, BenefitError) else "振込指定日は 2024-08-02 の形で書きます"
        return _list_page(request, session, error=says, given={"pay_date": pay_date}, status=400)
    if number is None:
        return _list_page(request, session, error="振り込む行はありません（支給可で、まだ振込になっていない行がない）")
    return RedirectResponse(f"/approvals/transfer/{number}", 303)


def make_file(request: Request, session: Session, key: str, programme: str, pay_date: str) -> int | None:
    """一度だけ作り、振込の番号を返す。行がなければ None。"""
    state = request.app.state
    chosen, day = state.home.programme(programme), date.fromisoformat(pay_date)
    table = ward.transfer
    with reading(state.home.ward) as connection:
        before = connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()

    def work(home: Home) -> None:
        transfers.make(
            home,
            chosen,
            pay_date=day,
            today=tokyo_date(state.clock()),
            bank_master=bank_master.in_use(home),
            actor=session.actor,
            clock=state.clock,
        )

    done = deed(
        request,
        session,
        key,
        {"programme": programme, "pay_date": pay_date},
        work,
        # 同じトランザクションで作った番号。行がなければ、ない。
        result=lambda connection: {
            "number": connection.execute(
                select(func.max(table.c.id)).where(table.c.made_by == session.actor.id, table.c.id > before)
            ).scalar()
        },
    )
    return None if done["number"] is None else int(done["number"])


@router.post("/transfers/{number}/confirm")
def asked(request: Request, session: PageSession, number: Number, digest: Digest, csrf: Text = "") -> Response:
    """送り出しの前の一枚: 何を、いくつ、いくら、いつまで取り消せるか、誰が承認したか。"""
    confirm(session, csrf)
    sheet = approving.opened(request, session, "transfer", number)
    if sheet.digest != digest or sheet.released:
        raise HTTPException(409, "この振込は、もう送り出されているか、変わっています。開き直してください")
    return _confirm_page(request, session, sheet)


@router.post("/transfers/{number}/release")
def release(
    request: Request,
    session: PageSession,
    number: Number,
    digest: Digest,
    csrf: Text = "",
    operation: Text = "",
    password: Password = "",
    code: Text = "",
) -> Response:
    """銀行に渡すファイルを出し箱に置き、支払を銀行送付済にする。"""
    confirm(session, csrf)
    try:
        approving.prove(request, session, password, code)
        release_file(request, session, operation, number, digest)
    except BenefitError as refused:
        sheet = approving.opened(request, session, "transfer", number)
        return _confirm_page(request, session, sheet, error=str(refused), status=400)
    return RedirectResponse(f"/approvals/transfer/{number}", 303)


def release_file(request: Request, session: Session, key: str, number: int, digest: str) -> None:
    """一度だけ送り出す。見た指紋と違えば断る。"""
    state = request.app.state

    def work(home: Home) -> None:
        now = transfers.show(home, number)
        if now.sha256 != digest:
            raise RefusedByRule("見たファイルと、いまのファイルが違います", code="digest")
        transfers.release(
            home,
            home.programme(_programme(home, number)),
            number,
            out=state.home.outbox / "bank",
            bank_master=bank_master.in_use(home),
            actor=session.actor,
            clock=state.clock,
        )

    deed(request, session, key, {"number": number, "digest": digest}, work)


@router.post("/transfers/{number}/cancel")
def cancel(
    request: Request, session: PageSession, number: Number, csrf: Text = "", operation: Text = "", reason: Text = ""
) -> Response:
    """送り出す前のファイルを取り消す。番号は使い回さない。"""
    confirm(session, csrf)
    cancel_file(request, session, operation, number, reason)
    return RedirectResponse(f"/approvals/transfer/{number}", 303)


def cancel_file(request: Request, session: Session, key: str, number: int, reason: str) -> None:
    """一度だけ取り消す。"""
    if not reason.strip():
        raise HTTPException(400, "取り消す理由を書いてください")
    clock = request.app.state.clock

    def work(home: Home) -> None:
        transfers.cancel(home, number, reason=reason.strip(), actor=session.actor, clock=clock)

    deed(request, session, key, {"number": number, "reason": reason}, work)


def _programme(home: Home, number: int) -> str:
    with reading(home.ward) as connection:
        name: str = connection.execute(
            select(ward.transfer.c.programme).where(ward.transfer.c.id == number)
        ).scalar_one()
    return name


def _list_page(
    request: Request,
    session: Session,
    *,
    error: str = "",
    given: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    home: Home = request.app.state.home
    with reading(home.ward) as connection:
        lines = approvals_view_lists.transfer_files(connection)
    return page(
        request,
        "ward/transfers.html",
        session=session,
        status=status,
        lines=lines,
        programmes=approvals_view_lists.programmes(home),
        error=error,
        given=given or {},
    )


def _confirm_page(request: Request, session: Session, sheet: Sheet, *, error: str = "", status: int = 200) -> Response:
    return page(
        request,
        "ward/transfer_confirm.html",
        session=session,
        status=status,
        sheet=sheet,
        fresh=approving.is_fresh(request, session),
        error=error,
    )
