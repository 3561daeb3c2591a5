"""どの道に、どの役割が入れるか。表にない道があれば、起動しない（reliability §4.4）。"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.routing import APIRoute

from benefit.domain.access import DeskRole

#: 誰でも（ログインの前でも）入れる道。
OPEN = frozenset[str]()
EVERYONE = frozenset(role.value for role in DeskRole)

#: (方法, 道) → 入れる役割。空集合は「ログイン前でもよい」。
DESK_ACCESS: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/login"): OPEN,
    ("POST", "/login"): OPEN,
    ("POST", "/logout"): EVERYONE,
    ("GET", "/"): EVERYONE,
    ("POST", "/search"): EVERYONE,
    ("POST", "/case"): EVERYONE,
    ("GET", "/static/{name}"): OPEN,
    ("GET", "/favicon.ico"): OPEN,
    ("POST", "/api/login"): OPEN,
    ("POST", "/api/logout"): EVERYONE,
    ("POST", "/api/search"): EVERYONE,
    ("GET", "/api/cases/{case_number}"): EVERYONE,
    ("GET", "/openapi.json"): OPEN,
}


def check(app: FastAPI, table: dict[tuple[str, str], frozenset[str]]) -> None:
    """すべての道に行があり、すべての行に道があることを確かめる。"""
    routes = {(method, route.path) for route in _routes(app) for method in route.methods if method != "HEAD"}
    missing, dead = routes - set(table), set(table) - routes - {("GET", "/openapi.json")}
    if missing or dead:
        raise RuntimeError(f"権限の表と道が合いません: 行のない道 {sorted(missing)}、道のない行 {sorted(dead)}")


def _routes(app: FastAPI) -> Iterable[APIRoute]:
    return (route for route in app.routes if isinstance(route, APIRoute))
