"""総合振込の見本: 架空の二件と、それを台帳から言い直した期待。"""

from __future__ import annotations

from datetime import date

from benefit.records.zengin import FileHeader, TransferLine
from benefit.records.zengin_reader import ExpectedHeader, ExpectedLine

HEADER = FileHeader(
    client_code="1234567890",
    client_name="カクウシ　カイケイカ",
    transfer_on=date(2026, 7, 31),
    bank_code="9999",
    bank_name="カクウギンコウ",
    branch_code="001",
    branch_name="ホンテン",
    account_type="1",
    account_number="0012345",
)
LINES = (
    TransferLine(
        "9999",
        "101",
        "1",
        "0000001",
        "ヤマダ　タロウ",
        100_000,
        "0000001001",
        "0000000001",
        "1",
        "カクウギンコウ",
        "ミナミシテン",
    ),
    TransferLine(
        "9999",
        "102",
        "2",
        "0765432",
        "カ）カクウショウジ",
        50_000,
        "0000001002",
        "0000000001",
        "0",
        "カクウギンコウ",
        "ミナミシテン",
    ),
)


def line(**changes: object) -> TransferLine:
    """変えたところだけを言う一件。"""
    values = {"bank_code": "9999", "branch_code": "101", "account_type": "1", "account_number": "9000001"}
    return TransferLine(**(values | {"holder_kana": "ヤマダ　タロウ", "amount_yen": 100_000} | changes))


def expected_header(header: FileHeader = HEADER) -> ExpectedHeader:
    return ExpectedHeader(
        header.client_code,
        header.client_name,
        f"{header.transfer_on:%m%d}",
        header.bank_code,
        header.bank_name,
        header.branch_code,
        header.branch_name,
        header.account_type,
        header.account_number,
    )


def expected_lines(lines: tuple[TransferLine, ...] | list[TransferLine] = LINES) -> list[ExpectedLine]:
    return [
        ExpectedLine(
            item.bank_code,
            item.bank_name,
            item.branch_code,
            item.branch_name,
            item.account_type,
            item.account_number,
            item.holder_kana,
            item.amount_yen,
            item.new_code,
            item.customer_code1,
            item.customer_code2,
        )
        for item in lines
    ]
