"""刷らずに止める手紙を選ぶ。止めた手紙は数え、理由を言い、黙って直さない。"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from benefit.domain.letter import FIELD_NAMES
from letters.address import lay_out
from letters.content import LetterContent
from letters.fonts import width_em
from letters.glyphs import missing

#: 止める理由（職員が読む言葉）。
NO_GLYPH = "字形なし"
BLANK = "空欄"
BAD_SHAPE = "形が違う"
TOO_LONG = "枠に入らない"
NOT_MASKED = "伏せていない口座"
PAYEE = "受給者の氏名"

#: 表の枠に収まる長さ（em、全角の字数）: 給付の名は 9.5 pt で二行、口座は 10.5 pt で一行。
_BENEFITS_EM = 80
_ACCOUNT_EM = 38
#: 受給者の名の行（宛名が代理人のとき）: 9.5 pt で 58 mm、長体 70 % まで。
_PAYEE_EM = 22
#: 紙に出してよい口座番号の桁（下 3 桁）。
_ACCOUNT_DIGITS = 3


@dataclass(frozen=True)
class Held:
    """止めた手紙の、一つの項目。code_points は刷れない字（「U+E000」）。字が理由でなければ空。"""

    kind: str
    case_number: str
    branch: int
    field: str
    reason: str
    code_points: tuple[str, ...] = ()


def _fields(content: LetterContent) -> Iterator[tuple[str, str]]:
    yield "郵便番号", content.postal_code
    yield "住所", content.address
    yield "方書", content.address2
    yield "氏名", content.name
    yield PAYEE, content.payee_name
    yield from (("給付の名", name) for name in content.benefit_names)
    yield "口座", content.masked_account or ""
    yield "事業名", content.programme_name
    yield "差出人", content.ward_name + content.office_name + "".join(content.return_to)
    yield "電話番号", content.phone
    for name, value in content.values.items():
        for text in value if isinstance(value, tuple) else (value,):
            yield FIELD_NAMES.get(name, name), str(text)


def reasons_to_hold(content: LetterContent) -> list[Held]:
    """この手紙を止める理由のすべて。空なら刷ってよい。"""

    def held(field: str, reason: str, code_points: tuple[str, ...] = ()) -> Held:
        return Held(content.kind, content.case_number, content.branch, field, reason, code_points)

    found = [held(field, NO_GLYPH, code_points) for field, text in _fields(content) if (code_points := missing(text))]
    if content.is_blank:
        return found
    found += [
        held(field, BLANK)
        for field, text in (("住所", content.address), ("氏名", content.name))
        if not text.strip(" \u3000")
    ]
    if not (len(content.postal_code) == 7 and content.postal_code.isascii() and content.postal_code.isdigit()):
        found.append(held("郵便番号", BAD_SHAPE))
    if width_em("、".join(content.benefit_names)) > _BENEFITS_EM:
        found.append(held("給付の名", TOO_LONG))
    if width_em(content.payee_name) > _PAYEE_EM:
        found.append(held(PAYEE, TOO_LONG))
    if content.masked_account is not None:
        # ④ や ４ も数字である。見た目の違う数字で桁が漏れないよう、数としての値で数える。
        digits = sum(unicodedata.digit(c, None) is not None for c in content.masked_account)
        if digits > _ACCOUNT_DIGITS:
            found.append(held("口座", NOT_MASKED))
        if width_em(content.masked_account) > _ACCOUNT_EM:
            found.append(held("口座", TOO_LONG))
    if not found and lay_out(content.postal_code, content.address, content.address2, content.name) is None:
        found.append(held("宛名", TOO_LONG))
    return found
