"""乱数の区: 互いに関わりのある三世帯を一組にして、多くは境目の値をとる人たち。境目は、事業のファイルの値である。"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from benefit.domain.programme import Programme
from tests.rules.make import Ward
from tests.second.names import NAMES, half, holder_of

DAY = timedelta(days=1)
KINDS = ("生活保護", "過去給付", "公金受取")


def near(*days: date) -> list[date]:
    """境目の前日・当日・翌日。"""
    return [day + shift for day in days for shift in (-DAY, timedelta(), DAY)]


def invented(seed: int, programme: Programme, today: date, groups: int = 60) -> Ward:
    """`groups` 組の人たち。組の間に関わりはない。"""
    return Inventor(random.Random(seed), programme, today).ward(groups)


class Inventor:
    """乱数と事業から、区を作る。"""

    def __init__(self, dice: random.Random, programme: Programme, today: date) -> None:
        self.dice, self.programme, self.today, self.made = dice, programme, today, Ward()
        self.gone = near(programme.base_date, today)
        child = programme.child.born_from if programme.child else date(2006, 4, 2)
        lines = (child, programme.under_16_born_from)
        self.births = [day.isoformat() for day in near(*lines)]
        self.births += [f"{day.year}-{day.month:02d}-00" for line in lines for day in (line, line - 2 * DAY)]
        self.births += [f"{day.year}-00-00" for day in lines] + [f"{lines[0].year}-00-{lines[0].day:02d}"]
        self.births += ["1970-05-06", "1950-01-01", "2015-08-09", "2023-00-00"]
        self.amounts = self._amounts()

    def _amounts(self) -> list[int]:
        terms = self.programme.adjustment or self.programme.shortfall
        if terms is None:
            return [0, 1]
        units = [terms.income_tax_unit_yen * n for n in (1, 2, 3)] + [terms.resident_tax_unit_yen * n for n in (1, 2)]
        return [0, 0, 1, 17_000, *(max(0, unit + shift) for unit in units for shift in (-1, 0, 1))]

    def ward(self, groups: int) -> Ward:
        dice = self.dice
        for group in range(groups):
            homes = [group * 10 + place for place in range(1, 4)]
            people = [group * 100 + place for place in range(1, dice.randint(3, 8))]
            outsiders = [9_000_000_000 + group]
            for person in people:
                self._resident(person, dice.choice(homes))
            everyone = [*people, *outsiders]
            for person in everyone:
                if person in outsiders or dice.random() < 0.8:
                    self._tax(person, [*everyone, 777_777])
                if self.programme.shortfall is not None and (person in outsiders or dice.random() < 0.8):
                    self._shortfall(person)
                if dice.random() < 0.4:
                    self._answer(person)
                self._accounts(person)
                if dice.random() < 0.04:
                    kinds = dice.sample(["DV", "児童施設", "障害者施設", "高齢者施設"], dice.choice([1, 1, 2]))
                    for kind in kinds:
                        self.made.add("protected", person_number=person, kind=kind)
            self._prior(homes, [*people, 555_555])
            if dice.random() < 0.2:
                self._claims(homes, everyone)
        return self.made

    def _resident(self, person: int, home: int) -> None:
        dice = self.dice
        gone = dice.random() < 0.2
        edges = near(self.programme.entered_from, self.programme.base_date)
        self.made.person(
            home,
            tax=None,
            number=person,
            birth=dice.choice(self.births) if dice.random() < 0.6 else "1970-05-06",
            relation=dice.choice(["世帯主", "世帯主", "妻", "子", "子"]),
            kana_name=dice.choice([*NAMES, None]),
            became_resident_on=dice.choice([*edges, date(2010, 4, 1), date(2010, 4, 1)]),
            became_resident_reason=dice.choice(["転入", "国外転入", "出生", "職権", "その他"]),
            removed_on=dice.choice(self.gone) if gone else None,
            removed_reason=dice.choice(["転出", "国外転出", "死亡", "死亡", "職権"]) if gone else None,
        )

    def _tax(self, person: int, people: list[int]) -> None:
        dice, amounts = self.dice, self.amounts
        supporter = dice.choice([None, "区外", "番号", "番号"])
        free = dice.random() < 0.6
        spouse = dice.random() < 0.3
        older, younger = dice.choice([0, 0, 1, 2]), dice.choice([0, 0, 1])
        levy = 0 if free else dice.choice([*amounts, 100, 62_500])
        cap = self.programme.adjustment.income_cap_yen if self.programme.adjustment else 18_050_000
        base = 0 if free else dice.choice([0, 599_999, 600_000, 601_000, 650_000, 1_950_000, 2_000_000, 9_050_000])
        self.made.tax(
            person,
            levy_kind=dice.choices(["住所", "住登外", "家屋敷"], [8, 2, 1])[0],
            declaration=dice.choices(["申告済", "未申告", "扶養"], [6, 1, 2])[0],
            per_capita_levy_yen=dice.choice([0, 0, 1, 4_000]),
            income_levy_ward_yen=dice.choice([levy, levy, 0]),
            income_levy_metro_yen=dice.choice([0, levy, 1 if levy else 0]),
            # 減税後は減税前と違う値にする。取り違えれば、答えが変わる。
            income_levy_after_cut_yen=dice.choice([0, 0, 300]),
            total_income_yen=dice.choice([0, 2_000_000, cap - 1, cap, cap + 1]),
            gross_income_yen=dice.choice([0, cap + 1]),
            taxable_income_yen=base,
            deduction_difference_yen=dice.choice([0, 50_000, 100_000]),
            separate_income_tax_yen=dice.choice([0, 0, 0, 1, 15_000]),
            housing_credit_available_yen=dice.choice([None, None, 0, 8_000, 99_999_999]),
            housing_credit_resident_yen=dice.choice([0, 0, 0, 1]),
            filed_income_tax_yen=dice.choice([None, None, None, *amounts]),
            estimated_income_tax_yen=dice.choice([None, None, None, None, *amounts]),
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
            died_on=dice.choice(self.gone) if dice.random() < 0.08 else None,
        )

    def _shortfall(self, person: int) -> None:
        dice, amounts, terms = self.dice, self.amounts, self.programme.shortfall
        assert terms is not None
        edges = [
            0,
            -1,
            *(line + shift for line in (terms.dependant_income_yen, terms.income_cap_yen) for shift in (0, 1)),
        ]
        first = dice.choice(["本区", "他団体", "なし"])
        required = dice.choice([0, 10_000, 20_000, 30_000, 70_000, *amounts])
        self.made.add(
            "shortfall",
            person_number=person,
            levy_year=2025,
            levy_kind=dice.choices(["住所", "住登外", "家屋敷"], [8, 2, 1])[0],
            income_tax_yen=dice.choice([None, 0, 0, *amounts]),
            income_tax_total_income_yen=dice.choice(edges),
            resident_tax_total_income_yen=dice.choice([None, *edges]),
            resident_tax_yen=dice.choice([None, 0, *amounts]),
            n_income_tax=dice.randint(1, 4),
            n_resident_tax=dice.randint(1, 4),
            first_decided_by=first,
            first_required_yen=None if first == "なし" or (first == "他団体" and dice.random() < 0.5) else required,
            family_worker=dice.random() < 0.4,
            dependant=dice.random() < 0.3,
            low_income_target=dice.random() < 0.3,
            abroad_on_levy_date=dice.random() < 0.3,
            died_on=dice.choice(self.gone) if dice.random() < 0.1 else None,
        )

    def _answer(self, person: int) -> None:
        dice = self.dice
        self.made.add(
            "tax_answers",
            inquiry_number=f"T{person}",
            person_number=person,
            answer=dice.choice(
                ["課税", "課税", "課税", "非課税", "非課税", "未申告", "該当なし", "提供不可", "エラー"]
            ),
            per_capita_levy_yen=dice.choice([None, 0, 1, 4_000]),
            income_levy_before_cut_yen=dice.choice([None, 0, 1, 100]),
            income_levy_after_cut_yen=dice.choice([None, 0, 1, 100]),
            treaty_exempt=dice.random() < 0.1,
        )

    def _holder(self, person: int) -> str:
        """たいていは、その人の氏名から作った名義。"""
        rows = self.made.rows["residents"]
        mine = next((row["kana_name"] for row in reversed(rows) if row["person_number"] == person), None)
        return holder_of(self.dice, mine if mine and self.dice.random() < 0.7 else self.dice.choice(NAMES))

    def _accounts(self, person: int) -> None:
        dice = self.dice
        code = {"bank_code": "9999", "branch_code": "001", "account_type": "1", "account_number": "9000001"}
        for kind in dice.sample(KINDS, dice.choice([0, 1, 1, 2, 3])):
            self.made.add("accounts", person_number=person, account_kind=kind, holder_kana=self._holder(person), **code)
        if dice.random() < 0.2:
            registered = dice.choice(["有", "有", "無", "提供停止"])
            given: dict[str, Any] = {**code, "holder_kana": self._holder(person)} if registered == "有" else {}
            self.made.add(
                "account_answers", inquiry_number=f"K{person}", person_number=person, registered=registered, **given
            )
        for _ in range(dice.choice([0, 0, 0, 1, 2])):
            self.made.add(
                "addresses",
                person_number=person,
                kind=dice.choice(["住登外", "転出先", "法定代理人"]),
                name="試験",
                kana_name=dice.choice([*NAMES, None, half(NAMES[0])]),
                postal_code="1600022",
                address="東京都",
            )

    def _prior(self, homes: list[int], people: list[int]) -> None:
        dice = self.dice
        for benefit in ("7万円", "10万円"):
            for home in homes:
                if dice.random() < 0.35:
                    for place, person in enumerate(dice.sample(people, min(len(people), dice.randint(1, 3)))):
                        self.made.add(
                            "prior",
                            benefit_name=benefit,
                            household_number=dice.choice([home, home + 5]),
                            person_number=person,
                            relation="世帯主" if place == 0 and dice.random() < 0.8 else "子",
                            state=dice.choices(["支給済", "未申請", "辞退", "対象外"], [4, 1, 1, 2])[0],
                        )

    def _claims(self, homes: list[int], people: list[int]) -> None:
        """受理した申請が変えた事実: 税の更正、亡くなった受給者の代わり。"""
        dice = self.dice
        for person in dice.sample(people, 2):
            self.made.add(
                "tax_corrections",
                person_number=person,
                seen_class=dice.choice("012NQUX"),
                corrected_class=dice.choice("012X"),
            )
        for kind, subject in (("世帯", dice.choice(homes)), ("納税者", dice.choice(people))):
            self.made.add(
                "payee_changes",
                subject_kind=kind,
                subject_number=subject,
                new_payee=dice.choice([*(one for one in people if one != subject), 666_666]),
                heir=dice.random() < 0.5,
            )
