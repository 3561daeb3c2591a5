"""分納: 約束どおりなら督促せず、遅れたら遅れた分だけ。口座振替は止まる。二人の約束でなければ、何も変わらない。"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import instalments, receivables
from benefit.services.home import Home
from tests.collection.conftest import APPROVER, CLERK
from tests.collection.debit_world import FIRST, ready
from tests.conftest import StepClock

PLAN = [(date(2026, 7, 31), 400), (date(2026, 8, 31), 300), (date(2026, 9, 30), 300)]


def late(home: Home, today: date) -> list[tuple[int, bool]]:
    return receivables.outstanding(home, today).select("left_yen", "stopped_by_notice").rows()


def test_a_kept_promise_is_not_dunned_and_a_broken_one_only_for_what_is_behind(
    staffed: Home, clock: StepClock, tmp_path: Path
) -> None:
    debit = ready(staffed, clock, tmp_path)
    debit.owe((1, 1_000))
    debit.change(1)
    number = instalments.ask(staffed, 1, PLAN, reason="失業", actor=CLERK, clock=clock)
    assert late(staffed, date(2026, 7, 12)) == [(1_000, False)], "承認の前に効いた"
    with pytest.raises(RefusedByRule, match="承認の役割"):
        instalments.approve(staffed, number, actor=CLERK, clock=clock)
    instalments.approve(staffed, number, actor=APPROVER, clock=clock)
    assert late(staffed, date(2026, 7, 31)) == []
    assert debit.make(FIRST).left_out == {"instalments": (1, 1_000)}
    assert late(staffed, date(2026, 8, 1)) == [(400, False)]
    debit.paid_elsewhere(1, 400, kind="速報")
    assert late(staffed, date(2026, 8, 31)) == []
    debit.paid_elsewhere(1, 100, kind="確報")
    assert late(staffed, date(2026, 9, 1)) == [(200, False)]


def test_a_wrong_promise_is_refused(staffed: Home, clock: StepClock, tmp_path: Path) -> None:
    debit = ready(staffed, clock, tmp_path)
    debit.owe((1, 1_000))
    for parts, says in (
        (PLAN[:2], "残りと合いません"),
        (PLAN[::-1], "早い順"),
        ([(date(2026, 7, 1), 1_000)], "今日より後"),
        ([], "回数"),
        ([(date(2026, 7, 31), 1_001), (date(2026, 8, 31), -1)], "1 円から"),
    ):
        with pytest.raises((WrongUse, RefusedByRule), match=says):
            instalments.ask(staffed, 1, parts, reason="x", actor=CLERK, clock=clock)
    number = instalments.ask(staffed, 1, PLAN, reason="失業", actor=CLERK, clock=clock)
    clock.now = datetime(2026, 7, 20, tzinfo=UTC)
    debit.paid_elsewhere(1, 100)
    with pytest.raises(RefusedByRule, match="残りが変わりました"):
        instalments.approve(staffed, number, actor=APPROVER, clock=clock)
