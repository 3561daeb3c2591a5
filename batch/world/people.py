"""架空の世帯と人: 家族の形、生年月日、転入・転出・死亡。境目の日（賦課期日・基準日）に立つ人を必ず混ぜる。"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from batch.world.names import Name, Names

BASE_DATE = date(2024, 6, 3)
LEVY_DATE = date(2024, 1, 1)
#: 転入と消除の境目の日。
EDGE_ARRIVALS = (date(2023, 12, 31), LEVY_DATE, date(2024, 1, 2), date(2024, 6, 2), BASE_DATE, date(2024, 6, 4))
EDGE_DEPARTURES = (date(2024, 6, 2), BASE_DATE, date(2024, 6, 4), date(2024, 6, 18))
#: 子どもの境目（平成18年4月2日）と 16 歳の境目。
EDGE_BIRTHS = (date(2006, 4, 1), date(2006, 4, 2), date(2008, 1, 1), date(2008, 1, 2))
MUNICIPALITIES = ("13101", "13112", "13113", "13116", "14130", "27100", "40130", "01100")

#: 家族の形と、その割合。
FORMS = (
    ("young", 36),
    ("student", 5),
    ("elder", 13),
    ("couple", 13),
    ("elders", 8),
    ("family", 17),
    ("lone_parent", 4),
    ("three_generations", 2),
    ("no_head", 1),
    ("two_heads", 1),
)


@dataclass
class Person:
    """一人。`income_yen` は給与か年金の収入（円、None は申告がない）。`supporter` は扶養している人の番号か「区外」。"""

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


class Families:
    """世帯を一つずつ作る。番号は重ならない乱数。"""

    def __init__(self, chance: random.Random, names: Names) -> None:
        self._chance, self._names = chance, names
        self._numbers: set[str] = set()

    def number(self) -> str:
        """まだ使っていない 10 桁（先頭が 0 もある。9 は住登外のために空けておく）。"""
        while (made := f"{self._chance.randrange(9 * 10**9):010d}") in self._numbers:
            pass
        self._numbers.add(made)
        return made

    def household(self) -> list[Person]:
        """一世帯。"""
        chance = self._chance
        form = chance.choices([name for name, _ in FORMS], [weight for _, weight in FORMS])[0]
        home, family, address = self.number(), self._names.family(), self._names.address()
        foreign = chance.random() < 0.13
        people: list[Person] = []

        def add(relation: str, ages: tuple[int, int], sex: str) -> Person:
            age = chance.randint(*ages)
            name = self._names.foreigner() if foreign else self._names.person(family, sex)
            made = Person(
                self.number(),
                home,
                name,
                self._birth(age),
                relation,
                sex,
                age,
                address,
                card=self._names.card_number() if foreign and chance.random() < 0.9 else "",
            )
            people.append(made)
            return made

        head_ages = {"young": (20, 59), "student": (18, 23), "elder": (65, 97), "elders": (66, 94), "couple": (24, 64)}
        head = add("世帯主", head_ages.get(form, (28, 56)), chance.choice("MF"))
        if form in {"couple", "elders", "family", "three_generations", "no_head", "two_heads"}:
            wife = "妻" if head.sex == "M" else "夫"
            head.spouse = add(wife, (max(18, head.age - 6), head.age + 4), "F" if head.sex == "M" else "M")
        if form in {"family", "lone_parent", "three_generations"}:
            for _ in range(chance.choices((1, 2, 3), (50, 40, 10))[0]):
                head.dependants.append(add("子", (0, min(22, head.age - 18)), chance.choice("MF")))
        if form == "three_generations":
            add("父" if chance.random() < 0.4 else "母", (head.age + 22, head.age + 35), "F")
        if form == "no_head":
            head.relation = "その他"
        if form == "two_heads" and head.spouse:
            head.spouse.relation = "世帯主"
        if form == "student":
            head.supporter = "区外" if chance.random() < 0.8 else ""
        self._move(people, foreign=foreign)
        if chance.random() < 0.02:
            people[0].former = self._names.family()[0]
        return people

    def _birth(self, age: int) -> str:
        chance = self._chance
        if age in {15, 16, 18} and chance.random() < 0.25:
            return chance.choice(EDGE_BIRTHS).isoformat()
        born = date(2024, 6, 3) - timedelta(days=age * 365 + age // 4 + chance.randrange(365))
        if chance.random() < 0.002:
            return f"{born:%Y-%m}-00" if chance.random() < 0.5 else f"{born:%Y}-00-00"
        return born.isoformat()

    def _move(self, people: list[Person], *, foreign: bool) -> None:
        """転入・転出・死亡。世帯は一緒に動き、赤ちゃんは生まれた日に、亡くなるのは一人ずつ。"""
        chance = self._chance
        since = date(2000, 1, 1) + timedelta(days=chance.randrange(8700))
        reason, levy = "転入", ""
        draw = chance.random()
        if draw < 0.06:
            since = (
                chance.choice(EDGE_ARRIVALS) if draw < 0.012 else date(2024, 1, 3) + timedelta(chance.randrange(160))
            )
            if since > LEVY_DATE:
                abroad = chance.random() < (0.6 if foreign else 0.1)
                reason = "国外転入" if abroad else "転入" if chance.random() < 0.96 else "職権"
                levy = "" if abroad or reason == "職権" else chance.choice(MUNICIPALITIES)
        leaves = chance.random()
        for person in people:
            person.became_on, person.reason, person.levy_municipality = since, reason, levy
            born = person.birth.replace("-00", "-01")
            if date.fromisoformat(born) > since:
                person.became_on, person.reason, person.levy_municipality = date.fromisoformat(born), "出生", ""
            if leaves < 0.025:
                out = (
                    chance.choice(EDGE_DEPARTURES)
                    if leaves < 0.006
                    else date(2024, 2, 1) + timedelta(int(leaves * 5600))
                )
                person.removed_on = max(out, person.became_on)
                person.removed_reason = (
                    "国外転出" if foreign and leaves < 0.012 else "職権" if leaves < 0.002 else "転出"
                )
        if leaves >= 0.025 and chance.random() < 0.002 + 0.00035 * max(p.age for p in people):
            dead = max(people, key=lambda person: person.age)
            day = (
                chance.choice(EDGE_DEPARTURES)
                if chance.random() < 0.3
                else date(2024, 3, 1) + timedelta(chance.randrange(108))
            )
            dead.removed_on, dead.removed_reason = max(day, dead.became_on), "死亡"
