"""T15: 間違った口座の行は、一つも支給可にならない。正しい口座は、書き方が揺れても通る（reliability P15）。

組の数は BENEFIT_T15 で増やせる。
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import polars as pl
import pytest

from benefit.records.bank_master import BankMaster
from benefit.services import judgment_accounts
from benefit.services.transfer_lines import ACCOUNT
from tests.money.pairs import RIGHT, WEAK, WRONG, Pair, Way, half_width, person
from tests.money.tiled import FIRST_PERSON, judged, planned, tiled
from tests.services.conftest import Office

PAIRS = int(os.environ.get("BENEFIT_T15", "20000"))
pytestmark = pytest.mark.parametrize("office", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def banks() -> BankMaster:
    return BankMaster.installed().with_test_bank()


def accounts_of(pairs: list[Pair]) -> dict[str, list[str]]:
    """口座の五列。番号を言わない組は、ほかの誰とも重ならない番号になる。"""
    return {
        "bank_code": [pair.bank for pair in pairs],
        "branch_code": [pair.branch for pair in pairs],
        "account_type": [pair.kind for pair in pairs],
        "account_number": [pair.number or f"{9_000_000 + at:07d}" for at, pair in enumerate(pairs)],
        "holder_kana": [pair.holder for pair in pairs],
    }


def draw(ways: tuple[Way, ...], count: int, rng: random.Random) -> tuple[list[str], list[Pair]]:
    chosen = [ways[at % len(ways)] for at in range(count)]
    return [way.__name__ for way in chosen], [way(person(rng), rng) for way in chosen]


def verdicts(office: Office, banks: BankMaster, pairs: list[Pair], words: list[str]) -> pl.DataFrame:
    standing = tiled(office, [pair.kana_name for pair in pairs])
    done = judged(office, standing, planned(standing, accounts_of(pairs)), banks)
    return done.select("verdict", "checks").with_columns(way=pl.Series(words), at=pl.int_range(pl.len()))


def by_way(found: pl.DataFrame) -> dict[str, set[str]]:
    return {way: set(group["verdict"]) for (way,), group in found.group_by("way")}


def test_no_wrong_account_passes(office: Office, banks: BankMaster, rng: random.Random) -> None:
    """知らない人、家族、一字違い、濁点なし、法人、ない店、違う種目と桁、直していない記号番号。"""
    words, pairs = draw(WRONG, PAIRS // 2, rng)
    found = verdicts(office, banks, pairs, words)
    assert found.filter(pl.col("verdict") == "支給可").height == 0, by_way(found)
    # 眠っていないこと: 名義の違いは保留、口座の形の違いは不可。
    told = by_way(found)
    assert told["a_stranger"] == told["a_family_member"] == told["one_letter_off"] == {"保留"}
    assert told["a_closed_branch"] == told["yucho_not_converted"] == told["six_digits"] == {"不可"}


def test_every_right_account_passes_however_it_is_written(
    office: Office, banks: BankMaster, rng: random.Random
) -> None:
    words, pairs = draw(RIGHT, PAIRS * 3 // 10, rng)
    found = verdicts(office, banks, pairs, words)
    wrong = found.filter(pl.col("verdict") != "支給可")
    print(f"正しい口座の通った割合: {1 - wrong.height / found.height:.4%}")
    # ゆうちょの番号は乱数なので、ほかの世帯と同じ口座に当たることがある（保留が正しい）。
    assert wrong.filter(~pl.col("checks").str.contains("CHK82")).height == 0, by_way(found)
    assert wrong.height < found.height / 100


def test_a_weak_agreement_is_paid_and_listed(office: Office, banks: BankMaster, rng: random.Random) -> None:
    words, pairs = draw(WEAK, max(100, PAIRS // 50), rng)
    found = verdicts(office, banks, pairs, words)
    readable = found.filter(~pl.col("checks").str.contains("CHK80"))
    assert set(readable["verdict"]) == {"支給可"}
    assert readable["checks"].str.contains("CHK81").all()


def test_an_account_shared_by_households_is_held_even_when_the_names_agree(
    office: Office, banks: BankMaster, rng: random.Random
) -> None:
    """同姓同名の二人に同じ口座（神奈川県）。名義は一致するので、口座の重なりだけが止める。"""
    count = PAIRS // 10
    names = [name for name in (person(rng) for _ in range(count // 2)) for _twice in range(2)]
    pairs = [Pair(name, half_width(name), number=f"{9_100_000 + at // 2:07d}") for at, name in enumerate(names)]
    found = verdicts(office, banks, pairs, ["shared"] * len(pairs))
    assert set(found["verdict"]) == {"保留"}
    assert found["checks"].str.contains("CHK82").all()


def shifted(pairs: list[Pair], by: int) -> dict[str, list[str]]:
    """口座の五列だけが、`by` 行ずれた表（表計算で一列だけ並べ替えた）。"""
    return {name: [*column[by:], *column[:by]] for name, column in accounts_of(pairs).items()}


def test_accounts_shifted_by_rows_are_held(office: Office, banks: BankMaster, rng: random.Random) -> None:
    """いわき市: 一行ずれた口座。隣と同姓同名の人だけは、名義では分からない（口座は一つも重ならない）。"""
    count, by = PAIRS // 10, rng.randrange(1, 4)
    pairs = [Pair(name, name) for name in (person(rng) for _ in range(count))]
    standing = tiled(office, [pair.kana_name for pair in pairs])
    found = judged(office, standing, planned(standing, shifted(pairs, by)), banks)["verdict"]
    names = [pair.kana_name for pair in pairs]
    other = [names[at] != names[(at + by) % count] for at in range(count)]
    assert Counter(found.filter(pl.Series(other)).to_list()) == {"保留": sum(other)}


def ward_accounts(names: list[str], rng: random.Random) -> pl.DataFrame:
    """区の持つ公金受取口座。並びは人の並びと違う。"""
    order = list(range(len(names)))
    rng.shuffle(order)
    return pl.DataFrame(
        {
            "person_number": [FIRST_PERSON + at for at in order],
            "account_kind": ["公金受取"] * len(names),
            "bank_code": ["9999"] * len(names),
            "branch_code": ["101"] * len(names),
            "account_type": ["1"] * len(names),
            "account_number": [f"{9_000_000 + at:07d}" for at in order],
            "holder_kana": [half_width(names[at]) for at in order],
        }
    )


def filled(office: Office, banks: BankMaster, rng: random.Random, count: int) -> tuple[list[str], pl.DataFrame]:
    """委託先が口座を書かない行（口座フラグ 3）に、区が口座を入れて判定する。"""
    names = [person(rng) for _ in range(count)]
    standing = tiled(office, names, flag="3", accounts=ward_accounts(names, rng))
    return names, judged(office, standing, planned(standing, flag="3"), banks)


def test_the_ward_fills_each_row_with_the_account_of_that_person(
    office: Office, banks: BankMaster, rng: random.Random
) -> None:
    names, found = filled(office, banks, rng, PAIRS // 10)
    assert found["account_number"].to_list() == [f"{9_000_000 + at:07d}" for at in range(len(names))]
    assert found["holder_kana"].to_list() == [half_width(name) for name in names]
    assert not found["checks"].str.contains("CHK8").any()


def test_joining_the_accounts_by_row_order_would_be_found(
    office: Office, banks: BankMaster, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 口座を人の番号でなく、並びの順で結ぶ。"""

    def by_row_order(rows: pl.DataFrame, standing: Any) -> pl.DataFrame:
        own = standing.inputs.facts.accounts.select(ACCOUNT)
        return rows.drop(ACCOUNT).hstack(own).with_columns(account_differs=pl.lit(value=False))

    monkeypatch.setattr(judgment_accounts, "_fill_ward_accounts", by_row_order)
    names, found = filled(office, banks, rng, 500)
    assert found["account_number"].to_list() != [f"{9_000_000 + at:07d}" for at in range(len(names))]
    # 誤りがあっても、名義の検査がほとんどを止める（二つ目の守り）。
    assert found["checks"].str.contains("CHK81").sum() > 400


def test_judging_without_the_kana_check_would_be_found(
    office: Office, banks: BankMaster, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 名義を見ない。"""
    monkeypatch.setattr(judgment_accounts, "agrees", lambda *_given: pl.lit(value=True))
    words, pairs = draw(WRONG, 480, rng)
    passed = verdicts(office, banks, pairs, words).filter(pl.col("verdict") == "支給可")["way"]
    assert {"a_stranger", "a_family_member", "one_letter_off", "marks_lost"} <= set(passed)
