"""世帯に起こること: 転居、死亡、世帯主の交替、合併、分離、番号の付け直し、転出と戻り、支援措置、税、口座。"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from tests.ledger.books import JUDGED
from tests.ledger.world import Person, World

#: 毎日の抽出データが、前の日と一字も違わないことがないように、日の数だけ住所の変わる人。
RECORDER = 1_999_999_999


def households(count: int, chance: random.Random) -> World:
    """`count` 戸。一人、夫婦、親子、均等割、課税、昨年度の対象が混ざる。番号はばらばら。"""
    world = World([Person(RECORDER, 5_999_999_999, tax="所得割")])
    numbers = iter(chance.sample(range(1_000_000_000, 1_900_000_000), count * 3))
    for home in chance.sample(range(5_000_000_000, 5_900_000_000), count):
        tax = chance.choice(["非課税", "非課税", "非課税", "均等割", "所得割"])
        head = Person(next(numbers), home, tax=tax, account=chance.choice(["公金受取", "過去給付", ""]))
        world.people.append(head)
        if chance.random() < 0.6:
            world.people.append(Person(next(numbers), home, relation="妻", tax="非課税"))
        if chance.random() < 0.3:
            birth = f"20{10 + head.number % 8}-0{1 + head.number % 9}-1{head.number % 7}"
            world.people.append(Person(next(numbers), home, relation="子", birth=birth, tax="なし"))
        if chance.random() < 0.1:
            head.prior = home
    for one in world.people:
        if one.birth == "1970-05-06":
            one.birth = f"19{50 + one.number % 40}-0{1 + one.number % 9}-1{one.number % 9}"
    return world


@dataclass
class Lives:
    """区の人たちの暮らし。何が起こるかは `chance` が決める。`day` と `turn` は、最後に何かが起こった日と回。"""

    world: World
    chance: random.Random
    day: date = JUDGED
    turn: int = 0

    def happen(self, day: date, turn: int) -> None:
        """三つに一つの世帯に、何かが起こる。"""
        self.day, self.turn = day, turn
        for household in sorted({one.household for one in self.world}):
            if self.chance.random() < 0.35:
                members = [one for one in self.world.members(household) if one.number != RECORDER]
                if members:
                    self.chance.choice(self._events)(members)

    @property
    def _events(self) -> list[Callable[[list[Person]], None]]:
        return [
            self._move, self._die, self._new_head, self._merge, self._split, self._split, self._renumber, self._leave,
            self._come_back, self._hide, self._tax, self._account,
        ]  # fmt: skip

    def _move(self, members: list[Person]) -> None:
        for one in members:
            one.address = f"東京都新宿区四谷{self.turn + 1}丁目{self.chance.randint(1, 9)}番"

    def _die(self, members: list[Person]) -> None:
        alive = [one for one in members if not one.removed_on]
        if alive and self.chance.random() < 0.2:
            one = self.chance.choice(alive)
            one.removed_on, one.removed_reason = self.day, "死亡"

    def _new_head(self, members: list[Person]) -> None:
        """世帯主が替わる（続柄が入れ替わる）。"""
        heads = [one for one in members if one.relation == "世帯主"]
        others = [one for one in members if one.relation == "妻" and one.living]
        if heads and others:
            heads[0].relation, others[0].relation = "夫", "世帯主"

    def _merge(self, members: list[Person]) -> None:
        """ほかの世帯に入る。"""
        if self.chance.random() < 0.7:
            return
        other = self.chance.choice([one for one in self.world if one.number != RECORDER])
        if other.household != members[0].household:
            for one in members:
                one.household, one.relation = other.household, "同居人" if one.relation == "世帯主" else one.relation

    def _split(self, members: list[Person]) -> None:
        """大人の一人が、自分の世帯を立てる。"""
        others = [one for one in members if one.relation != "世帯主" and one.relation != "子" and one.living]
        if others:
            one = self.chance.choice(others)
            one.household, one.relation = self._fresh_household(), "世帯主"

    def _renumber(self, members: list[Person]) -> None:
        """同じ人たちの、世帯の番号だけが変わる（上峰町: 世帯主が亡くなり、別の世帯に見えた）。"""
        number = self._fresh_household()
        for one in members:
            one.household = number

    def _fresh_household(self) -> int:
        return 6_000_000_000 + self.chance.randrange(900_000_000)

    def _leave(self, members: list[Person]) -> None:
        if self.chance.random() < 0.2:
            for one in members:
                if not one.removed_on:
                    one.removed_on, one.removed_reason = self.day, "転出"

    def _come_back(self, members: list[Person]) -> None:
        for one in members:
            if one.removed_reason == "転出":
                one.removed_on, one.removed_reason = None, ""

    def _hide(self, members: list[Person]) -> None:
        if self.chance.random() < 0.05:
            self.chance.choice(members).dv = True

    def _tax(self, members: list[Person]) -> None:
        if self.chance.random() < 0.1:
            self.chance.choice(members).tax = self.chance.choice(["非課税", "均等割", "所得割"])

    def _account(self, members: list[Person]) -> None:
        one = self.chance.choice(members)
        one.account = self.chance.choice(["公金受取", "過去給付", ""])
