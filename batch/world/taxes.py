"""架空の住民税: 収入から、所得、控除、所得割（6:4、調整控除、100 円未満切捨て）、定額減税後の額、所得税まで。

額は制度の決まり（benefit-rules A.1・B）にならうが、判定の答えを作る計算ではない。判定は `benefit.rules` だけがする。
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from batch.world.people import Person
from benefit.domain.programme import Programme

PER_CAPITA_YEN = 4_000
#: 配偶者・扶養親族になれる合計所得の上限。
DEPENDANT_LIMIT_YEN = 480_000
HEADINGS = (
    "宛名番号", "賦課年度", "賦課区分", "申告区分", "均等割額", "減税前所得割額_区", "減税前所得割額_都",
    "減税後所得割額", "合計所得金額", "総所得金額等", "課税総所得金額", "人的控除差額", "分離課税所得税額",
    "住宅ローン控除可能額", "住宅ローン控除額_住民税", "確定申告所得税額", "推計所得税額", "同一生計配偶者",
    "控除対象配偶者", "配偶者国外居住", "扶養親族数_16歳以上", "扶養親族数_16歳未満", "国外居住扶養親族数",
    "租税条約免除", "条例減免", "扶養者宛名番号", "死亡日",
)  # fmt: skip


_ADJUSTMENT = Programme.load("r6-2024").adjustment
assert _ADJUSTMENT is not None
_QUICK_TABLE = _ADJUSTMENT.quick_table


def draw_income(person: Person, chance: random.Random) -> int | None:
    """収入（円）。None は、申告も資料もない人。"""
    if person.age < 18:
        return 0
    if person.supporter or (person.relation == "子" and person.age <= 22 and chance.random() < 0.75):
        return chance.randrange(0, 1_030_000, 10_000)
    if chance.random() < 0.02:
        return None
    if person.age >= 65:
        return int(chance.choice((780_000, 1_200_000, 1_500_000, 2_400_000, 3_400_000)) * chance.uniform(0.9, 1.2))
    if person.relation in {"妻", "夫"} and chance.random() < 0.35:
        return chance.randrange(0, 1_030_000, 10_000)
    if chance.random() < 0.004:
        return chance.randrange(19_500_000, 26_000_000, 50_000)
    if chance.random() < 0.05:
        return chance.randrange(0, 1_900_000, 10_000)
    return int(min(19_000_000, chance.lognormvariate(15.25, 0.45)))


def earned(person: Person) -> int:
    """合計所得（円）: 給与所得か公的年金等の所得の、あらまし。"""
    income = person.income_yen or 0
    if person.age >= 65:
        return max(0, income - 1_100_000)
    if income <= 1_625_000:
        return max(0, income - 550_000)
    if income <= 3_600_000:
        return int(income * 0.7) - 80_000
    return int(income * 0.8) - 440_000 if income <= 8_500_000 else income - 1_950_000


def support(head: Person) -> None:
    """収入の少ない配偶者と親族を、収入のある世帯主の扶養にする。収入のない世帯主は、誰も扶養に入れない。"""
    if (head.income_yen or 0) < 1_000_000:
        head.dependants, head.spouse = [], None
        return
    head.dependants = [person for person in head.dependants if earned(person) <= DEPENDANT_LIMIT_YEN]
    if head.spouse and earned(head.spouse) > DEPENDANT_LIMIT_YEN:
        head.spouse = None
    for person in [*head.dependants, *([head.spouse] if head.spouse else [])]:
        person.supporter = person.supporter or head.number


@dataclass(frozen=True)
class Sums:
    """一人の計算。円。`income_tax` は住宅ローン控除の前。"""

    total: int
    taxable: int
    difference: int
    per_capita: int
    ward: int
    metro: int
    income_tax: int


def compute(person: Person) -> Sums:
    """収入と扶養から。"""
    total = earned(person)
    # 配偶者控除と扶養控除（16 歳以上）。16 歳未満は控除がなく、非課税の限度額の人数にだけ入る。
    relatives = sum(not one.under_16 for one in person.dependants) + (person.spouse is not None and total <= 10_000_000)
    heads = 1 + len(person.dependants) + (person.spouse is not None)
    difference = 50_000 * (1 + relatives)
    taxable = max(0, total - 430_000 - 330_000 * relatives - total * 15 // 100) // 1_000 * 1_000
    line = 350_000 * heads + 100_000
    tax = _quick_tax(max(0, taxable - difference) // 1_000 * 1_000)
    if total <= line + (210_000 if heads > 1 else 0):
        return Sums(total, 0, difference, 0, 0, 0, 0)
    if total <= line + (320_000 if heads > 1 else 0) or taxable == 0:
        return Sums(total, taxable, difference, PER_CAPITA_YEN, 0, 0, tax)
    credit = min(difference, taxable) if taxable <= 2_000_000 else max(50_000, difference - taxable + 2_000_000)
    ward = max(0, taxable * 6 - credit * 3) // 10_000 * 100
    metro = max(0, taxable * 4 - credit * 2) // 10_000 * 100
    return Sums(total, taxable, difference, PER_CAPITA_YEN, ward, metro, tax)


def _quick_tax(base: int) -> int:
    return next((base * percent // 100 - less for lowest, percent, less in _QUICK_TABLE if base >= lowest), 0)


def tax_row(person: Person, chance: random.Random, *, kind: str = "住所") -> list[str]:
    """住民税の一行（契約 §1 の列の順）。"""
    sums = compute(person)
    foreign = bool(person.card)
    grown = sum(not one.under_16 for one in person.dependants)
    small = len(person.dependants) - grown
    abroad = 2 if foreign and sums.per_capita and chance.random() < 0.06 else 0
    loan = chance.randrange(40_000, 260_000, 1_000) if sums.taxable >= 1_500_000 and chance.random() < 0.06 else 0
    # 所得税から引ききれない住宅ローン控除は、97,500 円まで住民税から（区 3/5、都 2/5）。
    loan_here = min(97_500, max(0, loan - sums.income_tax))
    ward = max(0, sums.ward - loan_here * 3 // 5) // 100 * 100
    metro = max(0, sums.metro - loan_here * 2 // 5) // 100 * 100
    if kind == "家屋敷":
        ward = metro = 0
    heads = 1 + (person.spouse is not None) + grown + small
    tax = max(0, sums.income_tax - loan)
    # 生命保険料などの控除の差の分、申告と国の算定ツールの額は、推計より少し小さい。
    filed = str(max(0, tax - chance.randrange(0, 6_000, 50))) if chance.random() < 0.2 else ""
    tool = str(max(0, tax - chance.randrange(0, 2_000, 50))) if chance.random() < 0.05 else ""
    undeclared = not sums.per_capita and not person.supporter and chance.random() < 0.05
    separate = 15_315 if sums.per_capita and chance.random() < 0.01 else 0
    relief = chance.choices(("なし", "一部", "全部"), (985, 8, 7))[0] if sums.per_capita else "なし"
    spouse_abroad = person.spouse is not None and foreign and chance.random() < 0.1
    return [
        person.number, "2024", kind, "未申告" if undeclared else "扶養" if person.supporter else "申告済",
        str(sums.per_capita), str(ward), str(metro), str(max(0, ward + metro - 10_000 * heads)),
        str(sums.total), str(sums.total), str(sums.taxable), str(sums.difference), str(separate),
        str(loan or ""), str(loan_here), filed, tool, str(int(person.spouse is not None)),
        str(int(person.spouse is not None and sums.total <= 10_000_000)), str(int(spouse_abroad)),
        str(grown + abroad), str(small), str(abroad),
        str(int(foreign and bool(sums.per_capita) and chance.random() < 0.02)), relief, person.supporter, "",
    ]  # fmt: skip
