"""試験の氏名と名義: 幅、濁点、横線、小さい仮名、30 桁で切られた名義。"""

from __future__ import annotations

import random
import unicodedata

_HALF = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF61, 0xFFA0)}
_HALF |= {"\u3099": "ﾞ", "\u309a": "ﾟ", "゛": "ﾞ", "゜": "ﾟ", "　": " ", "ー": "ｰ"}

NAMES = [
    "シケン　タロウ",
    "ヤマダ　ハナコ",
    "ヴァレンティーナ・デ・ラ・クルス",
    "ツジ　キョウコ",
    "ﾋﾟｰﾀｰ ｼﾞｮｰﾝｽﾞ",
    "ＳＭＩＴＨ　Ｊｏｈｎ",
    "O’Brien Zoë",
    "ナグモ゛ウ　サブロー",
    "ケヶ　ヵカ",
    # 半角で 29 字の次が空白の名、30 字ちょうど、31 字、濁点が 30 桁目に来る名。
    "アレクサンドリアマリアテレジアフランチェスカ　ガルシア",
    "アレクサンドリアマリアテレジアフランチエ　ス　ガルシア",
    "アアアアアアアアアアアアアアアアアアアアアアアアアアアアアア",
    "アアアアアアアアアアアアアアアアアアアアアアアアアアアアア　イ",
    "アアアアアアアアアアアアアアアアアアアアアアアアアアアアアアイ",
    "アアアアアアアアアアアアアアアアアアアアアアアアアアアアガ",
    "アアアアアアアアアアアアアアアアアアアアアアアアアアアア　ガ",
    "・・",
]
_DASHES = "-‐‑‒–—―−－ーｰ─━﹘﹣"
_ODD = "ァヶャーｰ-−・．。,、()（） 　AaＡａéÉ0０ガカ゛゜ﾞﾊﾟパヲオヅズㇰㇱ𠮷①々〆ヽ〜ヷワ㌔がか\u3099\u0301"


def half(text: str) -> str:
    """半角に書いた名義。"""
    apart = "".join(unicodedata.normalize("NFD", c) if "ァ" <= c <= "ヺ" else c for c in text)
    return "".join(_HALF.get(c, unicodedata.normalize("NFKC", c)) for c in apart).upper()


def holder_of(dice: random.Random, name: str) -> str:
    """その氏名の名義: そのまま、半角、切られたもの、小さい仮名を大きくしたもの、横線や一字が違うもの。"""
    way = dice.randrange(9)
    if way == 0:
        return name
    written = half(name)
    if way in {1, 2}:
        return written[: dice.choice([28, 29, 30, 31, 48])]
    if way == 3:
        return written[: dice.choice([29, 30])].rstrip()
    if way == 4:
        return written.replace(" ", dice.choice(["", "  ", "・"])) + dice.choice(["", " ", "　"])
    if way == 5:
        return written.replace("ｰ", dice.choice(_DASHES))
    if way == 6:
        return written.translate(str.maketrans("ｧｨｩｪｫｯｬｭｮ", "ｱｲｳｴｵﾂﾔﾕﾖ"))
    place = dice.randrange(len(written) + 1)
    if way == 7:
        return written[:place] + dice.choice(_ODD) + written[place + 1 :]
    return written[:place] + dice.choice(_ODD) + written[place:]
