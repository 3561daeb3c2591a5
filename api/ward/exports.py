"""表計算（Excel）の持ち出し: 理由を書いて、行数とともに記録してから渡す（L06）。表の上に、誰がいつ出したかが載る。"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import Response

from api.attachment import XLSX, attached
from api.guard import PageSession
from api.page import Text, confirm
from api.session import Session
from api.ward.deeds import seen
from benefit.domain.clock import TOKYO
from benefit.services import (
    approvals_view_builds,
    approvals_view_lists,
    approvals_view_transfers,
    dashboard,
    dashboard_lists,
    sheet,
)
from benefit.services.approvals_view import case_numbers
from benefit.services.approvals_view_veil import veil_for
from benefit.services.home import Home
from benefit.store.engine import reading

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Form(ge=0, le=2**31 - 1)]
#: 記録に番号を並べる行の上限。これより多い持ち出しは、全員を見たのと同じで、何の一覧かで分かる。
MOST_NAMED = 200


@router.post("/export")
def export(
    request: Request, session: PageSession, csrf: Text = "", what: Text = "", number: Number = 0, reason: Text = ""
) -> Response:
    """一覧を Excel で。`what` は transfer・build・holds か、数のうしろの一覧の名。"""
    confirm(session, csrf)
    if not reason.strip():
        raise HTTPException(400, "持ち出す理由を書いてください")
    home, made = request.app.state.home, request.app.state.clock()
    title, sheets, rows = _sheets(home, what, number)
    veil = veil_for(home, session.actor)
    sheets = {name: veil.rows(frame) for name, frame in sheets.items()}
    data = sheet.render(sheets, made=made, title=title, notes=watermark(session, made, reason.strip(), rows))
    cases = case_numbers(sheets.values()) if rows <= MOST_NAMED else []
    subject = f"{what}/{number}" if number else what
    seen(request, session, "export", subject, rows=rows, reason=reason.strip(), cases=cases)
    return attached(data, XLSX, f"{title}.xlsx")


def watermark(session: Session, made: datetime, reason: str, rows: int) -> list[str]:
    """表の上の、誰が・いつ・なぜ・何行。"""
    at = made.astimezone(TOKYO)
    return [f"持ち出し {session.actor.id}（{session.name}） {at:%Y-%m-%d %H:%M} {rows:,} 行", f"理由 {reason}"]


def _sheets(home: Home, what: str, number: int) -> tuple[str, dict[str, pl.DataFrame], int]:
    if what == "build":
        frames, rows = approvals_view_builds.book(home, number)
        return f"判定 {number} の差", frames, rows
    if what == "transfer":
        frame = approvals_view_transfers.book(home, number)
        return f"振込 {number} の行", {"振込の行": frame}, frame.height
    if what == "holds":
        parts = [
            approvals_view_lists.held_book(approvals_view_lists.held(home, programme))
            for programme in approvals_view_lists.programmes(home)
        ]
        frame = pl.concat(parts) if parts else approvals_view_lists.held_book([])
        return "保留の一覧", {"保留": frame}, frame.height
    if what in dashboard_lists.LISTS:
        with reading(home.ward) as connection:
            frame, total = dashboard_lists.rows(connection, what, home.benefit_names, dashboard.STAGE_NAMES, page=None)
        return f"{dashboard_lists.name_of(what)}の一覧", {dashboard_lists.name_of(what): frame}, total
    raise HTTPException(404, "その一覧はありません")
