"""手紙の語彙。"""

from __future__ import annotations

import hashlib

CONFIRMATION_LETTER = "confirmation_letter"
PUSH_NOTICE = "push_notice"
LETTER_KINDS = (CONFIRMATION_LETTER, PUSH_NOTICE)
LETTER_NAMES = {CONFIRMATION_LETTER: "支給要件確認書", PUSH_NOTICE: "支給のお知らせ"}


def address_digest(postal_code: str | None, address: str | None, address2: str | None, addressee: str | None) -> str:
    """宛先の指紋。手紙の後で送り先が変わったことに気づくため（CHK91）。"""
    content = "\n".join(part or "" for part in (postal_code, address, address2, addressee))
    return hashlib.sha256(content.encode()).hexdigest()
