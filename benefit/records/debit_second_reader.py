"""口座振替の請求ファイルを、様式の宣言を使わずに読み直す第二の読み手。

書き手と同じ表（`direct_debit.REQUEST`）で読み直すと、表そのものの誤りは見つからない。ここは formats §2.1–2.3 の
位置を、数のまま書く。
"""

from __future__ import annotations

from typing import NamedTuple

_LENGTH = 120


class DebitLine(NamedTuple):
    """請求の一行。"""

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str
    holder_kana: str
    amount_yen: int
    new_code: str
    customer_number: str


class DebitFile(NamedTuple):
    """読み直した請求。"""

    client_code: str
    month_day: str
    lines: tuple[DebitLine, ...]
    told_count: int
    total_yen: int


def read(content: bytes) -> DebitFile | None:
    """読み直す。請求ファイルの形をしていなければ None。"""
    records = content.split(b"\r\n")
    if len(records) < 4 or records[-1] != b"" or any(len(record) != _LENGTH for record in records[:-1]):
        return None
    head, *body, trailer, end = records[:-1]
    marks = (head[:4], trailer[:1], end)
    if marks != (b"1910", b"8", b"9" + b" " * 119) or any(record[:1] != b"2" for record in body):
        return None
    if any(record[111:] != b"0" + b" " * 8 for record in body) or trailer[19:] != b"0" * 36 + b" " * 65:
        return None
    try:
        lines = tuple(_line(record.decode("cp932")) for record in body)
        count, total = int(trailer[1:7]), int(trailer[7:19])
    except ValueError:
        return None
    return DebitFile(head[4:14].decode("cp932"), head[54:58].decode("cp932"), lines, count, total)


def _line(text: str) -> DebitLine:
    return DebitLine(
        bank_code=text[1:5],
        branch_code=text[20:23],
        account_type=text[42],
        account_number=text[43:50],
        holder_kana=text[50:80].rstrip(" "),
        amount_yen=int(text[80:90]),
        new_code=text[90],
        customer_number=text[91:111].rstrip(" "),
    )
