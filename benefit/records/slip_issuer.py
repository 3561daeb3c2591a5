"""納付書を出す課: 差出人、電話、収納の番号（メーカーコード、収納機関番号）、科目の名。課ごとに一つの TOML。

番号は契約で決まるので、同梱の値は架空である。区は HOME/slip_issuers/<名>.toml に自分の値を置く。
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from benefit.domain.errors import RefusedInput
from benefit.records import barcodes
from benefit.records.convenience_store import FreeSpace
from benefit.records.payment_slip import InquiryKey, PaymentSlip

_DIGITS = {"maker_code": 6, "biller_number": 5, "agency_code": 5}
_SUBJECT_DIGITS, _CLASS_DIGITS = 3, 3


@dataclass(frozen=True)
class SlipIssuer:
    """課の値。

    payment_class: 納付区分（OCR の行では税目・料金番号 3 桁）。limit_yen: コンビニで払える一枚の上限。
    places: いつも納められる場所の文。store_places: バーコードで納められるときに足す場所。
    subjects: 科目コード（3 桁）→ 科目の名。
    """

    ward_name: str
    office_name: str
    phone: str
    maker_code: str
    biller_number: str
    agency_code: str
    payment_class: str
    places: str
    store_places: str
    subjects: Mapping[str, str]
    limit_yen: int = barcodes.LIMIT_YEN

    @staticmethod
    def parse(text: str, *, file: str) -> SlipIssuer:
        """TOML から。項目の過不足、桁の違う番号は、ファイルと項目を言って断る。"""
        try:
            table: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RefusedInput(f"{file}: TOML として読めません（{error}）", code="slip-issuer") from None
        known = {each.name for each in fields(SlipIssuer)}
        lacking, extra = sorted(known - table.keys() - {"limit_yen"}), sorted(table.keys() - known)
        if lacking or extra:
            short, unknown = "、".join(lacking) or "なし", "、".join(extra) or "なし"
            raise RefusedInput(
                f"{file}: 項目が合いません（足りない: {short} / 知らない: {unknown}）", code="slip-issuer"
            )
        for name in known - {"subjects", "limit_yen"}:
            if not isinstance(table[name], str) or not table[name].strip():
                raise RefusedInput(f"{file}: 項目「{name}」は空でない文です", code="slip-issuer")
        for name, length in _DIGITS.items():
            if len(table[name]) != length or not _is_digits(table[name]):
                raise RefusedInput(
                    f"{file}: 項目「{name}」の桁が違います", code="slip-issuer", allowed=f"{length} 桁の数字"
                )
        if len(table["payment_class"]) > _CLASS_DIGITS or not _is_digits(table["payment_class"]):
            raise RefusedInput(
                f"{file}: 項目「payment_class」の桁が違います", code="slip-issuer", allowed="3 桁までの数字"
            )
        limit = table.get("limit_yen", barcodes.LIMIT_YEN)
        if type(limit) is not int or not 1 <= limit <= barcodes.LIMIT_YEN:
            raise RefusedInput(
                f"{file}: 項目「limit_yen」の値が違います", code="slip-issuer", allowed=f"1 から {barcodes.LIMIT_YEN:,}"
            )
        subjects = table["subjects"]
        good = isinstance(subjects, dict) and subjects
        if not good or any(
            len(code) != _SUBJECT_DIGITS or not _is_digits(code) or not isinstance(name, str) or not name
            for code, name in subjects.items()
        ):
            raise RefusedInput(f"{file}: 項目「subjects」は、3 桁の科目コードと科目の名です", code="slip-issuer")
        return SlipIssuer(**table)


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit()


def free_space(subject: str, fiscal_year: int, term: int, notice_number: str) -> str:
    """バーコードの自由使用欄 21 桁: 年度 4、科目 3、期別 2、通知書番号 12（formats §4.3）。入らない番号は断る。"""
    return FreeSpace().pack(f"{fiscal_year:04d}", f"{subject}{term:02d}{notice_number:0>12s}")


def payment_slip_of(row: Mapping[str, Any], issuer: SlipIssuer) -> PaymentSlip:
    """一行（`notice_data.ROWS` の列）と課の値から、納付書の値。"""
    return PaymentSlip(
        amount_yen=row["amount_yen"] + row["late_charge_yen"],
        levy_year=row["fiscal_year"],
        fiscal_year=row["fiscal_year"],
        term=row["term"],
        due_on=row["due_on"],
        payable_until=row["payable_until"],
        maker_code=issuer.maker_code,
        free_space=free_space(row["subject"], row["fiscal_year"], row["term"], row["notice_number"]),
        inquiry_key=InquiryKey(
            issuer.biller_number, row["payment_number"], row["confirmation_number"], issuer.payment_class
        ),
        agency_code=issuer.agency_code,
        reissue=row["reissue"],
    )
