"""手紙の試験の道具: 一通の作り手と、読み返し。"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from benefit.domain.programme import Programme
from letters.content import LetterContent
from letters.mailing import conditions

MM_PER_POINT = 25.4 / 72
PROGRAMME = Programme.load("r6-2024")
ORDINARY: dict[str, Any] = {
    "kind": "confirmation_letter",
    "case_number": "40718293645",
    "branch": 1,
    "postal_code": "1600022",
    "address": "東京都新宿区新宿一丁目6番地の26",
    "address2": "コーポ新宿御苑210号室",
    "name": "甲野　乙子",
    "programme_name": "新宿区物価高騰対策臨時給付金",
    "ward_name": "新宿区",
    "office_name": "総務部総務課",
    "phone": "0120-000-000",
    "issued_on": date(2024, 7, 16),
    "due_on": date(2024, 10, 31),
    "benefit_names": ("令和6年度非課税化給付",),
}
PUSHED: dict[str, Any] = {
    "kind": "push_notice",
    "account_flag": "2",
    "masked_account": "架空銀行 本店 普通 ****123",
    "due_on": date(2024, 8, 19),
    "planned_transfer_on": date(2024, 8, 28),
}


@dataclass(frozen=True)
class Glyph:
    """紙の上の一字。left などは紙の左上からの mm。"""

    character: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Page:
    """読み返した一頁。"""

    text: str
    codes: tuple[tuple[str, str], ...]
    glyphs: tuple[Glyph, ...]


@contextmanager
def _opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        yield document
    finally:
        document.close()


def _glyphs(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> Iterator[Glyph]:
    height = page.get_height()
    for index in range(text.count_chars()):
        character = text.get_text_range(index, 1)
        if not character.strip():
            continue
        left, bottom, right, top = (edge * MM_PER_POINT for edge in text.get_charbox(index))
        page_height = height * MM_PER_POINT
        yield Glyph(character, left, page_height - top, right, page_height - bottom)


def _made(ordinary: dict[str, Any], changes: dict[str, Any]) -> LetterContent:
    """`benefit`（給付種別）を言えば、その給付の手紙で確かめる文になる。"""
    benefit = changes.pop("benefit", "R6-1")
    asked = {"conditions": conditions(ordinary["kind"], benefit, PROGRAMME)}
    return LetterContent(**(ordinary | asked | changes))


@pytest.fixture
def letter() -> Callable[..., LetterContent]:
    """普通の確認書。違うところだけを言う。"""
    return lambda **changes: _made(ORDINARY, changes)


@pytest.fixture
def notice() -> Callable[..., LetterContent]:
    """普通の支給のお知らせ。"""
    return lambda **changes: _made(ORDINARY | PUSHED, changes)


@pytest.fixture
def read_back() -> Callable[..., list[Page]]:
    """PDF を読み返す: 文字、QR（200 dpi の画像から）、字の位置。"""

    def read(pdf: bytes, *, codes: bool = False, glyphs: bool = False) -> list[Page]:
        pages = []
        with _opened(pdf) as document:
            for page in document:
                text = page.get_textpage()
                image = page.render(scale=200 / 72).to_pil() if codes else None
                found = zxingcpp.read_barcodes(image) if image is not None else []
                pages.append(
                    Page(
                        text.get_text_range().replace("\r\n", "\n"),
                        tuple((code.format.name, code.text) for code in found),
                        tuple(_glyphs(page, text)) if glyphs else (),
                    )
                )
        return pages

    return read
