"""受渡管理簿の画面: 一覧、一件の歩みと次にすること、合言葉、管理簿の持ち出し。印刷の包みを作るのはコマンドである。

合言葉は、送信の答えにだけ載る（URL にも、札にも、履歴にも残らない）。開き直した画面には、もう出ない。
"""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api.attachment import PDF, XLSX, attached
from api.guard import PageSession
from api.log_search import day_of
from api.logs import Number
from api.page import Text, confirm, page
from api.session import Session
from api.ward.approving import is_fresh, prove
from api.ward.deeds import deed
from benefit.domain import handover_states as states
from benefit.domain.clock import tokyo_date
from benefit.domain.errors import BenefitError, WrongUse
from benefit.services import handover_book, handover_book_files, handover_book_sheet
from benefit.services.handover_book import Entry, Item
from benefit.services.handover_book_passphrase import tell
from benefit.services.home import Home
from letters.handover_book import render as book_pdf

router = APIRouter(include_in_schema=False)
#: ほかの受渡は、新しいものだけを画面に出す（全部は管理簿の表にある）。
MOST_OTHERS = 30
#: 歩みごとの、画面の言葉: すること、取扱者、書類、言い添え。
WORDS = {
    states.ISSUED: ("出庫する", "渡す人（運ぶ人）", "覚え書き", "今日の関門で止まる手紙があれば、出庫できません。"),
    states.RECEIVED: ("受領を記録する", "受け取った人", "受領書の番号", "この後に、別の人が合言葉を渡せます。"),
    states.USED: ("使用を記録する", "使った人", "覚え書き", "消去報告書の期限は、使用した日から数えます。"),
    states.GIVEN_BACK: ("媒体の返却を記録する", "返した人", "覚え書き", ""),
    states.ERASED: ("電子データの消去を記録する", "消した人", "消した方法", ""),
    states.REPORTED: ("消去報告書の受取を記録する", "報告した人", "消去報告書の番号", "これで受渡が終わります。"),
    states.CANCELLED: ("出さずに取り消す", "取り消す人", "取り消す理由", "出し箱の包みは消えます。"),
}
_NOTE_NEEDED = (states.ERASED, states.REPORTED, states.CANCELLED)


@router.get("/handovers/book")
def listed(request: Request, session: PageSession) -> Response:
    """一覧。"""
    return _list(request, session)


def _list(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    found = handover_book.items(request.app.state.home, _today(request))
    packages = [each for each in found if each.crossing == states.PRINT_OUT]
    others = [each for each in found if each.crossing not in {states.PRINT_OUT, "undo_out"}]
    return page(
        request,
        "ward/handover_book.html",
        session=session,
        status=status,
        packages=packages,
        others=others[:MOST_OTHERS],
        other_count=len(others),
        late=[each for each in found if each.days_late],
        waiting=sum(each.open for each in found),
        error=error,
    )


@router.get("/handovers/book/{number}")
def show(request: Request, session: PageSession, number: Number) -> Response:
    """一件。"""
    return _item(request, session, number)


def _item(
    request: Request,
    session: Session,
    number: int,
    *,
    status: int = 200,
    error: str = "",
    typed: dict[str, Any] | None = None,
    passphrase: str = "",
    told_to: str = "",
) -> Response:
    try:
        found = handover_book.by_id(request.app.state.home, number, _today(request))
    except WrongUse as refused:
        return _list(request, session, status=404, error=refused.says)
    issued = found.event(states.ISSUED)
    return page(
        request,
        "ward/handover_book_item.html",
        session=session,
        status=status,
        item=found,
        steps=[(step, WORDS[step], step in _NOTE_NEEDED) for step in found.next_steps],
        first=found.events[0] if found.events else None,
        media=states.MEDIA,
        lines="・".join(states.LINES),
        maker=found.made_by == session.actor.id,
        issuer=issued is not None and issued.recorded_by == session.actor.id,
        fresh=is_fresh(request, session),
        today=_today(request),
        error=error,
        typed=typed or {},
        passphrase=passphrase,
        told_to=told_to,
    )


@router.post("/handovers/book/{number}/step")
def write(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    operation: Text = "",
    step: Text = "",
    done_on: Text = "",
    handler: Text = "",
    companion: Text = "",
    locked_bag: Text = "",
    medium: Text = "",
    quantity: Text = "",
    note: Text = "",
) -> Response:
    """歩みを一つ書く。"""
    confirm(session, csrf)
    given = {
        "number": number, "step": step, "done_on": done_on, "handler": handler, "companion": companion,
        "locked_bag": locked_bag, "medium": medium, "quantity": quantity, "note": note,
    }  # fmt: skip
    state = request.app.state
    try:
        found = handover_book.by_id(state.home, number, _today(request))
        entry = Entry(
            done_on=_day(done_on),
            handler=handler,
            companion=companion,
            locked_bag=bool(locked_bag),
            medium=medium,
            quantity=_count(quantity),
            note=note,
        )

        def work(home: Home) -> None:
            handover_book_files.step(home, found.name, step, entry, actor=session.actor, clock=state.clock)

        deed(request, session, operation, given, work)
    except BenefitError as refused:
        return _item(request, session, number, status=400, error=str(refused), typed=given)
    return RedirectResponse(f"/handovers/book/{number}", 303)


@router.post("/handovers/book/{number}/passphrase")
def passphrase(
    request: Request,
    session: PageSession,
    number: Number,
    csrf: Text = "",
    told_to: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """合言葉を見せる。見せるたびに記録が残る。"""
    confirm(session, csrf)
    state = request.app.state
    try:
        prove(request, session, password, code)
        found = handover_book.by_id(state.home, number, _today(request))
        told = tell(state.home, found.name, told_to=told_to, actor=session.actor, clock=state.clock)
    except BenefitError as refused:
        return _item(request, session, number, status=400, error=str(refused), told_to=told_to)
    return _item(request, session, number, passphrase=told, told_to=told_to)


@router.post("/handovers/book/file")
def book(request: Request, session: PageSession, csrf: Text = "", reason: Text = "", form: Text = "xlsx") -> Response:
    """管理簿を Excel か PDF に。理由が要り、持ち出した件数が残る。"""
    confirm(session, csrf)
    state = request.app.state
    try:
        found: list[Item] = handover_book_sheet.taken_out(
            state.home, reason=reason, actor=session.actor, clock=state.clock
        )
    except WrongUse as refused:
        return _list(request, session, status=400, error=refused.says)
    made = state.clock()
    if form == "pdf":
        return attached(book_pdf(found, made=made), PDF, "ukewatashi-kanribo.pdf")
    notes = [f"持ち出し {session.actor.id}（{session.name}）　理由 {reason.strip()}"]
    return attached(handover_book_sheet.workbook(found, made=made, notes=notes), XLSX, "ukewatashi-kanribo.xlsx")


def _today(request: Request) -> date:
    return tokyo_date(request.app.state.clock())


def _day(text: str) -> date:
    found = day_of(text)
    if found is None:
        raise WrongUse("した日を入れてください", code="done-on")
    return found


def _count(text: str) -> int | None:
    """媒体の数。空は、言わなかった。"""
    told = text.strip()
    if not told:
        return None
    if not (told.isascii() and told.isdigit() and len(told) <= 4):
        raise WrongUse("媒体の数は、半角の数字で入れてください", code="quantity")
    return int(told)
