"""台紙: 割付を、一人ずつの値のない一通として組んだもの。文面・期限・給付の組合せごとに一つ。

台紙には誰の値も入れない。中身を伏せた手紙（〓）から組み、組んだ頁に〓や 0 だけの番号が見えたら断る。
だから、割付が一人ずつの値を `fld` を通さずに刷っても、それが全員の紙に載ることはない。
"""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any

import pikepdf
import pypdfium2
from pikepdf import Name

from benefit.domain.errors import BenefitError
from letters.content import LetterContent
from letters.page import document, filling, personal, shared, with_personal
from letters.render import compile_pages
from letters.stamp.slots import AreaSlot, TextSlot, parse
from letters.words import Words

#: 一人ずつ違う項目。ほかのすべてが同じ手紙が、一つの台紙を使う。項目が増えたら、ここに書くまでは台紙を分ける側に入る。
PERSONAL = frozenset(
    {
        "case_number", "branch", "postal_code", "address", "address2", "name", "payee_name",
        "amount_yen", "masked_account", "sheet", "sheets", "sheet_codes",
    }
)  # fmt: skip
_MASK = "〓"
_NOBODY = "0" * 11
_NO_CODES: dict[str, Any] = {"address": [], "qr": "", "code128": "", "customer": "", "sheet_bars": ""}
_shared_of = attrgetter(*(field.name for field in fields(LetterContent) if field.name not in {*PERSONAL, "values"}))
#: 覚えておく台紙の数。
_KEPT = 256

Key = tuple[Any, ...]


@dataclass(frozen=True)
class BackgroundPage:
    """台紙の一頁。content は、誰の値もない頁の描き方。"""

    width: float
    height: float
    texts: tuple[TextSlot, ...]
    areas: tuple[AreaSlot, ...]


@dataclass(frozen=True)
class Background:
    """台紙。pdf は注釈と構造の札を除いたもの。"""

    pdf: bytes
    pages: tuple[BackgroundPage, ...]


def shape_of(content: LetterContent) -> Key:
    """台紙の鍵。一人ずつの値は、あるかないかだけが効く。"""
    values = tuple(content.values.items())
    there = (content.amount_yen is None, content.masked_account is None, content.payee_name == "")
    return (_shared_of(content), values, *there)


def _nobody(content: LetterContent) -> LetterContent:
    """一人ずつの値を伏せた手紙。"""
    return replace(
        content,
        case_number=_NOBODY,
        branch=0,
        postal_code="0000000",
        address=_MASK,
        address2=_MASK,
        name=_MASK,
        payee_name=_MASK if content.payee_name else "",
        amount_yen=None if content.amount_yen is None else 1,
        masked_account=None if content.masked_account is None else _MASK,
        sheet=1,
        sheets=1,
        sheet_codes=(),
    )


class Backgrounds:
    """台紙を、鍵ごとに一度だけ組む。"""

    def __init__(self) -> None:
        self._kept: dict[Key, Background] = {}

    def of(self, content: LetterContent, words: Words) -> tuple[Key, Background]:
        """この手紙の台紙。`words` は刷る言葉。"""
        key = (words.digest, shape_of(content))
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[key] = build(content, words)
        return key, found


@functools.cache
def backgrounds() -> Backgrounds:
    """この処理で組んだ台紙。"""
    return Backgrounds()


def build(content: LetterContent, words: Words) -> Background:
    """台紙を組む。割付の誤り（置き場所がない、値が漏れる）は BenefitError。"""
    nobody = _nobody(content)
    said = words.filled(filling(nobody))
    masked = {key: _MASK if value else "" for key, value in personal(nobody).items()}
    letter = with_personal(shared(nobody, said), masked) | {"words": 0, **_NO_CODES}
    pdf = compile_pages(content.kind, document(nobody, [said], [letter]) | {"slots": True})
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        pages = []
        for page in opened.pages:
            pages.append(_page_of(page))
            _strip(opened, page)
        for name in ("/StructTreeRoot", "/MarkInfo", "/Outlines"):
            if name in opened.Root:
                del opened.Root[name]
        out = io.BytesIO()
        opened.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, deterministic_id=True)
    keys = {slot.key for page in pages for slot in page.texts}
    lacking = {
        key
        for key, value in masked.items()
        if value and key in ("number", "branch", "amount", "account.masked", "payee")
    }
    if not lacking <= keys or "address" not in {slot.key for page in pages for slot in page.areas}:
        raise BenefitError("割付に、一人ずつの値の置き場所がありません", code="slot-missing")
    _refuse_leaks(out.getvalue())
    return Background(out.getvalue(), tuple(pages))


def _page_of(page: pikepdf.Page) -> BackgroundPage:
    left, bottom, right, top = (float(edge) for edge in page.mediabox)
    slots = []
    for note in page.get("/Annots", []):
        if "/A" in note and "/URI" in note.A:
            x0, y0, x1, y1 = (float(edge) for edge in note.Rect)
            slots.append(parse(str(note.A.URI), (x0, y0, x1, y1)))
    return BackgroundPage(
        right - left,
        top - bottom,
        tuple(slot for slot in slots if isinstance(slot, TextSlot)),
        tuple(slot for slot in slots if isinstance(slot, AreaSlot)),
    )


def _strip(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """注釈と構造の札を除き、灰色の色空間を素の灰色にする（黒が四色に分かれないように）。"""
    for name in ("/Annots", "/StructParents", "/Tabs"):
        if name in page:
            del page[name]
    spaces = page.Resources.get("/ColorSpace", pikepdf.Dictionary())
    grays = {name for name, space in spaces.items() if _is_gray(space)}
    kept: list[Any] = []
    marked: list[bool] = []
    gray = {"g": False, "G": False}
    for instruction in pikepdf.parse_content_stream(page):
        operator = str(instruction.operator)
        side = "G" if operator.isupper() else "g"
        if operator in ("BDC", "BMC"):
            # 字の読みを補う札だけを残す。構造の木は、重ねた頁では意味を失う。
            marked.append(operator == "BDC" and "/ActualText" in instruction.operands[1])
            if not marked[-1]:
                continue
        elif operator == "EMC":
            if not marked.pop():
                continue
        elif operator in ("cs", "CS"):
            gray[side] = str(instruction.operands[0]) in grays
            if gray[side]:
                continue
        elif operator in ("scn", "SCN") and gray[side]:
            kept.append((instruction.operands, pikepdf.Operator(side)))
            continue
        kept.append(instruction)
    page.Contents = pdf.make_stream(pikepdf.unparse_content_stream(kept))
    for name in grays:
        del page.Resources.ColorSpace[name]


def _is_gray(space: pikepdf.Object) -> bool:
    return isinstance(space, pikepdf.Array) and space[0] == Name.ICCBased and int(space[1].N) == 1


def _refuse_leaks(pdf: bytes) -> None:
    document = pypdfium2.PdfDocument(pdf)
    try:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()
    if _MASK in text or _NOBODY in text:
        raise BenefitError("割付が、一人ずつの値を置き場所（fld）を通さずに刷っています", code="slot-leak")
