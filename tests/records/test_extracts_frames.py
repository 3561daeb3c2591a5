"""抽出データの写しの形: 規則が頼る名前と型、見本の区、仕様書の印字。"""

from __future__ import annotations

import polars as pl
import pytest

from benefit.records import extracts
from benefit.records.extracts import TABLES
from tests.conftest import WARD_3K
from tests.records.extract_samples import GOOD, read


@pytest.mark.parametrize("kind", ["residents", "taxes", "prior", "accounts", "protected", "braille"])
def test_the_sample_ward_is_read_without_one_reject(kind: str) -> None:
    data = (WARD_3K / f"{kind}.csv").read_bytes()
    found = extracts.read(TABLES[kind], data, file_name=f"{kind}.csv")
    assert (found.rows_rejected, found.warnings) == (0, ())
    assert found.rows_kept == len(data.splitlines()) - 1
    assert found.frame["line"].to_list() == list(range(2, found.rows_kept + 2))


INTEGER, TEXT, DAY, YES = pl.Int64, pl.String, pl.Date, pl.Boolean


def test_the_typed_frames_have_exactly_the_names_and_types_the_rules_rely_on() -> None:
    said = {kind: dict(read(kind, {}).frame.schema) for kind in GOOD}
    whole = {"person_number", "household_number", "levy_year", "dependants_16_and_over", "dependants_under_16",
             "dependants_overseas", "supporter_number", "n_income_tax", "n_resident_tax", "line"}  # fmt: skip
    days = {"birth_earliest", "birth_latest", "became_resident_on", "removed_on", "died_on"}
    flags = {"same_living_spouse", "deductible_spouse", "spouse_overseas", "treaty_exempt", "supporter_outside",
             "family_worker", "dependant", "low_income_target", "abroad_on_levy_date"}  # fmt: skip
    for schema in said.values():
        for name, dtype in schema.items():
            expected = (
                INTEGER
                if name in whole or name.endswith("_yen")
                else DAY
                if name in days
                else YES
                if name in flags
                else TEXT
            )
            assert dtype == expected, name
    assert list(said["residents"]) == [
        "person_number", "household_number", "residence_card_number", "postal_code", "address", "address2", "name",
        "kana_name", "former_name", "birth", "birth_earliest", "birth_latest", "relation", "became_resident_on",
        "became_resident_reason", "levy_date_municipality", "removed_on", "removed_reason", "line",
    ]  # fmt: skip
    assert list(said["taxes"]) == [
        "person_number", "levy_year", "levy_kind", "declaration", "per_capita_levy_yen", "income_levy_ward_yen",
        "income_levy_metro_yen", "income_levy_after_cut_yen", "total_income_yen", "gross_income_yen",
        "taxable_income_yen", "deduction_difference_yen", "separate_income_tax_yen", "housing_credit_available_yen",
        "housing_credit_resident_yen", "filed_income_tax_yen", "estimated_income_tax_yen", "same_living_spouse",
        "deductible_spouse", "spouse_overseas", "dependants_16_and_over", "dependants_under_16", "dependants_overseas",
        "treaty_exempt", "ordinance_relief", "supporter_number", "supporter_outside", "died_on", "line",
    ]  # fmt: skip
    account = ["bank_code", "branch_code", "account_type", "account_number", "holder_kana", "line"]
    assert list(said["accounts"]) == ["person_number", "account_kind", *account]
    assert list(said["account_answers"]) == ["inquiry_number", "person_number", "registered", *account]
    assert list(said["prior"]) == ["benefit_name", "household_number", "person_number", "relation", "state", "line"]
    assert list(said["addresses"]) == [
        "person_number", "kind", "name", "kana_name", "postal_code", "address", "address2", "line",
    ]  # fmt: skip
    assert list(said["tax_answers"]) == [
        "inquiry_number", "person_number", "answer", "per_capita_levy_yen", "income_levy_before_cut_yen",
        "income_levy_after_cut_yen", "treaty_exempt", "line",
    ]  # fmt: skip


def test_the_declaration_prints_its_own_specification() -> None:
    printed = TABLES["taxes"].specification()
    assert printed.count("\n| ") == len(TABLES["taxes"].columns) + 1
    assert "| 賦課区分 | 言葉（一覧から） | 住所、住登外、家屋敷 |" in printed
    assert "重なってはならないもの: 宛名番号" in printed
