"""調整給付: 住民税の行ごとに一回（契約 §2 Adjustment R6-4、benefit-rules B.1〜B.4）。"""

from __future__ import annotations

from benefit.domain.programme_parts import AdjustmentTerms
from benefit.second.judged import Answers
from benefit.second.ward_rows import Row, WardRows


def quick_table(terms: AdjustmentTerms, base: int) -> int:
    """速算表。下限の高い順に見て、最初に届いた段。どの段にも届かなければ 0。"""
    for lowest, percent, deduction in terms.quick_table:
        if base >= lowest:
            return base * percent // 100 - deduction
    return 0


def income_tax_yen(terms: AdjustmentTerms, tax: Row) -> int:
    """IT: 国の算定ツールの答え、なければ確定申告、なければ EST-1。1.021 は掛けない。"""
    for given in ("estimated_income_tax_yen", "filed_income_tax_yen"):
        if tax[given] is not None:
            return int(tax[given])
    if tax["housing_credit_resident_yen"] > 0:
        return 0
    taxable = tax["taxable_income_yen"] - tax["deduction_difference_yen"]
    base = taxable - taxable % 1000 if taxable > 0 else 0
    whole = quick_table(terms, base) + int(tax["separate_income_tax_yen"])
    left: int = whole - (tax["housing_credit_available_yen"] or 0)
    return left if left > 0 else 0


def rounded_up(yen: int, unit: int) -> int:
    """切り上げ。"""
    over = yen % unit
    return yen - over + unit if over else yen


def adjustment(ward: WardRows, tax: Row) -> tuple[Answers, int]:
    """検査の答え（契約の文の順）と、対象のときの額。"""
    terms = ward.programme.adjustment
    assert terms is not None
    number = tax["person_number"]
    income_tax = income_tax_yen(terms, tax)
    resident_tax = tax["income_levy_ward_yen"] + tax["income_levy_metro_yen"]
    family = 1 + tax["dependants_16_and_over"] + tax["dependants_under_16"] - tax["dependants_overseas"]
    n_sho = n_ju = family
    if not tax["spouse_overseas"]:
        n_sho += 1 if tax["same_living_spouse"] else 0
        n_ju += 1 if tax["deductible_spouse"] else 0
    a = max(0, terms.income_tax_unit_yen * n_sho - income_tax)
    b = max(0, terms.resident_tax_unit_yen * n_ju - resident_tax)
    # K3: 所得割が 0 の人の住民税分を数えない事業がある。
    if terms.zero_levy == "NONE" and resident_tax == 0:
        b = 0
    # K4: 均等割も所得割もなく、所得税だけがある人を入れない事業がある。
    non_levied = resident_tax == 0 and tax["per_capita_levy_yen"] == 0
    pays_income_tax = income_tax > 0 and not (non_levied and terms.non_levied == "EXCLUDE")
    answers = {
        "LEVIED": tax["levy_kind"] in ("住所", "住登外"),
        "ALIVE": not ward.is_dead(number, ward.programme.base_date),
        "CAP": tax["total_income_yen"] <= terms.income_cap_yen,
        "TAXPAYER": pays_income_tax or resident_tax > 0,
        "SHORTFALL": a + b > 0,
        "PAYEE": not ward.is_dead(number, ward.today) or ("納税者", number) in ward.new_payees,
    }
    return answers, rounded_up(a + b, terms.rounding_yen)
