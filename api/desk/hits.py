"""検索の当たりの札: 番号を暗号にして画面に置く（reliability §4.4）。

札は、その人の、その電話だけで開く。だから画面の裏（HTML）にも JSON にも、知らない番号は出ず、札を作り替えて
隣の番号を開くこともできない。
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule
from benefit.services.desk_calls import Call

_KEY = "desk-hit"
_NONCE = 12
#: 断りの符号: 古い画面から送られた。
STALE = "stale-page"


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


def mark(keys: Callable[[str], bytes], actor: Actor, call: Call, case_number: str = "") -> str:
    """画面に置く印: どの電話の、どの件の画面か（件を言わなければ、電話だけ）。"""
    told = f"{actor.id}|{call.id}|{case_number}"
    return hmac.new(keys("desk-page"), told.encode(), hashlib.sha256).hexdigest()


def same_page(keys: Callable[[str], bytes], actor: Actor, call: Call, seen: str, case_number: str = "") -> None:
    """送られた画面が、いまの電話といまの件の画面か。二つのタブの古い方から、別の人の件に書かない。

    Raises:
        RefusedByRule: 画面を開いた後に、ほかの電話か、ほかの件へ移っている。
    """
    if seen and not hmac.compare_digest(seen.encode(), mark(keys, actor, call, case_number).encode()):
        raise RefusedByRule(
            "この画面を開いた後に、ほかの電話か件へ移っています。何もしていません。いまの件を確かめて、入れ直してください",
            code=STALE,
        )


def _bound(actor: Actor, call: Call) -> bytes:
    return f"{actor.id}|{call.id}".encode()
