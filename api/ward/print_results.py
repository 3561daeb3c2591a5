"""印刷所の結果の画面: 束ごとの数と状態、名ざした番号、まだ結果の来ない組。受け取るのはコマンド（ファイルは区の中）。"""

from __future__ import annotations

import polars as pl
from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.logs import Number
from api.page import Text, confirm, page
from api.session import Session
from api.ward.deeds import seen
from benefit.domain.errors import WrongUse
from benefit.domain.print_result import SHEET_FAULTS
from benefit.services import print_results_view as view
from benefit.services import restricted_queue, sheet
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
#: 一枚に出す行の数。
MOST = 100


@router.get("/print-results")
def listed(request: Request, session: PageSession) -> Response:
    """束ごとの、いまの結果と、まだ結果の来ない組。"""
    return _list(request, session)


def _list(request: Request, session: Session, *, status: int = 200, error: str = "") -> Response:
    home: Home = request.app.state.home
    with reading(home.ward) as connection:
        rows, waiting = view.results(connection), view.waiting(connection)
    return page(
        request,
        "ward/print_results.html",
        status=status,
        session=session,
        rows=rows[:MOST],
        places=view.PLACES,
        stopped=sum(row["wrong"] > 0 for row in rows),
        waiting=waiting,
        error=error,
    )


@router.get("/print-results/{number}")
def show(request: Request, session: PageSession, number: Number) -> Response:
    """一回の結果: 数、わけごとの数、名ざした番号。"""
    return _one(request, session, number)


def _one(request: Request, session: Session, number: int, *, status: int = 200, error: str = "") -> Response:
    home: Home = request.app.state.home
    try:
        with reading(home.ward) as connection:
            row, past = view.one(connection, number), view.history(connection, number)
            faults = view.faults_of(connection, number)
    except WrongUse as refused:
        return _list(request, session, status=404, error=refused.says)
    shown, secret = _shown(home, session, faults)
    top = shown.head(MOST)
    seen(request, session, "print_results.view", f"{number}", rows=top.height, cases=_cases(top))
    return page(
        request,
        "ward/print_result.html",
        status=status,
        session=session,
        row=row,
        past=past,
        totals=view.totals(faults),
        faults=list(top.iter_rows(named=True)),
        meanings=SHEET_FAULTS,
        count=shown.height,
        secret=secret,
        most=MOST,
        error=error,
    )


@router.post("/print-results/{number}/workbook")
def workbook(
    request: Request, session: PageSession, number: Number, csrf: Text = "", reason: Text = "", form: Text = "xlsx"
) -> Response:
    """名ざした番号の全部を、Excel か CSV に。理由が要り、持ち出した行数が残る。"""
    confirm(session, csrf)
    if not reason.strip():
        return _one(request, session, number, status=400, error="持ち出す理由を書いてください")
    state = request.app.state
    try:
        with reading(state.home.ward) as connection:
            view.one(connection, number)
            faults = view.faults_of(connection, number)
    except WrongUse as refused:
        return _list(request, session, status=404, error=refused.says)
    shown, _secret = _shown(state.home, session, faults)
    table = view.table_of(shown)
    seen(
        request, session, "print_results.export", f"{number}", rows=table.height, reason=reason.strip(),
        cases=_cases(shown),
    )  # fmt: skip
    if form == "csv":
        data = table.write_csv(line_terminator="\r\n").encode("utf-8-sig")
        return attached(data, "text/csv; charset=utf-8", f"insatsu-kekka-{number}.csv")
    title = f"印刷所の結果 {number}: 合わない番号"
    made = sheet.render({"合わない番号": table}, made=state.clock(), title=title)
    return attached(made, XLSX, f"insatsu-kekka-{number}.xlsx")


def _cases(faults: pl.DataFrame) -> list[str]:
    return faults["code"].str.slice(0, 11).unique().to_list()


def _shown(home: Home, session: Session, faults: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """(この人に見せる行、区直轄で隠した行の数)。"""
    with reading(home.ward) as connection:
        if faults.is_empty() or restricted_queue.is_member(connection, session.actor):
            return faults, 0
        hidden = _hidden(home, connection, _cases(faults))
    kept = faults.filter(~pl.col("code").str.slice(0, 11).is_in(hidden))
    return kept, faults.height - kept.height


def _hidden(home: Home, connection: Connection, numbers: list[str]) -> list[str]:
    secret, table = restricted_queue.hidden(home), ward.entitlement
    found: list[str] = []
    for start in range(0, len(numbers), 500):
        query = select(table).where(table.c.case_number.in_(numbers[start : start + 500]))
        found += [row["case_number"] for row in connection.execute(query).mappings() if secret.hides(dict(row))]
    return found
