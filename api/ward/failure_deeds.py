"""振込不能の一件にすること: 照会・通知・覚え書き、回答と別の人の承認、銀行の行の結び付け。どれも一度だけ。"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from api.guard import PageSession
from api.log_search import day_of
from api.page import LongText, Text, confirm
from api.session import Session
from api.ward.approving import prove
from api.ward.deeds import deed
from api.ward.failures import Number, item_page
from api.ward.restricted import whole
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, WrongUse
from benefit.records.transfer_result_row import Account
from benefit.services import bank_master, failure_answers, failure_matches, failure_view
from benefit.services.approvals_view_veil import veil_for
from benefit.services.failure_answers import Answer
from benefit.services.home import Home

router = APIRouter(include_in_schema=False)


@router.post("/failures/{number}/ask")
def ask(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    operation: Text = "",
    section: Text = "",
    order_number: Text = "",
    due_on: Text = "",
) -> Response:
    """担当課に照会する（この給付の支払なら、受給者に知らせる）。"""
    given = {"section": section, "order_number": order_number, "due_on": due_on}
    day = _needed(due_on)

    def work(home: Home, how: dict[str, Any]) -> None:
        if section.strip():
            failure_answers.ask(home, [number], section=section, due_on=day(), order_number=order_number, **how)
        else:
            failure_answers.notify(home, due_on=day(), numbers=[number], **how)

    return _done(request, session, csrf, operation, number, given, work)


@router.post("/failures/{number}/note")
def note(
    request: Request, session: PageSession, number: Number, csrf: Text = "", operation: Text = "", text: LongText = ""
) -> Response:
    """覚え書き。"""
    return _done(
        request, session, csrf, operation, number, {"text": text},
        lambda home, how: failure_answers.note(home, number, text, **how),
    )  # fmt: skip


@router.post("/failures/{number}/answer")
def answer(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    operation: Text = "",
    kind: Text = "",
    reason: Text = "",
    review_on: Text = "",
    bank_code: Text = "",
    branch_code: Text = "",
    account_type: Text = "",
    account_number: Text = "",
    holder_kana: Text = "",
    not_ours: Text = "",
) -> Response:
    """担当課の回答を記す。別の人が承認するまで効かない。"""
    typed = (bank_code, branch_code, account_type, account_number, holder_kana)
    given = {"kind": kind, "reason": reason, "review_on": review_on, "account": list(typed), "not_ours": not_ours}
    return _done(
        request,
        session,
        csrf,
        operation,
        number,
        given,
        lambda home, how: write_answer(home, number, given, how),
    )


def write_answer(home: Home, number: int, given: Mapping[str, Any], how: dict[str, Any]) -> list[int]:
    """回答を記す（画面と JSON）。"""
    typed = [one.strip() for one in given["account"]]
    # 口座の種別は選ばれたままなので、ほかの四つで、書かれたかを見る。
    written = any(one for place, one in enumerate(typed) if place != 2)
    told = Answer(
        number,
        given["kind"],
        given["reason"],
        account=Account(*typed) if written else None,
        review_on=day_of(given["review_on"]),
        not_ours=bool(given["not_ours"]),
    )
    return failure_answers.answer(home, [told], bank_master=bank_master.in_use(home), **how)


@router.post("/failures/{number}/approve")
def approve(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    operation: Text = "",
    answer_number: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """回答を承認する。記した人は承認できない。"""
    confirm(session, csrf)
    try:
        prove(request, session, password, code)
    except BenefitError as refused:
        return item_page(request, session, number, status=403, error=refused.says)
    return _done(
        request,
        session,
        csrf,
        operation,
        number,
        {"answer": answer_number},
        lambda home, how: failure_answers.approve(home, whole(answer_number), **how),
        about=lambda connection: failure_view.failure_of_answer(connection, whole(answer_number)),
    )


@router.post("/failures/{number}/match")
def match(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    operation: Text = "",
    payment: Text = "",
    reason: Text = "",
) -> Response:
    """この銀行の行は、この支払のことだと申し出る。"""

    def work(home: Home, how: dict[str, Any]) -> None:
        row = failure_view.item(request.app.state.home, number, **how).row
        failure_matches.propose(home, row["bank_report_id"], row["line_number"], whole(payment), reason=reason, **how)

    return _done(request, session, csrf, operation, number, {"payment": payment, "reason": reason}, work)


@router.post("/failures/{number}/match/approve")
def approve_match(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    operation: Text = "",
    match_number: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """結び付けを承認する。"""
    confirm(session, csrf)
    try:
        prove(request, session, password, code)
    except BenefitError as refused:
        return item_page(request, session, number, status=403, error=refused.says)
    return _done(
        request,
        session,
        csrf,
        operation,
        number,
        {"match": match_number},
        lambda home, how: failure_matches.approve(home, whole(match_number), **how),
        about=lambda connection: failure_view.failure_of_match(connection, whole(match_number)),
    )


def _needed(text: str) -> Callable[[], date]:
    def day() -> date:
        found = day_of(text)
        if found is None:
            raise WrongUse("期限の日を入れてください")
        return found

    return day


def once(
    request: Request,
    session: Session,
    operation: str,
    number: int,
    params: Mapping[str, Any],
    work: Callable[[Home, dict[str, Any]], object],
    *,
    about: Callable[[Connection], int] | None = None,
) -> Mapping[str, Any]:
    """一件への書込みを一度だけ。見てはならない一件と、別の一件の回答・結び付けは断る。"""
    state = request.app.state
    today, veil = tokyo_date(state.clock()), veil_for(state.home, session.actor)

    def check(connection: Connection) -> None:
        failure_view.refuse_hidden(connection, number, today, veil)
        if about is not None and about(connection) != number:
            raise WrongUse(f"不能 {number} の申し出ではありません", code="no-such")

    how = {"actor": session.actor, "clock": state.clock}
    given = {"failure": number, **params}
    return deed(request, session, operation, given, lambda home: work(home, how), check=check)


def _done(
    request: Request,
    session: Session,
    csrf: str,
    operation: str,
    number: int,
    params: Mapping[str, Any],
    work: Callable[[Home, dict[str, Any]], object],
    *,
    about: Callable[[Connection], int] | None = None,
) -> Response:
    confirm(session, csrf)
    try:
        once(request, session, operation, number, params, work, about=about)
    except BenefitError as refused:
        return item_page(request, session, number, status=400, error=str(refused))
    return RedirectResponse(f"/failures/{number}", 303)
