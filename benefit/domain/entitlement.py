"""支給権利の語彙: 経路、slot（一回だけ払うものの名前）、給付管理番号。"""

from __future__ import annotations

import hashlib

#: 一回だけ払うものの種類（benefit-rules D.1）: 世帯、児童、納税者（調整）、納税者（不足額）、避難者の世帯。
SLOT_KINDS = ("HH100K", "CHILD", "ADJ", "SHORT", "EVACUEE")
#: slot の種類から、判定の行の対象区分へ。
SUBJECT_OF_SLOT = {"HH100K": "世帯", "CHILD": "児童", "ADJ": "納税者", "SHORT": "納税者", "EVACUEE": "避難世帯"}
ROUTES = ("WARD", "PUSH", "CONFIRM")
ACCOUNT_FLAG_NAMES = {
    "0": "登録口座なし",
    "1": "生活保護費の口座",
    "2": "過去の給付金の口座",
    "3": "公金受取口座",
}

# Damm の準群（H. M. Damm, 2004）。一字の誤りと、隣どうしの入れ違いを必ず見つける。
DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(body: str) -> str:
    """10 桁の本体に付ける検査数字（Damm）。"""
    row = 0
    for digit in body:
        row = DAMM[row][ord(digit) - 48]
    return str(row)


def is_case_number(text: str) -> bool:
    """給付管理番号の形か: 11 桁の数字で、検査数字が合う。"""
    return len(text) == 11 and text.isascii() and text.isdigit() and check_digit(text[:10]) == text[10]


def case_number_for(slot: str, key: bytes, attempt: int = 0) -> str:
    """推測できない給付管理番号。

    鍵つきの擬似乱数なので、鍵のない人には乱数と区別できず、同じ slot を作り直しても同じ番号になる
    （途中で止まった処理をやり直しても、番号が変わらない）。`attempt` は番号がぶつかったときの次の候補。
    10 桁の本体のうち使われるのは 10 万分の 1 程度なので、当て推量は当たらない（reliability P19）。
    """
    body = f"{case_number_body(slot, key, attempt):010d}"
    return body + check_digit(body)


def case_number_body(slot: str, key: bytes, attempt: int = 0) -> int:
    """番号の本体（10 桁の数）。"""
    digest = hashlib.blake2b(f"{slot}#{attempt}".encode(), key=key, digest_size=16).digest()
    return int.from_bytes(digest, "big") % 10**10
