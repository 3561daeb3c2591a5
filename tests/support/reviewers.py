"""給付管理システムの、試験の人たち。"""

from __future__ import annotations

from benefit.domain.access import BATCH, Actor, DeskRole
from benefit.domain.clock import Clock
from benefit.services import people
from benefit.services.home import Home
from benefit.store import desk

#: 紙を別々に入力する二人。
REVIEWERS = (Actor("shinsa1", DeskRole.REVIEWER.value), Actor("shinsa2", DeskRole.REVIEWER.value))


def add_people(home: Home, clock: Clock, *actors: Actor) -> None:
    """給付管理システムに、この人たちを登録する。"""
    for actor in actors:
        with home.desk.begin() as connection:
            people.add(
                connection, desk.staff, desk.audit_log, staff_id=actor.id, name="試験 審査", role=actor.role,
                password="x" * 15, actor=BATCH, at=clock(),
            )  # fmt: skip
