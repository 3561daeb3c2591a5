"""手紙の組を PDF にする（PDF/A-2u、一通一頁）。

Typst に一度に約 100 通を渡す。一通ずつでは書体を一通ごとに埋め込み（119 kB）、1,000 通ずつでは
記憶を使いすぎる（3.5 GB）。実測: letters §2 と §8 の 4。
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Literal

from benefit.domain.errors import BenefitError, WrongUse
from benefit.domain.letter import LETTER_KINDS
from letters.content import LetterContent
from letters.fonts import font_digest, font_folders
from letters.holding import reasons_to_hold
from letters.page import page_data
from letters.postcard import PAGES as CARD_PAGES
from letters.postcard import pages_of
from letters.words import Words, load_words, words_digest

#: 一度に組む手紙の数。
LETTERS_PER_COMPILE = 100
#: 刷りと保存は PDF/A-2u、読み上げのための写し（letters.accessible）は PDF/UA-1。
Standard = Literal["a-2u", "ua-1"]
PDF_STANDARD: Standard = "a-2u"
#: 割付が、一頁に収まらないときに言う言葉（templates/common.typ）。
_OVERFLOW = "page-count"
_TOO_LONG = "一頁に収まらない手紙"


def _templates() -> Path:
    return Path(str(resources.files("letters") / "templates"))


def render(contents: Sequence[LetterContent], *, words: Words | None = None, sample: bool = False) -> bytes:
    """同じ種類・同じ発行日の手紙を、渡された順に PDF にする。A4 は種類の枚数、圧着はがきは一通二頁（表と裏）。

    words: 刷る言葉（区の写しがあれば `load_words(kind, home/words)`）。なければ同梱の言葉。
    sample: 見本の印を全部の頁に大きく刷る（下見のため。印刷に回さない）。
    PDF の日付は発行日なので、同じ手紙からはいつも同じバイト列ができる。
    断り: 手紙がない、種類や発行日が混ざる、止めるべき手紙がある（WrongUse）。組版の失敗は BenefitError
    （文に手紙の中身は入らない）。
    """
    if not contents:
        raise WrongUse("刷る手紙がありません", code="no-letters")
    if len({(content.kind, content.issued_on) for content in contents}) > 1:
        raise WrongUse("一つの PDF には、同じ種類で同じ発行日の手紙だけを入れます", code="mixed-letters")
    refuse_held(contents)
    kind = contents[0].kind
    data = page_data(contents, words or load_words(kind))
    pdf = compile_pages(kind, {**data, "sample": True} if sample else data)
    if page_count(pdf) != len(contents) * pages_of_kind(kind):
        raise BenefitError("手紙と頁の数が合いません", code="page-count", found=f"{page_count(pdf)} 頁")
    return pdf


def refuse_held(contents: Sequence[LetterContent]) -> None:
    """止めるべき手紙が一通でもあれば断る（止めるのは lots の仕事で、ここは最後の網）。"""
    if any(reasons_to_hold(content) for content in contents):
        raise WrongUse("止めるべき手紙が混ざっています。先に確かめてください", code="held-letter")


def pages_of_kind(kind: str) -> int:
    """一通の頁数: A4 は枚数、圧着はがきは二頁。"""
    return LETTER_KINDS[kind].sheets * pages_of(LETTER_KINDS[kind].form)


_IMPORT = re.compile(rb'^#import "([a-z_]+\.typ)"', re.MULTILINE)


@functools.cache
def template_source(kind: str) -> bytes:
    """一種類の割付の全文: 自分と、読み込んでいる割付のすべて。一字でも変われば、紙が変わりうる。"""
    read: dict[str, bytes] = {}
    waiting = [f"{kind}.typ"]
    while waiting:
        name = waiting.pop()
        if name not in read:
            read[name] = (_templates() / name).read_bytes()
            waiting += [found.decode() for found in _IMPORT.findall(read[name])]
    return b"".join(name.encode() + b"\0" + read[name] for name in sorted(read))


def compile_pages(kind: str, data: Mapping[str, Any], *, standard: Standard = PDF_STANDARD) -> bytes:
    """割付に値を渡して組む。組版の失敗は BenefitError（文に手紙の中身は入らない）。"""
    import typst

    failure = None
    try:
        pdf: bytes = typst.compile(
            _templates() / f"{kind}.typ",
            root=_templates(),
            font_paths=[*font_folders()],
            ignore_system_fonts=True,
            pdf_standards=standard,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    except typst.TypstError as error:
        # 組版の道具の文には氏名が入りうる。どの断りかだけを残し、元の文は捨てる。
        failure = _TOO_LONG if _OVERFLOW in str(error) else type(error).__name__
    # 頁の数は、割付の中で数えるより速く数えられる（割付で数えると、全部の頁を二度組むことになる）。
    if failure is None and page_count(pdf) > _pages_of(data, page_count(pdf)):
        failure = _TOO_LONG
    if failure is not None:
        raise BenefitError("手紙を組めませんでした", code="typesetting", found=failure)
    return pdf


def _pages_of(data: Mapping[str, Any], otherwise: int) -> int:
    """手紙の紙の、あるべき頁数: 一通の枚数（圧着はがきは表と裏）に通数を掛ける。手紙でない紙は、数えない。"""
    sheets = data.get("pages")
    if not isinstance(sheets, int) or "letters" not in data:
        return otherwise
    return sheets * len(data["letters"]) * (CARD_PAGES if data["geometry"]["card"] else 1)


def page_count(pdf: bytes) -> int:
    """PDF の頁の数（頁の木の根が言う数）。"""
    return max((int(count) for count in re.findall(rb"/Count (\d+)", pdf)), default=0)


def engine_digest(words: Path | None = None) -> str:
    """同じ紙ができるための部品（組版の版、書体、割付、言葉）の指紋。`words` は区の写しのフォルダ（home/words）。"""
    return hashlib.sha256(f"{_parts_digest()}/{words_digest(words)}".encode()).hexdigest()


#: 同じ手紙の紙を変えうる部品と、自分のコード。
_ENGINES = ("typst", "segno", "pikepdf", "uharfbuzz")
_CODE = ("page.py", "address.py", "codes.py", "geometry.py", "postcard.py", "fonts.py")


@functools.cache
def _parts_digest() -> str:
    versions = "/".join(metadata.version(name) for name in _ENGINES)
    digest = hashlib.sha256(f"{versions}/{font_digest()}".encode())
    here = Path(str(resources.files("letters")))
    folders = [file for folder in ("templates", "words") for file in sorted((here / folder).iterdir())]
    for file in (*folders, *sorted((here / "stamp").glob("*.py")), *(here / name for name in _CODE)):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
