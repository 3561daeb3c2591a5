"""検索の当たりの札: 番号を暗号にして画面に置く（reliability §4.4）。

札は、その人の、その電話だけで開く。だから画面の裏（HTML）にも JSON にも、知らない番号は出ず、札を作り替えて
隣の番号を開くこともできない。
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benefit.domain.access import Actor
from benefit.services.desk_calls import Call

_KEY = "desk-hit"
_NONCE = 12


def seal(keys: Callable[[str], bytes], actor: Actor, call: Call, case_number: str, by: str) -> str:
    """この人の、この電話の札。`by` は何で探したか。"""
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(keys(_KEY)).encrypt(nonce, f"{case_number}|{by}".encode(), _bound(actor, call))
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def unseal(keys: Callable[[str], bytes], actor: Actor, call: Call, hit: str) -> tuple[str, str] | None:
    """札の（番号, 何で探したか）。ほかの人・ほかの電話の札、作り替えた札は None。"""
    try:
        raw = base64.urlsafe_b64decode(hit.encode())
        number, by = AESGCM(keys(_KEY)).decrypt(raw[:_NONCE], raw[_NONCE:], _bound(actor, call)).decode().split("|")
    except (InvalidTag, binascii.Error, ValueError):
        return None
    return number, by


def _bound(actor: Actor, call: Call) -> bytes:
    return f"{actor.id}|{call.id}".encode()
