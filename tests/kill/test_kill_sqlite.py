"""途中で止まっても、同じコマンドをもう一度打てば、止まらなかったときと同じになる（reliability P1・T01）。SQLite の六割。

取込・判定・支給判定・振込のどの瞬間にも SIGKILL を送り、もう一度走らせ、台帳の全部の表と出たファイルのバイト列を、
一度も止めなかったときと比べる。KILLS（二つのデータベースの合計、既定 1,000）で回数を増やせる。
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.kill import killing, steps

pytestmark = [pytest.mark.kill, pytest.mark.xdist_group("kill-sqlite")]

MONEY = [
    "judge",
    "transfer make",
    "transfer approve (1)",
    "transfer approve (2)",
    "transfer release",
    "transfer results",
]


@pytest.fixture(scope="module")
def line(fast_place: Path, sqlite_template: Path) -> killing.Line:
    return killing.unbroken(fast_place, sqlite_template, None)


@pytest.mark.parametrize("step", list(steps.STEPS))
def test_killed_at_every_named_point_and_repeated_nothing_is_lost_or_doubled(line: killing.Line, step: str) -> None:
    assert len(line.points[step]) > 3
    assert not killing.kill_at_every_point(line, step)


def test_killed_at_random_instants_and_repeated_nothing_is_lost_or_doubled(line: killing.Line) -> None:
    left = max(killing.KILLS * 6 // 10 - line.kills.total(), 60)
    print(f"種 {killing.SEED}、名のついた瞬間で {line.kills.total()} 回、でたらめに {left} 回: {dict(line.kills)}")
    assert not killing.kill_at_random(line, random.Random(killing.SEED), [*steps.STEPS, *MONEY], left)
    assert line.kills.total() >= killing.KILLS * 6 // 10
    assert killing.audit_holds(line)


def test_this_test_sees_progress_kept_outside_the_transaction(line: killing.Line) -> None:
    chance = random.Random(killing.SEED + 1)
    assert any(killing.kill_at_random(line, chance, ["build"], killing.CHAIN, planted=True) for _ in range(10)), (
        "印をトランザクションの外に置いた誤りを、50 回止めても見つけられない"
    )
