"""二つの画面（給付管理、区）の土台: 安全の見出し、断りの答え方、権限の表との照らし合わせ。"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import ModuleType

from fastapi import APIRouter, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from api import access, first, login, page, proxy
from benefit import __version__
from benefit.domain.clock import Clock
from benefit.domain.errors import BenefitError

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # no-referrer にすると、自分の画面からの送信の Origin まで null になり、見分けられない。
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
}
_TITLES = {
    400: "入力が足りません",
    401: "ログインしていません",
    403: "できない操作です",
    404: "ありません",
    409: "前の送信と食い違います",
    422: "入力の形が違います",
    429: "調べる数が多すぎます",
    500: "思いがけない誤りです",
    503: "いまは表示できません",
}
#: 画面の名と、上の帯に並べる順。
Nav = Sequence[tuple[str, str]]


def build(
    *,
    system: str,
    description: str,
    cookie: str,
    engine: Engine,
    store: ModuleType,
    keys: Callable[[str], bytes],
    table: access.Access,
    nav: Nav,
    routers: Iterable[APIRouter],
    clock: Clock,
    proxies: str = "",
) -> FastAPI:
    """一つの台帳（engine と、その表の束 store）だけを持つ画面を作る。`keys` は名前から 32 バイトの鍵、
    `proxies` は信じてよい入口の番地（api.proxy）。
    """
    app = FastAPI(title=system, version=__version__, docs_url=None, redoc_url=None, description=description)
    app.state.system = system
    app.state.cookie = cookie
    app.state.engine = engine
    app.state.store = store
    app.state.keys = keys
    app.state.access = table
    app.state.nav = nav
    # 同じ道でも役割で中身が違うときの名: 道 → (帯の名のとおりの役割、ほかの役割での名)。
    app.state.nav_instead = {}
    app.state.clock = clock
    # 画面の上に出す札（時刻から文へ）。いるものだけが入れる。
    app.state.banner = None
    # 書込みの前に通る検め（api.once）。いるものだけが入れる。
    app.state.before_write = None
    door = proxy.Door(engine, store.access, clock, proxies)
    # 道を一つずつ見て権限の表と照らすので、まとめて（遅れて）取り込む include_router は使わない。
    for router in (*routers, login.router, first.router, page.router):
        app.router.routes.extend(router.routes)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, _error: Exception) -> Response:
        # 思いがけない失敗でも、安全のための見出しは付ける（この答えは下の guard を通らない）。
        answer = _answer(request, 500, "思いがけない誤りで表示できません。管理者に連絡してください。")
        answer.headers.update({**_HEADERS, "Cache-Control": "no-store"})
        return answer

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.terminal = await run_in_threadpool(door.terminal_of, request)
        refused = _no_terminal(request) or _repeated_query(request) or _foreign_origin(request)
        response = refused or await call_next(request)
        response.headers.update(_HEADERS)
        if not request.url.path.startswith("/static/"):
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return _answer(request, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # 送られた値は繰り返さない。項目の名前だけを言う。
        fields = "、".join(sorted({str(item["loc"][-1]) for item in error.errors()}))
        return _answer(request, 422, f"入力の形が違います: {fields}")

    @app.exception_handler(BenefitError)
    async def by_rule(request: Request, error: BenefitError) -> Response:
        return _answer(request, 400, str(error))

    @app.exception_handler(SQLAlchemyError)
    async def store_down(request: Request, _error: SQLAlchemyError) -> Response:
        # ログが書けないなら、見せない。
        return _answer(request, 503, "記録ができないため、いまは表示できません。管理者に連絡してください。")

    access.check(app, table)
    return app


def problem(status: int, says: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """API の断り（RFC 9457 problem details）。"""
    body = {"type": "about:blank", "title": _TITLES.get(status, "断りました"), "status": status, "detail": says}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def _answer(request: Request, status: int, says: str, headers: Mapping[str, str] | None = None) -> Response:
    if request.url.path.startswith("/api/"):
        return problem(status, says, headers)
    return page.message(request, status, says, headers)


def _no_terminal(request: Request) -> Response | None:
    return None if request.state.terminal else _answer(request, 403, proxy.SAYS)


def _repeated_query(request: Request) -> Response | None:
    # 同じ名前の引数が二度来たら、どちらを信じるかを選ばずに断る。
    names = [name for name, _value in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        return problem(400, "同じ引数が二度あります")
    return None


def _foreign_origin(request: Request) -> Response | None:
    origin = request.headers.get("origin")
    if request.method in {"GET", "HEAD"} or origin is None:
        return None
    if origin.split("//")[-1] != request.headers.get("host"):
        return problem(403, "別の場所からの送信は受け付けません")
    return None
