"""benefit claim: 打つ言葉、終了コード、断り。合言葉は標準入力の一行から読む。"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from benefit.domain.access import BATCH
from benefit.services import people
from benefit.services.home import Home
from benefit.store import ward
from tests.batch.conftest import Run
from tests.conftest import StepClock
from tests.services.claim_ward import Office
from tests.services.inquiry_ward import Ward as Town
from tests.support.small_ward import read

PASSWORD = "aikotoba-" + "x" * 10
COMMON = ("--evidence", "申請書と住民票", "--reason", "窓口", "--today", "2024-07-26")


@pytest.fixture(name="run")
def run_in_the_town(run: Run, ready: Path, tmp_path: Path) -> Iterator[Run]:
    """世帯 1 に親子と新生児のいる作業場所で、合言葉を打って `benefit …` を打つ。"""
    home, clock = Home.at(ready), StepClock()
    office = Office(Town(home, tmp_path, clock), tmp_path)
    office.family(1)
    office.baby("新生児", 1)
    office.town.load()
    with home.ward.begin() as connection:
        for staff_id in ("a", "b"):
            people.add(
                connection, ward.staff, ward.audit_log, staff_id=staff_id, name="試験", role="clerk",
                password=PASSWORD, actor=BATCH, at=clock(),
            )  # fmt: skip
    yield functools.partial(run, typed=PASSWORD)
    home.ward.dispose()


def newborn(run: Run, *more: object, number: str = "R-1", staff: str = "a", received: str = "2024-07-10") -> tuple:  # type: ignore[type-arg]
    return run(
        "claim", "enter", "newborn", "--household", "0000000001", "--child", "0000001003",
        "--received", received, "--evidence-id", number, "--staff", staff, *COMMON, *more,
    )  # fmt: skip


def test_the_whole_story_of_one_claim(run: Run, tmp_path: Path) -> None:
    code, out, _err = newborn(run)
    assert code == 0
    assert "申請 C000001: 新生児 審査待ち 受付 2024-07-10" in out
    code, out, _err = run("claim", "show", "C000001", "--today", "2024-07-26")
    assert code == 0
    assert "受理すると: 児童 0000001003 対象 50,000 円" in out
    code, _out, err = run("claim", "decide", "C000001", "accept", "--reason", "可", "--staff", "a")
    assert (code, "入れた人は、決められません" in err) == (4, True)
    code, out, _err = run(
        "claim", "decide", "C000001", "accept", "--reason", "可", "--staff", "b", "--today", "2024-07-26"
    )
    assert code == 0
    assert "受理" in out
    assert "benefit beneficiaries build" in out
    code, out, _err = run("beneficiaries", "build", "--today", "2024-07-26", "--out", tmp_path / "out")
    assert code == 0
    assert [row["申請番号"] for row in read(tmp_path / "out" / "claim_outcomes.csv")] == ["C000001"]
    code, out, _err = run("claim", "list", "--out", tmp_path / "list")
    assert code == 0
    assert "申請 1 件、審査待ち 0 件" in out
    assert [row["状態"] for row in read(tmp_path / "list" / "claims.csv")] == ["受理"]


def test_refusals_say_what_to_do_and_use_the_contracts_codes(run: Run) -> None:
    code, _out, err = newborn(run, received="2024-11-05")
    assert (code, "今日より後" in err) == (4, True)
    code, _out, err = newborn(run, "--today", "2024-11-08", received="2024-11-05")
    assert (code, "--reopen に理由" in err) == (4, True)
    code, _out, err = newborn(run, "--evidence", "口頭")
    assert (code, "申請書と出生届" in err) == (3, True)
    assert newborn(run)[0] == 0
    code, _out, err = newborn(run, staff="b")
    assert (code, "もう C000001 にあります" in err) == (4, True)
    code, _out, err = run("claim", "show", "C000009")
    assert (code, "この番号の申請はありません" in err) == (2, True)
    code, _out, err = run("claim", "decide", "C000001", "maybe", "--reason", "x", "--staff", "b")
    assert (code, "accept、refuse" in err) == (2, True)
    code, _out, err = run("claim", "decide", "C000001", "accept", "--reason", "x", "--staff", "b", "--clear", "P9")
    assert (code, "--clear の言葉" in err) == (2, True)


@pytest.mark.parametrize(
    "kind",
    ["newborn", "separate-child", "evacuee", "certificate", "tax-correction", "successor", "heir", "guardian"],
)
def test_every_kind_has_japanese_help(run: Run, kind: str) -> None:
    code, out, _err = run("claim", "enter", kind, "--help")
    assert code == 0
    assert "証拠の書類" in out
    assert "届いた日" in out


def test_a_wrong_password_enters_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert newborn(run, staff="c")[0] == 4
    assert "申請 0 件" in run("claim", "list")[1]
