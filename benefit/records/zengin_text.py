"""全銀の文字: 使える字の組、読み替え、切り方（JIS X 0201、一字一バイト）。

読み替えは表にある字だけに行う。表にない字は、似た字や「?」に置き換えず、符号位置を言って断る
（reliability P31）。変換器に任せると小さい「ｭ」や長音「ｰ」が残り、銀行で一件まるごと返される。
出典: 全銀協 付録1 と銀行五社の公開資料（zengin4j の引用による、2026-11 に読んだ）。
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benefit.domain.errors import Place, RefusedInput

#: 濁点と半濁点。前の字と離すと別の音、別の名義になる。
VOICING_MARKS = "ﾞﾟ"

_KANA = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ" + VOICING_MARKS
_DIGITS_AND_SPACE = string.digits + " "
_LATIN = string.ascii_uppercase + _DIGITS_AND_SPACE


@dataclass(frozen=True)
class CharacterClass:
    """ある項目に使ってよい字の組。`says` は断りの「許されるもの」に出る日本語。"""

    says: str
    characters: frozenset[str]

    def first_foreign(self, text: str) -> int | None:
        """許されない最初の字の位置（0 から）。すべて許されるなら None。"""
        if self.characters.issuperset(text):
            return None
        return next(at for at, character in enumerate(text) if character not in self.characters)


BANK_NAME = CharacterClass("半角のカナ（ｦ を除く）・英大文字・数字・空白・-", frozenset(_KANA + _LATIN + "-"))
#: 委託者名・受取人名。どの銀行も受け付ける狭い組で、これを既定とする。
PARTY_NAME = CharacterClass("半角のカナ（ｦ を除く）・英大文字・数字・空白・( ) - .", frozenset(_KANA + _LATIN + "()-."))
#: ｦ も受け付けると約束した銀行だけに使う（付録1 の改定。多くの銀行の手引はまだ認めない）。
PARTY_NAME_WITH_WO = CharacterClass("半角のカナ・英大文字・数字・空白・( ) - .", PARTY_NAME.characters | frozenset("ｦ"))
PAYROLL_NAME = CharacterClass("半角のカナ（ｦ を除く）・数字・空白", frozenset(_KANA + _DIGITS_AND_SPACE))
EDI = CharacterClass(
    "半角のカナ・英大文字・数字・空白・\\ ｢ ｣ ( ) - / .", frozenset(_KANA + "ｦ" + _LATIN + "\\｢｣()-/.")
)
#: 相手の書いたものを読むときの組。JIS X 0201 の見える字すべて（書くときには使わない）。
ANY_JISX0201 = CharacterClass(
    "JIS X 0201 の英数字・記号・カナ",
    frozenset(chr(code) for code in range(0x20, 0x7F)) | frozenset(chr(code) for code in range(0xFF61, 0xFFA0)),
)


def _conversions() -> dict[int, str]:
    table: dict[str, str] = {}
    full_width = (
        "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンヲ",
        "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝｦ",
    )
    table.update(zip(*full_width, strict=True))
    # 小さい字は大きい字に。全銀の字の組に小さいカナはない。
    table.update(zip("ァィゥェォッャュョヮヵヶ", "ｱｲｳｴｵﾂﾔﾕﾖﾜｶｹ", strict=True))
    table.update(zip("ｧｨｩｪｫｬｭｮｯ", "ｱｲｳｴｵﾔﾕﾖﾂ", strict=True))
    voiced = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ"
    table.update((letter, base + "ﾞ") for letter, base in zip(*voiced, strict=True))
    table.update((letter, base + "ﾟ") for letter, base in zip("パピプペポ", "ﾊﾋﾌﾍﾎ", strict=True))
    # 分けて書かれた濁点・半濁点（合成用と単独の字）。
    table.update(dict.fromkeys("\u3099゛", "ﾞ") | dict.fromkeys("\u309a゜", "ﾟ"))
    # 長音と横線はどれも「-」。漢数字の「一」は横線ではないので表にない。
    table.update(dict.fromkeys("ーｰ－‐‑‒–—―−", "-"))
    table.update(zip(string.ascii_lowercase, string.ascii_uppercase, strict=True))
    table.update((chr(code + 0xFEE0), chr(code).upper()) for code in range(0x21, 0x7F) if chr(code).isalnum())
    table.update({"　": " ", "（": "(", "）": ")", "．": ".", "／": "/", "「": "｢", "」": "｣"})
    # 0x5C は日本の符号では円記号に見える。同じ一バイトである。
    table.update(dict.fromkeys("＼￥¥", "\\"))
    return {ord(letter): half for letter, half in table.items()}


#: 読み替えの表（符号位置 → 半角の一字か二字）。
CONVERSIONS = _conversions()


def convert(text: str, allowed: CharacterClass = PARTY_NAME, *, place: Place | None = None) -> str:
    """半角の全銀の文字にする。前後の空白は落とす。長さは切らない（`cut`）。

    読み替えられない字があれば `RefusedInput`（code `unconvertible-character`）。断り文には字の符号位置と
    何文字目かだけを書き、氏名は書かない。
    """
    converted = text.translate(CONVERSIONS)
    if not allowed.characters.issuperset(converted):
        raise unconvertible(text, allowed, place)
    return converted.strip(" ")


def convert_all(
    texts: Sequence[str], allowed: CharacterClass, *, file: str = "", field: str = "", first_record: int = 1
) -> list[str]:
    """列をまとめて `convert` する。断りは最初の悪い行を言う（列の頭が `first_record` 行目）。"""
    # 五万行を一字ずつ見ないため、違う値だけを変換する。
    converted = {text: text.translate(CONVERSIONS) for text in set(texts)}
    bad = {text for text, half in converted.items() if not allowed.characters.issuperset(half)}
    if bad:
        at = next(at for at, text in enumerate(texts) if text in bad)
        raise unconvertible(texts[at], allowed, Place(file, first_record + at, field))
    return [converted[text].strip(" ") for text in texts]


def unconvertible(text: str, allowed: CharacterClass, place: Place | None) -> RefusedInput:
    """読み替えられない最初の字を、符号位置で言う断り。"""
    at, character = next(
        (at, character)
        for at, character in enumerate(text)
        if not allowed.characters.issuperset(character.translate(CONVERSIONS))
    )
    return RefusedInput(
        "全銀の文字に読み替えられない字があります",
        code="unconvertible-character",
        place=place,
        found=f"U+{ord(character):04X}（{at + 1} 文字目）",
        allowed=allowed.says,
    )


def cut(half_width: str, bytes_max: int) -> str:
    """半角の文字列を `bytes_max` バイトまでに切る。濁点・半濁点を前の字から離さない。末尾の空白は落とす。"""
    end = bytes_max
    # 濁点だけが次の桁に落ちると別人の名義になり、振込不能になる。前の字ごと落とす。
    while 0 < end < len(half_width) and half_width[end] in VOICING_MARKS:
        end -= 1
    return half_width[:end].rstrip(" ")


def cut_all(half_widths: Iterable[str], bytes_max: int) -> list[str]:
    """列をまとめて `cut` する。"""
    return [text if len(text) <= bytes_max else cut(text, bytes_max) for text in half_widths]
