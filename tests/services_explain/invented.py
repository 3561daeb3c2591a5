"""種から作る小さな区: 世帯・児童・納税者の、どの検査も当たりうるもの。言った違いを事実に当てる道具。"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.facts import SCHEMAS, Facts
from benefit.services.explain_nearby import Fact, Nearby
from tests.rules.make import Ward

R6, R7 = Programme.load("r6-2024"), Programme.load("r7-shortfall")


def invented(seed: int, *, shortfall: bool = False) -> Facts:
    """6 世帯ほど。よくある値に、珍しい値を混ぜる。"""
    chance = random.Random(seed)

    def one_of(*values: Any) -> Any:
        return chance.choice(values)

    ward = Ward()
    people: list[int] = []
    for household in range(1, 7):
        for place in range(chance.randint(1, 4)):
            relation = "世帯主" if place == 0 else "子"
            if chance.random() < 0.08:
                relation = one_of("世帯主", "子")
            gone = one_of(None, None, None, None, None, "死亡", "転出")
            arrived = chance.random() < 0.2
            row = {
                "relation": relation,
                "birth": one_of("1970-05-06", "1990-01-01", "2006-04-02", "2006-00-00", "2010-08-09", "2024-02-03"),
                "became_resident_on": date(2024, 3, 1) if arrived else date(2010, 4, 1),
                "became_resident_reason": one_of("転入", "転入", "国外転入", "出生"),
                "removed_on": one_of(date(2024, 6, 10), date(2024, 5, 1)) if gone else None,
                "removed_reason": gone,
            }
            tax = chance.random() < 0.75
            values: dict[str, Any] = {
                "levy_kind": one_of("住所", "住所", "住所", "住登外", "家屋敷"),
                "declaration": one_of("申告済", "申告済", "申告済", "未申告"),
                "per_capita_levy_yen": one_of(0, 0, 4000),
                "income_levy_ward_yen": one_of(0, 0, 0, 100, 12_345),
                "income_levy_metro_yen": one_of(0, 0, 8_230),
                "total_income_yen": one_of(1_000_000, 18_050_000, 18_050_001, 30_000_000),
                "taxable_income_yen": one_of(0, 1_234_000),
                "estimated_income_tax_yen": one_of(None, None, 0, 1, 45_678, 400_000),
                "same_living_spouse": one_of(True, False),
                "deductible_spouse": one_of(True, False),
                "dependants_under_16": one_of(0, 0, 1, 2),
                "treaty_exempt": chance.random() < 0.08,
                "ordinance_relief": one_of("なし", "なし", "なし", "全部"),
                "supporter_number": one_of(None, None, *people[-3:]) if people else None,
                "supporter_outside": chance.random() < 0.1,
                "died_on": one_of(None, None, None, None, None, None, date(2024, 6, 3), date(2024, 6, 18)),
            }
            # 扶養者の欄は一つ: 番号か「区外」のどちらかである（契約 §1）。
            values["supporter_outside"] &= values["supporter_number"] is None
            number = ward.person(household, tax=values if tax else None, **row)
            people.append(number)
            if chance.random() < 0.12:
                ward.add("protected", person_number=number, kind=one_of("児童施設", "支援措置"))
            if arrived and not tax and chance.random() < 0.5:
                answer = one_of("課税", "非課税", "未申告", "該当なし")
                ward.add(
                    "tax_answers", inquiry_number="T1", person_number=number, answer=answer,
                    per_capita_levy_yen=one_of(0, 4000) if answer == "課税" else None,
                    income_levy_before_cut_yen=one_of(0, 500, None) if answer == "課税" else None,
                    income_levy_after_cut_yen=None, treaty_exempt=chance.random() < 0.1,
                )  # fmt: skip
            if chance.random() < 0.08:
                seen, corrected = one_of("2", "1", "0", "U"), one_of("0", "1", "2", "U")
                ward.add("tax_corrections", person_number=number, seen_class=seen, corrected_class=corrected)
            if shortfall:
                ward.add("shortfall", person_number=number, **_shortfall(one_of))
    for kind, number in (("世帯", one_of(1, 2, 3)), ("納税者", one_of(*people))):
        ward.add("payee_changes", subject_kind=kind, subject_number=number, new_payee=one_of(*people), heir=True)
    for key in range(3):
        home = one_of(1, 2, 3, 90)
        for number in chance.sample(people, k=min(2, len(people))):
            ward.add(
                "prior", benefit_name=f"昨年度の給付{key}", household_number=home, person_number=number,
                relation=one_of("世帯主", "子"), state=one_of("支給済", "辞退", "対象外"),
            )  # fmt: skip
    return ward.facts()


def _shortfall(one_of: Any) -> dict[str, Any]:
    return {
        "levy_year": 2025,
        "levy_kind": one_of("住所", "住所", "住所", "住登外", "家屋敷"),
        "income_tax_yen": one_of(None, 0, 0, 1, 24_000, 65_000),
        "income_tax_total_income_yen": one_of(300_000, 480_000, 480_001, 2_760_000, 18_050_001),
        "resident_tax_total_income_yen": one_of(300_000, 480_000, 2_760_000),
        "resident_tax_yen": one_of(None, 0, 0, 100, 35_000),
        "n_income_tax": one_of(1, 2, 4),
        "n_resident_tax": one_of(1, 2, 4),
        "first_decided_by": one_of("本区", "本区", "なし", "他団体"),
        "first_required_yen": one_of(None, 20_000, 40_000, 60_000),
        "family_worker": one_of(True, False),
        "dependant": one_of(True, False, False),
        "low_income_target": one_of(True, False, False),
        "abroad_on_levy_date": one_of(True, False),
        "died_on": one_of(None, None, None, date(2025, 6, 2), date(2025, 6, 20)),
    }


def applied(facts: Facts, changed: Iterable[Fact]) -> Facts:
    """言った違いを、事実の表に当てる。"""
    for fact in changed:
        frame: pl.DataFrame = getattr(facts, fact.kind)
        schema = SCHEMAS[fact.kind]
        if fact.line is None:
            row = {name: {**fact.values, "person_number": fact.person_number, "line": 0}.get(name) for name in schema}
            frame = pl.concat([frame, pl.DataFrame([row], schema=schema)])
        else:
            mine = pl.col("person_number") == fact.person_number
            if "line" in schema:
                mine &= pl.col("line") == fact.line
            frame = frame.with_columns(
                pl.when(mine).then(pl.lit(value, dtype=schema[name])).otherwise(name).alias(name)
                for name, value in fact.values.items()
                if name in schema
            )
        facts = replace(facts, **{fact.kind: frame})
    return facts


def nearby(facts: Facts, programme: Programme, today: date, row: dict[str, Any]) -> Nearby:
    home = row["household_number"] if row["subject_kind"] != "納税者" else 0
    return Nearby(facts, programme, today, row["subject_kind"], row["subject_number"], home)
