"""人の書いた文: 目に見える字があるか。口座の番号や個人番号に見える数字がないか。"""

from __future__ import annotations

import re
import unicodedata

from benefit.domain.errors import RefusedInput

#: 口座番号（7 桁）、個人番号（12 桁）、ゆうちょの記号と番号。給付管理番号（11 桁）、電話、日付、郵便番号は当たらない。
_SECRET = re.compile(r"(?<![\d-])(?:\d{7}|\d{12}|\d{5}-\d{6,8})(?![\d-])")
_VISIBLE = frozenset("LNPS")


def written(text: str) -> str:
    """前後の空白を除いた文。空白と、目に見えない字（幅のない空白など）だけなら空。"""
    return text.strip() if any(unicodedata.category(sign)[0] in _VISIBLE for sign in text) else ""


def without_secrets(text: str) -> str:
    """口座の番号や個人番号に見える数字がある文は断る（誰でも読める履歴に残り、消せない）。"""
    if _SECRET.search(unicodedata.normalize("NFKC", text)):
        raise RefusedInput(
            "口座番号か個人番号に見える数字があります。数字を除いて書いてください",
            code="secret",
            allowed="給付管理番号・電話番号・日付は書けます",
        )
    return text
