"""手紙の相手の一行を、紙に刷る事柄にする。外で刷る紙に載せてよいかは、ここだけが決める（benefit-rules F.2）。"""

from __future__ import annotations

import functools
import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from benefit.domain.errors import RefusedInput
from benefit.domain.letter import LETTER_KINDS, PUSH_NOTICE
from benefit.domain.programme import Programme
from benefit.records.bank_master import BankMaster
from letters.content import LetterContent
from letters.glyphs import missing
from letters.render import template_source
from letters.sheet_code import SheetCode, layout_number
from letters.words import load_words

PRINTER, WARD, BRAILLE = "printer", "ward", "braille"
#: 組を作る所の順。点字の人の紙は、印刷事業者に点字の人と分からないように、区が刷る（F.1）。
PLACES = (PRINTER, WARD, BRAILLE)
_ACCOUNT_TYPES = {"1": "普通", "2": "当座", "4": "貯蓄"}


@dataclass(frozen=True)
class Making:
    """一回の手紙作りで、どの手紙にも同じもの。words: 区が直した言葉のフォルダ。key: 封入の符号の鍵。"""

    programme: Programme
    issued_on: date
    banks: BankMaster
    words: Path
    key: bytes

    def sheet_code(self, row: dict[str, Any], sheet: int, sheets: int) -> SheetCode:
        """この手紙の、この一枚の符号。"""
        kind = row["kind"]
        number = int(LETTER_KINDS[kind].number.removeprefix("L"))
        layout = layout_number(layout_digest(kind, self.words))
        return SheetCode.of(self.key, row["case_number"], row["branch"], number, sheet, sheets, layout)


def layout_digest(kind: str, words: Path | None) -> str:
    """一種類の割付と言葉の指紋（封入の符号の「版」になる）。"""
    return _layout_digest(kind, load_words(kind, words).digest)


@functools.lru_cache(maxsize=64)
def _layout_digest(kind: str, words: str) -> str:
    return hashlib.sha256(template_source(kind) + words.encode()).hexdigest()


def needs_amount_page(programme: Programme, row: dict[str, Any], place: str) -> bool:
    """額の頁を、区が別に刷って同封するか: 外で刷り、額を載せず、額か子が一人ずつ違う給付のとき。

    世帯の 10 万円のように誰でも同じ額は、案内に公に書いてあるので、頁を分けない。
    """
    if place != PRINTER or programme.letters.print_amount_outside or not LETTER_KINDS[row["kind"]].carries_amount:
        return False
    terms = programme.benefits[row["benefit"]]
    return terms.amount_yen is None or terms.slot_kind == "CHILD"


def masked_account(row: dict[str, Any], banks: BankMaster) -> str:
    """過去の口座の姿: 銀行と店の名、種目、口座番号の下三桁。名が表になければ、名を書かない。"""
    branch = banks.find(row["bank_code"], row["branch_code"])
    # 銀行と店の名は全銀の半角カナなので、紙では全角にする（人の氏名には決してしない変換）。
    names = unicodedata.normalize("NFKC", f"{branch.bank_name} {branch.branch_name}") if branch else "登録の口座"
    return f"{names} {_ACCOUNT_TYPES[row['account_type']]} ****{row['account_number'][-3:]}"


def conditions(kind: str, benefit: str, programme: Programme) -> tuple[str, ...]:
    """この給付の手紙で、確かめていただく文。差出人の名を入れ、書体にない字は断る。"""
    terms = programme.conditions[programme.slot_kinds[benefit]]
    texts = terms.wrong_when if kind == PUSH_NOTICE else terms.declarations
    filled = tuple(text.replace("{ward}", programme.office.ward_name) for text in texts)
    if lacking := missing("".join(filled)):
        raise RefusedInput(
            f"{programme.id}.toml: 手紙の文（conditions）に書体にない字があります",
            code="words-glyph",
            found="、".join(lacking),
        )
    return filled


def neutral_sender(programme: Programme) -> tuple[str, str]:
    """区が直接扱う人の紙の差出人: 郵便番号と住所だけ。"""
    postal, _, address = programme.letters.neutral_sender.partition(" ")
    return postal, address


def content(row: dict[str, Any], making: Making) -> LetterContent:
    """手紙の相手の一行（mailing.letters）から。row["place"] が printer なら、額と方書は事業の切替えに従う。"""
    programme, inside = making.programme, row["place"] != PRINTER
    terms = programme.letters
    sheets = 2 if needs_amount_page(programme, row, row["place"]) else 1
    push = row["kind"] == PUSH_NOTICE
    return LetterContent(
        kind=row["kind"],
        postmark=not push and programme.schedule.deadline_kind == "POSTMARK",
        conditions=conditions(row["kind"], row["benefit"], programme),
        case_number=row["case_number"],
        branch=row["branch"],
        postal_code=row["postal_code"],
        address=row["address"],
        address2=(row["address2"] or "") if inside or terms.print_address2_outside else "",
        # 代理人へ送る手紙は、窓には代理人の名だけを出し、受給者の名は窓から見えない所に刷る。
        name=row["addressee"] or row["name"],
        payee_name=row["name"] if row["addressee"] else "",
        programme_name=programme.name,
        ward_name=programme.office.ward_name,
        office_name=programme.office.office_name,
        sender=neutral_sender(programme) if row["place"] == WARD else (),
        phone=programme.office.call_centre_phone,
        return_to=programme.office.return_to,
        issued_on=making.issued_on,
        due_on=row["due_on"],
        again=row["again"],
        benefit_names=(programme.benefit_names[row["benefit"]],),
        amount_yen=row["amount_yen"] if inside or terms.print_amount_outside else None,
        account_flag=row["account_flag"],
        masked_account=masked_account(row, making.banks) if push and row["account_flag"] == "2" else None,
        sheets=sheets,
        sheet_codes=tuple(making.sheet_code(row, number, sheets).digits for number in range(1, sheets + 1)),
    )
