"""架空の異動: 転入・国外転入・職権、転出・国外転出、出生、死亡。境目の日（賦課期日・基準日）を必ず混ぜる。"""

from __future__ import annotations

import random
from datetime import date, timedelta

from batch.world.people import BASE_DATE, LEVY_DATE, Person

#: 転入と消除の境目の日（その前日、当日、翌日）。
EDGE_ARRIVALS = (date(2023, 12, 31), LEVY_DATE, date(2024, 1, 2), date(2024, 6, 2), BASE_DATE, date(2024, 6, 4))
EDGE_DEPARTURES = (date(2024, 6, 2), BASE_DATE, date(2024, 6, 4), date(2024, 6, 18))
#: 抽出の日。これより後の異動は、まだ載っていない。
EXTRACTED_ON = date(2024, 6, 19)
#: 1月1日に住んでいた、区の外の市区町村。
MUNICIPALITIES = ("13101", "13104", "13112", "13113", "13116", "14130", "27100", "40130", "01100")
_SETTLED_DAYS = (date(2023, 12, 31) - date(2000, 1, 1)).days


def move(people: list[Person], chance: random.Random) -> None:
    """一世帯の異動。世帯は一緒に動き、赤ちゃんは生まれた日に住民となり、亡くなるのは一人。"""
    _arrive(people, chance)
    draw = chance.random()
    if draw < 0.028:
        _leave(people, chance, edge=draw < 0.006)
    elif chance.random() < 0.001 + 0.0003 * max(person.age for person in people):
        _die(max(people, key=lambda person: person.age), people, chance)


def _arrive(people: list[Person], chance: random.Random) -> None:
    since = date(2000, 1, 1) + timedelta(days=chance.randrange(_SETTLED_DAYS))
    reason, municipality = chance.choices(("転入", "その他"), (99, 1))[0], ""
    draw = chance.random()
    if draw < 0.065:
        days = (EXTRACTED_ON - date(2024, 1, 3)).days
        since = chance.choice(EDGE_ARRIVALS) if draw < 0.012 else date(2024, 1, 3) + timedelta(chance.randrange(days))
        abroad = chance.random() < (0.55 if people[0].card else 0.08)
        reason = "国外転入" if abroad else chance.choices(("転入", "職権"), (96, 4))[0]
        if reason == "転入" and since > LEVY_DATE:
            municipality = chance.choice(MUNICIPALITIES)
    for person in people:
        person.became_on, person.reason, person.levy_municipality = since, reason, municipality
        born = date.fromisoformat(person.birth.replace("-00", "-01"))
        if born > since:
            person.became_on, person.reason, person.levy_municipality = born, "出生", ""


def _leave(people: list[Person], chance: random.Random, *, edge: bool) -> None:
    days = (EXTRACTED_ON - date(2024, 1, 2)).days
    day = chance.choice(EDGE_DEPARTURES) if edge else date(2024, 1, 2) + timedelta(chance.randrange(days))
    foreign = bool(people[0].card)
    reason = chance.choices(("転出", "国外転出", "職権"), (50, 45, 5) if foreign else (94, 4, 2))[0]
    # 一人だけ出ていく世帯もある（進学、単身赴任）。
    leaving = people if chance.random() < 0.7 else people[-1:]
    for person in leaving:
        person.removed_on, person.removed_reason = max(day, person.became_on), reason


def _die(dead: Person, people: list[Person], chance: random.Random) -> None:
    days = (EXTRACTED_ON - date(2024, 1, 2)).days
    edge = chance.random() < 0.3
    day = chance.choice(EDGE_DEPARTURES) if edge else date(2024, 1, 2) + timedelta(chance.randrange(days))
    dead.removed_on, dead.removed_reason = max(day, dead.became_on), "死亡"
    living = [person for person in people if person is not dead and person.age >= 18]
    # 世帯主が亡くなれば、ふつうは配偶者が世帯主になる。届けがまだの世帯もある。
    if dead.relation == "世帯主" and living and dead.removed_on < BASE_DATE and chance.random() < 0.85:
        living[0].relation, dead.relation = "世帯主", "夫" if dead.sex == "M" else "妻"
