"""納付書に載る符号の一揃い: コンビニのバーコード、MPN の照会依頼キー、OCR の二行、eL-QR。

一枚の納付書の値から全部を作り、作れないものは、わけを添えて空にする（窓口で払える納付書を、コンビニで払えないというだけで
止めない）。確認番号は納付番号から導けない乱数で、呼ぶ人が渡し、納付書と一緒に保存する。
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from benefit.domain.errors import RefusedInput
from benefit.records import barcodes, code128, ocr_bands
from benefit.records.barcodes import Barcode
from benefit.records.el_qr import EL_BILLER, ElQr

_TAX_ITEM_DIGITS = 3


@dataclass(frozen=True)
class InquiryKey:
    """MPN 照会依頼キー（formats §5.1）。納付番号は人を指すので、repr に出さない。"""

    biller_number: str
    payment_number: str = field(repr=False)
    confirmation_number: str = field(repr=False)
    payment_class: str

    def __post_init__(self) -> None:
        """桁を確かめる: 収納機関番号 5、納付番号 20 まで、確認番号 4–6、納付区分 10 まで。"""
        for name, value, shortest, longest in (
            ("収納機関番号", self.biller_number, 5, 5),
            ("納付番号", self.payment_number, 1, 20),
            ("確認番号", self.confirmation_number, 4, 6),
            ("納付区分", self.payment_class, 1, 10),
        ):
            if not shortest <= len(value) <= longest or not (value.isascii() and value.isdigit()):
                allowed = f"{longest} 桁" if shortest == longest else f"{shortest} から {longest} 桁"
                raise RefusedInput(
                    f"{name}の桁が合いません", code="inquiry-key", found=f"{len(value)} 桁", allowed=f"{allowed}の数字"
                )

    @property
    def printed(self) -> tuple[tuple[str, str], ...]:
        """納付書に印字する順の（名、値）。"""
        return (
            ("収納機関番号", self.biller_number),
            ("納付番号", self.payment_number),
            ("確認番号", self.confirmation_number),
            ("納付区分", self.payment_class),
        )


@dataclass(frozen=True)
class PaymentSlip:
    """一枚の納付書の値。"""

    amount_yen: int
    levy_year: int
    fiscal_year: int
    term: int
    due_on: date
    payable_until: date
    maker_code: str
    free_space: str = field(repr=False)
    inquiry_key: InquiryKey
    agency_code: str
    reissue: int = 0
    stamp: bool = False

    @property
    def barcode(self) -> Barcode:
        """コンビニのバーコードの中身。"""
        return Barcode(
            self.maker_code,
            self.free_space,
            amount_yen=self.amount_yen,
            pay_by=self.payable_until,
            reissue=self.reissue,
            stamp=self.stamp,
        )


@dataclass(frozen=True)
class SlipCodes:
    """印字する符号。作れない符号は空で、わけが `refusals`（符号の名 → わけ）にある。"""

    barcode: str
    barcode_svg: str
    barcode_printed: str
    inquiry_key: tuple[tuple[str, str], ...]
    ocr_upper: str
    ocr_lower: str
    el_qr: str
    el_qr_svg: str
    refusals: dict[str, tuple[str, ...]]


def codes(slip: PaymentSlip, *, today: date, limit_yen: int = barcodes.LIMIT_YEN) -> SlipCodes:
    """納付書の符号を全部作る。金額が 0 以下、期限が納期限より前のときは、納付書そのものを断る。"""
    if slip.amount_yen < 1:
        raise RefusedInput("納付書の金額がありません", code="payment-slip", found=f"{slip.amount_yen:,} 円")
    if slip.payable_until < slip.due_on:
        raise RefusedInput(
            "支払期限が納期限より前です",
            code="payment-slip",
            found=f"{slip.payable_until}",
            allowed=f"{slip.due_on} 以後",
        )
    refusals: dict[str, tuple[str, ...]] = {}
    digits, drawn, printed = "", "", ""
    if reasons := barcodes.convenience_refusals(slip.barcode, today=today, limit_yen=limit_yen):
        refusals["バーコード"] = reasons
    else:
        digits = barcodes.issue(slip.barcode, today=today, limit_yen=limit_yen)
        drawn, printed = code128.svg(digits), slip.barcode.printed
    key = slip.inquiry_key
    upper, lower, text, picture = "", "", "", ""
    if len(key.payment_class) > _TAX_ITEM_DIGITS:
        # OCR の行の税目・料金番号は 3 桁。入らない納付区分を、切って載せることはしない。
        refusals["OCR"] = (f"納付区分が {_TAX_ITEM_DIGITS} 桁に入りません（{len(key.payment_class)} 桁）",)
    else:
        upper = ocr_bands.upper(
            amount_yen=slip.amount_yen,
            biller_number=key.biller_number,
            tax_item=key.payment_class.zfill(_TAX_ITEM_DIGITS),
            stamp_tax=str(int(slip.stamp)),
        )
        lower = ocr_bands.lower(
            payment_number=key.payment_number.zfill(20),
            confirmation_number=key.confirmation_number.zfill(6),
            agency_code=slip.agency_code,
        )
    if upper and key.biller_number == EL_BILLER:
        code = ElQr(upper, lower, slip.levy_year, slip.fiscal_year, slip.term, slip.due_on, slip.payable_until)
        text, picture = code.text, code.svg()
    else:
        refusals["eL-QR"] = (f"地方税（収納機関番号 {EL_BILLER}）の納付書ではありません",)
    return SlipCodes(digits, drawn, printed, key.printed, upper, lower, text, picture, refusals)
