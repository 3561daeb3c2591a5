"""通知の一枚（上に宛名と文、下の段に納付書）の値と組版。一頁に収まらなければ刷らない。"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from benefit.domain.errors import BenefitError
from benefit.domain.wareki import fiscal_year_name, wareki
from benefit.records import payment_slip
from benefit.records.payment_slip import SlipCodes
from benefit.records.slip_issuer import SlipIssuer, payment_slip_of
from letters import codes, geometry
from letters.address import Line, lay_out
from letters.fonts import FAMILY, font_folders, width_em
from letters.render import PDF_STANDARD, page_count
from letters.sheet_code import SheetCode
from letters.words import Words, load_words

TEMPLATE = "notice.typ"
#: 納付書の細い部分に、氏名が三行で入る長さ（全角の字数）。
NAME_EM = 28.0
#: 一行に入る長さ。これより長い氏名は、小さく刷る。
NAME_LINE_EM = 7.0


@dataclass(frozen=True)
class Wording:
    """通知の種類の言葉と、納付書の言葉。"""

    kind: Words
    slip: Words

    @staticmethod
    def load(name: str, folder: Path | None = None) -> Wording:
        """言葉を読む。区の写し（folder）が先。"""
        return Wording(load_words(name, folder), load_words("slip", folder))

    @property
    def digest(self) -> str:
        """言葉の指紋。"""
        return f"{self.kind.digest}/{self.slip.digest}"


@dataclass(frozen=True)
class Notice:
    """一通。`codes` に納付書の符号の一揃い（作れない符号はわけ）。"""

    record: int
    code: SheetCode
    postal_code: str = field(repr=False)
    address: str = field(repr=False)
    address2: str = field(repr=False)
    name: str = field(repr=False)
    subject_name: str
    fiscal_year: int
    term: int
    notice_number: str = field(repr=False)
    amount_yen: int
    late_charge_yen: int
    due_on: date
    payable_until: date
    codes: SlipCodes = field(repr=False)


def notice_of(row: dict[str, Any], issuer: SlipIssuer, code: SheetCode, issued_on: date) -> Notice:
    """`notice_data.ROWS` の一行から。コンビニで払えないもの・eL-QR を持たないものは、わけを添えて空にする。"""
    return Notice(
        record=row["record"],
        code=code,
        postal_code=row["postal_code"],
        address=row["address"],
        address2=row["address2"],
        name=row["name"],
        subject_name=issuer.subjects[row["subject"]],
        fiscal_year=row["fiscal_year"],
        term=row["term"],
        notice_number=row["notice_number"],
        amount_yen=row["amount_yen"],
        late_charge_yen=row["late_charge_yen"],
        due_on=row["due_on"],
        payable_until=row["payable_until"],
        codes=payment_slip.codes(payment_slip_of(row, issuer), today=issued_on, limit_yen=issuer.limit_yen),
    )


def _slip(notice: Notice, issuer: SlipIssuer) -> dict[str, Any]:
    made = notice.codes
    biller, payment, confirmation, payment_class = made.inquiry_key
    printed = made.barcode_printed.split("-", 2)
    return {
        "payer": notice.name,
        "long_name": width_em(notice.name) > NAME_LINE_EM,
        "subject": notice.subject_name,
        "period": f"{fiscal_year_name(notice.fiscal_year)}　{f'第{notice.term}期' if notice.term else '随時'}",
        "notice_number": notice.notice_number,
        "due": wareki(notice.due_on, weekday=True),
        "until": wareki(notice.payable_until, weekday=True),
        "amount": f"{notice.amount_yen:,}円",
        "late": f"{notice.late_charge_yen:,}円" if notice.late_charge_yen else "",
        "total": f"{notice.amount_yen + notice.late_charge_yen:,}円",
        "barcode": made.barcode_svg,
        "barcode_lines": ["-".join(printed[:2]), *printed[2:]] if made.barcode else [],
        "refusals": list(made.refusals.get("バーコード", ())),
        # 長い納付番号は、一行に置く。ほかは二つずつ。
        "key": [[*biller], [*confirmation], [*payment_class]],
        "payment_number": [*payment],
        "upper": made.ocr_upper,
        "lower": made.ocr_lower,
        "qr": made.el_qr_svg,
        "to": f"{issuer.ward_name}　{issuer.office_name}",
    }


def _addressed(notice: Notice) -> tuple[tuple[Line, ...], str]:
    """宛名の行と、カスタマバーコードの線。窓口で渡す納付書（住所なし）では、どちらも刷らない。"""
    lines = lay_out(notice.postal_code, notice.address, notice.address2, notice.name, reserve=geometry.BARCODE_RESERVE)
    assert lines is not None, "収まらない宛名は、組にする前に止める"
    return lines, codes.address_bars(notice.postal_code, notice.address, notice.address2)


def _letter(notice: Notice, issuer: SlipIssuer, issued_on: date) -> dict[str, Any]:
    lines, bars = _addressed(notice) if notice.address else ((), "")
    return {
        "address": [asdict(line) for line in lines],
        "bars": codes.customer_svg(bars) if bars else "",
        "issued_on": wareki(issued_on),
        "sender": [issuer.ward_name, issuer.office_name],
        "phone": issuer.phone,
        "places": issuer.places,
        "store_places": f"{issuer.places}、{issuer.store_places}",
        "sheet_text": notice.code.text,
        "sheet_bars": codes.bars_svg(codes.code128_bars(notice.code.digits)),
        "slip": _slip(notice, issuer),
        "words": 0,
    }


def _words(notice: Notice, wording: Wording, issuer: SlipIssuer, issued_on: date) -> dict[str, Any]:
    values = {
        "programme": notice.subject_name,
        "ward": issuer.ward_name,
        "office": issuer.office_name,
        "phone": issuer.phone,
        "due": wareki(notice.payable_until),
        "issued_on": wareki(issued_on),
        "benefits": "",
    }
    return wording.kind.filled(values) | {"slip": wording.slip.filled(values)}


def page_data(
    notices: Sequence[Notice], wording: Wording, issuer: SlipIssuer, title: str, issued_on: date
) -> dict[str, Any]:
    """割付（notice.typ）の読む値。言葉は、入る値が同じ通知で分け合う。"""
    tables: dict[tuple[str, date], int] = {}
    filled: list[dict[str, Any]] = []
    letters = []
    looked: set[tuple[int, bool]] = set()
    for notice in notices:
        same = (notice.subject_name, notice.payable_until)
        if same not in tables:
            tables[same] = len(filled)
            filled.append(_words(notice, wording, issuer, issued_on))
        letter = _letter(notice, issuer, issued_on) | {"words": tables[same]}
        # あふれを見るのは、文の同じ初めの一通と、長い氏名の納付書だけ（計るのは、二度組むのと同じ重さなので）。
        shape = (tables[same], bool(notice.codes.barcode))
        letter["check"] = shape not in looked
        letter["slip"]["check"] = letter["check"] or letter["slip"]["long_name"]
        looked.add(shape)
        letters.append(letter)
    return {
        "title": title,
        "pages": 1,
        "date": [issued_on.year, issued_on.month, issued_on.day],
        "font": FAMILY,
        "geometry": {
            "page": {"width": geometry.PAGE_WIDTH, "height": geometry.PAGE_HEIGHT},
            "address": asdict(geometry.ALWAYS_SEEN),
            "keep_out": asdict(geometry.EVER_SEEN),
            "folds": list(geometry.FOLDS),
            "qr_side": geometry.QR_SIDE,
            "card": None,
            "barcode": asdict(geometry.BARCODE),
        },
        "words": filled,
        "letters": letters,
    }


def render(notices: Sequence[Notice], wording: Wording, issuer: SlipIssuer, title: str, issued_on: date) -> bytes:
    """渡された順に一通一頁の PDF。組版の失敗は BenefitError（文に通知の中身は入らない）。"""
    import typst

    templates = Path(str(resources.files("letters") / "templates"))
    failed = False
    try:
        pdf: bytes = typst.compile(
            templates / TEMPLATE,
            root=templates,
            font_paths=[*font_folders()],
            ignore_system_fonts=True,
            pdf_standards=PDF_STANDARD,
            sys_inputs={"data": json.dumps(page_data(notices, wording, issuer, title, issued_on), ensure_ascii=False)},
        )
    except typst.TypstError:
        # 組版の道具の文には氏名が入りうるので、捨てる。
        failed = True
    if failed:
        raise BenefitError("通知を組めませんでした", code="typesetting")
    if page_count(pdf) != len(notices):
        raise BenefitError("通知と頁の数が合いません", code="page-count", found=f"{page_count(pdf)} 頁")
    return pdf
