"""画面を組む。サーバーで組み、JavaScript なしで動く。氏名と番号は URL に載せない（開くのも探すのも POST）。"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import pylopdf_fonts_jp
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from api.session import Session
from benefit.domain.access import ROLE_NAMES, WARD_AT_DESK, DeskRole
from benefit.domain.clock import TOKYO
from benefit.domain.wareki import wareki

router = APIRouter(include_in_schema=False)
#: 委託先の人。画面のどこを写しても、誰がいつ見たかが写る（画面の指針 39）。
_CONTRACTOR = frozenset(role.value for role in DeskRole) - WARD_AT_DESK
_STATIC = {
    "desk.css": (Path(__file__).parent / "static" / "desk.css", "text/css; charset=utf-8"),
    "NotoSansJP.otf": (Path(pylopdf_fonts_jp.__file__).parent / "NotoSansJP-Regular.otf", "font/otf"),
}
# 制御文字は、PostgreSQL に渡せないもの（NUL）がある。入口で断る。
Text = Annotated[str, Form(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
#: 文章（対応の記録や理由）。改行は許す。
LongText = Annotated[str, Form(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


def _moment(at: datetime) -> str:
    # SQLite は時差を忘れて返す。台帳の時刻は UTC である。
    return f"{(at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(TOKYO):%Y-%m-%d %H:%M}"


def _elapsed(span: timedelta) -> str:
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    return f"{minutes}分{seconds:02d}秒"


def spoken_birth(birth: str) -> str:
    """生年月日を、電話で確かめる和暦で。月日が分からない登録は、登録のまま。"""
    try:
        return f"{wareki(date.fromisoformat(birth))}（{birth}）"
    except ValueError:
        return birth


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("api", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["wareki"] = lambda day: wareki(day) if day else "未登録"
    made.filters["moment"] = _moment
    made.filters["birth"] = spoken_birth
    made.filters["yen"] = lambda amount: "未登録" if amount is None else f"{amount:,}円"
    made.filters["count"] = lambda number: f"{number:,}"
    return made


def new_operation() -> str:
    """書込み一回の札。同じ札の書込みは、一度だけ行われる（api.once）。"""
    return secrets.token_urlsafe(16)


def page(
    request: Request, template: str, *, session: Session | None = None, status: int = 200, **values: Any
) -> HTMLResponse:
    """一枚の画面。`template` は api/templates からの道。上の帯には、この役割が開ける画面だけが並ぶ。"""
    state = request.app.state
    role = session.actor.role if session else ""
    now = state.clock()
    html = (
        _environment()
        .get_template(template)
        .render(
            session=session,
            role=ROLE_NAMES[role] if role else "",
            system=state.system,
            nav=[
                (path, _nav_name(state, path, name, role))
                for path, name in state.nav
                if role in state.access[("GET", path)]
            ],
            here=request.url.path,
            at=now.astimezone(TOKYO),
            elapsed=lambda since: _elapsed(now - since),
            marked=role in _CONTRACTOR,
            banner=state.banner(now) if session and state.banner else None,
            operation=new_operation,
            **values,
        )
    )
    return HTMLResponse(html, status)


def _nav_name(state: Any, path: str, name: str, role: str) -> str:
    roles, other = state.nav_instead.get(path, ((role,), ""))
    return name if role in roles else str(other)


def message(request: Request, status: int, says: str, headers: Mapping[str, str] | None = None) -> Response:
    """断りの画面。"""
    if status == 303 and headers and "Location" in headers:
        return RedirectResponse(headers["Location"], 303)
    answer = page(request, "shared/message.html", status=status, says=says)
    answer.headers.update(headers or {})
    return answer


def confirm(session: Session, csrf: str) -> None:
    """この画面から送られたものか（CSRF）。違えば 403。"""
    if not hmac.compare_digest(session.csrf.encode(), csrf.encode()):
        raise HTTPException(403, "画面を開き直してから、もう一度送ってください")


@router.get("/static/{name}")
def static(name: str) -> Response:
    """字形と見た目。名前は決まったものだけ。"""
    if name not in _STATIC:
        raise HTTPException(404, "ありません")
    path, kind = _STATIC[name]
    return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=86400"})


@router.get("/favicon.ico")
def no_icon() -> Response:
    """印はない。ブラウザが必ず尋ねるので、ないと答える。"""
    return Response(status_code=204)
