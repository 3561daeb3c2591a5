"""区直轄の人の返事を入れる画面: 一人目が入れ、別の人が紙だけを見てもう一度入れる。同じときだけ効く。

二人目には、一人目の入れた中身を見せない（違ったときも、項目の名だけを言う）。
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api.guard import PageSession
from api.log_search import day_of
from api.once import once
from api.page import Text, confirm, page
from api.session import Session
from api.ward.restricted import whole
from benefit.domain.errors import BenefitError, RefusedInput
from benefit.domain.handback import REPLY_KINDS
from benefit.domain.typed import read_keys
from benefit.services import replies_ward, ward_restricted
from benefit.services.desk_accounts import account_of

router = APIRouter(include_in_schema=False)


@router.get("/restricted/replies")
def form(request: Request, session: PageSession) -> Response:
    """入れる画面と、二人目を待つ返事。"""
    return _page(request, session)


def _page(request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
    shown = {"error": "", "says": "", "given": {}, **values}
    waiting = ward_restricted.waiting_replies(request.app.state.home, actor=session.actor)
    return page(
        request, "ward/replies.html", status=status, session=session, waiting=waiting, kinds=REPLY_KINDS, **shown
    )


@router.post("/restricted/replies")
def enter(
    request: Request,
    session: PageSession,
    csrf: Text = "",
    operation: Text = "",
    number: Text = "",
    case_number: Text = "",
    kind: Text = "",
    received_on: Text = "",
    reason: Text = "",
    bank_code: Text = "",
    branch_code: Text = "",
    account_type: Text = "",
    account_number: Text = "",
    holder_kana: Text = "",
    cancels: Text = "",
) -> Response:
    """`number` がなければ一人目、あればその返事の二人目。"""
    confirm(session, csrf)
    account = [bank_code, branch_code, account_type, account_number, holder_kana]
    given = {
        "number": number, "case_number": case_number, "kind": kind, "received_on": received_on, "reason": reason,
        "cancels": cancels, "account": account,
    }  # fmt: skip
    clock = request.app.state.clock

    def deed(connection: Connection) -> dict[str, Any]:
        ward_restricted.refuse_unnamed(connection, session.actor)
        reply = _reply(given)
        if not number:
            made = replies_ward.enter(connection, reply, reason=reason, actor=session.actor, at=clock())
            return {"says": f"返事 {made} を入れました。別の人が、紙だけを見てもう一度入れます。"}
        done = replies_ward.check(connection, whole(number), reply, actor=session.actor, at=clock())
        if done.agreed:
            return {"says": f"返事 {number} は、二人の入力が同じでした。効きました。"}
        return {"error": f"一人目と違います: {'、'.join(done.differing)}。紙を見直してください"}

    try:
        done = once(request, session, operation, given, deed)
    except BenefitError as refused:
        return _page(request, session, status=400, error=str(refused), given={**given, "account": account})
    failed = done.get("error", "")
    return _page(request, session, status=400 if failed else 200, error=failed, says=done.get("says", ""))


def _reply(given: dict[str, Any]) -> replies_ward.Reply:
    day = day_of(given["received_on"])
    if day is None:
        raise RefusedInput("収受日を入れてください", code="received-on")
    # 種目は選ばれたままなので、ほかの四つで、口座が書かれたかを見る。
    written = any(one.strip() for place, one in enumerate(given["account"]) if place != 2)
    return replies_ward.Reply(
        read_keys(case_number=given["case_number"] or "0").case_number,
        given["kind"],
        day,
        account_of(*given["account"]) if written else account_of("", "", "", "", ""),
        whole(given["cancels"]) or None,
    )
