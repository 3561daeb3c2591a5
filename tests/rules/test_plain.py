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

DAY = timedelta(days=1)
BASE, ENTERED = date(2024, 6, 3), date(2024, 1, 2)
CHILD, UNDER_16 = date(2006, 4, 2), date(2008, 1, 2)
KANA = ["シケン　タロウ", "ヤマダ　ハナコ", None]


def near(*days: date) -> list[date]:
    """境目の前日・当日・翌日。"""
    return [day + shift for day in days for shift in (-DAY, timedelta(), DAY)]


def births() -> list[str]:
    days = [day.isoformat() for day in near(CHILD, UNDER_16)]
    return [*days, "2006-04-00", "2006-00-00", "2008-01-00", "2008-00-00", "1970-05-06", "1950-01-01", "2015-08-09"]


def invented(seed: int, groups: int = 60) -> Ward:
    """互いに関わりのある三世帯を一組にして、`groups` 組。多くは境目の値をとる。"""
    dice = random.Random(seed)
    ward = Ward()
    for group in range(groups):
        homes = [group * 10 + place for place in range(1, 4)]
        people = [group * 100 + place for place in range(1, dice.randint(3, 8))]
        outsiders = [9_000_000_000 + group]
        for person in people:
            _resident(ward, dice, person, dice.choice(homes))
        everyone = [*people, *outsiders]
        for person in everyone:
            if person in outsiders or dice.random() < 0.8:
                _tax(ward, dice, person, [*everyone, 777_777])
            if dice.random() < 0.4:
                _answer(ward, dice, person)
            _accounts(ward, dice, person)
            if dice.random() < 0.04:
                ward.add("protected", person_number=person, kind=dice.choice(["DV", "児童施設", "障害者施設"]))
        _prior(ward, dice, homes, [*people, 555_555])
    return ward


def _resident(ward: Ward, dice: random.Random, person: int, home: int) -> None:
    gone = dice.random() < 0.2
    ward.person(
        home,
        tax=None,
        number=person,
        birth=dice.choice(births()) if dice.random() < 0.6 else "1970-05-06",
        relation=dice.choice(["世帯主", "世帯主", "妻", "子", "子"]),
        kana_name=dice.choice(KANA),
        became_resident_on=dice.choice([*near(ENTERED, BASE), date(2010, 4, 1), date(2010, 4, 1)]),
        became_resident_reason=dice.choice(["転入", "国外転入", "出生", "職権", "その他"]),
        removed_on=dice.choice(near(BASE, TODAY)) if gone else None,
        removed_reason=dice.choice(["転出", "国外転出", "死亡", "職権"]) if gone else None,
    )


def _tax(ward: Ward, dice: random.Random, person: int, people: list[int]) -> None:
    supporter = dice.choice([None, "区外", "番号", "番号"])
    free = dice.random() < 0.6
    spouse = dice.random() < 0.3
    older, younger = dice.choice([0, 0, 1, 2]), dice.choice([0, 0, 1])
    levy = 0 if free else dice.choice([0, 100, 9_900, 10_000, 10_001, 62_500])
    base = 0 if free else dice.choice([0, 599_999, 600_000, 601_000, 650_000, 1_950_000, 2_000_000, 9_050_000])
    ward.tax(
        person,
        levy_kind=dice.choices(["住所", "住登外", "家屋敷"], [8, 2, 1])[0],
        declaration=dice.choices(["申告済", "未申告", "扶養"], [6, 1, 2])[0],
        per_capita_levy_yen=dice.choice([0, 0, 4_000]),
        income_levy_ward_yen=levy,
        income_levy_metro_yen=dice.choice([0, levy]),
        taxable_income_yen=base,
        deduction_difference_yen=dice.choice([0, 50_000, 100_000]),
        separate_income_tax_yen=dice.choice([0, 0, 0, 1, 15_000]),
        housing_credit_available_yen=dice.choice([None, None, 0, 8_000, 99_999_999]),
        housing_credit_resident_yen=dice.choice([0, 0, 0, 1]),
        filed_income_tax_yen=dice.choice([None, None, None, 0, 17_000, 30_000]),
        estimated_income_tax_yen=dice.choice([None, None, None, 0, 29_999, 30_000, 30_001]),
        total_income_yen=dice.choice([0, 2_000_000, 18_050_000, 18_050_001]),
        same_living_spouse=spouse,
        deductible_spouse=spouse and dice.random() < 0.7,
        spouse_overseas=dice.random() < 0.3,
        dependants_16_and_over=older,
        dependants_under_16=younger,
        dependants_overseas=dice.randint(0, older + younger),
        treaty_exempt=dice.random() < 0.04,
        ordinance_relief=dice.choices(["なし", "一部", "全部"], [8, 1, 1])[0],
        supporter_number=dice.choice(people) if supporter == "番号" else None,
        supporter_outside=supporter == "区外",
        died_on=dice.choice(near(BASE, TODAY)) if dice.random() < 0.08 else None,
    )


def _answer(ward: Ward, dice: random.Random, person: int) -> None:
    ward.add(
        "tax_answers",
        inquiry_number=f"T{person}",
        person_number=person,
        answer=dice.choice(["課税", "課税", "課税", "非課税", "非課税", "未申告", "該当なし", "提供不可", "エラー"]),
        per_capita_levy_yen=dice.choice([None, 0, 4_000]),
        income_levy_before_cut_yen=dice.choice([None, 0, 100]),
        income_levy_after_cut_yen=dice.choice([None, 0, 100]),
        treaty_exempt=dice.random() < 0.1,
    )


def _accounts(ward: Ward, dice: random.Random, person: int) -> None:
    code = {"bank_code": "9999", "branch_code": "001", "account_type": "1", "account_number": "9000001"}
    names = ["ｼｹﾝ ﾀﾛｳ", "ﾔﾏﾀﾞ ﾊﾅｺ", "ﾔﾏﾀ ﾊﾅｺ"]
    for kind in dice.sample(["生活保護", "過去給付", "公金受取"], dice.choice([0, 1, 1, 2])):
        ward.add("accounts", person_number=person, account_kind=kind, holder_kana=dice.choice(names), **code)
    if dice.random() < 0.2:
        registered = dice.choice(["有", "有", "無", "提供停止"])
        given = {**code, "holder_kana": dice.choice(names)} if registered == "有" else {}
        ward.add("account_answers", inquiry_number=f"K{person}", person_number=person, registered=registered, **given)
    if dice.random() < 0.3:
        ward.add(
            "addresses", person_number=person, kind=dice.choice(["住登外", "転出先"]), name="試験",
            kana_name=dice.choice(KANA), postal_code="1600022", address="東京都",
        )  # fmt: skip


def _prior(ward: Ward, dice: random.Random, homes: list[int], people: list[int]) -> None:
    for benefit in ("7万円", "10万円"):
        for home in homes:
            if dice.random() < 0.35:
                for place, person in enumerate(dice.sample(people, min(len(people), dice.randint(1, 3)))):
                    ward.add(
                        "prior",
                        benefit_name=benefit,
                        household_number=dice.choice([home, home + 5]),
                        person_number=person,
                        relation="世帯主" if place == 0 and dice.random() < 0.8 else "子",
                        state=dice.choices(["支給済", "未申請", "辞退", "対象外"], [4, 1, 1, 2])[0],
                    )


def found(ward: Ward, today: date) -> set[tuple[object, ...]]:
    columns = ["subject_kind", "subject_number", "benefit", "verdict", "reasons", "amount_yen", "payee_number"]
    outcomes = ward.decide(today).outcomes
    assert not outcomes.select("subject_kind", "subject_number").is_duplicated().any()
    return set(outcomes.select(*columns, "route", "account_flag").iter_rows())


@pytest.mark.parametrize("today", [TODAY, BASE, TODAY + DAY])
@pytest.mark.parametrize("seed", range(8))
def test_the_set_based_rules_agree_with_the_contract_read_person_by_person(seed: int, today: date) -> None:
    ward = invented(seed)
    ours, plain = found(ward, today), set(evaluate(ward.rows, PROGRAMME, today))
    assert sorted(map(str, ours - plain)) == sorted(map(str, plain - ours)) == []


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_the_rows_and_an_unrelated_household_change_nothing(seed: int) -> None:
    ward = invented(seed)
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
        for row in found(invented(seed), TODAY):
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
