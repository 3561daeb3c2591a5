"""eL-QR（地方税統一 QR コード）の 255 文字を組み、ほどく。formats §6.4。

EMV の形（2 桁の札、2 桁の長さ、値）だが、CRC は 10 進 5 桁である（EMVCo の 16 進 4 桁ではない）。
税目番号・印字の大きさの公式の仕様は未見。実際に使う前に、総務省「地方税統一 QR コード」検討会の資料を読むこと。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import segno

from benefit.domain.errors import RefusedInput
from benefit.records import ocr_bands

LENGTH = 255
#: 地方税共同機構の収納機関番号。
EL_BILLER = "13800"
_CRC_TAG = "6305"
_ORDER = ("00", "01", "27", "54", "62", "80", "63")
_SPARE_DIGITS = 85


@dataclass(frozen=True)
class ElQr:
    """eL-QR の中身。上下の OCR の行と、年度・期別・期限。金額は上の行にあるものと同じ。"""

    upper: str
    lower: str
    levy_year: int
    tax_year: int
    term: int
    due_on: date
    payable_until: date

    @property
    def amount_yen(self) -> int:
        """払込金額。"""
        return int(ocr_bands.read_band(self.upper)["払込金額"])

    @property
    def text(self) -> str:
        """255 文字。桁や検査数字の合わない値は `RefusedInput`。"""
        if len(self.upper) != ocr_bands.UPPER_DIGITS or len(self.lower) != ocr_bands.LOWER_DIGITS:
            raise _refused("OCR の行の桁が合いません", f"{len(self.upper)}・{len(self.lower)} 桁", "39・44 桁")
        ocr_bands.read_band(self.lower)
        if not 0 <= self.term <= 99 or not 1 <= self.levy_year <= 9999 or not 1 <= self.tax_year <= 9999:
            raise _refused(
                "年度か期別が桁に入りません", f"{self.levy_year}・{self.tax_year}・{self.term}", "4・4・2 桁"
            )
        where = _tlv("00", EL_BILLER) + _tlv("01", self.upper + self.lower)
        dates = f"{self.due_on:%Y%m%d}{self.payable_until:%Y%m%d}"
        more = f"{self.levy_year:04d}{self.tax_year:04d}{self.term:02d}{dates}"
        body = (
            _tlv("00", "01")
            + _tlv("01", "12")
            + _tlv("27", where)
            + _tlv("54", f"{self.amount_yen:011d}")
            + _tlv("62", more)
            + _tlv("80", "0" * _SPARE_DIGITS)
            + _CRC_TAG
        )
        return f"{body}{crc16(body):05d}"

    def svg(self) -> str:
        """QR の絵（誤り訂正 M）。塗りだけの SVG。"""
        code = segno.make_qr(self.text, error="m", boost_error=False)
        return str(code.svg_inline(border=4, omitsize=True))


def _tlv(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def _refused(says: str, found: str = "", allowed: str = "") -> RefusedInput:
    return RefusedInput(says, code="el-qr", found=found or None, allowed=allowed or None)


def crc16(text: str) -> int:
    """CRC-16/CCITT-FALSE（多項式 0x1021、初期値 0xFFFF）。`123456789` で 10673。"""
    crc = 0xFFFF
    for byte in text.encode("ascii"):
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def read(text: str) -> ElQr:
    """読み取った 255 文字をほどく。長さ、CRC、札の並び、金額の一致のどれが違っても `RefusedInput`。"""
    if len(text) != LENGTH or not (text.isascii() and text.isdigit()):
        raise _refused("eL-QR の長さが違います", f"{len(text)} 文字", f"{LENGTH} 桁の数字")
    body, crc = text[:-5], text[-5:]
    if not body.endswith(_CRC_TAG) or f"{crc16(body):05d}" != crc:
        raise _refused("eL-QR の CRC が合いません")
    tags = _split(text)
    if tuple(tags) != _ORDER or tags["00"] != "01" or tags["01"] != "12" or len(tags["62"]) != 26:
        raise _refused("eL-QR の札の並びが違います", "・".join(tags), "・".join(_ORDER))
    where = _split(tags["27"])
    bands = where.get("01", "")
    if where.get("00") != EL_BILLER or len(bands) != ocr_bands.UPPER_DIGITS + ocr_bands.LOWER_DIGITS:
        raise _refused("eL-QR の MPN 情報が違います", f"{len(bands)} 桁", "83 桁")
    upper, lower = bands[: ocr_bands.UPPER_DIGITS], bands[ocr_bands.UPPER_DIGITS :]
    amount = ocr_bands.read_band(upper)["払込金額"]
    ocr_bands.read_band(lower)
    if tags["54"] != amount:
        raise _refused("eL-QR の取引金額が、OCR の行の払込金額と違います", f"{tags['54']} と {amount}")
    more = tags["62"]
    if tags["80"] != "0" * _SPARE_DIGITS:
        raise _refused("eL-QR の付加情報2 が 0 ではありません")
    return ElQr(
        upper,
        lower,
        levy_year=int(more[:4]),
        tax_year=int(more[4:8]),
        term=int(more[8:10]),
        due_on=_day(more[10:18], "納期限"),
        payable_until=_day(more[18:], "支払期限"),
    )


def _day(text: str, name: str) -> date:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise _refused(f"eL-QR の{name}が暦にない日です", text, "YYYYMMDD") from None


def _split(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        tag, length = text[at : at + 2], text[at + 2 : at + 4]
        value = text[at + 4 : at + 4 + int(length or 0)]
        if len(length) != 2 or len(value) != int(length) or tag in found:
            raise _refused("eL-QR の札の長さが合いません", tag)
        found[tag] = value
        at += 4 + len(value)
    return found
