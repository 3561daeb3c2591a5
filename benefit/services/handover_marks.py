"""受渡の受取と消去の記録: 出したものが、着いたか、消されたか（受渡管理簿。検知 L16 がこれを見る）。"""

from __future__ import annotations

from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services.home import Home
from benefit.services.two_people import need_reason
from benefit.store import audit, ward
from benefit.store.engine import in_turn

RECEIVED, ERASED = "handover.received", "handover.erased"


def mark(home: Home, name: str, action: str, *, reason: str, actor: Actor, clock: Clock) -> None:
    """受渡 `name`（print_out/3 など）の受取か消去を記録する。`reason` は受領書や消去報告書の番号。

    断り: 受渡がない、もう記録がある、受け取る前の消去。
    """
    why, table, log = need_reason(reason), ward.handover, ward.audit_log
    crossing, _, sequence = name.partition("/")
    with home.ward.begin() as connection:
        in_turn(connection, "handover-mark")
        number = int(sequence) if sequence.isascii() and sequence.isdigit() and len(sequence) < 10 else 0
        query = select(table.c.id).where(table.c.crossing == crossing, table.c.sequence == number)
        if connection.execute(query).first() is None:
            raise WrongUse("その受渡はありません。benefit handover list で確かめてください", code="no-such", found=name)
        said = set(
            connection.execute(
                select(log.c.action).where(log.c.subject == name, log.c.action.in_([RECEIVED, ERASED]))
            ).scalars()
        )
        if action in said:
            raise RefusedByRule("この受渡は、もう記録されています", code="marked")
        if action == ERASED and RECEIVED not in said:
            raise RefusedByRule("受取の記録がまだありません", code="not-received")
        audit.record(connection, log, at=clock(), actor=actor, action=action, subject=name, reason=why)
