"""架空の世帯と人: 家族の形、続柄、生年月日。子どもの境目に生まれた人と、生年月日が不詳の人を混ぜる。"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from batch.world.names import Family, Name, Names

BASE_DATE = date(2024, 6, 3)
LEVY_DATE = date(2024, 1, 1)
#: 年齢 → その境目の生年月日（16 歳は住民税の 16 歳未満、18 歳は児童加算の平成18年4月2日）。
EDGE_BIRTHS = {16: ("2008-01-01", "2008-01-02"), 18: ("2006-04-01", "2006-04-02")}
#: この日以後に生まれた人は、令和6年度の住民税で 16 歳未満。
UNDER_16_BORN_FROM = "2008-01-02"

#: 家族の形と、その重み。
FORMS = {
    "young": 37.0, "student": 4.0, "elder": 13.0, "couple": 13.0, "elders": 8.0, "family": 18.0,
    "lone_parent": 3.5, "three_generations": 2.0, "no_head": 0.4, "two_heads": 0.4, "roommates": 0.7,
}  # fmt: skip
_HEAD_AGES = {"young": (20, 59), "student": (18, 23), "elder": (65, 97), "elders": (66, 94), "couple": (24, 64)}
_WITH_SPOUSE = {"couple", "elders", "family", "three_generations", "no_head", "two_heads"}
_WITH_CHILDREN = {"family", "lone_parent", "three_generations"}


@dataclass
class Person:
    """一人。

    `income_yen` は給与か年金の収入（円、None は申告も資料もない）。`supporter` は扶養している人の番号か「区外」。
    `dependants` は扶養に入れられる親族（実際に入れるかは `taxes.support` が収入を見て決める）。
    `protected` は区が直接扱う区分（その形の世帯に、初めから付いているとき）。
    """

    number: str
    household: str
    name: Name
    birth: str
    relation: str
    sex: str
    age: int
    address: tuple[str, str, str]
    card: str = ""
    former: str = ""
    became_on: date = date(2010, 4, 1)
    reason: str = "転入"
    levy_municipality: str = ""
    removed_on: date | None = None
    removed_reason: str = ""
    income_yen: int | None = 0
    supporter: str = ""
    dependants: list[Person] = field(default_factory=list)
    spouse: Person | None = None
    protected: str = ""

    @property
    def under_16(self) -> bool:
        """確かに 16 歳未満（令和5年12月31日に）。不詳の月日は `00` なので、境目の年なら 16 歳以上に入る。"""
        return self.birth >= UNDER_16_BORN_FROM


class Families:
    """世帯を一つずつ作る。番号は重ならない乱数。"""

    def __init__(self, chance: random.Random, names: Names) -> None:
        self.chance, self.names = chance, names
        self._numbers: set[str] = set()

    def number(self) -> str:
        """まだ使っていない 10 桁（先頭が 0 もある。9 は住登外のために空けておく）。"""
        while (made := f"{self.chance.randrange(9 * 10**9):010d}") in self._numbers:
            pass
        self._numbers.add(made)
        return made

    def household(self, form: str = "", *, head_age: int = 0) -> list[Person]:
        """一世帯。形を言わなければ、重みで選ぶ。先頭が世帯主（または、世帯主であるはずの人）。"""
        chance = self.chance
        form = form or chance.choices(list(FORMS), list(FORMS.values()))[0]
        foreign = chance.random() < 0.12
        family = self.names.foreign_family() if foreign else self.names.family()
        home, address = self.number(), self.names.address()
        people: list[Person] = []

        def add(relation: str, age: int, sex: str, family: Family = family) -> Person:
            people.append(self._person(home, address, family, relation, age, sex))
            return people[-1]

        head = add("世帯主", head_age or chance.randint(*_HEAD_AGES.get(form, (28, 56))), chance.choice("MF"))
        if form in _WITH_SPOUSE:
            relation, sex = ("妻", "F") if head.sex == "M" else ("夫", "M")
            # 日本人と外国人の夫婦。
            mixed = not foreign and chance.random() < 0.03
            own = self.names.foreign_family() if mixed else family
            head.spouse = add(relation, max(18, head.age + chance.randint(-6, 4)), sex, own)
        if form in _WITH_CHILDREN:
            for _ in range(chance.choices((1, 2, 3, 4), (48, 40, 10, 2))[0]):
                oldest = min(24, max(0, min(head.age, head.spouse.age if head.spouse else head.age) - 18))
                head.dependants.append(add("子", chance.randint(0, oldest), chance.choice("MF")))
        if form == "three_generations":
            relation, sex = ("父", "M") if chance.random() < 0.4 else ("母", "F")
            head.dependants.append(add(relation, head.age + chance.randint(22, 35), sex))
        if form == "roommates":
            add("同居人", chance.randint(20, 50), chance.choice("MF"), self.names.family())
        if form == "no_head":
            # 世帯主の異動の入力が遅れている世帯。
            head.relation = "同居人"
        if form == "two_heads" and head.spouse:
            head.spouse.relation = "世帯主"
        if form == "student":
            head.supporter = "区外" if chance.random() < 0.8 else ""
        if not foreign and chance.random() < 0.03:
            people[-1].former = self.names.family().kanji
        return people

    def _person(
        self, home: str, address: tuple[str, str, str], family: Family, relation: str, age: int, sex: str
    ) -> Person:
        # 特別永住者には在留カードがない。
        card = self.names.card_number() if family.country and self.chance.random() < 0.92 else ""
        name = self.names.person(family, sex)
        return Person(self.number(), home, name, self._birth(age), relation, sex, age, address, card=card)

    def _birth(self, age: int) -> str:
        chance = self.chance
        if age in EDGE_BIRTHS and chance.random() < 0.2:
            return chance.choice(EDGE_BIRTHS[age])
        anniversary = BASE_DATE.replace(year=BASE_DATE.year - age)
        born = anniversary - timedelta(days=chance.randrange(365))
        if chance.random() < 0.002:
            return f"{born:%Y-%m}-00" if chance.random() < 0.5 else f"{born:%Y}-00-00"
        return born.isoformat()
