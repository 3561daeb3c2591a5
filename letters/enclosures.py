"""同封する紙: 台紙（書類の写しを貼って返す）と、確認書の記入例。

台紙には番号だけを刷り、氏名も住所も刷らない。封筒の中の紙は、みな同じ番号で結ぶ（benefit-rules H）。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from benefit.domain.errors import WrongUse
from benefit.domain.letter import CLAIM_FORM, CONFIRMATION_LETTER, LETTER_KINDS
from benefit.domain.programme import Programme
from letters.content import LetterContent
from letters.page import filling, page_data
from letters.render import compile_pages, refuse_held
from letters.sample import BLANK, sample
from letters.words import EXAMPLE, RETURN_MOUNT, load_words


def mount(contents: Sequence[LetterContent], *, words: Path | None = None) -> bytes:
    """手紙ごとの台紙、一通に一頁、渡された順。白紙の手紙からは、番号を書く枠のある台紙。"""
    if not contents:
        raise WrongUse("台紙を作る手紙がありません", code="no-letters")
    refuse_held(contents)
    # 台紙は、封筒の中の最後の一枚である。
    last = [replace(content, sheet=content.sheets) for content in contents]
    data = page_data(last, load_words(RETURN_MOUNT, words))
    return compile_pages(RETURN_MOUNT, {**data, "title": "台紙", "pages": 1})


def blank_mount(programme: Programme, issued_on: date, *, words: Path | None = None) -> bytes:
    """番号のない台紙（窓口で渡す）。"""
    return mount([sample(CLAIM_FORM, programme, issued_on, person=BLANK)], words=words)


def example(programme: Programme, issued_on: date, *, words: Path | None = None) -> bytes:
    """確認書の記入例。確認書の割付に、書き方の字を入れる（割付が変われば、記入例も変わる）。"""
    content = sample(CONFIRMATION_LETTER, programme, issued_on)
    data = page_data([content], load_words(CONFIRMATION_LETTER, words))
    filled = load_words(EXAMPLE, words).filled(filling(content))
    return compile_pages(
        CONFIRMATION_LETTER,
        {**data, "title": f"{LETTER_KINDS[CONFIRMATION_LETTER].name} {filled['title']}", "example": filled},
    )
