"""いまの様子: 対象、発送、返送、審査済、支給、振込不能。"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.guard import PageSession
from api.page import page

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, session: PageSession) -> Response:
    """最初の画面。"""
    return page(request, "ward/dashboard.html", session=session)
