"""架空の昨年度の対象世帯（prior）: 続いている世帯、世帯番号の変わった世帯、世帯主が亡くなった世帯、分かれた世帯。"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date

from batch.world import taxes
from batch.world.people import Families, Person

HEADINGS = ("給付名", "世帯番号", "住民番号", "続柄", "状態")
LAST_YEAR = ("令和5年度価格高騰重点支援給付金（7万円）", "令和5年度均等割のみ課税世帯給付金（10万円）")
_STATES, _WEIGHTS = ("支給済", "未申請", "辞退", "対象外"), (86, 8, 3, 3)
#: 昨年度も対象だった割合。残りが、今年度に新しく対象になる世帯。
_CARRIED = 0.72


def prior_rows(households: Sequence[list[Person]], families: Families, chance: random.Random) -> list[list[str]]:
    """所得割のない、昨年の冬にはいた世帯の多くは、昨年度の対象でもあった。"""
    rows: list[list[str]] = []
    for household in households:
        if household[0].became_on >= date(2023, 12, 1) or any(taxes.compute(person).ward for person in household):
            continue
        draw = chance.random()
        if draw < _CARRIED:
            rows += _household(household, households, families, chance, kind=draw / _CARRIED)
    return rows


def _household(
    household: list[Person],
    households: Sequence[list[Person]],
    families: Families,
    chance: random.Random,
    *,
    kind: float,
) -> list[list[str]]:
    name = chance.choices(LAST_YEAR, (80, 20))[0]
    number = household[0].household
    # 今年に入って生まれた子は、昨年度の世帯にはいない。
    then = [person for person in household if person.birth < "2023-12-01"]
    members = [(person.number, person.relation) for person in then]
    if kind < 0.06 and len(then) > 1:
        # 昨年度の世帯主はもう記録になく、世帯番号も変わった（P3）。
        number = families.number()
        members = [(families.number(), "世帯主")] + [(person.number, "子") for person in then]
    elif kind < 0.09:
        # 昨年度は、よその世帯の一員だった（P5）。前の世帯主の側から見れば、分かれる前の世帯（P2）。
        number = families.number()
        head = chance.choice(households)[0]
        members = [(head.number, "世帯主")] + [(person.number, "子") for person in then if person is not head]
    elif kind < 0.15:
        number = families.number()  # 世帯番号だけ変わった（P2）。
    state = chance.choices(_STATES, _WEIGHTS)[0]
    # 一人だけ支給の対象でなかった世帯もある（年の途中で増えた人など）。
    return [
        [name, number, person, relation, "対象外" if relation != "世帯主" and chance.random() < 0.01 else state]
        for person, relation in members
    ]
