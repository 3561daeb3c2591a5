"""方針の言葉ごとの答えと、outcomes.csv には載らないが、説明・目を通す一覧・手紙が頼る列。"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from benefit.domain.programme import Programme
from benefit.rules.counts import counts
from benefit.rules.household_benefits import household_checks
from benefit.rules.outcomes import Decisions, decide
from tests.rules.make import LIGHT, PROGRAMME, TAXED, TODAY, Ward
from tests.second.programmes import town

ENTRANT: dict[str, Any] = {"became_resident_on": TODAY.replace(month=2), "became_resident_reason": "国外転入"}


def with_policy(**words: str) -> Programme:
    assert PROGRAMME.household is not None
    return replace(PROGRAMME, household=replace(PROGRAMME.household, **words))  # type: ignore[arg-type]


def household(ward: Ward, programme: Programme, number: int = 1) -> dict[str, Any]:
    found = decide(ward.facts(), programme, TODAY).households.filter(pl.col("household_number") == number)
    return found.row(0, named=True)


def test_where_entrants_are_not_looked_at_they_count_as_people_without_tax() -> None:
    ward = Ward()
    ward.person(1)
    ward.person(1, relation="妻", tax=None, **ENTRANT)
    ward.person(2)
    ward.person(2, relation="妻", tax=None, **ENTRANT)
    ward.person(2, relation="子", tax=LIGHT)
    ignored = with_policy(entrants="IGNORE")
    assert [household(ward, ignored, n)["benefit"] for n in (1, 2)] == ["R6-1", "R6-2"]
    assert [household(ward, PROGRAMME, n)["verdict"] for n in (1, 2)] == ["未確定", "未確定"]
    assert household(ward, with_policy(entrants="EXCLUDE_IF_ANY"))["reasons"] == "ENTRANT"


@pytest.mark.parametrize("policy", ["PER_CAPITA_LEVY", "INCOME_LEVY"])
@pytest.mark.parametrize(
    ("supporter", "met"),
    [
        ("X", (True, True)),
        ("N", (True, True)),
        ("0", (True, True)),
        ("1", (None, True)),
        ("2", (None, None)),
    ],
)
def test_one_supporter_known_not_to_be_taxed_saves_the_household(
    policy: str, supporter: str, met: tuple[bool | None, bool | None]
) -> None:
    """もう一人の扶養者は区外にいて分からない。均等割で見る事業と、所得割で見る事業。"""
    ward = Ward()
    taxes: dict[str, Any] = {"X": {"treaty_exempt": True}, "0": {}, "1": LIGHT, "2": TAXED}
    entered = ENTRANT if supporter == "N" else {}
    by = ward.person(9, tax=taxes.get(supporter), **entered)
    ward.person(1, tax={"supporter_number": by})
    ward.person(1, relation="妻", tax={"supporter_outside": True})
    answer = household(ward, with_policy(supporter=policy))["DEPENDANTS"]
    assert answer is met[policy == "INCOME_LEVY"]


def test_the_two_household_benefits_have_their_own_amounts() -> None:
    light = replace(PROGRAMME.benefits["R6-2"], amount_yen=70_000)
    programme = replace(PROGRAMME, benefits={**PROGRAMME.benefits, "R6-2": light})
    ward = Ward()
    ward.person(1)
    ward.person(2, tax=LIGHT)
    assert [household(ward, programme, n)["amount_yen"] for n in (1, 2)] == [100_000, 70_000]


def test_the_tax_check_says_what_the_programme_looks_at() -> None:
    (ours,) = [check.says for check in household_checks(PROGRAMME) if check.id == "TAX"]
    (towns,) = [check.says for check in household_checks(town()) if check.id == "TAX"]
    assert "均等割" not in ours
    assert "均等割" in towns
    assert [check.id for check in household_checks(town())] == [check.id for check in household_checks(PROGRAMME)]


@pytest.mark.parametrize(
    ("tax", "non_levied"),
    [
        ({"filed_income_tax_yen": 1}, True),
        ({"filed_income_tax_yen": 0}, False),
        ({"filed_income_tax_yen": 1, "per_capita_levy_yen": 1}, False),
        ({"filed_income_tax_yen": 1, "income_levy_metro_yen": 1}, False),
    ],
)
def test_the_non_levied_who_pay_income_tax_are_marked_for_the_list(tax: dict[str, Any], non_levied: bool) -> None:
    ward = Ward()
    person = ward.person(1, tax=tax)
    assert ward.taxpayer(person)["non_levied"] is non_levied


def test_the_estimate_is_kept_beside_a_better_source() -> None:
    ward = Ward()
    person = ward.person(1, tax={"filed_income_tax_yen": 5_000, "taxable_income_yen": 600_000})
    row = ward.taxpayer(person)
    assert (row["income_tax_yen"], row["income_tax_shadow_yen"], row["income_tax_engine"]) == (
        5_000, 30_000, "FILED_RETURN",
    )  # fmt: skip


def _account(ward: Ward, person: int, kind: str, holder: str) -> None:
    ward.add(
        "accounts", person_number=person, account_kind=kind, bank_code="9999", branch_code="001", account_type="1",
        account_number="9000001", holder_kana=holder,
    )  # fmt: skip


def routed() -> Decisions:
    ward = Ward()
    agreed, other, out = ward.person(1), ward.person(2), ward.person(3, tax=TAXED)
    _account(ward, agreed, "過去給付", "ｼｹﾝ ﾀﾛｳ")
    _account(ward, other, "公金受取", "ﾍﾞﾂｼﾞﾝ")
    _account(ward, out, "過去給付", "ｼｹﾝ ﾀﾛｳ")
    return ward.decide()


def test_the_account_kind_and_the_agreement_are_kept_for_eligible_rows_only() -> None:
    decisions = routed()
    shown = decisions.households.sort("household_number").select("account_kind", "name_agrees", "account_flag").rows()
    assert shown == [("過去給付", True, "2"), ("公金受取", False, "3"), (None, None, None)]
    agrees = decisions.outcomes.filter(pl.col("subject_kind") == "世帯").sort("subject_number")["name_agrees"]
    assert agrees.to_list() == [True, False, None]


def test_the_last_line_of_the_addresses_gives_the_name_whatever_the_order() -> None:
    ward = Ward()
    ward.tax(9_000_000_001, filed_income_tax_yen=1_000)
    _account(ward, 9_000_000_001, "過去給付", "ｼｹﾝ ﾀﾛｳ")
    for line, kana in ((9, "シケン　タロウ"), (3, "ベツジン")):
        ward.rows["addresses"].append({"line": line, "person_number": 9_000_000_001, "kind": "住登外", "kana_name": kana})  # fmt: skip
    assert ward.taxpayer(9_000_000_001)["route"] == "PUSH"
    ward.rows["addresses"].reverse()
    assert ward.taxpayer(9_000_000_001)["route"] == "PUSH"


def test_a_child_marked_twice_is_one_child() -> None:
    ward = Ward()
    ward.person(1)
    child = ward.person(1, relation="子", birth="2015-05-05", tax=None)
    for _ in range(2):
        ward.add("protected", person_number=child, kind="児童施設")
    children = ward.decide().children
    assert children.select("person_number", "reasons").rows() == [(child, "FACILITY")]


def test_the_numbers_are_told_in_order() -> None:
    ward = Ward()
    for number in range(1, 40):
        ward.person(number, tax=[TAXED, LIGHT, {}, {"declaration": "未申告"}][number % 4])
    found: Any = counts(ward.decide(), PROGRAMME)
    for name in ("給付種別と判定", "理由", "経路", "口座フラグ"):
        assert list(found[name]) == sorted(found[name])
    for cell in found["給付種別と判定"].values():
        assert list(cell) == sorted(cell)


def test_p5_is_only_for_who_is_none_of_the_others() -> None:
    ward = Ward()
    one, two = ward.person(1), ward.person(2)
    split = ward.person(3)
    for number, person, relation in ((1, one, "子"), (8, two, "世帯主"), (9, split, "子")):
        ward.add(
            "prior", benefit_name="7万円", household_number=number, person_number=person, relation=relation,
            state="支給済",
        )  # fmt: skip
    rows = ward.decide().households.sort("household_number").select("P1", "P2", "P3", "P5").rows()
    assert rows == [(True, False, False, False), (False, True, False, False), (False, False, False, True)]
