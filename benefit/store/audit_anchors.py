"""印: 一日の終わりの行数と最後の指紋に署名したもの（Ed25519）。鎖の外に置き、相手と紙にも預ける。

鎖だけでは、末尾の抜取り・鎖ごとの作り直し・古い台帳への差し替えが分からない（reliability P17）。
印は、前の印の指紋を含む鎖である。相手から預かった印があれば、手元の印より先に信じる。
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Table, select

from benefit.store.audit import GENESIS, MARK, Pins


@dataclass(frozen=True)
class Anchor:
    """一つの印。`ledger` は書き足すだけの表の行数（JSON）、`marks` は前の印から後の、行ごとの指紋の初めの字。"""

    number: int
    store: str
    day: date
    at: datetime
    row_count: int
    head: str
    marks: str
    ledger: str
    previous: str
    public_key: str
    hash: str = ""
    signature: str = ""

    def body(self) -> bytes:
        """署名する中身（正規化した JSON）。"""
        at = (self.at if self.at.tzinfo else self.at.replace(tzinfo=UTC)).astimezone(UTC)
        content = {
            "store": self.store,
            "number": self.number,
            "day": self.day.isoformat(),
            "at": at.isoformat(timespec="microseconds"),
            "row_count": self.row_count,
            "head": self.head,
            "marks": hashlib.sha256(self.marks.encode()).hexdigest(),
            "ledger": self.ledger,
            "previous": self.previous,
            "public_key": self.public_key,
        }
        return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @property
    def genuine(self) -> bool:
        """中身が、この印の公開鍵で署名されたままか。"""
        if hashlib.sha256(self.body()).hexdigest() != self.hash:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), self.body())
        except (InvalidSignature, ValueError):
            return False
        return True

    def as_line(self) -> str:
        """渡すファイルの一行（JSON）。"""
        return json.dumps({**asdict(self), "day": self.day.isoformat(), "at": self.at.astimezone(UTC).isoformat()})


@dataclass(frozen=True)
class Fault:
    """印のおかしな所。"""

    number: int
    why: str


def public_key(key: bytes) -> str:
    """秘密の鍵（32 バイト）から、公開鍵（16 進 64 字）。"""
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw().hex()


def seal(key: bytes, anchor: Anchor) -> Anchor:
    """指紋と署名を入れる。"""
    values = {f.name: getattr(anchor, f.name) for f in fields(anchor)}
    blank = Anchor(**{**values, "public_key": public_key(key)})
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(blank.body()).hex()
    digest = hashlib.sha256(blank.body()).hexdigest()
    return Anchor(**{**values, "public_key": blank.public_key, "hash": digest, "signature": signature})


def of_mapping(row: Mapping[str, Any]) -> Anchor:
    """台帳の行から。"""
    values = {f.name: row[f.name] for f in fields(Anchor)}
    at: datetime = values["at"]
    return Anchor(**{**values, "at": at if at.tzinfo else at.replace(tzinfo=UTC)})


#: 渡されたファイルの、字の項目の形。
_SHAPES = {
    "store": r"ward|desk",
    "head": r"[0-9a-f]{64}",
    "marks": r"[0-9a-f]*",
    "ledger": r"[^\x00]{0,20000}",
    "previous": r"[0-9a-f]{64}",
    "public_key": r"[0-9a-f]{64}",
    "hash": r"[0-9a-f]{64}",
    "signature": r"[0-9a-f]{128}",
}


def of_line(text: str) -> Anchor:
    """渡されたファイルの一行（`as_line` の形）から。形が違えば ValueError。"""
    row = json.loads(text)
    if not isinstance(row, dict) or set(row) != {f.name for f in fields(Anchor)}:
        raise ValueError("項目が違います")
    for name, shape in _SHAPES.items():
        if not isinstance(row[name], str) or not re.fullmatch(shape, row[name]):
            raise ValueError(name)
    for name in ("number", "row_count"):
        if type(row[name]) is not int or not 0 <= row[name] < 1 << 31:
            raise ValueError(name)
    day, at = date.fromisoformat(str(row["day"])), datetime.fromisoformat(str(row["at"]))
    return of_mapping({**row, "day": day, "at": at})


def load(connection: Connection, table: Table) -> list[Anchor]:
    """台帳にある印（番号の順）。"""
    found = connection.execute(select(table).order_by(table.c.number)).mappings()
    return [of_mapping(dict(row)) for row in found]


def last(connection: Connection, table: Table) -> Anchor | None:
    """最後の印。"""
    found = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).mappings().first()
    return of_mapping(dict(found)) if found else None


def examine(own: Iterable[Anchor], held: Iterable[Anchor], *, store: str, key: str) -> tuple[list[Anchor], list[Fault]]:
    """信じられる印の列と、おかしな所。`held` は外（相手・紙・写し）にある、この台帳の印。

    key: この台帳の公開鍵。台帳だけを書き換えられる人が、別の鍵で作った印を信じない。
    """
    mine, theirs = {one.number: one for one in own}, {one.number: one for one in held}
    trusted: list[Anchor] = []
    faults: list[Fault] = []
    expected = 1
    for number in sorted({*mine, *theirs}):
        if number != expected:
            faults.append(Fault(expected, "印が抜けています"))
        here, outside = mine.get(number), theirs.get(number)
        if here and outside and here != outside:
            faults.append(Fault(number, "手元の印が、預けた印と違います"))
        elif outside and not here:
            faults.append(Fault(number, "預けた印が、手元にありません"))
        given = (one for one in (outside, here) if one and _follows(one, trusted, number))
        good = next((one for one in given if _sound(one, store, key)), None)
        if good is None:
            faults.append(Fault(number, "印が書き換えられているか、別の鍵で作られています"))
        else:
            trusted.append(good)
        expected = number + 1
    return trusted, faults


def _sound(one: Anchor, store: str, key: str) -> bool:
    return one.store == store and one.public_key == key and one.genuine


def _follows(one: Anchor, trusted: list[Anchor], number: int) -> bool:
    """信じた前の印から続くか。前の印を欠くときは、行数だけを見る。"""
    before = trusted[-1] if trusted else None
    count = before.row_count if before else 0
    if before is None or before.number != number - 1:
        fits = 0 <= len(one.marks) // MARK <= one.row_count - count and len(one.marks) % MARK == 0
        return fits and (number > 1 or one.previous == first(one.store))
    return one.previous == before.hash and len(one.marks) == MARK * (one.row_count - count)


def first(store: str) -> str:
    """最初の印が指す「前」。台帳ごとに違う（よその台帳の印の列を始められない）。"""
    return hashlib.sha256(f"{GENESIS}{store}".encode()).hexdigest()


def pins(trusted: Iterable[Anchor]) -> Pins:
    """鎖と比べるもの。"""
    heads: dict[int, str] = {0: GENESIS}
    marks: list[str] = []
    known = 0
    for one in trusted:
        heads[one.row_count] = one.head
        # 印の抜けた間の行は、字が分からない。
        begins = one.row_count - len(one.marks) // MARK
        marks += ["." * MARK * (begins - known), one.marks]
        known = one.row_count
    return Pins(heads, "".join(marks))
