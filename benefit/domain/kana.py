"""カナの鍵: 名義と氏名を比べる鍵、画面で探す鍵。もとの文字列は決して変えない。

比べるときに同じとみなすのは、幅（全角・半角）、英字の大小、小さい仮名、あらゆる横線と長音だけ。空白・中点・
句読点は捨てる。それ以外（ヲとオ、ヅとズ、旧氏、姓名の順）は別のものである（契約 §2 Route）。
濁点・半濁点は一字として分ける: 30 桁で切られた名義の先頭一致を、桁どおりに比べるため。
"""

from __future__ import annotations

import unicodedata

_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
# Unicode の横線（Pd）の全部と、横線として打たれる線・長音。
_DASHES = (
    "-\u058a\u05be\u1400\u1806\u2010\u2011\u2012\u2013\u2014\u2015\u2e17\u2e1a"
    "\u2e3a\u2e3b\u2e40\u2e5d\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d"
    "−ーｰ─━"
)
_VOICED = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴヷヸヹヺ"
_VOICED_BASE = "カキクケコサシスセソタチツテトハヒフヘホウワヰヱヲ"
_SEMI = "パピプペポ"
_SEMI_BASE = "ハヒフヘホ"
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮ"
_FULL = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョ"
#: 読みがラテン文字の人の、符号のついた字（ヨーロッパ、ベトナム）。
_ACCENTED = (*range(0xDF, 0x250), *range(0x1E00, 0x1F00))


def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for half, full in zip(_HALF, _FULL, strict=True):
        table[half] = full.translate(_SMALL)
    for small in "ァィゥェォッャュョヮヵヶ":
        table[small] = small.translate(_SMALL)
    for small, large in zip("ㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ", "クシストヌハヒフヘホムラリルレロ", strict=True):
        table[small] = large
    for dash in _DASHES:
        table[dash] = "-"
    for voiced, base in zip(_VOICED, _VOICED_BASE, strict=True):
        table[voiced] = f"{base}゛"
    for voiced, base in zip(_SEMI, _SEMI_BASE, strict=True):
        table[voiced] = f"{base}゜"
    table |= {"ﾞ": "゛", "\u3099": "゛", "ﾟ": "゜", "\u309a": "゜"}
    for code in range(0x21, 0x7F):
        table.setdefault(chr(code + 0xFEE0), chr(code).upper())
    for code in (*range(ord("a"), ord("z") + 1), *_ACCENTED):
        upper = chr(code).upper()
        if len(upper) == 1 and upper != chr(code):
            table[chr(code)] = upper
    return table


#: 一字 → 比べる形。Polars の側（`benefit.rules.name_agreement`）も、この同じ表を使う。
TABLE = _table()
#: 比べる形に残る記号。ほかの記号・空白・句読点は捨てる。
KEPT_SIGNS = "-゛゜"


def agreement_key(text: str) -> str:
    """名義と氏名を比べる鍵。空の文字列は空のまま。"""
    unified = "".join(TABLE.get(character, character) for character in text)
    return "".join(c for c in unified if c in KEPT_SIGNS or unicodedata.category(c)[0] in "LN")


def search_key(text: str) -> str:
    """画面で探す鍵。比べる鍵と同じ: 幅、空白、小さい仮名を気にしない。"""
    return agreement_key(text)
