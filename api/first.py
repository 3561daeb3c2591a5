"""最初の手続き: 合言葉を自分で決め、数字（二要素）を登録し、遵守事項を確かめる。済むまで、ほかの画面は開かない。"""

from __future__ import annotations

import io

import segno
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from api import session as sessions
from api.guard import FirstSession
from api.login import Password, with_token
from api.page import Text, confirm, page
from api.session import Session
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import people_first, people_totp

router = APIRouter(include_in_schema=False)


def _next(session: Session, done: str) -> str:
    """この手続きの次。最初の手続きの途中なら次の段、そうでなければ最初の画面。"""
    if session.stage != done:
        return "/"
    later = people_first.STAGES[people_first.STAGES.index(done) + 1 :]
    return f"/login/{later[0]}" if later else "/"


@router.get("/login/password")
def password_page(request: Request, session: FirstSession) -> Response:
    """合言葉を決める画面（最初と、変えたいとき）。"""
    return page(request, "shared/password.html", session=session, error="")


@router.post("/login/password")
def change_password(
    request: Request,
    session: FirstSession,
    csrf: Text = "",
    old: Password = "",
    new: Password = "",
    again: Password = "",
) -> Response:
    """合言葉を決める。いまの合言葉が違えば、画面を閉じる（当てずっぽうを続けさせない）。"""
    confirm(session, csrf)
    state = request.app.state
    if new != again:
        return page(request, "shared/password.html", session=session, status=400, error="二度の新しい合言葉が違います")
    try:
        with state.engine.begin() as connection:
            people_first.change_password(
                connection, state.store.access, session.actor, old=old, new=new, at=state.clock()
            )
    except RefusedByRule as refused:
        sessions.end(state.engine, state.store, session.token)
        return page(request, "shared/login.html", status=401, error=f"{refused}。もう一度ログインしてください")
    except BenefitError as refused:
        return page(request, "shared/password.html", session=session, status=400, error=str(refused))
    return with_token(request, sessions.renew(state.engine, state.store, session.token), _next(session, "password"))


def _secret(request: Request, session: Session) -> str:
    state = request.app.state
    with state.engine.begin() as connection:
        return people_first.pending_secret(connection, state.store.access, state.keys, session.actor)


def _totp_page(request: Request, session: Session, secret: str, *, status: int = 200, error: str = "") -> Response:
    grouped = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return page(request, "shared/totp.html", session=session, status=status, error=error, secret=grouped)


@router.get("/login/totp")
def totp_page(request: Request, session: FirstSession) -> Response:
    """数字の登録の画面: 種を、字と QR で見せる。登録が済めば、もう見せない。"""
    if session.stage != "totp":
        return RedirectResponse(f"/login/{session.stage}" if session.stage else "/", 303)
    return _totp_page(request, session, _secret(request, session))


@router.get("/login/totp.svg")
def totp_image(request: Request, session: FirstSession) -> Response:
    """種の QR。"""
    if session.stage != "totp":
        return RedirectResponse("/", 303)
    text = people_totp.address(_secret(request, session), staff_id=session.actor.id, system=request.app.state.system)
    image = io.BytesIO()
    segno.make(text, error="m").save(image, kind="svg", omitsize=True, border=4, light="white")
    return Response(image.getvalue(), media_type="image/svg+xml")


@router.post("/login/totp")
def enrol(request: Request, session: FirstSession, csrf: Text = "", code: Text = "") -> Response:
    """正しい数字を一つ受け取り、登録を終える。"""
    confirm(session, csrf)
    state = request.app.state
    if session.stage != "totp":
        return RedirectResponse(f"/login/{session.stage}" if session.stage else "/", 303)
    try:
        with state.engine.begin() as connection:
            people_first.enrol_totp(
                connection, state.store.access, state.keys, session.actor, code=code, at=state.clock()
            )
    except BenefitError as refused:
        return _totp_page(request, session, _secret(request, session), status=400, error=str(refused))
    return with_token(request, sessions.renew(state.engine, state.store, session.token), _next(session, "totp"))


@router.get("/login/terms")
def terms_page(request: Request, session: FirstSession) -> Response:
    """遵守事項の画面。"""
    return page(request, "shared/terms.html", session=session, error="", terms=people_first.TERMS)


@router.post("/login/terms")
def accept_terms(request: Request, session: FirstSession, csrf: Text = "", agreed: Text = "") -> Response:
    """遵守事項を確かめる。"""
    confirm(session, csrf)
    state = request.app.state
    if not agreed:
        says = "読んで、チェックを入れてください"
        return page(request, "shared/terms.html", session=session, status=400, error=says, terms=people_first.TERMS)
    with state.engine.begin() as connection:
        people_first.accept_terms(connection, state.store.access, session.actor, at=state.clock())
    return with_token(request, sessions.renew(state.engine, state.store, session.token), _next(session, "terms"))
