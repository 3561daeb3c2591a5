"""監査ログに書く・確かめる。どちらの台帳でも同じ表、同じ鎖。

鎖: hash = SHA-256(前の hash + 正規化した行)。書くのは、その仕事と同じトランザクションの中である。
だから「ログのない仕事」も「仕事のないログ」も残らない（reliability P16・P17）。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from benefit.domain.access import Actor
from benefit.store.engine import in_turn

GENESIS = "0" * 64


@dataclass(frozen=True)
class Broken:
    """最初に壊れている行。`sequence` はその番号、`why` は何が合わないか。"""

    sequence: int
    why: str


def _digest(previous: str, row: Mapping[str, Any]) -> str:
    moment: datetime = row["at"]
    # SQLite は時差を忘れるので、UTC として正規化する。
    stamp = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    content = {
        key: row[key] for key in ("sequence", "actor", "role", "terminal", "action", "subject", "reason", "detail")
    }
    canonical = json.dumps({**content, "at": stamp}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((previous + canonical).encode()).hexdigest()


def record(
    connection: Connection,
    table: Table,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    subject: str = "",
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """一行を書き足す。`subject` は給付管理番号などで、氏名や口座は書かない。"""
    in_turn(connection, "audit")
    last = connection.execute(select(table.c.sequence, table.c.hash).order_by(table.c.sequence.desc()).limit(1)).first()
    sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
    row = {
        "sequence": sequence,
        "at": at,
        "actor": actor.id,
        "role": actor.role,
        "terminal": actor.terminal,
        "action": action,
        "subject": subject,
        "reason": reason,
        "detail": json.dumps(detail or {}, ensure_ascii=False, sort_keys=True),
    }
    connection.execute(table.insert().values(**row, previous_hash=previous, hash=_digest(previous, row)))


def verify(connection: Connection, table: Table) -> tuple[int, Broken | None]:
    """鎖を最初から辿る。(行数, 最初の壊れた行) を返す。"""
    previous, expected, count = GENESIS, 1, 0
    for found in connection.execute(select(table).order_by(table.c.sequence)).mappings():
        count += 1
        if found["sequence"] != expected:
            return count, Broken(expected, "行が抜けています")
        if found["previous_hash"] != previous:
            return count, Broken(expected, "前の行とつながりません")
        if _digest(previous, dict(found)) != found["hash"]:
            return count, Broken(expected, "内容が書き換えられています")
        previous, expected = found["hash"], expected + 1
    return count, None
