"""名義と氏名の一致（契約 §2 Route）。契約の文を、文字の性質（Unicode の表）から書き下したもの。"""

from __future__ import annotations

import unicodedata
from functools import cache

#: 半角の受取人名の長さ（formats.md §1.2）。
WIDTH = 30
VOICED, SEMI_VOICED = "\u3099", "\u309a"


@cache
def plain(character: str) -> str:
    """幅、英字の大小、小さい仮名、横線をそろえ、濁点・半濁点を一字に分けた形。空白と記号は残す。"""
    # 幅: 全角・半角の違いだけの字は、Unicode がそう書いている。
    written = unicodedata.decomposition(character)
    if written.startswith(("<wide>", "<narrow>")):
        character = chr(int(written.split()[1], 16))
    if character in {"゛", "゜"}:
        return VOICED if character == "゛" else SEMI_VOICED
    # 横線と長音。
    if unicodedata.category(character) == "Pd" or character in "ー−─━":
        return "-"
    name = unicodedata.name(character, "")
    # 小さい仮名。
    if name.startswith("KATAKANA LETTER SMALL "):
        character = unicodedata.lookup(name.replace("SMALL ", ""))
    # 濁点。
    if name.startswith("KATAKANA LETTER "):
        return unicodedata.normalize("NFD", character)
    upper = character.upper()
    return upper if name.startswith("LATIN ") and len(upper) == 1 else character


def half_width(text: str) -> str:
    """半角で書いたときと同じ長さの形。"""
    return "".join(plain(character) for character in text)


def key(text: str) -> str:
    """比べる鍵: 空白、・、句読点などの記号を捨てる。字と数字と横線と濁点だけが残る。"""
    return "".join(
        sign
        for sign in half_width(text)
        if sign in {"-", VOICED, SEMI_VOICED} or unicodedata.category(sign)[0] in {"L", "N"}
    )


def names_agree(holder: str | None, kana_name: str | None) -> bool:
    """名義が氏名と一致するか。どちらかがなければ、一致しない。"""
    if holder is None or kana_name is None:
        return False
    held, named = key(holder), key(kana_name)
    if not held:
        return False
    if held == named:
        return True
    length = len(half_width(holder).rstrip(" "))
    name_at_30th = half_width(kana_name)[WIDTH - 1 : WIDTH]
    cut = length >= WIDTH or (length == WIDTH - 1 and name_at_30th == " ")
    return cut and named.startswith(held)
