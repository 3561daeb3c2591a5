"""多くの区を一度に判定する: 配り方によらず同じ結果で、一つの区の断りはほかの区を止めない。"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from distributed import LocalCluster

from benefit.services.municipalities import SUMMARY, Done, exit_code
from tests.batch.conftest import Run
from tests.conftest import BAD
from tests.support.small_ward import cut

ROOT = Path(__file__).parents[2]
GOOD = {"あおば区": 24, "みどり区": 16}
BROKEN = "わかば区"
KINDS = ("residents", "taxes", "prior", "accounts", "protected", "braille")


def spread(folder: Path, out: Path, *more: str) -> tuple[int, str]:
    """本物のコマンドを、別のプロセスで打つ（働き手は、この試験のプロセスを写さない）。"""
    words = ["beneficiaries", "build", "--today", "2024-06-20", "--municipalities", str(folder), "--out", str(out)]
    done = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-m", "batch.cli", "--home", str(out.parent / "no-home"), *words, *more],
        cwd=out.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """三つの小さな区。一つは、住民記録の日付が壊れている。"""
    folder = tmp_path_factory.mktemp("wards")
    for name, households in {**GOOD, BROKEN: 8}.items():
        cut(folder / name, households=households)
    shutil.copy(BAD / "residents_bad_dates.csv", folder / BROKEN / "residents.csv")
    return folder


def results(out: Path) -> dict[str, bytes]:
    return {name: (out / name / "outcomes.csv").read_bytes() for name in GOOD}


@pytest.fixture
def alone(run: Run, wards: Path, tmp_path: Path) -> dict[str, bytes]:
    """一つずつ、ふつうのコマンドで作った結果。"""
    for name in GOOD:
        home = tmp_path / "alone" / name / "home"
        assert run("init", home=home)[0] == 0
        for kind in KINDS:
            assert run("import", kind, str(wards / name / f"{kind}.csv"), home=home)[0] == 0
        out = tmp_path / "alone" / name
        assert run("beneficiaries", "build", "--today", "2024-06-20", "--out", str(out), home=home)[0] == 0
    return results(tmp_path / "alone")


@pytest.mark.parametrize("workers", [1, 2])
def test_the_bytes_are_those_of_one_by_one_and_a_refused_ward_is_named_and_stops_nobody(
    wards: Path, alone: dict[str, bytes], tmp_path: Path, workers: int
) -> None:
    code, told = spread(wards, tmp_path / "out", "--workers", str(workers))
    assert code == 3
    assert results(tmp_path / "out") == alone
    lines = [line for line in told.splitlines() if "/3 " in line]
    assert sorted(line.split()[1].removesuffix(":") for line in lines) == sorted([*GOOD, BROKEN])
    (refusal,) = (line for line in lines if BROKEN in line)
    assert "断りました: residents.csv の 2 行目「住民となった日」" in refusal
    assert not (tmp_path / "out" / BROKEN / "outcomes.csv").exists()
    summary = json.loads((tmp_path / "out" / SUMMARY).read_text())
    assert summary["断られた区"] == [BROKEN]
    assert list(summary["区"]) == sorted([*GOOD, BROKEN])


def test_a_running_cluster_is_used_by_its_address_and_a_second_run_changes_nothing(
    wards: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0",
        local_directory=str(tmp_path / "dask"),
    ) as cluster:  # fmt: skip
        for _ in range(2):
            code, _told = spread(wards, tmp_path / "out", "--scheduler", cluster.scheduler_address)
            assert code == 3
            assert results(tmp_path / "out") == alone


def test_a_scheduler_nobody_answers_at_is_refused(wards: Path, tmp_path: Path) -> None:
    code, told = spread(wards, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert code == 3
    assert "--scheduler につながりません" in told


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--workers", "1", "--scheduler", "tcp://127.0.0.1:9"], "どちらか一つ"),
        (["--set", "adjustment.income_cap_yen=1", "--dry-run"], "一緒に使えません"),
    ],
)
def test_what_does_not_go_together_is_wrong_use(
    run: Run, wards: Path, tmp_path: Path, more: list[str], says: str
) -> None:
    out = str(tmp_path / "out")
    code, _out, err = run(
        "beneficiaries", "build", "--today", "2024-06-20", "--municipalities", str(wards), "--out", out, *more
    )
    assert code == 2
    assert says in err


def test_a_folder_without_wards_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for folder in ("none", "absent"):
        code, _out, err = run(
            "beneficiaries", "build", "--today", "2024-06-20", "--municipalities", str(tmp_path / folder),
            "--out", str(tmp_path / "out"),
        )  # fmt: skip
        assert code == 3
        assert folder in err


def test_our_own_fault_in_one_ward_outweighs_the_refusals() -> None:
    refused, by_rule, fault = (Done("区", refusal="…", exit_code=code) for code in (3, 4, 1))
    assert exit_code([Done("区"), refused, by_rule]) == 4
    assert exit_code([refused, by_rule, fault]) == 1
    assert exit_code([Done("区")]) == 0
