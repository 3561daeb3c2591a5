"""調整給付（契約 §2、benefit-rules B.6 の計算例 E1〜E23、B.4 の速算表の境目）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from benefit.rules.income_tax import quick_tax
from tests.rules.make import PROGRAMME, Ward

assert PROGRAMME.adjustment is not None
QUICK_TABLE = PROGRAMME.adjustment.quick_table


@pytest.mark.parametrize(
    ("base", "tax"),
    [
        (0, 0), (1_000, 50), (1_949_000, 97_450), (1_950_000, 97_500), (3_299_000, 232_400), (3_300_000, 232_500),
        (6_949_000, 962_300), (6_950_000, 962_500), (8_999_000, 1_433_770), (9_000_000, 1_434_000),
        (17_999_000, 4_403_670), (18_000_000, 4_404_000), (39_999_000, 13_203_600), (40_000_000, 13_204_000),
    ],
)  # fmt: skip
def test_the_quick_table_at_each_bracket(base: int, tax: int) -> None:
    assert pl.DataFrame({"b": [base]}).select(quick_tax(pl.col("b"), QUICK_TABLE)).item() == tax


def row(taxable: int, difference: int, ward: int, metro: int, **more: Any) -> dict[str, Any]:
    return {
        "taxable_income_yen": taxable,
        "deduction_difference_yen": difference,
        "income_levy_ward_yen": ward,
        "income_levy_metro_yen": metro,
        "total_income_yen": 2_000_000,
        **more,
    }


SPOUSE = {"same_living_spouse": True, "deductible_spouse": True}
EXAMPLES = {
    "E1": (row(810_000, 50_000, 47_100, 31_400), 0),
    "E2": (row(320_000, 50_000, 17_700, 11_800), 20_000),
    "E3": (row(1_400_000, 100_000, 81_000, 54_000, dependants_under_16=2, **SPOUSE), 60_000),
    "E4": (
        row(620_000, 330_000, 27_300, 18_200, dependants_under_16=1, dependants_16_and_over=2, **SPOUSE), 140_000,
    ),
    "E5": (row(649_000, 50_000, 37_400, 24_900), 10_000),
    "E6": (row(650_000, 50_000, 37_500, 25_000), 0),
    # E7: 住民税側で住宅ローン控除が使われている（残りが住民税に回った）ので、所得税は 0。
    "E7": (
        row(2_050_000, 100_000, 84_000, 56_000, housing_credit_available_yen=160_000,
            housing_credit_resident_yen=62_500, **SPOUSE), 60_000,
    ),
    "E8": (row(380_000, 250_000, 15_300, 10_200, dependants_16_and_over=2, dependants_overseas=2), 30_000),
    "E9": (row(1_140_000, 100_000, 66_900, 44_600, dependants_under_16=2), 40_000),
    "E10": (row(1_140_000, 100_000, 66_900, 44_600), 0),
    "E11": (
        row(0, 0, 0, 0, filed_income_tax_yen=17_000, per_capita_levy_yen=4_000, dependants_under_16=1, **SPOUSE),
        110_000,
    ),
    "E12": (row(50_000, 50_000, 1_500, 1_000), 40_000),
    "E13": (row(240_000, 150_000, 9_900, 6_600, **SPOUSE), 60_000),
    "E14": (row(770_000, 50_000, 44_700, 29_800, total_income_yen=10_200_000, same_living_spouse=True), 30_000),
    # E15: benefit-rules は方針次第とするが、契約は 賦課区分 だけを見る。所得割 0 で所得税があれば対象（契約が勝つ）。
    "E15": (row(0, 0, 0, 0, filed_income_tax_yen=27_500), 20_000),
    "E16": (row(648_000, 50_000, 37_300, 24_900), 10_000),
    "E17": (row(770_000, 50_000, 44_700, 29_800, total_income_yen=18_050_000, same_living_spouse=True), 30_000),
    "E17 +1": (row(770_000, 50_000, 44_700, 29_800, total_income_yen=18_050_001, same_living_spouse=True), 0),
    "E18": (row(0, 50_000, 0, 0, per_capita_levy_yen=4_000), 0),
    # E22・E23: 抽出データの人数と税額で決まる。後から生まれた子も修正申告も、ここでは数えない。
    "E22": (row(1_400_000, 100_000, 81_000, 54_000, dependants_under_16=2, **SPOUSE), 60_000),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_worked_examples(name: str) -> None:
    tax, amount = EXAMPLES[name]
    ward = Ward()
    ward.person(tax=tax)
    found = ward.taxpayer(1)
    assert found["amount_yen"] == amount
    assert (found["verdict"] == "対象") is (amount > 0)


def test_e19_who_moved_away_before_the_base_date_is_paid_here() -> None:
    ward = Ward()
    ward.person(tax=EXAMPLES["E3"][0], removed_on=date(2024, 3, 10), removed_reason="転出")
    found = ward.taxpayer(1)
    assert (found["amount_yen"], found["household_number"]) == (60_000, None)


def test_e20_who_moved_in_without_a_levy_here_has_no_row() -> None:
    ward = Ward()
    ward.person(tax=None, became_resident_on=date(2024, 3, 10))
    assert ward.decide().taxpayers.is_empty()


@pytest.mark.parametrize(
    ("died", "today", "amount"),
    [
        (date(2024, 5, 20), date(2024, 6, 20), 0),
        (date(2024, 8, 10), date(2024, 8, 9), 20_000),
        # 契約は判定の日だけを見る。受付の後に亡くなった人の相続人への支払いは、支給の側の仕事である。
        (date(2024, 8, 10), date(2024, 8, 10), 0),
    ],
)
def test_e21_the_dead_are_not_paid(died: date, today: date, amount: int) -> None:
    ward = Ward()
    ward.person(tax=EXAMPLES["E2"][0], removed_on=died, removed_reason="死亡")
    assert ward.taxpayer(1, today)["amount_yen"] == amount


def test_the_sum_is_rounded_once() -> None:
    # E13: 別々に切り上げれば 70,000 になる。
    ward = Ward()
    ward.person(tax=EXAMPLES["E13"][0])
    found = ward.taxpayer(1)
    assert (found["shortfall_income_tax_yen"], found["shortfall_resident_tax_yen"]) == (55_500, 3_500)


@pytest.mark.parametrize(
    ("given", "engine", "tax"),
    [
        ({"estimated_income_tax_yen": 0, "filed_income_tax_yen": 99_999}, "NATIONAL_TOOL", 0),
        ({"filed_income_tax_yen": 0}, "FILED_RETURN", 0),
        ({}, "EST-1/2024", 38_000),
        ({"housing_credit_available_yen": 8_000}, "EST-1/2024", 30_000),
        ({"housing_credit_available_yen": 99_000}, "EST-1/2024", 0),
        ({"separate_income_tax_yen": 15_000}, "EST-1/2024", 53_000),
        ({"housing_credit_resident_yen": 1, "separate_income_tax_yen": 15_000}, "EST-1/2024", 0),
    ],
)
def test_the_income_tax_comes_from_the_best_source_and_zero_is_not_blank(
    given: dict[str, Any], engine: str, tax: int
) -> None:
    ward = Ward()
    ward.person(tax=row(810_000, 50_000, 47_100, 31_400, **given))
    found = ward.taxpayer(1)
    assert (found["income_tax_engine"], found["income_tax_yen"]) == (engine, tax)


@pytest.mark.parametrize(("kind", "eligible"), [("住所", True), ("住登外", True), ("家屋敷", False)])
def test_only_who_the_ward_levies_on_residence(kind: str, eligible: bool) -> None:
    ward = Ward()
    ward.tax(9_000_000_001, levy_kind=kind, **row(320_000, 50_000, 17_700, 11_800))
    found = ward.taxpayer(9_000_000_001)
    assert (found["verdict"] == "対象") is eligible
    assert found["LEVIED"] is eligible


@pytest.mark.parametrize(
    ("died", "reasons"),
    [
        (date(2024, 6, 3), "ALIVE;PAYEE"),
        (date(2024, 6, 4), "PAYEE"),
        (date(2024, 6, 20), "PAYEE"),
        (date(2024, 6, 21), ""),
    ],
)
@pytest.mark.parametrize("source", ["residents", "taxes"])
def test_the_dead_are_found_in_either_extract(died: date, reasons: str, source: str) -> None:
    ward = Ward()
    tax = row(320_000, 50_000, 17_700, 11_800, died_on=died if source == "taxes" else None)
    gone = {"removed_on": died, "removed_reason": "死亡"} if source == "residents" else {}
    ward.person(tax=tax, **gone)
    assert ward.taxpayer(1)["reasons"] == reasons


def test_relief_and_treaty_play_no_part_and_leavers_stay_in() -> None:
    ward = Ward()
    ward.person(
        tax=row(320_000, 50_000, 17_700, 11_800, treaty_exempt=True, ordinance_relief="全部"),
        removed_on=date(2024, 2, 1),
        removed_reason="転出",
    )
    assert ward.taxpayer(1)["amount_yen"] == 20_000


def test_every_unmet_check_is_named_in_order() -> None:
    ward = Ward()
    ward.tax(5, levy_kind="家屋敷", total_income_yen=99_000_000, died_on=date(2024, 1, 5), estimated_income_tax_yen=0)
    assert ward.taxpayer(5)["reasons"] == "LEVIED;ALIVE;CAP;TAXPAYER;PAYEE"
