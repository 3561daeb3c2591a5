"""収納の一覧を Excel に持ち出す。理由が要り、持ち出した行数が残る。"""

from __future__ import annotations

from typing import Any

import polars as pl
from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.page import Text, confirm
from api.ward.collections import queue_page
from api.ward.deeds import seen
from benefit.domain.clock import tokyo_date
from benefit.services import (
    collection_balance,
    collection_open,
    debit_view,
    receivables,
    sheet,
    special_statements,
)
from benefit.services.home import Home

router = APIRouter(include_in_schema=False)
_BOOKS = {
    "queue": "人が決める入金",
    "balance": "毎日の突き合わせ",
    "overdue": "督促の一覧",
    "differences": "明細の違い",
    "debits": "口座振替の請求と結果",
}


@router.post("/collections/workbook")
def workbook(request: Request, session: PageSession, csrf: Text = "", what: Text = "", reason: Text = "") -> Response:
    """一覧を Excel に。理由が要り、持ち出した行数が残る。"""
    confirm(session, csrf)
    if what not in _BOOKS or not reason.strip():
        return queue_page(request, session, status=400, error="持ち出す理由を書いてください")
    state = request.app.state
    table = _book(state.home, what, state.clock)
    seen(request, session, "collections.export", what, rows=table.height, reason=reason.strip())
    title = _BOOKS[what]
    made = sheet.render({title: table}, made=state.clock(), title=title, notes=[f"{session.actor.id} が作りました"])
    return attached(made, XLSX, f"shuno-{what}.xlsx")


def _book(home: Home, what: str, clock: Any) -> pl.DataFrame:
    if what == "queue":
        return collection_open.queue(home).select(
            理由="why",
            額="yen",
            経路="channel",
            支払日="paid_on",
            入金の名="event",
            候補の調定="candidates",
            候補のわけ="because",
        )
    if what == "differences":
        return _differences_book(home)
    if what == "debits":
        return _debits_book(home)
    if what == "balance":
        return collection_balance.days(home).select(
            経路="channel",
            日="day",
            件数="count",
            届いた額="arrived_yen",
            消込="posted_yen",
            保留="held_yen",
            銀行の入金="credited_yen",
            手数料="fee_yen",
            差="difference_yen",
        )
    late = receivables.outstanding(home, tokyo_date(clock()))
    return late.select(
        調定="id",
        科目="subject",
        年度="fiscal_year",
        期別="term",
        通知書番号="notice_number",
        納期限=pl.col("due_on").cast(pl.String),
        調定額="due_yen",
        残り="left_yen",
        督促=pl.when("stopped_by_notice").then(pl.lit("速報が届いたので出さない")).otherwise(pl.lit("出す")),
    )


def _differences_book(home: Home) -> pl.DataFrame:
    return special_statements.compare(home).differences.select(
        指定番号="employer_number",
        月="month",
        わけ="why",
        納入書="slip_yen",
        明細="statement_yen",
        納入書の枚数="count",
        明細の行数="count_told",
    )


def _debits_book(home: Home) -> pl.DataFrame:
    rows = [
        (
            one.request.id,
            f"{one.request.debit_on}",
            one.state,
            one.request.line_count,
            one.request.total_yen,
            one.paid,
            one.paid_yen,
            one.failed,
            one.failed_yen,
            one.waiting_yen,
            one.cancelled_yen,
        )
        for one in debit_view.requests(home)
    ]
    names = ("請求", "引落日", "いま", "件数", "請求した額", "振替済の件数", "振替済", "振替不能の件数", "振替不能")
    texts = {"引落日", "いま"}
    schema = {name: pl.String if name in texts else pl.Int64 for name in (*names, "結果待ち", "取消")}
    return pl.DataFrame(rows, schema=schema, orient="row")
