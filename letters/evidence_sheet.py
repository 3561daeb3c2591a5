"""日次証跡票（A4 一枚、PDF/A-2u）: 一日の終わりの行数と指紋を、人の目と機械の両方で確かめる紙（reliability §4.6）。"""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path

import segno

from benefit.domain.clock import TOKYO
from benefit.domain.errors import BenefitError
from benefit.domain.wareki import wareki
from benefit.services.audit_verify import side
from benefit.store.audit_anchors import Anchor
from letters.fonts import FAMILY, font_folders
from letters.page import svg_of
from letters.render import PDF_STANDARD

KIND = "evidence_sheet"


def qr_text(anchor: Anchor) -> str:
    """QR の中身: 台帳、印の番号、日、行数、指紋。英数字だけ。"""
    return f"{anchor.store} {anchor.number} {anchor.day} {anchor.row_count} {anchor.head}".upper()


def render(anchor: Anchor) -> bytes:
    """印一つの紙。同じ印からは、いつも同じバイト列ができる。組版の失敗は BenefitError。"""
    import typst

    folder = resources.files("letters")
    at = anchor.at.astimezone(TOKYO)
    data = {
        "words": tomllib.loads((folder / "words" / f"{KIND}.toml").read_text(encoding="utf-8")),
        "font": FAMILY,
        "date": [anchor.day.year, anchor.day.month, anchor.day.day],
        "store": side(anchor.store).name,
        "number": f"{anchor.number}",
        "day": wareki(anchor.day),
        "at": f"{wareki(at.date())} {at:%H:%M:%S}",
        "rows": f"{anchor.row_count:,} 行",
        "head": anchor.head,
        "key": anchor.public_key,
        "anchor": anchor.hash,
        "previous": anchor.previous,
        "qr": svg_of(segno.make_qr(qr_text(anchor), error="q", boost_error=False).matrix),
    }
    templates = Path(str(folder / "templates"))
    try:
        pdf: bytes = typst.compile(
            templates / f"{KIND}.typ",
            root=templates,
            font_paths=[*font_folders()],
            ignore_system_fonts=True,
            pdf_standards=PDF_STANDARD,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    except typst.TypstError:
        raise BenefitError("日次証跡票を組めませんでした", code="typesetting") from None
    return pdf
