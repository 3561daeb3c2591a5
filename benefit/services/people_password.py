"""合言葉の決まりと、要約（Argon2id）。台帳には要約だけを置く（reliability §4.3）。

長さだけを求め、文字の種類や定期の変更は求めない（NIST SP 800-63B）。
よくある言葉、自分の ID と氏名、この業務の名だけは断る。
"""

from __future__ import annotations

import secrets
import unicodedata

from pwdlib import PasswordHash

from benefit.domain.errors import WrongUse

SHORTEST = 15
LONGEST = 200
#: 含んでいれば断る言葉（幅、大文字小文字、区切りは見ない）。
_COMMON = (
    "password", "passw0rd", "qwerty", "letmein", "welcome", "iloveyou", "sunshine", "baseball", "football", "monkey",
    "dragon", "admin123", "changeme", "1qaz2wsx", "zaq12wsx", "asdfghjk", "123456", "234567", "345678", "456789",
    "987654", "abcdef", "あいうえお", "いろはにほへと", "パスワード",
)  # fmt: skip
#: 推測される業務の名。これを除いた残りが短ければ断る。
_SERVICE = ("benefit", "kyufukin", "kyuufukin", "shinjuku", "shinjukuku", "給付金", "給付管理", "新宿区", "合言葉")
_SEPARATORS = str.maketrans("", "", " 　-_.・,/")
_REST = 8


class Passwords:
    """要約を作り、照らす。知らない ID のためには、同じ手間の「誰のものでもない要約」を照らす。"""

    def __init__(self, hasher: PasswordHash) -> None:
        self._hasher = hasher
        self.nobody = hasher.hash(secrets.token_urlsafe(24))

    def hash(self, password: str) -> str:
        """台帳に置く要約。"""
        return self._hasher.hash(_normal(password))

    def matches(self, password: str, kept: str) -> bool:
        """合っているか。"""
        return self._hasher.verify(_normal(password), kept)


PASSWORDS = Passwords(PasswordHash.recommended())


def _normal(password: str) -> str:
    # 同じ字が、端末によって違う並びで届くことがある（が＝か+濁点）。
    return unicodedata.normalize("NFC", password)


def first_password() -> str:
    """最初の合言葉（一度だけ見せ、本人がすぐに変える）。"""
    return secrets.token_urlsafe(15)


def check_new(password: str, *, staff_id: str, name: str) -> None:
    """新しい合言葉の決まり。合わなければ WrongUse（合言葉そのものは文に入れない）。"""
    if len(password) < SHORTEST:
        raise WrongUse(
            "合言葉が短すぎます", code="password", found=f"{len(password)} 文字", allowed=f"{SHORTEST} 文字以上"
        )
    if len(password) > LONGEST:
        raise WrongUse("合言葉が長すぎます", code="password", allowed=f"{LONGEST} 文字まで")
    if any(ord(character) < 0x20 for character in password):
        raise WrongUse("合言葉に使えない文字があります", code="password")
    flat = _flat(password)
    if len(set(flat)) < 6:
        raise WrongUse("同じ文字の繰り返しは、合言葉に使えません", code="password")
    rest = flat
    for word in (*_SERVICE, staff_id, name):
        if _flat(word):
            rest = rest.replace(_flat(word), "")
    if len(rest) < _REST or any(word in flat for word in _COMMON):
        raise WrongUse(
            "よくある言葉、ID、氏名、業務の名からできた合言葉は使えません。関係のない言葉をいくつか並べてください",
            code="password",
        )


def _flat(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().translate(_SEPARATORS)
