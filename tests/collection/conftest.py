"""収納の試験: 職員のいる区の台帳。"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.services import people
from benefit.services.home import Home
from benefit.store import ward
from tests.conftest import StepClock

CLERK, APPROVER, OTHER = Actor("tanto", "clerk"), Actor("shonin1", "approver"), Actor("shonin2", "approver")


@pytest.fixture
def clock() -> StepClock:
    return StepClock(datetime(2026, 7, 10, tzinfo=UTC))


@pytest.fixture
def staffed(home: Home, clock: StepClock) -> Home:
    with home.ward.begin() as connection:
        for actor in (CLERK, APPROVER, OTHER):
            people.add(
                connection, ward.staff, ward.audit_log,
                staff_id=actor.id, name="試験", role=actor.role, password="x" * 15, actor=BATCH, at=clock(),
            )  # fmt: skip
    return home


def accounts(home: Home) -> dict[str, int]:
    """勘定ごとの残り（借方を正、貸方を負）。"""
    table = ward.collection_posting
    total: dict[str, int] = {}
    with home.ward.connect() as connection:
        for row in connection.execute(sa.select(table)):
            total[row.debit] = total.get(row.debit, 0) + row.amount_yen
            total[row.credit] = total.get(row.credit, 0) - row.amount_yen
    return {name: yen for name, yen in total.items() if yen}
