"""手紙の組を、台紙に刷って PDF にする。できる紙は letters.render.render と見た目が同じである。"""

from __future__ import annotations

from collections.abc import Sequence

from benefit.domain.errors import Place, RefusedByRule, WrongUse
from benefit.domain.letter import AWARD_NOTICE, CONFIRMATION_LETTER, PUSH_NOTICE, REFUSAL_NOTICE, REMINDER
from letters import codes
from letters.address import Line
from letters.content import LetterContent
from letters.holding import reasons_to_hold
from letters.page import address_block, personal, sheet_digits
from letters.stamp import bars
from letters.stamp.background import BackgroundPage, backgrounds, shape_of
from letters.stamp.faces import Used, width_of
from letters.stamp.slots import AreaSlot, TextSlot
from letters.stamp.writer import Writer
from letters.words import Words, load_words

#: 一人ずつ違う所がすべて決まった置き場所にあり、台紙に刷れる種類。
STAMPED = frozenset({CONFIRMATION_LETTER, PUSH_NOTICE, AWARD_NOTICE, REFUSAL_NOTICE, REMINDER})
#: 台紙が多すぎる組（一通ごとに文の違う通知など）は、直に組む方が速い。
_FEW_SHAPES, _LETTERS_PER_SHAPE = 8, 20
#: これより細くはしない（長体）。
NARROWEST = 0.7
_POINTS_PER_MM = 72 / 25.4
#: 宛名の行の上の余り（common.typ の address-lines）と、字の枠の上の端から字の並ぶ線まで（em）。
_ADDRESS_INSET = 0.125
_ASCENT = 0.88


def can(kind: str) -> bool:
    """この種類の手紙を、台紙に刷れるか。"""
    return kind in STAMPED


def worth(contents: Sequence[LetterContent]) -> bool:
    """この組は、台紙に刷る方が速いか（台紙一つを組むのに、刷り 200 通ほどの時間が要る）。"""
    shapes = {shape_of(content) for content in contents}
    return len(shapes) <= max(_FEW_SHAPES, len(contents) // _LETTERS_PER_SHAPE)


def stamp(contents: Sequence[LetterContent], *, words: Words | None = None) -> bytes:
    """同じ種類・同じ発行日の手紙を、渡された順に一つの PDF にする。約束は letters.render.render と同じ。

    words: 刷る言葉（区の写し）。なければ同梱の言葉。
    断り: render と同じ。台紙に刷れない種類は WrongUse、長体でも入らない文は RefusedByRule。
    """
    if not contents:
        raise WrongUse("刷る手紙がありません", code="no-letters")
    if len({(content.kind, content.issued_on) for content in contents}) > 1:
        raise WrongUse("一つの PDF には、同じ種類で同じ発行日の手紙だけを入れます", code="mixed-letters")
    if not can(contents[0].kind):
        raise WrongUse("この種類の手紙は、台紙に刷れません", code="not-stamped", found=contents[0].kind)
    said = words or load_words(contents[0].kind)
    kept = backgrounds()
    writer = Writer()
    for content in contents:
        if reasons_to_hold(content):
            raise WrongUse("止めるべき手紙が混ざっています。先に確かめてください", code="held-letter")
        key, background = kept.of(content, said)
        values = personal(content)
        for index, page in enumerate(background.pages):
            writer.page(key, background, index, _drawing(page, content, values, writer.used))
    return writer.finish()


def _drawing(page: BackgroundPage, content: LetterContent, values: dict[str, str], used: tuple[Used, Used]) -> str:
    """一頁に描くもの: 符号、宛名、文。"""
    parts: list[str] = []
    lines: list[str] = ["BT"]
    for slot in page.texts:
        if text := values[slot.key]:
            lines.append(_text(slot, text, used[slot.bold]))
    address, customer = address_block(content)
    for area in page.areas:
        # 宛名は最後に書く: 読み返す道具が、氏名の行と、同じ高さの別の欄とをつながないように。
        if area.key == "address":
            lines += _address(area, address, used)
        else:
            parts.append(_codes(area, content, customer))
    lines.append("ET")
    return "".join(parts) + "\n".join(lines)


def _codes(area: AreaSlot, content: LetterContent, customer: str) -> str:
    if area.key == "qr":
        return f"q {bars.fit(area, codes.QR_MODULES, codes.QR_MODULES)} {bars.qr(content.case_number)}f Q\n"
    if area.key == "customer":
        return f"q {bars.fit(area, bars.CUSTOMER_UNITS, 3)} {bars.customer(customer)}f Q\n" if customer else ""
    if area.key in ("code128", "sheet_bars"):
        digits = content.case_number if area.key == "code128" else sheet_digits(content)
        if not digits:
            return ""
        drawn, units = bars.code128(codes.code128_bars(digits))
        return f"q {bars.fit(area, units, 1)} {drawn}f Q\n"
    raise WrongUse("知らない符号の置き場所です", code="slot-key", found=area.key)


def _address(area: AreaSlot, lines: Sequence[Line], used: tuple[Used, Used]) -> list[str]:
    shown = []
    for line in lines:
        baseline = area.top - line.y * _POINTS_PER_MM - line.size * (_ADDRESS_INSET + _ASCENT)
        shown.append(f"1 0 0 1 {area.left:.2f} {baseline:.2f} Tm" + used[line.bold].show(line.text, line.size))
    return shown


def _text(slot: TextSlot, text: str, used: Used) -> str:
    tracking = slot.tracking
    natural = width_of(text, bold=slot.bold) * slot.size + tracking * len(text)
    room = slot.right - slot.left
    squeeze = 1.0
    if natural > room + 0.05:
        squeeze = room / natural
        if squeeze < NARROWEST:
            raise RefusedByRule("枠に入らない文があります", code="field-too-wide", place=Place(field=slot.key))
    left = slot.left
    if slot.side != "left":
        left += (room - natural * squeeze) * (1 if slot.side == "right" else 0.5)
    condensed = f"{squeeze * 100:.2f} Tz " if squeeze < 1 else ""
    spaced = f"{tracking:g} Tc " if tracking else ""
    after = ("\n100 Tz" if condensed else "") + ("\n0 Tc" if spaced else "")
    return f"{condensed}{spaced}1 0 0 1 {left:.2f} {slot.baseline:.2f} Tm" + used.show(text, slot.size) + after
