"""速い規則（Polars、集合の計算）は、契約を一人ずつ書き下した答えと、どの組み合わせでも一致する。

見本の区（ward-3k）にない組み合わせ、たとえば世帯主が二人いる世帯の子どもも、ここで出会う。種は試験の名前に出る。
"""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest

from benefit.second.evaluate import evaluate
from tests.rules.make import PROGRAMME, TODAY, Ward, birth_range
from tests.second.invented import invented

DAY = timedelta(days=1)
BASE = PROGRAMME.base_date


def found(ward: Ward, today: date) -> set[tuple[object, ...]]:
    columns = ["subject_kind", "subject_number", "benefit", "verdict", "reasons", "amount_yen", "payee_number"]
    outcomes = ward.decide(today).outcomes
    assert not outcomes.select("subject_kind", "subject_number").is_duplicated().any()
    return set(outcomes.select(*columns, "route", "account_flag").iter_rows())


@pytest.mark.parametrize("today", [TODAY, BASE, TODAY + DAY])
@pytest.mark.parametrize("seed", range(8))
def test_the_set_based_rules_agree_with_the_contract_read_person_by_person(seed: int, today: date) -> None:
    ward = invented(seed, PROGRAMME, today)
    ours, plain = found(ward, today), set(evaluate(ward.rows, PROGRAMME, today))
    assert sorted(map(str, ours - plain)) == sorted(map(str, plain - ours)) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_rows_and_an_unrelated_household_change_nothing(seed: int) -> None:
    ward = invented(seed, PROGRAMME, TODAY)
    before = found(ward, TODAY)
    for rows in ward.rows.values():
        random.Random(seed).shuffle(rows)
    assert found(ward, TODAY) == before
    stranger = ward.person(888_888, number=8_888_888_888, tax={"filed_income_tax_yen": 5_000})
    ward.add("protected", person_number=stranger, kind="DV")
    ward.add(
        "prior", benefit_name="7万円", household_number=888_888, person_number=stranger, relation="世帯主",
        state="支給済",
    )  # fmt: skip
    assert {row[1] for row in found(ward, TODAY) ^ before} == {888_888, stranger}
    assert found(ward, TODAY) > before


def test_the_invented_wards_meet_every_verdict_route_and_check() -> None:
    met: set[str] = set()
    for seed in range(8):
        for row in found(invented(seed, PROGRAMME, TODAY), TODAY):
            met |= {
                row[2],
                row[3],
                str(row[7]),
                str(row[8]),
                *(f"{row[0]} {row[3]} {one}" for one in row[4].split(";")),
            }
    assert met >= {"R6-1", "R6-2", "R6-3", "R6-4", "R6-H", "対象", "未確定", "対象外", "WARD", "PUSH", "CONFIRM"}
    assert met >= set("0123")
    for unmet in ("PAYEE", "TAX", "TREATY", "ENTRANT", "PRIOR", "DEPENDANTS"):
        assert f"世帯 対象外 {unmet}" in met
    for unknown in ("HEAD", "PAYEE", "ENTRANT", "INQUIRY", "DECLARED", "PRIOR", "DEPENDANTS"):
        assert f"世帯 未確定 {unknown}" in met
    assert met >= {"児童 対象外 FACILITY", "児童 未確定 PARENT", "児童 未確定 CHILD_HEAD", "児童 未確定 BIRTH"}
    for unmet in ("LEVIED", "ALIVE", "CAP", "TAXPAYER", "SHORTFALL", "PAYEE"):
        assert f"納税者 対象外 {unmet}" in met


def test_the_quick_table_is_the_progressive_tax_at_every_thousand_yen() -> None:
    from benefit.rules.income_tax import quick_tax

    bases = list(range(0, 45_000_000, 37_000)) + [b + d for b in (1_950_000, 3_300_000, 40_000_000) for d in (-1000, 0)]
    assert pl.DataFrame({"b": bases}).select(
        quick_tax(pl.col("b"), PROGRAMME.adjustment.quick_table)
    ).to_series().to_list() == [progressive(base) for base in bases]


def test_birth_ranges_in_the_invented_wards_are_what_unknown_days_leave_open() -> None:
    assert birth_range("2006-04-00") == (date(2006, 4, 1), date(2006, 4, 30))
    assert birth_range("2008-00-00") == (date(2008, 1, 1), date(2008, 12, 31))
    assert birth_range("2008-12-00") == (date(2008, 12, 1), date(2008, 12, 31))


def progressive(base: int) -> int:
    """所得税を、段ごとの率で積み上げる（速算表の控除額を使わない、別の道）。"""
    steps = [0, 1_950_000, 3_300_000, 6_950_000, 9_000_000, 18_000_000, 40_000_000, 10**12]
    rates = [5, 10, 20, 23, 33, 40, 45]
    return sum(
        max(0, min(base, upper) - lower) * rate // 100
        for lower, upper, rate in zip(steps, steps[1:], rates, strict=False)
    )
