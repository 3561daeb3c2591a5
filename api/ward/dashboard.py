"""いまの様子: 対象、発送、収受、審査済、支給済、振込不能率と、日ごと・給付ごとの図、待っている仕事。"""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from api import charts
from api.guard import PageSession
from api.page import page
from api.ward.deeds import seen
from benefit.domain.access import WardRole
from benefit.domain.clock import tokyo_date
from benefit.services import dashboard, dashboard_lists, dashboard_open
from benefit.services.approvals_view import case_numbers
from benefit.services.approvals_view_veil import veil_for
from benefit.services.home import Home
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
#: 数を見る役割。監査はログだけ、管理は個人の情報なし（reliability §4.4）。
SEES = (WardRole.CLERK, WardRole.APPROVER)
_PROCESS = ("targets", "sent", "received", "reviewed", "paid")
_TROUBLE = ("returned_mail", "failed")


@router.get("/")
def home(request: Request, session: PageSession) -> Response:
    """最初の画面。"""
    if session.actor.role not in SEES:
        return page(request, "ward/dashboard_others.html", session=session)
    state = request.app.state
    today = tokyo_date(state.clock())
    with reading(state.home.ward) as connection:
        benefits = dashboard.by_benefit(connection)
        days = dashboard.by_day(connection, today)
    open_now = dashboard_open.open_work(state.home, today)
    return page(
        request,
        "ward/dashboard.html",
        session=session,
        figures=dashboard.figures(benefits),
        work=open_now.works,
        charts=_charts(benefits, days, state.home.benefit_names),
        ages=_ages(open_now),
        benefits=_table(benefits, state.home.benefit_names),
    )


@router.get("/list/{which}")
def listed(request: Request, session: PageSession, which: str, sheet: int = 1) -> Response:
    """数のうしろにある一覧。見た記録を残してから出す。"""
    if which not in dashboard_lists.LISTS or not 1 <= sheet <= 100_000:
        raise HTTPException(404, "ありません")
    given: Home = request.app.state.home
    with reading(given.ward) as connection:
        rows, total = dashboard_lists.rows(connection, which, given.benefit_names, dashboard.STAGE_NAMES, page=sheet)
    rows = veil_for(given, session.actor).rows(rows)
    seen(request, session, "dashboard.list", which, rows=rows.height, cases=case_numbers([rows]))
    last = max(1, -(-total // dashboard_lists.PAGE))
    return page(
        request,
        "ward/dashboard_list.html",
        session=session,
        which=which,
        name=dashboard_lists.name_of(which),
        rows=rows.rows(named=True),
        total=total,
        sheet=sheet,
        last=last,
    )


def _charts(benefits: pl.DataFrame, days: pl.DataFrame, names: dict[str, str]) -> list[charts.Chart]:
    """日ごとの累計二枚と、給付ごとの段階。"""
    day = days["day"].to_list()
    made = [
        charts.line(
            key,
            title,
            day,
            [charts.Series(dashboard.NAMES[name], days[name].cum_sum().to_list()) for name in chosen],
            unit="件",
            head="日",
        )
        for key, title, chosen in (
            ("process", "日ごとの進み（その日までの数）", _PROCESS),
            ("trouble", "日ごとの返戻と振込不能（その日までの数）", _TROUBLE),
        )
    ]
    made.append(
        charts.stacked(
            "stages",
            "給付ごとの、いまの段階",
            [names.get(one, one) for one in benefits["benefit"]],
            [charts.Series(dashboard.STAGE_NAMES[name], benefits[name].to_list()) for name in dashboard.STAGES],
            unit="件",
            head="給付",
        )
    )
    return made


def _ages(open_now: dashboard_open.Open) -> charts.Chart | None:
    """終わっていない振込不能の、日数ごと。"""
    if not any(count for _name, count, _late in open_now.ages):
        return None
    names, counts, late = zip(*open_now.ages, strict=True)
    inside = [count - past for count, past in zip(counts, late, strict=True)]
    return charts.stacked(
        "ages",
        "終わっていない振込不能の日数",
        list(names),
        [charts.Series("期限の内", inside), charts.Series("期限を過ぎた", list(late))],
        unit="件",
        head="届いてから",
    )


def _table(benefits: pl.DataFrame, names: dict[str, str]) -> list[dict[str, Any]]:
    """給付ごとの六つの数。"""
    rows = []
    for row in benefits.iter_rows(named=True):
        part = dashboard.figures(benefits.filter(pl.col("benefit") == row["benefit"]))
        rows.append({"name": names.get(row["benefit"], row["benefit"]), "figures": part})
    return rows
