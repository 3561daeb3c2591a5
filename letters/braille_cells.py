"""仮名の文を点字（六点）にする。仮名遣いと分かち書きは、渡された文のとおりで、直さない。

濁音・半濁音・拗音・特殊音は前置点、のばす音は長音符、数字は数符、英字は外字符と大文字符（日本点字表記法 2018 年版の
第 2 章・第 3 章）。数字の後にア行・ラ行の仮名、英字の後に仮名が続けば、つなぎ符を入れる。点字にない字は一字も捨てない。
"""

from __future__ import annotations

import unicodedata

_VOWELS = "⠁⠃⠉⠋⠊"
_ROWS = {
    "アイウエオ": "⠁⠃⠉⠋⠊",
    "カキクケコ": "⠡⠣⠩⠫⠪",
    "サシスセソ": "⠱⠳⠹⠻⠺",
    "タチツテト": "⠕⠗⠝⠟⠞",
    "ナニヌネノ": "⠅⠇⠍⠏⠎",
    "ハヒフヘホ": "⠥⠧⠭⠯⠮",
    "マミムメモ": "⠵⠷⠽⠿⠾",
    "ヤユヨ": "⠌⠬⠜",
    "ラリルレロ": "⠑⠓⠙⠛⠚",
    "ワヰヱヲンッー": "⠄⠆⠖⠔⠴⠂⠒",
}
_PLAIN = {kana: cell for row, cells in _ROWS.items() for kana, cell in zip(row, cells, strict=True)}
_VOICED = dict(zip("ガギグゲゴザジズゼゾダヂヅデドバビブベボ", "カキクケコサシスセソタチツテトハヒフヘホ", strict=True))
_HALF = dict(zip("パピプペポ", "ハヒフヘホ", strict=True))
#: 拗音の行: 小さいヤ・ユ・ヨ → その行のア段・ウ段・オ段。
_YOON = {"キ": "カクコ", "シ": "サスソ", "チ": "タツト", "ニ": "ナヌノ", "ヒ": "ハフホ", "ミ": "マムモ", "リ": "ラルロ"}
_YOON_VOICED = {"ギ": "カクコ", "ジ": "サスソ", "ヂ": "タツト", "ビ": "ハフホ"}


def _kana() -> dict[str, str]:
    table = dict(_PLAIN)
    table |= {kana: "⠐" + _PLAIN[base] for kana, base in _VOICED.items()}
    table |= {kana: "⠠" + _PLAIN[base] for kana, base in _HALF.items()}
    table["ヴ"] = "⠐⠉"
    for prefix, rows in (("⠈", _YOON), ("⠘", _YOON_VOICED), ("⠨", {"ピ": "ハフホ"})):
        for first, bases in rows.items():
            table |= {first + small: prefix + _PLAIN[base] for small, base in zip("ャュョ", bases, strict=True)}
    special = {
        "⠈": {
            "イェ": "エ", "キェ": "ケ", "シェ": "セ", "チェ": "テ", "ニェ": "ネ", "ヒェ": "ヘ",
            "スィ": "シ", "ティ": "チ",
        },
        "⠘": {"ジェ": "セ", "ズィ": "シ", "ディ": "チ"},
        "⠢": {
            "ウィ": "イ", "ウェ": "エ", "ウォ": "オ", "クァ": "カ", "クィ": "キ", "クェ": "ケ", "クォ": "コ",
            "ツァ": "タ", "ツィ": "チ", "ツェ": "テ", "ツォ": "ト", "トゥ": "ツ",
            "ファ": "ハ", "フィ": "ヒ", "フェ": "ヘ", "フォ": "ホ",
        },
        "⠲": {
            "グァ": "カ", "グィ": "キ", "グェ": "ケ", "グォ": "コ", "ドゥ": "ツ",
            "ヴァ": "ハ", "ヴィ": "ヒ", "ヴェ": "ヘ", "ヴォ": "ホ",
        },
        "⠨": {"テュ": "ツ", "フュ": "ユ", "フョ": "ヨ"},
        "⠸": {"デュ": "ツ", "ヴュ": "ユ", "ヴョ": "ヨ"},
    }  # fmt: skip
    for prefix, pairs in special.items():
        table |= {kana: prefix + _PLAIN[base] for kana, base in pairs.items()}
    return table


_KANA = _kana()
_DIGITS = dict(zip("1234567890", "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚", strict=True))
_LATIN = dict(zip("abcdefghijklmnopqrstuvwxyz", "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", strict=True))
_MARKS = {"。": "⠲", "、": "⠰", "？": "⠢", "！": "⠖", "・": "⠐", "「": "⠤", "」": "⠤", "（": "⠶", "）": "⠶", "…": "⠂⠂⠂"}
_NUMBER, _FOREIGN, _CAPITAL, _JOIN, BLANK = "⠼", "⠰", "⠠", "⠤", "⠀"
#: 数字と同じ形の仮名（ア行・ラ行）。
_LIKE_DIGITS = frozenset(_DIGITS.values())
#: 北米の BRF の字: 点字の符号位置（U+2800 から）の順。
ASCII = " A1B'K2L@CIF/MSP\"E3H9O6R^DJG>NTQ,*5<-U8V.%[$+X!&;:4\\0Z7(_?W]#Y)="


class NoReading(Exception):
    """点字にできない字（読みのない漢字など）。`found` はその字。"""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


def cells(text: str) -> str:
    """文 → 点字（U+2800 から）。空白（全角・半角）は一マス。点字にない字は NoReading。"""
    # 英数字の全角と、濁点の離れた仮名をそろえるだけで、読みは変えない。仮名はかたかなで引く。
    plain = unicodedata.normalize("NFKC", text.replace("。", "\ue000").replace("…", "\ue001"))
    plain = _katakana(plain.replace("\ue000", "。").replace("\ue001", "…"))
    out: list[str] = []
    at, before = 0, ""
    while at < len(plain):
        kind, width, cell = _one(plain, at)
        if kind == "digit" and before != "digit":
            cell = _NUMBER + cell
        if kind == "latin":
            cell = (_FOREIGN if before != "latin" else "") + cell
        joins = kind == "kana" and (before == "latin" or (before == "digit" and cell[0] in _LIKE_DIGITS))
        out.append((_JOIN if joins else "") + cell)
        # 位取り・小数点・英字の中の点は、数や語を切らない。
        before = before if kind == "inside" else kind
        at += width
    return "".join(out)


def _katakana(text: str) -> str:
    return "".join(chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" else c for c in text)


def _one(text: str, at: int) -> tuple[str, int, str]:
    """`at` の一字（か二字の仮名）: 種類、字数、マス。"""
    character, pair = text[at], text[at : at + 2]
    if pair in _KANA and len(pair) == 2:
        return "kana", 2, _KANA[pair]
    if character in _KANA:
        return "kana", 1, _KANA[character]
    if character in _DIGITS:
        return "digit", 1, _DIGITS[character]
    if character == " ":
        return "blank", 1, BLANK
    if character.lower() in _LATIN:
        return "latin", 1, _latin(text, at)
    between_digits = at > 0 and text[at - 1] in _DIGITS and text[at + 1 : at + 2] in _DIGITS
    if character in ",." and between_digits:
        return "inside", 1, {",": "⠄", ".": "⠂"}[character]
    if character == "-" and at > 0 and (between_digits or text[at - 1].lower() in _LATIN):
        return "mark", 1, _JOIN
    folded = {"(": "（", ")": "）", "?": "？", "!": "！"}.get(character, character)
    if folded in _MARKS:
        return "mark", 1, _MARKS[folded]
    raise NoReading(character)


def _latin(text: str, at: int) -> str:
    """英字一つ。大文字が続く語は、頭に大文字符を二つ（二重大文字符）。"""
    character = text[at]
    cell = _LATIN[character.lower()]
    if not character.isupper():
        return cell
    if at > 0 and text[at - 1].isupper() and text[at - 1].lower() in _LATIN:
        return cell
    following = text[at + 1 : at + 2]
    return (_CAPITAL * 2 if following.isupper() and following.lower() in _LATIN else _CAPITAL) + cell


def to_brf(braille: str) -> str:
    """点字 → BRF の ASCII。"""
    return "".join(ASCII[ord(cell) - 0x2800] for cell in braille)
