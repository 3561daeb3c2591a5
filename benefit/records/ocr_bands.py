"""MPN 標準帳票の OCR の二行（上 39 桁、下 44 桁）と、先頭の二つの検査数字。formats §5.2。"""

from __future__ import annotations

from benefit.domain.errors import RefusedInput

UPPER_DIGITS, LOWER_DIGITS = 39, 44
#: 項目（名、桁）。先頭の検査数字 2 桁の後から。
UPPER = (
    ("口座番号", 11),
    ("払込金額", 11),
    ("手数料負担区分", 1),
    ("収納機関番号", 5),
    ("印紙税要否区分", 1),
    ("税目・料金番号", 3),
    ("拡張領域", 5),
)
LOWER = (
    ("案件特定キー", 20),
    ("確認番号", 6),
    ("eLTAX 利用領域", 1),
    ("共通納税機関コード", 5),
    ("税務事務所コード", 3),
    ("拡張領域", 7),
)
_ODD = (9, 8, 7, 6, 5, 4, 3, 2)
_EVEN = (2, 3, 4, 5, 6, 7, 8, 9)


def check_digits(body: str) -> str:
    """検査数字を除いた本体（37 桁か 42 桁）の、先頭に付く CD1・CD2。"""
    # 位置は行の全体で数える: CD1 が 1、CD2 が 2、本体は 3 から。
    second = sum(int(digit) * (_ODD[(at - 3) // 2 % 8] if at % 2 else 1) for at, digit in enumerate(body, start=3))
    second %= 10
    first = sum(
        int(digit) * (1 if at % 2 else _EVEN[(at - 2) // 2 % 8]) for at, digit in enumerate(f"{second}{body}", start=2)
    )
    return f"{first % 11 % 10}{second}"


def upper(
    *,
    amount_yen: int,
    biller_number: str,
    tax_item: str,
    account_number: str = "0" * 11,
    fee_bearer: str = "2",
    stamp_tax: str = "0",
    extension: str = "00000",
) -> str:
    """上の行 39 桁。"""
    if not 0 <= amount_yen < 10**11:
        raise RefusedInput("払込金額が 11 桁に入りません", code="ocr-band", found=f"{amount_yen:,} 円")
    return _band(
        UPPER, (account_number, f"{amount_yen:011d}", fee_bearer, biller_number, stamp_tax, tax_item, extension)
    )


def lower(
    *,
    payment_number: str,
    confirmation_number: str,
    agency_code: str,
    office_code: str = "000",
    el_area: str = "0",
    extension: str = "0000000",
) -> str:
    """下の行 44 桁。納付番号は 20 桁に 0 を補ってから渡す（ここでは補わない）。"""
    return _band(LOWER, (payment_number, confirmation_number, el_area, agency_code, office_code, extension))


def _band(fields: tuple[tuple[str, int], ...], values: tuple[str, ...]) -> str:
    for (name, length), value in zip(fields, values, strict=True):
        if len(value) != length or not (value.isascii() and value.isdigit()):
            raise RefusedInput(
                f"OCR の{name}の桁が合いません", code="ocr-band", found=f"{len(value)} 桁", allowed=f"{length} 桁の数字"
            )
    body = "".join(values)
    return check_digits(body) + body


def read_band(band: str) -> dict[str, str]:
    """一行をほどく: 項目の名 → 数字。桁か検査数字が合わなければ `RefusedInput`。"""
    fields = {UPPER_DIGITS: UPPER, LOWER_DIGITS: LOWER}.get(len(band))
    if fields is None or not (band.isascii() and band.isdigit()):
        raise RefusedInput(
            "OCR の行の桁が合いません", code="ocr-band", found=f"{len(band)} 文字", allowed="39 桁か 44 桁の数字"
        )
    if check_digits(band[2:]) != band[:2]:
        raise RefusedInput("OCR の行の検査数字が合いません", code="ocr-check-digit")
    values, at = {}, 2
    for name, length in fields:
        values[name] = band[at : at + length]
        at += length
    return values
