"""監査ログの行と印を、台帳に触れずに作る（書き換えの試験のため）。"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from benefit.store import audit, audit_anchors
from benefit.store.audit import Row
from benefit.store.audit_anchors import Anchor

KEY = bytes(range(32))
BEGIN = datetime(2024, 6, 20, 0, 0, tzinfo=UTC)
ACTIONS = ("case.view", "case.search", "transfer.approve", "login.accepted")


def entry(number: int, luck: random.Random, *, actor: str | None = None) -> Row:
    """鎖につなぐ前の一行。"""
    who = actor or f"op-{luck.randrange(30)}"
    at = BEGIN + timedelta(seconds=37 * number, microseconds=luck.randrange(10**6))
    subject = f"{luck.randrange(10**11):011d}"
    return (number, at, who, "operator", f"端末{luck.randrange(9)}", luck.choice(ACTIONS), subject, "進み具合", "{}")


def chain(entries: list[Row], previous: str = audit.GENESIS) -> list[Row]:
    """行を鎖につなぐ。"""
    made = []
    for row in entries:
        digest = audit.digest(previous, row[:9])
        made.append((*row[:9], previous, digest))
        previous = digest
    return made


def anchors(rows: list[Row], counts: list[int], *, key: bytes = KEY, store: str = "desk") -> list[Anchor]:
    """それぞれの行数で作った印。"""
    made: list[Anchor] = []
    for number, count in enumerate(counts, start=1):
        begins = made[-1].row_count if made else 0
        made.append(
            audit_anchors.seal(
                key,
                Anchor(
                    number=number,
                    store=store,
                    day=date(2024, 6, 20) + timedelta(days=number),
                    at=BEGIN + timedelta(days=number),
                    row_count=count,
                    head=rows[count - 1][10] if count else audit.GENESIS,
                    marks="".join(row[10][: audit.MARK] for row in rows[begins:count]),
                    ledger="{}",
                    previous=made[-1].hash if made else audit_anchors.first(store),
                    public_key="",
                ),
            )
        )
    return made
