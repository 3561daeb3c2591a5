"""承認の中身: 一枚を開いて記録し、もう一度の本人確認を求め、一度だけ承認する。画面も JSON もここを通る。"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException, Request

from api import session as sessions
from api.session import Session
from api.ward.deeds import deed, seen
from benefit.domain.errors import RefusedByRule
from benefit.services import approvals_view_sheets as sheets
from benefit.services import people_login
from benefit.services.approvals_view import Sheet
from benefit.services.approvals_view_veil import veil_for, veiled
from benefit.services.home import Home

#: 見た中身と、いまの中身が違うときの断り（409 で、新しい中身を見せる）。
CHANGED = frozenset({"changed", "difference", "stale-run", "digest"})

#: この人にはできない承認の断り。
NOT_YOURS = frozenset({"not-yours", "role", "two-people", "not-the-maker", "same-approver"})


def opened(request: Request, session: Session, kind: str, number: int) -> Sheet:
    """一枚を作り、見た記録を残してから返す。"""
    home = request.app.state.home
    found = veiled(sheets.sheet(home, kind, number), veil_for(home, session.actor))
    seen(request, session, "approval.view", f"{kind}/{number}", rows=found.people, cases=found.case_numbers)
    return found


def is_fresh(request: Request, session: Session) -> bool:
    """この 5 分の間に、合言葉と数字で確かめた人か。"""
    return sessions.is_fresh(session, request.app.state.clock)


def prove(request: Request, session: Session, password: str, code: str) -> None:
    """お金の承認の前の本人確認。この 5 分の間に済んでいなければ、合言葉と数字が要る。

    Raises:
        RefusedByRule: 合っていない。
        HTTPException: 送られていない（403）。
    """
    if is_fresh(request, session):
        return
    state = request.app.state
    if not password:
        raise HTTPException(403, "もう一度の本人確認が要ります。合言葉と数字を入れてください")
    people_login.confirm_again(
        state.engine, state.store.access, state.keys, session.actor, password, code, clock=state.clock
    )
    sessions.confirmed(state.engine, state.store, session.token, state.clock)


def approve(
    request: Request, session: Session, key: str, kind: str, number: int, *, digest: str, reason: str
) -> Mapping[str, Any]:
    """見た指紋のままなら、一度だけ承認する。変わっていれば RefusedByRule（code は CHANGED のどれか）。"""
    params = {"kind": kind, "number": number, "digest": digest, "reason": reason}

    def work(home: Home) -> None:
        now = veiled(sheets.sheet(home, kind, number), veil_for(request.app.state.home, session.actor))
        if now.digest != digest:
            raise RefusedByRule(sheets.CHANGED, code="changed")
        sheets.approve(home, now, reason=reason, actor=session.actor, clock=request.app.state.clock)

    return deed(
        request,
        session,
        key,
        params,
        work,
        result=lambda _connection: {"kind": kind, "number": number, "digest": digest, "approved_by": session.actor.id},
        check=sheets.unchanged(request.app.state.home, kind, number, digest),
    )
