"""開いている一件の画面: 本人確認、読み上げる文、対応の記録、電話で受けること、口座の 30 秒。番号は URL に出ない。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from api.desk import hits, typed_digest
from api.desk.calls import search_page
from api.guard import PageSession
from api.once import once
from api.page import LongText, Text, confirm, page
from api.session import Session
from benefit.domain.call import CALLERS, PAPERS, QUESTIONS, TYPED
from benefit.domain.deficiency import CONTACT_CATEGORIES
from benefit.domain.errors import BenefitError
from benefit.services import (
    desk_actions,
    desk_calls,
    desk_contacts,
    desk_identity,
    desk_lookup,
    desk_notes,
    desk_reveal,
    desk_view,
)

router = APIRouter(include_in_schema=False)
Ticks = Annotated[list[str], Form(max_length=len(QUESTIONS))]


@router.get("/case")
def show_case(request: Request, session: PageSession) -> Response:
    """開いている一件。本人確認が足りるまでは、聞くことだけ。"""
    return case_page(request, session)


def case_page(
    request: Request,
    session: Session,
    *,
    status: int = 200,
    error: str = "",
    field: str = "",
    caller: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    """開いている一件の、いまの姿。見せる前に、ログが台帳に残る。"""
    state, actor = request.app.state, session.actor
    actions: tuple[desk_actions.Action, ...] = ()
    with state.engine.begin() as connection:
        call = desk_calls.current(connection, actor)
        if call is None or not call.case_number:
            return RedirectResponse("/", 303)
        standing = desk_identity.standing(connection, call, caller)
        at = state.clock()
        number = call.case_number
        if (now := desk_view.state_or_none(connection, number)) is not None:
            actions = desk_actions.available(connection, number, now, standing, actor=actor, at=at)
        hit = None if standing.tells else desk_lookup.masked(connection, number)
        seen = desk_view.look(connection, call=call, standing=standing, actor=actor, at=at)
    if seen is None and hit is None:
        return search_page(request, session, call=call, says=desk_lookup.ASK_WARD)
    shown: dict[str, Any] = {
        "session": session,
        "call": call,
        "papers": call.purpose == PAPERS,
        "standing": standing,
        "actions": actions,
        "error": error,
        "field": field,
        "given": given or {},
        "questions": QUESTIONS,
        "callers": CALLERS,
        "categories": CONTACT_CATEGORIES,
        "templates": desk_notes.TEMPLATES,
        "condolence": desk_view.CONDOLENCE,
        "condolence_english": desk_view.CONDOLENCE_ENGLISH,
        "to_ward": desk_lookup.TO_WARD,
        "to_ward_english": desk_lookup.IN_ENGLISH[desk_lookup.TO_WARD],
        "mark": hits.mark(state.keys, actor, call, number),
    }
    if seen is not None:
        return page(request, "desk/case.html", status=status, case=seen, **shown)
    return page(request, "desk/identity.html", status=status, hit=hit, **shown)


@router.post("/case/identity")
def identity(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    caller: Text = "",
    ticked: Ticks = [],  # noqa: B006  # FastAPI は既定値を書き換えない
    birth: Text = "",
    address: Text = "",
    number: Text = "",
    seen: Text = "",
) -> Response:
    """聞いたことを照らす。足りれば件が開き、足りなければ、何が足りないかだけを言う。"""
    confirm(session, csrf)
    typed = {"birth": birth, "address": address, "number": number}
    params = {"caller": caller, "ticked": sorted(ticked), "typed": typed_digest.digest(request.app.state.keys, typed)}

    def deed(connection: Connection) -> dict[str, Any]:
        call = _call_of(request, connection, session, seen)
        result = desk_identity.check(
            connection,
            call=call,
            caller=caller,
            ticked=ticked,
            typed=typed,
            actor=session.actor,
            at=request.app.state.clock(),
        )
        return {"complete": result.complete, "missed": sorted(result.missed)}

    try:
        done = once(request, session, operation, params, deed)
    except BenefitError as refused:
        who = "" if refused.code == hits.STALE else caller
        return case_page(request, session, status=400, error=refused.says, field="caller", caller=who)
    if done["complete"] and not done["missed"]:
        return RedirectResponse("/case", 303)
    if not done["missed"]:
        # 相手を選び直しただけか、まだ聞いていない問いがある。
        return case_page(request, session, caller=caller, given=typed)
    wrong = "、".join(QUESTIONS[code].name for code in TYPED if code in done["missed"])
    says = f"{wrong}が登録と合いません。聞き直してください（どれが合わないかは、相手に言いません）"
    field = done["missed"][0]
    return case_page(request, session, status=400, error=says, field=field, caller=caller, given=typed)


@router.post("/case/contact")
def contact(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    category: Text = "call",
    template: Text = "",
    body: LongText = "",
    corrects: Annotated[str, Form(pattern=r"^[0-9]{0,9}$")] = "",
    seen: Text = "",
) -> Response:
    """対応の記録を足す。"""
    confirm(session, csrf)

    def deed(connection: Connection) -> dict[str, Any]:
        call = _call_of(request, connection, session, seen)
        number = desk_contacts.write(
            connection,
            call.case_number,
            category,
            desk_notes.text_of(template, body),
            call_reference=call.reference,
            corrects=int(corrects) if corrects else None,
            actor=session.actor,
            at=request.app.state.clock(),
        )
        return {"contact": number}

    params = {"category": category, "template": template, "body": body, "corrects": corrects}
    return _written(request, session, operation, params, deed, field="body", given={"body": body})


@router.post("/case/step")
def step(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    key: Text = "",
    reason: Text = "",
    sure: Text = "",
    seen: Text = "",
) -> Response:
    """電話で聞いたことで、件を進める。重いものは、もう一枚確かめる。"""
    confirm(session, csrf)
    state, actor = request.app.state, session.actor
    if key in desk_actions.GRAVE and not sure:
        with state.engine.connect() as connection:
            call = desk_calls.needed(connection, actor)
            standing = desk_identity.standing(connection, call)
            now = desk_view.state_of(connection, call.case_number)
            offered = desk_actions.available(connection, call.case_number, now, standing, actor=actor, at=state.clock())
        chosen = next((action for action in offered if action.key == key), None)
        if chosen is not None and reason.strip():
            # 古い画面から来たなら、その印のまま確かめの画面に移り、下で断られる。
            shown: dict[str, Any] = {"call": call, "action": chosen, "reason": reason.strip(), "mark": seen}
            return page(request, "desk/sure.html", session=session, **shown)

    def deed(connection: Connection) -> dict[str, Any]:
        call = _call_of(request, connection, session, seen)
        did = desk_actions.perform(
            connection,
            key,
            state=desk_view.state_of(connection, call.case_number),
            reason=reason,
            call=call,
            standing=desk_identity.standing(connection, call),
            actor=actor,
            at=state.clock(),
        )
        return {"did": did}

    return _written(request, session, operation, {"key": key, "reason": reason}, deed, field=f"reason-{key}")


@router.post("/case/account")
def reveal(
    request: Request, session: PageSession, csrf: Text = "", operation: Text = "", reason: Text = "", seen: Text = ""
) -> Response:
    """口座を出すわけを残し、30 秒の画面へ。"""
    confirm(session, csrf)

    def deed(connection: Connection) -> dict[str, Any]:
        call = _call_of(request, connection, session, seen)
        number = desk_reveal.reveal(
            connection,
            call=call,
            standing=desk_identity.standing(connection, call),
            reason=reason,
            actor=session.actor,
            at=request.app.state.clock(),
        )
        return {"reveal": number}

    return _written(request, session, operation, {"reason": reason}, deed, field="account-reason", to="/case/account")


@router.get("/case/account")
def account(request: Request, session: PageSession) -> Response:
    """いま出している口座。30 秒で、ひとりでに一件の画面へ戻る。"""
    state, actor = request.app.state, session.actor
    with state.engine.begin() as connection:
        call = desk_calls.current(connection, actor)
        found = desk_reveal.shown(connection, call=call, actor=actor, at=state.clock()) if call else None
    if call is None or found is None:
        return RedirectResponse("/case", 303)
    answer = page(request, "desk/account.html", session=session, call=call, account=found)
    answer.headers["Refresh"] = f"{int(desk_reveal.SHOWN_FOR.total_seconds())}; url=/case"
    return answer


def _written(
    request: Request,
    session: Session,
    operation: str,
    params: Mapping[str, Any],
    deed: Any,
    *,
    field: str,
    to: str = "/case",
    given: Mapping[str, str] | None = None,
) -> Response:
    """一度だけ行い、開いている一件へ戻る。断られたら、その欄に断りを出し、打ったものを残す。"""
    try:
        once(request, session, operation, params, deed)
    except BenefitError as refused:
        if refused.code == hits.STALE:
            # 前の件のために打った言葉を、いまの件の欄に写さない。
            return case_page(request, session, status=400, error=refused.says)
        return case_page(request, session, status=400, error=refused.says, field=field, given=given)
    return RedirectResponse(to, 303)


def _call_of(request: Request, connection: Connection, session: Session, seen: str) -> desk_calls.Call:
    """いまの電話。送られた画面が、いまの件のものでなければ断る。"""
    call = desk_calls.needed(connection, session.actor)
    hits.same_page(request.app.state.keys, session.actor, call, seen, call.case_number)
    return call
