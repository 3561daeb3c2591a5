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

_DIGITS = {"maker_code": 6, "biller_number": 5, "agency_code": 5}
_SUBJECT_DIGITS, _CLASS_DIGITS = 3, 3


@dataclass(frozen=True)
class SlipIssuer:
    """課の値。

    payment_class: 納付区分（OCR の行では税目・料金番号 3 桁）。limit_yen: コンビニで払える一枚の上限。
    places: 納付場所の文。subjects: 科目コード（3 桁）→ 科目の名。
    """

    ward_name: str
    office_name: str
    phone: str
    maker_code: str
    biller_number: str
    agency_code: str
    payment_class: str
    places: str
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
