"""二要素: 端末の時計で変わる 6 桁（TOTP、RFC 6238）。種は AES-GCM で包んで台帳に置く。

鍵は台帳の外（作業場所の keys/）にあり、付け合わせの言葉は「台帳|ID」である。台帳だけを盗んでも数字は作れず、
行を人から人へ写しても開かない。
前後 30 秒のずれを許し、一度受け取った刻みは二度と受け取らない（盗み見た数字を続けて使えない）。
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Keys = Callable[[str], bytes]
STEP_SECONDS = 30
DRIFT = 1
_NONCE = 12


class Seal:
    """一つの台帳の、種の封。`keys` は名から鍵へ（Home.key）。"""

    def __init__(self, keys: Keys, line: str) -> None:
        self._line = line
        self._cipher = AESGCM(keys(f"totp-{line}"))
        # 知らない ID、まだ登録のない ID のときに開ける、誰のものでもない種。
        self.nobody = self.close("", pyotp.random_base32())

    def close(self, staff_id: str, secret: str) -> str:
        """包む。"""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, secret.encode(), self._about(staff_id))
        return base64.b64encode(nonce + sealed).decode()

    def open(self, staff_id: str, kept: str) -> str | None:
        """開ける。鍵が違う、書き換えられた、ほかの人の行から写された封は、開かない（None）。"""
        raw = base64.b64decode(kept)
        try:
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], self._about(staff_id)).decode()
        except InvalidTag:
            return None

    def _about(self, staff_id: str) -> bytes:
        return f"{self._line}|{staff_id}".encode()


def new_secret() -> str:
    """新しい種（160 ビット、Base32）。"""
    return pyotp.random_base32()


def step_of(at: datetime) -> int:
    """その時刻の刻み。"""
    return int(at.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """その刻みの 6 桁。"""
    return pyotp.TOTP(secret).generate_otp(step)


def matching_step(secret: str, code: str, at: datetime, *, last: int | None) -> int | None:
    """`code` の合う刻み。`last`（受け取り済みの最後の刻み）より後で、前後一つまで。なければ None。"""
    typed = "".join(code.split())
    found = None
    # どの刻みで合うかで手間が変わらないように、三つとも作ってから比べる。
    for step in range(step_of(at) - DRIFT, step_of(at) + DRIFT + 1):
        same = hmac.compare_digest(code_at(secret, step).encode(), typed.encode())
        if same and (last is None or step > last):
            found = step
    return found


def address(secret: str, *, staff_id: str, system: str) -> str:
    """認証アプリに読ませる otpauth の文（QR にする）。"""
    return pyotp.TOTP(secret).provisioning_uri(name=staff_id, issuer_name=system)
