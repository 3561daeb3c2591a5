"""番号の当て推量を数える。検索のほかの道（収受、返戻、審査、取消）に打った番号が台帳になければ、一件の検索と数える。

番号は乱数で、検査の数字が付いている。ほんとうの紙の番号は、台帳にあるか、読み違えて形から外れる。形が合っていて
台帳にない番号を次々に打つ人は、紙を持っていない。だから、検索と同じ一時間 60 で止まる（reliability P19）。
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.errors import BenefitError
from benefit.services import look_up_limits
from benefit.services.desk_cases import chunks
from benefit.services.desk_intake import read_number
from benefit.store import audit, desk


def unknown(connection: Connection, typed: Iterable[str]) -> list[str]:
    """打たれた番号のうち、形は合っているが台帳にないもの。"""
    numbers = set()
    for text in typed:
        try:
            numbers.add(read_number(text)[0])
        except BenefitError:
            # 形の違う番号からは、何も分からない。
            continue
    table, known = desk.benefit_case, set[str]()
    for some in chunks(numbers):
        known |= set(connection.execute(select(table.c.case_number).where(table.c.case_number.in_(some))).scalars())
    return sorted(numbers - known)


def count(connection: Connection, missing: list[str], *, actor: Actor, at: datetime) -> bool:
    """台帳にない番号を、一つずつ検索と数える。数え終わる前に上限に届けば偽（そこで止まった印が残る）。"""
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="number.unknown",
        subject=missing[0] if len(missing) == 1 else "",
        detail={"count": len(missing)},
    )
    for left in reversed(range(len(missing))):
        if look_up_limits.count_or_stop(connection, actor, at) >= look_up_limits.HARD:
            return left == 0
    return True
