"""手紙の値を、割付（templates/*.typ）が読む値にする。ここで作る文字列が、そのまま紙に載る。"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from benefit.domain.letter import AWARD_NOTICE, LETTER_KINDS, LETTER_NAMES, PUSH_NOTICE
from benefit.domain.wareki import wareki
from letters import codes, geometry, sheet_code
from letters.address import HONORIFIC, Line, lay_out
from letters.content import LetterContent
from letters.fonts import FAMILY
from letters.postcard import card_data
from letters.words import Words

_DARK = re.compile("1+")


def qr_svg(number: str) -> str:
    """番号だけの QR を、塗りだけの SVG にする。線で描くと行の継ぎ目に白い筋が出る。"""
    size = codes.QR_MODULES
    path = "".join(_row(y, bits) for y, bits in enumerate(codes.qr_rows(number)))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'


def _row(y: int, bits: int) -> str:
    """QR の一行の、黒い升の続き。"""
    parts = []
    for run in _DARK.finditer(f"{bits:0{codes.QR_MODULES}b}"):
        start, length = run.start(), run.end() - run.start()
        parts.append(f"M{start} {y}h{length}v1h-{length}z")
    return "".join(parts)


def svg_of(matrix: Sequence[Sequence[int]]) -> str:
    """QR の升目を、塗りだけの SVG に。"""
    size = len(matrix)
    runs = []
    for y, row in enumerate(matrix):
        x = 0
        while x < size:
            start = x
            while x < size and row[x]:
                x += 1
            if x > start:
                runs.append(f"M{start} {y}h{x - start}v1h{start - x}z")
            x += 1
    path = "".join(runs)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'


#: 振込先の口座を言う手紙。
WITH_ACCOUNT = frozenset({PUSH_NOTICE, AWARD_NOTICE})


def personal(content: LetterContent) -> dict[str, str]:
    """一人ずつ違う文。鍵は割付の `fld` の鍵で、刷りでは台紙の空の箱に一通ずつ載る（letters/stamp）。"""
    number, branch = content.case_number, f"{content.branch:02d}"
    return {
        "number": number,
        "branch": branch,
        "sheet_text": sheet_text(content),
        "payee": content.payee_name + HONORIFIC if content.payee_name else "",
        "amount": f"{content.amount_yen:,}円" if content.amount_yen is not None else "",
        # 確認書には口座を刷らない。口座を記入していただく紙だからである。
        "account.masked": (content.masked_account or "") if content.kind in WITH_ACCOUNT else "",
    }


def sheet_text(content: LetterContent) -> str:
    """封入の照合に使う一行。符号がない紙（下見、窓口の紙）では、番号と枚数だけ。"""
    if content.is_blank:
        return f"{LETTER_KINDS[content.kind].number} {content.sheet}/{content.sheets}"
    short = f"{content.case_number}-{content.branch:02d} {content.sheet}/{content.sheets}"
    return sheet_code.plain_text(content.sheet_codes[content.sheet - 1]) if content.sheet_codes else short


def shared(content: LetterContent, words: dict[str, Any]) -> dict[str, Any]:
    """`personal` と宛名と符号のほかのすべて。これが同じ手紙は、同じ台紙に刷れる。"""
    flag = content.account_flag
    return {
        "issued_on": wareki(content.issued_on),
        "sender": list(content.sender or (content.ward_name, content.office_name)),
        "phone": content.phone,
        "programme": content.programme_name,
        "due": wareki(content.due_on, weekday=True) if content.due_on else "",
        "due_note": words["due_note_postmark" if content.postmark else "due_note_arrival"],
        "transfer": wareki(content.planned_transfer_on, weekday=True) if content.planned_transfer_on else "",
        "benefits": list(content.benefit_names),
        "conditions": list(content.conditions),
        "values": {key: list(value) if isinstance(value, tuple) else value for key, value in content.values.items()},
        "again": content.again,
        "return_to": list(content.return_to),
        "account": {"name": words[f"account_{flag}"], "note": words[f"account_note_{flag}"]}
        if content.kind in WITH_ACCOUNT
        else None,
    }


def with_personal(shared: dict[str, Any], personal: dict[str, str]) -> dict[str, Any]:
    """割付の読む一通。「account.masked」のような鍵は、account の中に入れる。"""
    letter: dict[str, Any] = dict(shared)
    for key, value in personal.items():
        place, _, name = key.rpartition(".")
        if not place:
            letter[name] = value
        elif letter[place] is not None:
            letter[place] = {**letter[place], name: value}
    return letter


def address_block(content: LetterContent) -> tuple[tuple[Line, ...], str]:
    """宛名の行と、カスタマバーコードの 67 本の線（刷らなければ空）。

    窓あき封筒では、窓に宛名とバーコードが並ばなければ、宛名だけにする。読めない宛名より、割引のない郵便がよい。
    """
    if content.is_blank:
        return (), ""
    who = (content.postal_code, content.address, content.address2, content.name)
    bars = codes.address_bars(content.postal_code, content.address, content.address2)
    if bars and LETTER_KINDS[content.kind].form == "A4":
        lines = lay_out(*who, reserve=geometry.BARCODE_RESERVE)
        if lines is not None:
            return lines, bars
        bars = ""
    lines = lay_out(*who)
    assert lines is not None, "収まらない宛名は、組にする前に止める"
    return lines, bars


def sheet_digits(content: LetterContent) -> str:
    """この紙の封入の符号（24 桁）。符号のない紙（下見、窓口の紙）では空。"""
    return content.sheet_codes[content.sheet - 1] if content.sheet_codes else ""


def _letter(content: LetterContent, words: dict[str, Any]) -> dict[str, Any]:
    lines, bars = address_block(content)
    sheet = sheet_digits(content)
    return with_personal(shared(content, words), personal(content)) | {
        "address": [asdict(line) for line in lines],
        "customer": codes.customer_svg(bars) if bars else "",
        "qr": "" if content.is_blank else qr_svg(content.case_number),
        "code128": "" if content.is_blank else codes.bars_svg(codes.code128_bars(content.case_number)),
        "sheet_bars": codes.bars_svg(codes.code128_bars(sheet)) if sheet else "",
    }


def _sheets(content: LetterContent, words: dict[str, Any]) -> dict[str, Any]:
    """一通。二枚以上になる種類では、`sheets` に一枚ずつの値（何枚目かだけが違う）。"""
    count = LETTER_KINDS[content.kind].sheets
    if count == 1:
        return _letter(content, words)
    sheets = [_letter(replace(content, sheet=number, sheets=count), words) for number in range(1, count + 1)]
    return sheets[0] | {"sheets": sheets}


def filling(content: LetterContent) -> dict[str, str]:
    """言葉に入れる値（wording.NAMES と `values.◯◯`）。並びは「、」でつなぐ。"""
    own = {
        f"values.{key}": "、".join(value) if isinstance(value, tuple) else str(value)
        for key, value in content.values.items()
    }
    return own | {
        "programme": content.programme_name,
        "ward": content.ward_name,
        "office": content.office_name,
        "phone": content.phone,
        "due": wareki(content.due_on) if content.due_on else "",
        "issued_on": wareki(content.issued_on),
        "benefits": "、".join(content.benefit_names),
    }


def document(first: LetterContent, words: list[dict[str, Any]], letters: list[dict[str, Any]]) -> dict[str, Any]:
    """割付に渡す全部。題と日付と紙の形は、一通目のもの。"""
    return {
        "title": LETTER_NAMES[first.kind],
        "pages": LETTER_KINDS[first.kind].sheets,
        "date": [first.issued_on.year, first.issued_on.month, first.issued_on.day],
        "font": FAMILY,
        "geometry": {
            "page": {"width": geometry.PAGE_WIDTH, "height": geometry.PAGE_HEIGHT},
            "address": asdict(geometry.ALWAYS_SEEN),
            "keep_out": asdict(geometry.EVER_SEEN),
            "barcode": asdict(geometry.BARCODE),
            "folds": list(geometry.FOLDS),
            "qr_side": geometry.QR_SIDE,
            "card": card_data(LETTER_KINDS[first.kind].form),
        },
        "words": words,
        "letters": letters,
    }


def page_data(contents: Sequence[LetterContent], words: Words) -> dict[str, Any]:
    """一組（同じ種類、同じ発行日）の値。言葉に入る値が同じ手紙は、言葉を分け合う。"""
    tables: dict[tuple[str, ...], int] = {}
    filled: list[dict[str, Any]] = []
    letters = []
    for content in contents:
        values = filling(content)
        key = words.inserted(values)
        if key not in tables:
            tables[key] = len(filled)
            filled.append(words.filled(values))
        letters.append(_sheets(content, filled[tables[key]]) | {"words": tables[key]})
    return document(contents[0], filled, letters)
