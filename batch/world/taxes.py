"""架空の住民税: 収入から、所得、控除、所得割（6:4、調整控除、100 円未満切捨て）、定額減税後の額まで。

額は制度の決まり（benefit-rules A.1・B）にならうが、判定の答えを作る計算ではない。判定は `benefit.rules` だけがする。
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from batch.world.people import Person

PER_CAPITA_YEN = 4_000
HEADINGS = (
    "宛名番号", "賦課年度", "賦課区分", "申告区分", "均等割額", "減税前所得割額_区", "減税前所得割額_都",
    "減税後所得割額", "合計所得金額", "総所得金額等", "課税総所得金額", "人的控除差額", "分離課税所得税額",
    "住宅ローン控除可能額", "住宅ローン控除額_住民税", "確定申告所得税額", "推計所得税額", "同一生計配偶者",
    "控除対象配偶者", "配偶者国外居住", "扶養親族数_16歳以上", "扶養親族数_16歳未満", "国外居住扶養親族数",
    "租税条約免除", "条例減免", "扶養者宛名番号", "死亡日",
)  # fmt: skip


def draw_income(person: Person, chance: random.Random) -> int | None:
    """収入（円）。None は、申告も資料もない人。"""
    if person.age < 18:
        return 0
    if person.age <= 22 and person.supporter:
        return chance.randrange(0, 900_000, 10_000)
    if chance.random() < 0.02:
        return None
    if person.age >= 65:
        return int(chance.choice((780_000, 1_200_000, 1_500_000, 2_100_000, 3_000_000)) * chance.uniform(0.9, 1.2))
    if person.relation in {"妻", "夫"} and chance.random() < 0.4:
        return chance.randrange(0, 1_030_000, 10_000)
    if chance.random() < 0.004:
        return chance.randrange(20_500_000, 26_000_000, 50_000)
    return int(min(19_000_000, chance.lognormvariate(15.05, 0.55)))


def _earned(income: int, age: int) -> int:
    """給与所得・公的年金等の所得の、あらまし。"""
    if age >= 65:
        return max(0, income - 1_100_000)
    if income <= 1_625_000:
        return max(0, income - 550_000)
    if income <= 3_600_000:
        return int(income * 0.7) - 80_000
    return int(income * 0.8) - 440_000 if income <= 8_500_000 else income - 1_950_000


@dataclass(frozen=True)
class Sums:
    """一人の計算。円。"""

    total: int
    taxable: int
    difference: int
    per_capita: int
    ward: int
    metro: int
    exempt: bool


def compute(person: Person) -> Sums:
    """収入と扶養から。"""
    total = _earned(person.income_yen or 0, person.age)
    grown = [one for one in person.dependants if one.age >= 16]
    spouse = person.spouse is not None and (person.spouse.income_yen or 0) <= 1_030_000
    heads = 1 + len(person.dependants) + spouse
    deduct = 430_000 + int(total * 0.15) + 330_000 * (spouse + len(grown))
    difference = 50_000 + 50_000 * (spouse + len(grown))
    line = 350_000 * heads + 100_000
    taxable = max(0, total - deduct) // 1_000 * 1_000
    if total <= (450_000 if heads == 1 else line + 210_000):
        return Sums(total, 0, difference, 0, 0, 0, exempt=True)
    if total <= (450_000 if heads == 1 else line + 320_000) or taxable == 0:
        return Sums(total, taxable, difference, PER_CAPITA_YEN, 0, 0, exempt=False)
    credit = min(difference, taxable) if taxable <= 2_000_000 else max(50_000, difference - taxable + 2_000_000)
    ward = max(0, taxable * 6 // 100 - credit * 3 // 100) // 100 * 100
    metro = max(0, taxable * 4 // 100 - credit * 2 // 100) // 100 * 100
    return Sums(total, taxable, difference, PER_CAPITA_YEN, ward, metro, exempt=False)


def tax_row(person: Person, chance: random.Random, *, kind: str = "住所") -> list[str]:
    """住民税の一行（契約 §1 の列の順）。"""
    sums = compute(person)
    spouse = person.spouse is not None and (person.spouse.income_yen or 0) <= 1_030_000
    grown = sum(one.age >= 16 for one in person.dependants)
    small = len(person.dependants) - grown
    abroad = bool(person.card) and chance.random() < 0.08
    parents_abroad = 2 if abroad else 0
    loan = "" if sums.taxable < 1_500_000 or chance.random() > 0.06 else str(chance.randrange(20_000, 260_000, 1_000))
    levied = sums.ward + sums.metro
    relief = chance.choices(("なし", "一部", "全部"), (985, 8, 7))[0] if sums.per_capita else "なし"
    filed = "" if chance.random() > 0.2 else str(max(0, (sums.taxable - sums.difference) // 1_000 * 50))
    tool = "" if chance.random() > 0.05 else str(max(0, (sums.taxable - sums.difference) // 1_000 * 50))
    undeclared = sums.exempt and chance.random() < 0.06
    heads = 1 + spouse + grown + small
    house_only = kind == "家屋敷"
    return [
        person.number, "2024", kind, "未申告" if undeclared else "扶養" if person.supporter else "申告済",
        str(sums.per_capita), "0" if house_only else str(sums.ward), "0" if house_only else str(sums.metro),
        "0" if house_only else str(max(0, levied - 10_000 * heads)), str(sums.total), str(sums.total),
        str(sums.taxable), str(sums.difference), "0" if chance.random() > 0.01 else "15000", loan,
        "5000" if loan and int(loan) > 200_000 else "0", filed, tool, str(int(spouse)),
        str(int(spouse and sums.total <= 10_000_000)), str(int(spouse and bool(person.card) and chance.random() < 0.1)),
        str(grown + parents_abroad), str(small), str(parents_abroad),
        str(int(bool(person.card) and chance.random() < 0.02)), relief, person.supporter, "",
    ]  # fmt: skip
