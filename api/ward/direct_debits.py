"""口座振替の画面: 依頼と請求の承認（別の人が、指紋を見て）、請求と結果の数、振替不能のわけの図、納付書を送る数。"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api import charts
from api.guard import PageSession
from api.page import Text, confirm, page
from api.session import Session
from api.ward.approving import is_fresh, prove
from api.ward.deeds import deed, seen
from api.ward.restricted import whole
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import (
    debit_accounts,
    debit_letters,
    debit_request_file,
    debit_terms_file,
    debit_view,
    direct_debits,
    restricted_queue,
)
from benefit.services.home import Home
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
MOST, SHOWN_LINES = 50, 20


@router.get("/collections/debits")
def debits(request: Request, session: PageSession) -> Response:
    """口座振替の全部を一枚で。"""
    return _debits(request, session)


def _debits(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    state = request.app.state
    home: Home = state.home
    requests = debit_view.requests(home)
    told, codes = _latest(home, requests)
    secret = restricted_queue.hidden(home)
    with reading(home.ward) as connection:
        asked = debit_accounts.pending(connection)
        member = restricted_queue.is_member(connection, session.actor)
        lines = {one["id"]: debit_accounts.lines(connection, one["id"], SHOWN_LINES) for one in asked}
    hidden = frozenset() if member else frozenset(f"{number:010d}" for number in secret.people)
    seen(request, session, "collections.list", "debits", rows=len(requests) + sum(map(len, lines.values())))
    return page(
        request,
        "ward/direct_debits.html",
        status=status,
        session=session,
        requests=requests[:MOST],
        told=told,
        codes=codes,
        chart=_chart(codes),
        asked=asked,
        lines=lines,
        hidden=hidden,
        letters=_letters(home, request),
        agreed=debit_terms_file.path_of(home).exists(),
        error=error,
        approver=session.actor.role == "approver",
        fresh=is_fresh(request, session),
    )


def _latest(
    home: Home, requests: list[debit_view.Progress]
) -> tuple[debit_view.Progress | None, list[tuple[str, str, int, int]]]:
    """引き落とせなかった行のある、いちばん新しい結果の請求。"""
    for one in requests:
        if one.request.fate == "送出" and (codes := debit_view.codes(home, one.request.id)):
            return one, codes
    return None, []


def _chart(codes: list[tuple[str, str, int, int]]) -> charts.Chart | None:
    if not codes:
        return None
    return charts.bars(
        "debit-codes",
        "引き落とせなかったわけ（いちばん新しい結果）",
        [f"{code} {meaning.split('（')[0]}" for code, meaning, _count, _yen in codes],
        [charts.Series("件数", [count for _code, _meaning, count, _yen in codes])],
        unit="件",
        head="コード",
    )


def _letters(home: Home, request: Request) -> list[tuple[str, int, int]]:
    """納付書を送るべき数（わけごと）。約束がまだなら、ない。"""
    if not debit_terms_file.path_of(home).exists():
        return []
    return debit_letters.by_reason(debit_letters.due(home, today=tokyo_date(request.app.state.clock())))


@router.post("/collections/debits/approve")
def approve_request(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    number: Text = "",
    digest: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """請求を、見た指紋のまま承認する。"""
    confirm(session, csrf)
    clock = request.app.state.clock

    def work(home: Home) -> None:
        # 見た指紋と、いまの請求の指紋が違えば、承認しない。
        if debit_request_file.show(request.app.state.home, whole(number)).sha256 != digest:
            raise RefusedByRule("見た請求と違います。画面を開き直してください", code="changed")
        direct_debits.approve(home, whole(number), actor=session.actor, clock=clock)

    try:
        prove(request, session, password, code)
        deed(request, session, operation, {"number": number, "digest": digest}, work)
    except BenefitError as refused:
        return _debits(request, session, status=400, error=str(refused))
    return RedirectResponse("/collections/debits", 303)


@router.post("/collections/debits/enrolments/approve")
def approve_enrolment(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    number: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """口座振替依頼の異動を承認する。"""
    confirm(session, csrf)
    clock = request.app.state.clock

    def work(home: Home) -> None:
        debit_accounts.approve(home, whole(number), actor=session.actor, clock=clock)

    try:
        prove(request, session, password, code)
        deed(request, session, operation, {"number": number}, work)
    except BenefitError as refused:
        return _debits(request, session, status=400, error=str(refused))
    return RedirectResponse("/collections/debits", 303)
