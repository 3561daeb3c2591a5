"""包みの合言葉: 作り、封をし、受領が記録された後に、出庫した人とは別の人が渡す（checklist 5: 別の機会に）。

合言葉は台帳の外の鍵（keys/handover-passphrase.key）で封をして置く。渡したことは監査ログに残してから見せる。
合言葉そのものは、監査ログにも、断りにも、URL にも、ファイルにも出ない。
"""

from __future__ import annotations

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.domain.handover_states import ISSUED, PASSPHRASE_STATES, RECEIVED
from benefit.services.handover_book import need_staff, one
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn

KEY = "handover-passphrase"
#: 読み上げて間違えない字だけ（0・O、1・l・I を除く小文字と数）。4 字 5 組で 99 ビット。
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 5, 4
_NONCE = 12


def new_passphrase() -> str:
    """新しい合言葉（4 字ずつ、ハイフンでつなぐ）。"""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def seal(home: Home, name: str, inside_sha256: str, passphrase: str) -> str:
    """封をする。受渡の名と中身の指紋に結ぶので、ほかの受渡の行に写しても開かない。"""
    nonce = secrets.token_bytes(_NONCE)
    sealed = AESGCM(home.key(KEY)).encrypt(nonce, passphrase.encode(), _about(name, inside_sha256))
    return base64.b64encode(nonce + sealed).decode()


def _unseal(home: Home, name: str, inside_sha256: str, sealed: str) -> str:
    raw = base64.b64decode(sealed)
    try:
        return AESGCM(home.key(KEY)).decrypt(raw[:_NONCE], raw[_NONCE:], _about(name, inside_sha256)).decode()
    except InvalidTag:
        raise BenefitError("合言葉の封が開きません。鍵が違うか、台帳が書き換えられています", code="seal") from None


def _about(name: str, inside_sha256: str) -> bytes:
    return f"{name}|{inside_sha256}".encode()


def tell(home: Home, name: str, *, told_to: str, actor: Actor, clock: Clock) -> str:
    """合言葉を渡したことを残し、見せる。`told_to` は受け取る人の名。

    断り: 受領の前、返した後（RefusedByRule）、出庫した人、渡す相手の名がない（WrongUse）。
    """
    need_staff(actor)
    to, now = told_to.strip(), clock()
    if not to:
        raise WrongUse("合言葉を受け取る人の名を書いてください", code="told-to")
    with home.ward.begin() as connection:
        in_turn(connection, "handover-book")
        found = one(connection, name, tokyo_date(now))
        package = ward.handover_package
        sealed = connection.execute(select(package.c.sealed).where(package.c.handover_id == found.id)).scalar()
        if sealed is None:
            raise WrongUse("この受渡に、合言葉はありません", code="no-passphrase", found=name)
        issued = found.event(ISSUED)
        if found.state not in PASSPHRASE_STATES or issued is None:
            raise RefusedByRule(
                "合言葉は、包みの受領を記録してから、返すまでの間だけ渡せます", code="not-received", found=found.state
            )
        if issued.recorded_by == actor.id:
            raise RefusedByRule("出庫した人は、合言葉を渡せません。別の人が、別の機会に渡します", code="two-people")
        try:
            connection.execute(
                ward.handover_passphrase.insert().values(
                    handover_id=found.id,
                    received_step=RECEIVED,
                    issued_step=ISSUED,
                    issued_by=issued.recorded_by,
                    told_by=actor.id,
                    told_to=to,
                    at=now,
                )
            )
        except IntegrityError:
            raise RefusedByRule("台帳の決まりに合わず、合言葉を渡せません", code="handover-store") from None
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=actor,
            action="handover.passphrase",
            subject=found.name,
            reason=to,
        )
    return _unseal(home, found.name, found.inside_sha256, sealed)
