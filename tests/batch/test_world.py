"""架空の区: 同じ種なら同じ区、必ず取り込める、どの特別な事情も、どの検査も、どの回答の言葉も現れる。"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from batch.world import make_ward
from benefit.domain.programme import Programme
from benefit.records import extracts
from benefit.rules.counts import counts
from benefit.rules.facts import Facts, empty
from benefit.rules.outcomes import Decisions, decide
from tests.batch.special_situations import LEVY, SPECIAL
from tests.bench.extracts import COPY, write_big

PROGRAMME = Programme.load("r6-2024")
RESIDENTS, SEED, TODAY = 20_000, 2024, date(2024, 6, 20)
KINDS = ("residents", "taxes", "prior", "accounts", "addresses", "protected", "braille")


@dataclass(frozen=True)
class World:
    """作った区: ファイル、取り込んだ写し、判定。"""

    folder: Path
    rows: dict[str, int]
    facts: Facts
    decisions: Decisions


def load(folder: Path) -> Facts:
    """どのファイルも、一行も断らずに読める。"""
    frames = {kind: empty(kind) for kind in extracts.TABLES}
    for kind in KINDS:
        reading = extracts.read(extracts.TABLES[kind], (folder / f"{kind}.csv").read_bytes(), file_name=f"{kind}.csv")
        assert reading.rejects.is_empty(), (kind, reading.rejects.head(5).rows())
        assert reading.warnings == ()
        frames[kind] = reading.frame
    return Facts(**frames)


def judged(facts: Facts) -> Decisions:
    return decide(facts, Programme.load("r6-2024"), TODAY)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    rows = make_ward(folder, residents=RESIDENTS, seed=SEED)
    facts = load(folder)
    return World(folder, rows, facts, judged(facts))


def numbers_removed(decisions: Decisions) -> dict[str, int]:
    """検査 → 外した（非該当か不明にした）数。"""
    by_kind = counts(decisions, PROGRAMME)["検査"]
    assert isinstance(by_kind, dict)
    return {
        f"{kind} {check} {answer}": count
        for kind, checks in by_kind.items()
        for check, answers in checks.items()
        for answer, count in answers.items()
    }


# --- 作られるもの ----------------------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        make_ward(tmp_path / name, residents=600, seed=seed)
    for kind in KINDS:
        first, again, other = ((tmp_path / name / f"{kind}.csv").read_bytes() for name in "abc")
        assert first == again, kind
        assert first != other, kind


def test_it_says_how_many_rows_it_wrote_and_how_far_it_is(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    rows = make_ward(tmp_path, residents=600, seed=1, tick=lambda done, total: seen.append((done, total)))
    for kind in KINDS:
        # 改行を含む値はないので、行の数は見出しを除いたレコードの数。
        assert rows[kind] == (tmp_path / f"{kind}.csv").read_bytes().count(b"\n") - 1, kind
    assert rows["residents"] == 600
    assert seen[-1] == (600, 600)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_each_file_has_the_encoding_that_the_offices_send(world: World) -> None:
    data = {kind: (world.folder / f"{kind}.csv").read_bytes() for kind in KINDS}
    for kind in ("residents", "accounts"):
        assert data[kind].count(b"\r\n") == data[kind].count(b"\n") > 100
        data[kind].decode("cp932")
        with pytest.raises(UnicodeDecodeError):
            data[kind].decode("utf-8")
    assert data["taxes"].startswith(b"\xef\xbb\xbf")
    for kind in ("prior", "addresses", "protected", "braille"):
        assert not data[kind].startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data[kind]


@pytest.mark.parametrize("residents", [1, 37, 200, 1_000])
def test_a_small_ward_is_whole_too(residents: int, tmp_path: Path) -> None:
    assert make_ward(tmp_path, residents=residents, seed=3)["residents"] == residents
    facts = load(tmp_path)
    assert facts.residents.height == residents
    judged(facts)


def test_no_account_could_be_a_real_one(world: World) -> None:
    accounts = world.facts.accounts
    assert accounts.height > 5_000
    assert accounts["account_number"].str.starts_with("9").all()
    assert accounts["bank_code"].unique().to_list() == ["9999"]
    assert sorted(accounts["branch_code"].unique()) == [f"{number:03d}" for number in range(1, 21)]


# --- 区らしさ --------------------------------------------------------------------------------------------------------


def test_references_point_at_somebody(world: World) -> None:
    facts = world.facts
    people = set(facts.residents["person_number"])
    taxed = set(facts.taxes["person_number"])
    outside = taxed - people
    assert {f"{number:010d}"[0] for number in outside} == {"9"}
    assert not any(f"{number:010d}"[0] == "9" for number in people)
    assert set(facts.taxes["supporter_number"].drop_nulls()) <= people
    assert set(facts.accounts["person_number"]) <= people
    assert set(facts.protected["person_number"]) | set(facts.braille["person_number"]) <= people
    assert set(facts.addresses["person_number"]) <= people | outside
    living_outside = facts.addresses.filter(pl.col("kind") == "住登外")
    assert set(living_outside["person_number"]) == outside


def test_only_those_here_on_the_levy_date_have_a_tax_row(world: World) -> None:
    levied = world.facts.taxes.join(world.facts.residents, on="person_number")
    assert (levied["became_resident_on"] <= LEVY).all()
    gone = levied["removed_on"].drop_nulls()
    assert gone.len() > 100
    assert (gone > LEVY).all()


def test_households_look_like_households(world: World) -> None:
    by_home = world.facts.residents.group_by("household_number").agg(
        size=pl.len(),
        heads=(pl.col("relation") == "世帯主").sum(),
        places=pl.col("address").n_unique(),
    )
    assert set(by_home["size"]) >= {1, 2, 3, 4, 5, 6}
    assert (by_home["places"] == 1).all()
    # 世帯主がちょうど一人でない世帯は、わずか（HEAD の試し）。
    assert 0.002 < (by_home["heads"] != 1).mean() < 0.03  # type: ignore[operator]
    assert 1.7 < world.facts.residents.height / by_home.height < 2.3


def test_taxes_are_consistent_in_themselves(world: World) -> None:
    taxes = world.facts.taxes
    levy = pl.col("income_levy_ward_yen") + pl.col("income_levy_metro_yen")
    assert taxes.filter((levy > 0) & (pl.col("per_capita_levy_yen") == 0)).is_empty()
    assert taxes.filter((levy > 0) & (pl.col("taxable_income_yen") == 0)).is_empty()
    assert taxes.filter(pl.col("income_levy_after_cut_yen") > levy).is_empty()
    # 都民税は区民税の 2/3（100 円未満の切捨ての差まで。住宅ローン控除は、引いてからもう一度切り捨てる）。
    gap = (pl.col("income_levy_ward_yen") * 2 - pl.col("income_levy_metro_yen") * 3).abs()
    no_loan = pl.col("housing_credit_resident_yen") == 0
    assert taxes.filter(no_loan, gap > 300).is_empty()
    # 住民税まで届いた住宅ローン控除は、所得税を残さない。
    reached = taxes.filter(pl.col("housing_credit_resident_yen") > 0)
    assert reached.height > 20
    assert (reached["filed_income_tax_yen"].drop_nulls() == 0).all()
    # 扶養されている人は、扶養している人の人数に入っている。
    supported = taxes.filter(pl.col("supporter_number").is_not_null()).group_by("supporter_number").len()
    heads = supported.join(taxes, left_on="supporter_number", right_on="person_number")
    counted = (
        pl.col("dependants_16_and_over") + pl.col("dependants_under_16") + pl.col("same_living_spouse").cast(pl.Int64)
    )
    assert heads.height > 1_000
    assert heads.filter(pl.col("len") > counted).is_empty()


def test_the_shares_are_those_of_a_ward(world: World) -> None:
    found = counts(world.decisions, PROGRAMME)["給付種別と判定"]
    assert isinstance(found, dict)
    households = world.decisions.households.height
    assert 0.02 < (found["R6-1"]["対象"]["件数"] + found["R6-2"]["対象"]["件数"]) / households < 0.045
    assert 0.09 < found["R6-4"]["対象"]["件数"] / RESIDENTS < 0.13
    residents = world.facts.residents
    assert 0.10 < residents["residence_card_number"].is_not_null().mean() < 0.16  # type: ignore[operator]
    assert 0.004 < world.facts.protected.height / RESIDENTS < 0.007
    adults = residents.filter(pl.col("birth_latest") < date(2006, 6, 3))
    assert 0.40 < world.facts.accounts["person_number"].n_unique() / adults.height < 0.50


# --- 特別な事情 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECIAL)
def test_somebody_is_in_every_special_situation(world: World, name: str) -> None:
    assert not SPECIAL[name](world.facts).is_empty()


#: 検査がありうる二つの答え。契約 §2 の表で「–」の欄は、いつも 0。
NEVER = {
    "世帯 HEAD unmet", "世帯 TAX unknown", "世帯 TREATY unknown", "世帯 INQUIRY unmet", "世帯 DECLARED unmet",
    "児童 FACILITY unknown", "児童 PARENT unmet", "児童 CHILD_HEAD unmet", "児童 BIRTH unmet",
    *(f"納税者 {check} unknown" for check in ("LEVIED", "ALIVE", "CAP", "TAXPAYER", "SHORTFALL", "PAYEE")),
}  # fmt: skip


def test_every_check_removes_somebody_in_every_way_it_can(world: World) -> None:
    assert {name for name, count in numbers_removed(world.decisions).items() if count == 0} == NEVER


@pytest.mark.parametrize("seed", [1, 5, 99])
def test_so_it_is_whatever_the_seed(seed: int, tmp_path: Path) -> None:
    make_ward(tmp_path, residents=RESIDENTS, seed=seed)
    facts = load(tmp_path)
    assert {name for name, count in numbers_removed(judged(facts)).items() if count == 0} == NEVER
    assert [name for name, look in SPECIAL.items() if look(facts).is_empty()] == []


def test_accounts_agree_with_the_name_mostly_but_not_always(world: World) -> None:
    routes = Counter(world.decisions.outcomes.filter(pl.col("verdict") == "対象")["route"])
    assert set(routes) == {"PUSH", "CONFIRM", "WARD"}
    flags = world.decisions.outcomes.filter(pl.col("verdict") == "対象")
    assert set(flags["account_flag"]) == {"0", "1", "2", "3"}
    with_account = flags.filter(pl.col("account_flag") != "0", pl.col("route") != "WARD")
    assert 0.85 < (with_account["route"] == "PUSH").mean() < 0.99  # type: ignore[operator]


# --- 測るための大きな区 ----------------------------------------------------------------------------------------------


def test_the_big_ward_is_a_ward_and_no_number_is_used_twice(tmp_path: Path) -> None:
    size = 2 * COPY + 123
    write_big(tmp_path, size)
    facts = load(tmp_path)
    assert facts.residents.height == size
    assert facts.residents["person_number"].is_unique().all()
    # 組をまたぐ世帯はない: 世帯の人数は、一組の中の人数のまま。
    assert facts.residents.group_by("household_number").len()["len"].max() <= 8  # type: ignore[operator]
    assert facts.accounts.select("branch_code", "account_number").is_unique().mean() > 0.9  # type: ignore[operator]
    assert facts.accounts["account_number"].str.starts_with("9").all()
    outside = facts.taxes.join(facts.residents, on="person_number", how="anti")
    assert outside["person_number"].cast(pl.String).str.starts_with("9").all()
    assert set(facts.taxes["supporter_number"].drop_nulls()) <= set(facts.residents["person_number"])
    decisions = judged(facts)
    eligible = (decisions.outcomes["verdict"] == "対象").sum()
    assert 0.11 < eligible / size < 0.16
    first = {kind: (tmp_path / f"{kind}.csv").read_bytes() for kind in KINDS}
    write_big(tmp_path, size)
    assert {kind: (tmp_path / f"{kind}.csv").read_bytes() for kind in KINDS} == first
