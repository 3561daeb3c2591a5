"""benefit beneficiaries verify: 区の台帳の人を二つの判定で判定し、比べた数・違いを言い、監査ログに残す。"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

import benefit.second.taxpayer
from benefit.domain.programme import Programme
from benefit.services import second
from benefit.services.home import Home
from benefit.store import ward
from tests.batch.conftest import Run, ready, run
from tests.conftest import StepClock
from tests.support.small_ward import cut

PROGRAMME, TODAY = Programme.load("r6-2024"), date(2024, 6, 20)
__all__ = ["ready", "run"]


def test_the_result_is_recorded_with_the_digest_of_the_inputs(
    home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    import_ward(home, cut(tmp_path / "in"))
    steps: list[tuple[int, int]] = []
    done = second.verify(home, PROGRAMME, TODAY, clock=clock, progress=lambda now, total: steps.append((now, total)))
    assert (done.differences, done.path) == (0, None)
    assert done.read["residents"] > 0 < done.compared
    assert steps[-1][0] == steps[-1][1] > 0
    with home.ward.connect() as connection:
        rows = connection.execute(select(ward.audit_log).where(ward.audit_log.c.action == second.ACTION)).mappings().all()  # fmt: skip
        assert len(rows) == 1
        assert json.loads(rows[0]["detail"]) == {
            "inputs": done.input_digest,
            "outcomes": done.outcomes_sha256,
            "compared": done.compared,
            "differences": 0,
        }
        seen = second.last_seen(connection, PROGRAMME, done.input_digest)
        assert seen is not None
        assert (seen.compared, seen.differences) == (done.compared, 0)
        assert second.last_seen(connection, PROGRAMME, "0" * 64) is None


def test_the_approver_sees_whether_the_run_was_verified(run: Run, ready: Path, tmp_path: Path) -> None:
    del ready
    folder = cut(tmp_path / "in")
    for kind in ("residents", "taxes", "prior", "accounts", "protected"):
        assert run("import", kind, folder / f"{kind}.csv")[0] == 0
    assert run("beneficiaries", "build", "--today", "2024-06-20", "--out", tmp_path / "out")[0] == 0
    assert "まだ" in run("beneficiaries", "runs")[1]
    # 別の日の判定を比べても、この判定を比べたことにはならない。
    assert run("beneficiaries", "verify", "--today", "2024-06-21")[0] == 0
    assert "違い 0" not in run("beneficiaries", "runs")[1].replace("\n", "")
    assert run("beneficiaries", "verify", "--today", "2024-06-20")[0] == 0
    assert "違い 0" in run("beneficiaries", "runs")[1].replace("\n", "")


def test_a_difference_is_written_with_both_answers_and_refused(
    run: Run, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = cut(tmp_path / "in")
    for kind in ("residents", "taxes", "prior", "accounts", "protected"):
        code, out, err = run("import", kind, folder / f"{kind}.csv")
        assert code == 0, err
    code, out, _ = run("beneficiaries", "verify", "--today", "2024-06-20")
    assert (code, "違い 0" in out) == (0, True)
    assert "residents" in out
    assert not (ready / "outbox" / "verify").exists()

    monkeypatch.setattr(benefit.second.taxpayer, "rounded_up", lambda yen, _unit: yen)
    code, out, err = run("beneficiaries", "verify", "--today", "2024-06-20", "--out", tmp_path / "out")
    assert code == 4
    assert "second_differences.csv" in err
    with (tmp_path / "out" / second.FILE_NAME).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert f"違い {len(rows)}" in out
    for row in rows:
        assert (row["対象区分"], row["違う列"], len(row["対象番号"])) == ("納税者", "支給額", 10)
        assert 0 < int(row["本体:支給額"]) - int(row["第二:支給額"]) < 10_000
        assert row["本体:経路"] == row["第二:経路"] != ""
    # --out がなければ、出し箱に書く。
    assert run("beneficiaries", "verify", "--today", "2024-06-20")[0] == 4
    assert (ready / "outbox" / "verify" / second.FILE_NAME).exists()


def test_without_the_extracts_it_is_refused(run: Run, ready: Path) -> None:
    del ready
    code, _, err = run("beneficiaries", "verify", "--today", "2024-06-20")
    assert code == 4
    assert "residents" in err
    assert run("beneficiaries", "verify", "--today", "20240620")[0] == 2
