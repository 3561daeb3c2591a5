"""判定証明の写し: 全員の分が判定のときに置かれ、読むときは判定し直さない。"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from benefit.domain.errors import RefusedInput
from benefit.records import certificates as layout
from benefit.rules.outcomes import checks_of
from benefit.services import beneficiaries, certificates, explain, runs
from benefit.services.extracts import import_file
from benefit.services.home import Home
from benefit.services.standing import decide_now, gather
from tests.conftest import WARD_3K, StepClock
from tests.rules.make import PROGRAMME, TODAY
from tests.services_explain.pages import EXPECTED
from tests.support.small_ward import cut, read, write


@pytest.fixture
def built(home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path) -> Path:
    folder = cut(tmp_path / "in")
    import_ward(home, folder)
    beneficiaries.build(home, PROGRAMME, TODAY, out=tmp_path / "out", clock=clock)
    return folder


def test_every_subject_of_the_sample_ward_is_stored_with_the_answers_of_its_decision(
    home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    import_ward(home, WARD_3K)
    beneficiaries.build(home, PROGRAMME, TODAY, out=tmp_path / "out", clock=clock)
    stored = certificates.read(home, runs.find(home, PROGRAMME, "latest")).table.collect()
    again = certificates.now(home, PROGRAMME, TODAY).table.collect()
    assert stored.equals(again)
    decisions = decide_now(gather(home, PROGRAMME, TODAY))
    for kind, frame, subject in (
        ("世帯", decisions.households, "household_number"),
        ("児童", decisions.children, "person_number"),
        ("納税者", decisions.taxpayers, "person_number"),
    ):
        checks = checks_of(PROGRAMME)[kind]
        rows = {row["number"]: row for row in stored.filter(pl.col("section") == kind).iter_rows(named=True)}
        assert len(rows) == frame.height
        for decided in frame.iter_rows(named=True):
            row = rows[decided[subject]]
            assert layout.answers(row, checks) == {check.id: decided[check.id] for check in checks}
            assert layout.reasons(row, checks) == decided["reasons"]
            assert (row["verdict"], row["amount_yen"]) == (decided["verdict"], decided["amount_yen"])
    assert {(row["対象区分"], int(row["対象番号"])) for row in EXPECTED} == {
        (section, number)
        for section, number in stored.filter(pl.col("section") != "人").select("section", "number").iter_rows()
    }


def test_the_old_run_says_the_same_after_new_extracts_are_imported(
    home: Home, built: Path, clock: StepClock, tmp_path: Path
) -> None:
    run = runs.find(home, PROGRAMME, "latest")
    outcomes = read(tmp_path / "out" / "outcomes.csv")
    numbers = [int(row["対象番号"]) for row in outcomes if row["対象区分"] == "世帯"]
    before = [explain.household_pages(home, certificates.read(home, run), number) for number in numbers]
    taxes = read(built / "taxes.csv")
    for row in taxes:
        row["減税前所得割額_区"] = "77777"
    write(built / "taxes.csv", taxes, list(taxes[0]))
    import_file(home, "taxes", built / "taxes.csv", clock=clock, levy_year=2024)
    after = [explain.household_pages(home, certificates.read(home, run), number) for number in numbers]
    assert after == before
    assert all("77,777" not in page for pages in after for page in pages)
    assert any("77,777" in page for number in numbers for page in explain.household(home, PROGRAMME, TODAY, number))


def test_stored_pages_say_what_the_decision_of_that_day_says(home: Home, built: Path, tmp_path: Path) -> None:
    record, now = (
        certificates.read(home, runs.find(home, PROGRAMME, "latest")),
        certificates.now(home, PROGRAMME, TODAY),
    )
    for row in read(tmp_path / "out" / "outcomes.csv"):
        number = int(row["対象番号"])
        tell = explain.household_pages if row["対象区分"] == "世帯" else explain.person_pages
        stored, again = (tell(home, one, number) for one in (record, now))
        for ours, theirs in zip(stored, again, strict=True):
            # 頭（登録の番号、どの判定か）と終わり（版）のほかは、同じ文である。
            assert _body(ours) == _body(theirs)
            assert ours.split("\n")[:2] == theirs.split("\n")[:2]


def _body(page: str) -> str:
    return page[page.index("\n  検査\n") : page.index("\n  使ったもの\n")]


def test_a_changed_copy_is_refused(home: Home, built: Path) -> None:
    run = runs.find(home, PROGRAMME, "latest")
    path = runs.folder(home, run.input_digest) / layout.FILE_NAME
    table = pl.read_parquet(path)
    table.with_columns(amount_yen=pl.col("amount_yen") + 1).write_parquet(path)
    with pytest.raises(RefusedInput, match="記録と違います"):
        certificates.read(home, run)


def test_a_dry_run_stores_nothing(
    sqlite_home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    import_ward(sqlite_home, cut(tmp_path / "in"))
    beneficiaries.build(sqlite_home, PROGRAMME, TODAY, out=tmp_path / "out", clock=clock, dry_run=True)
    assert not list(sqlite_home.path.glob("runs/*/" + layout.FILE_NAME))
