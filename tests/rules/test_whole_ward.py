"""区の全員: 見本の区の答え、誰も落ちないこと、順や他人によらないこと。"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.programme import Programme
from benefit.records import extracts as layouts
from benefit.records.outcomes import render
from benefit.rules.counts import counts
from benefit.rules.facts import Facts, empty
from benefit.rules.outcomes import Decisions, decide
from benefit.services import beneficiaries, explain, extracts
from benefit.services.home import Home
from tests.conftest import WARD_3K, StepClock
from tests.rules.make import PROGRAMME, TODAY
from tests.support.small_ward import cut, read, write


@pytest.fixture(scope="module")
def ward_3k() -> Facts:
    frames = {kind: empty(kind) for kind in layouts.TABLES}
    for kind, table in layouts.TABLES.items():
        path = WARD_3K / f"{kind}.csv"
        if path.exists():
            read_one = layouts.read(table, path.read_bytes(), file_name=path.name)
            assert read_one.rows_rejected == 0
            frames[kind] = read_one.frame
    return Facts(**frames)


@pytest.fixture(scope="module")
def decisions(ward_3k: Facts) -> Decisions:
    return decide(ward_3k, PROGRAMME, TODAY)


def test_the_sample_ward_comes_out_byte_for_byte(decisions: Decisions) -> None:
    assert render(decisions.outcomes) == (WARD_3K / "expected" / "outcomes.csv").read_bytes()


def test_the_counts_are_those_of_the_independent_program(decisions: Decisions) -> None:
    expected = json.loads((WARD_3K / "expected" / "counts.json").read_text(encoding="utf-8"))
    found = counts(decisions, PROGRAMME)
    assert {name: found[name] for name in expected} == expected


def test_nobody_is_lost(ward_3k: Facts, decisions: Decisions) -> None:
    residents = ward_3k.residents
    base = PROGRAMME.base_date
    members = residents.filter(
        (pl.col("became_resident_on") <= base) & (pl.col("removed_on").is_null() | (pl.col("removed_on") > base))
    )
    rows = decisions.outcomes.filter(pl.col("subject_kind") == "世帯")
    assert rows["subject_number"].is_unique().all()
    joined = members.join(rows, left_on="household_number", right_on="subject_number", how="inner")
    assert joined.height == members.height == decisions.persons.height
    taxed = decisions.outcomes.filter(pl.col("subject_kind") == "納税者")
    assert sorted(taxed["subject_number"]) == sorted(ward_3k.taxes["person_number"])


@settings(max_examples=6, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(ward_3k: Facts, decisions: Decisions, seed: int) -> None:
    shuffled = Facts(
        **{
            name: getattr(ward_3k, name).sample(fraction=1.0, shuffle=True, seed=seed)
            for name in Facts.__dataclass_fields__
        }
    )
    assert render(decide(shuffled, PROGRAMME, TODAY).outcomes) == render(decisions.outcomes)


@settings(max_examples=6, deadline=None, database=None)
@given(st.integers(0, 10_000))
def test_an_unrelated_household_changes_nothing(ward_3k: Facts, decisions: Decisions, place: int) -> None:
    homes = sorted(decisions.households["household_number"])
    gone = homes[place % len(homes)]
    people = ward_3k.residents.filter(pl.col("household_number") == gone)["person_number"]
    related = ward_3k.taxes.filter(pl.col("supporter_number").is_in(people.implode()))["person_number"]
    prior = ward_3k.prior.filter(pl.col("person_number").is_in(people.implode()))["household_number"]
    touched = ward_3k.prior.filter(pl.col("household_number").is_in(prior.implode()))["person_number"]
    near = pl.concat([people, related, touched])
    homes_near = ward_3k.residents.filter(pl.col("person_number").is_in(near.implode()))["household_number"].unique()
    without = Facts(
        **{
            **{name: getattr(ward_3k, name) for name in Facts.__dataclass_fields__},
            "residents": ward_3k.residents.filter(pl.col("household_number") != gone),
        }
    )
    far = ~pl.col("household_number").is_in(homes_near.implode()) & (pl.col("subject_kind") != "納税者")
    again = decide(without, PROGRAMME, TODAY).outcomes
    assert render(again.filter(far)) == render(decisions.outcomes.filter(far))


def build(home: Home, clock: StepClock, out: Path) -> beneficiaries.Built:
    return beneficiaries.build(home, Programme.load("r6-2024"), TODAY, out=out, clock=clock)


def test_the_sample_ward_comes_out_byte_for_byte_through_the_import_and_the_store(
    sqlite_home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    import_ward(sqlite_home, WARD_3K)
    built = build(sqlite_home, clock, tmp_path / "a")
    written = (tmp_path / "a" / "outcomes.csv").read_bytes()
    assert written == (WARD_3K / "expected" / "outcomes.csv").read_bytes()
    rows = read(tmp_path / "a" / "entitlements.csv")
    assert len(rows) == len({row["給付管理番号"] for row in rows}) == built.eligible
    assert sum(int(row["支給額"]) for row in rows) == built.total_yen


def test_a_second_build_adds_nothing_and_gives_the_same_bytes(
    home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    import_ward(home, cut(tmp_path / "in"))
    first, second = build(home, clock, tmp_path / "a"), build(home, clock, tmp_path / "b")
    assert first.added == first.eligible > 0
    assert (second.added, second.same, second.repeated) == (0, first.added, True)
    for name in ("outcomes.csv", "entitlements.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_changed_extract_shows_the_difference_and_replaces_nothing(
    home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    folder = cut(tmp_path / "in")
    import_ward(home, folder)
    build(home, clock, tmp_path / "a")
    before = _stored(home)
    rows = read(folder / "taxes.csv")
    eligible = {
        row["対象番号"]
        for row in read(tmp_path / "a" / "outcomes.csv")
        if row["給付種別"] == "R6-4" and row["判定"] == "対象"
    }
    changed = next(row for row in rows if row["宛名番号"] in eligible)
    changed["推計所得税額"] = "9000000"
    changed["減税前所得割額_区"] = "9000000"
    write(folder / "taxes.csv", rows, list(rows[0]))
    extracts.import_file(home, "taxes", folder / "taxes.csv", clock=clock, levy_year=2024)
    again = build(home, clock, tmp_path / "b")
    assert again.differing >= 1
    assert _stored(home) == before
    told = (tmp_path / "b" / "differences.csv").read_text(encoding="utf-8")
    assert changed["宛名番号"] in told
    assert "外れる" in told
    (page,) = [p for p in explain.person(home, PROGRAMME, TODAY, int(changed["宛名番号"])) if "納税者" in p]
    assert "登録の後に違いが出ています" in page


def test_another_amount_is_shown_and_not_paid_twice(
    home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None], tmp_path: Path
) -> None:
    folder = cut(tmp_path / "in")
    import_ward(home, folder)
    build(home, clock, tmp_path / "a")
    before = _stored(home)
    rows = read(folder / "taxes.csv")
    outcomes = read(tmp_path / "a" / "outcomes.csv")
    amounts = {row["対象番号"]: int(row["支給額"]) for row in outcomes if row["給付種別"] == "R6-4" and row["経路"]}
    changed = next(row for row in rows if row["宛名番号"] in amounts)
    changed["扶養親族数_16歳未満"] = str(int(changed["扶養親族数_16歳未満"]) + 3)
    write(folder / "taxes.csv", rows, list(rows[0]))
    extracts.import_file(home, "taxes", folder / "taxes.csv", clock=clock, levy_year=2024)
    again = build(home, clock, tmp_path / "b")
    assert (again.added, again.differing) == (0, 1)
    assert _stored(home) == before
    (told,) = read(tmp_path / "b" / "differences.csv")
    assert told["種別"] == "変わる"
    assert changed["宛名番号"] in told["権利"]
    assert told["登録"] == f"支給額={amounts[changed['宛名番号']]}"
    new = {row["対象番号"]: row for row in read(tmp_path / "b" / "outcomes.csv") if row["給付種別"] == "R6-4"}
    assert told["今回"] == f"支給額={new[changed['宛名番号']]['支給額']}"


def _stored(home: Home) -> list[tuple[object, ...]]:
    from benefit.store import ward

    with home.ward.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(ward.entitlement.select()))


def test_a_missing_extract_is_refused_by_name(sqlite_home: Home, clock: StepClock, tmp_path: Path) -> None:
    from benefit.domain.errors import RefusedByRule

    folder = cut(tmp_path / "in")
    extracts.import_file(sqlite_home, "residents", folder / "residents.csv", clock=clock, levy_year=2024)
    with pytest.raises(RefusedByRule, match="protected") as refused:
        build(sqlite_home, clock, tmp_path / "a")
    assert "taxes" in str(refused.value)


def test_the_explanation_names_the_value_the_file_and_the_line(
    sqlite_home: Home, clock: StepClock, import_ward: Callable[[Home, Path], None]
) -> None:
    import_ward(sqlite_home, WARD_3K)
    rows = read(WARD_3K / "taxes.csv")
    outcomes = read(WARD_3K / "expected" / "outcomes.csv")
    line_of = {row["宛名番号"]: line for line, row in enumerate(rows, 2)}
    taxed = next(row for row in outcomes if row["理由"] == "TAX")
    (page, *_children) = explain.household(sqlite_home, PROGRAMME, TODAY, int(taxed["対象番号"]))
    assert "× 非該当 TAX" in page
    residents = read(WARD_3K / "residents.csv")
    payer = next(
        r["住民番号"]
        for r in residents
        if r["世帯番号"] == taxed["対象番号"]
        and any(t["宛名番号"] == r["住民番号"] and int(t["減税前所得割額_区"]) > 0 for t in rows)
    )
    row = next(t for t in rows if t["宛名番号"] == payer)
    assert f"区 {int(row['減税前所得割額_区']):,}" in page
    assert f"taxes.csv {line_of[payer]} 行目" in page
    for reason, mark in (("INQUIRY", "？"), ("DECLARED", "？"), ("PRIOR", "×"), ("DEPENDANTS", "×"), ("TREATY", "×")):
        verdict = "未確定" if mark == "？" else "対象外"
        number = next(
            r["対象番号"]
            for r in outcomes
            if r["対象区分"] == "世帯" and r["判定"] == verdict and reason in r["理由"].split(";")
        )
        told = explain.household(sqlite_home, PROGRAMME, TODAY, int(number))[0]
        (found,) = [text for text in told.splitlines() if f" {reason}  " in text]
        assert found.strip().startswith(mark)
    assert explain.last_day(sqlite_home, PROGRAMME) is None
    assert date(2024, 6, 20) == TODAY
