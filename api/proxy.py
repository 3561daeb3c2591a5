"""どの端末からか。区の入口（逆プロキシ）が確かめた端末の証明書を、信じてよい相手からだけ受け取る（reliability §4.3）。

BENEFIT_PROXY に入口の番地を書くと、その番地から来た、登録のある証明書の付いた要求だけを通す。ほかは同じ画面で断り、
接続拒否として記す。書かなければ、サーバー自身の前（loopback）だけで使い、端末の名は console である。
証明書の見出しは、信じてよい相手のもの以外は読まない。X-Forwarded-For などの見出しは、どこでも読まない。
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote

from fastapi import Request
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedInput, WrongUse
from benefit.services import terminals
from benefit.store.access import AccessTables
from benefit.store.engine import reading

HEADER = "x-client-certificate"
SAYS = "この端末からは使えません。区の管理者に知らせてください。"
_LONGEST = 20_000


@dataclass(frozen=True)
class Terminal:
    """要求の来た端末。`id` のないものは、サーバー自身の前である。"""

    id: int | None
    name: str


CONSOLE = Terminal(None, terminals.CONSOLE)


class Door:
    """入口。`proxies` は信じてよい相手の番地（コンマ区切り）。空なら、サーバー自身の前だけ。"""

    def __init__(self, engine: Engine, tables: AccessTables, clock: Clock, proxies: str) -> None:
        self._engine, self._tables, self._clock = engine, tables, clock
        self.trusted = addresses(proxies)

    def terminal_of(self, request: Request) -> Terminal | None:
        """端末。断るなら None（断りは記した）。"""
        peer = request.client.host if request.client else ""
        if not self.trusted:
            return CONSOLE if not _remote(peer) else self._refuse(peer, "サーバーの外から")
        if _plain(peer) not in self.trusted:
            return self._refuse(peer, "信じてよい入口でない")
        found = self._read(request.headers.getlist(HEADER))
        if found is None:
            return self._refuse(peer, "証明書がないか、読めない")
        with reading(self._engine) as connection:
            row = terminals.known(connection, self._tables, found)
        return Terminal(row["id"], row["name"]) if row else self._refuse(peer, "登録のない端末")

    def _read(self, given: list[str]) -> str | None:
        # 二つ来たら、どちらが入口の書いたものか分からない。
        if len(given) != 1 or not given[0] or len(given[0]) > _LONGEST:
            return None
        try:
            return _fingerprint(given[0])
        except RefusedInput:
            return None

    def _refuse(self, peer: str, why: str) -> Terminal | None:
        """断りを記す。答えは、いつも「端末でない」。"""
        try:
            with self._engine.begin() as connection:
                terminals.note_refusal(connection, self._tables, peer=peer, reason=why, at=self._clock())
        except SQLAlchemyError:
            # 記せなくても、断ることに変わりはない。
            return None
        return None


def addresses(proxies: str) -> frozenset[str]:
    """BENEFIT_PROXY の番地。読めなければ WrongUse。"""
    found = set()
    for each in filter(None, (part.strip() for part in proxies.split(","))):
        try:
            found.add(str(ip_address(each)))
        except ValueError:
            raise WrongUse("BENEFIT_PROXY の番地が読めません", found=each, allowed="10.0.0.1,10.0.0.2 の形") from None
    return frozenset(found)


@lru_cache(maxsize=256)
def _fingerprint(header: str) -> str:
    return terminals.fingerprint(unquote(header))


def _plain(peer: str) -> str:
    try:
        found = ip_address(peer)
    except ValueError:
        return ""
    # 二重の口（::ffff:10.0.0.1）で待ち受けても、同じ番地として見る。
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def _remote(peer: str) -> bool:
    """サーバーの外の番地か。番地でない名（Unix の口）は、中である。"""
    plain = _plain(peer)
    return bool(plain) and not ip_address(plain).is_loopback
