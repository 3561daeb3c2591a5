"""判定の一覧。一枚ずつの差と承認は /approvals/build/番号。"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.guard import PageSession
from api.page import page
from benefit.services import approvals_view_lists

router = APIRouter(include_in_schema=False)


@router.get("/builds")
def builds(request: Request, session: PageSession) -> Response:
    """判定の一覧。"""
    lines = approvals_view_lists.builds(request.app.state.home)
    return page(request, "ward/builds.html", session=session, lines=lines)
