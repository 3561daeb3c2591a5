"""額の頁: 外で刷る紙に載せられない支給予定額と子の名を、区が刷って同じ封筒に入れる（benefit-rules F.2-2）。

一通に一頁、印刷事業者の組と同じ順。給付管理番号と「2/2」の封入の符号で、一枚目と合わせる。
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

from benefit.domain.wareki import wareki
from letters.fonts import FAMILY
from letters.page import qr_svg
from letters.render import LETTERS_PER_COMPILE, compile_pages
from letters.sheet_code import plain_text

TEMPLATE = "amount_page"


@dataclass(frozen=True)
class AmountPage:
    """一頁。`child_name` は、子への加算だけ。`sheet_code` は 2/2 の 24 桁。"""

    case_number: str
    branch: int
    name: str
    benefit_name: str
    amount_yen: int
    child_name: str
    sheet_code: str


def words() -> dict[str, str]:
    """頁の言葉（letters/words/amount_page.toml）。"""
    text = (resources.files("letters") / "words" / f"{TEMPLATE}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def render(pages: Sequence[AmountPage], *, programme_name: str, office: str, phone: str, issued_on: date) -> bytes:
    """頁の並びを一つの PDF に。同じ値からは、同じバイト列ができる。"""
    return compile_pages(
        TEMPLATE,
        {
            "title": words()["title"],
            "date": [issued_on.year, issued_on.month, issued_on.day],
            "font": FAMILY,
            "words": words(),
            "programme": programme_name,
            "issued_on": wareki(issued_on),
            "office": office,
            "phone": phone,
            "pages": [_page(page) for page in pages],
        },
    )


def _page(page: AmountPage) -> dict[str, Any]:
    return {
        "number": page.case_number,
        "branch": f"{page.branch:02d}",
        "name": page.name,
        "benefit": page.benefit_name,
        "amount": f"{page.amount_yen:,}円",
        "child": page.child_name,
        "qr": qr_svg(page.case_number),
        "sheet_text": plain_text(page.sheet_code),
    }


def parts_of(pages: Sequence[AmountPage]) -> list[Sequence[AmountPage]]:
    """一度に組む数ずつ。"""
    return [pages[start : start + LETTERS_PER_COMPILE] for start in range(0, len(pages), LETTERS_PER_COMPILE)]
