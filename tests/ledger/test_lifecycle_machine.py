"""T04 世帯主が亡くなっても、世帯が分かれても、一つになっても、戻って来ても、一人に二度払わない（reliability P4）。

Hypothesis の状態機械。一つの世界に 40 世帯がいて、50 歩のどの一歩でも、世帯に出来事が起こり、窓口が一つの仕事をする。
13 の世界で、世帯の歴史は 520 × 50 歩になる。LIVES で世帯の歴史の数、STEPS で歩数、LIFE_RANDOM=1 で毎回違う種になる。
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from benefit.services import judgment_past, judgment_people
from benefit.services.home import Home
from tests.ledger.lifecycle import Town

LIVES, STEPS = int(os.environ.get("LIVES", "500")), int(os.environ.get("STEPS", "50"))
PER_WORLD = 40
WORLDS = -(-LIVES // PER_WORLD)
SEEDS = st.integers(0, 2**32 - 1)


def machine(new_home: Callable[[str], Home], kind: str, salt: str, done: Counter[str]) -> type[RuleBasedStateMachine]:
    """この作業場所の作り方での、状態機械。したことを `done` に数える。"""

    class Life(RuleBasedStateMachine):
        town: Town
        steps = 0

        @initialize(seed=SEEDS)
        def begin(self, seed: int) -> None:
            self.town = Town(new_home(kind), random.Random(f"{salt}-{seed}"), PER_WORLD)

        def step(self, seed: int, work: Callable[[Town], None]) -> None:
            self.town.chance.seed(f"{salt}-{seed}")
            self.steps += 1
            self.town.live()
            work(self.town)

        @rule(seed=SEEDS)
        def a_day(self, seed: int) -> None:
            self.step(seed, Town.a_day)

        @rule(seed=SEEDS)
        def rebuild(self, seed: int) -> None:
            self.step(seed, Town.rebuild)

        @rule(seed=SEEDS)
        def claim(self, seed: int) -> None:
            self.step(seed, Town.through)

        @rule(seed=SEEDS)
        def claim_again(self, seed: int) -> None:
            self.step(seed, Town.through)

        @rule(seed=SEEDS)
        def ward_rows(self, seed: int) -> None:
            self.step(seed, Town.ward_rows)

        @rule(seed=SEEDS)
        def pay(self, seed: int) -> None:
            self.step(seed, Town.pay)

        @rule(seed=SEEDS)
        def claim_once_more(self, seed: int) -> None:
            self.step(seed, Town.through)

        @rule(seed=SEEDS)
        def bank(self, seed: int) -> None:
            self.step(seed, Town.bank)

        @rule(seed=SEEDS)
        def end(self, seed: int) -> None:
            self.step(seed, Town.end)

        @rule(seed=SEEDS)
        def money_back(self, seed: int) -> None:
            self.step(seed, Town.money_back)

        @rule(seed=SEEDS)
        def reissue(self, seed: int) -> None:
            self.step(seed, Town.reissue)

        @rule(seed=SEEDS)
        def successor(self, seed: int) -> None:
            self.step(seed, Town.successor)

        @rule(seed=SEEDS)
        def evacuee(self, seed: int) -> None:
            self.step(seed, Town.evacuee)

        @rule(seed=SEEDS)
        def hand_over(self, seed: int) -> None:
            self.step(seed, Town.hand_over)

        @invariant()
        def nobody_is_paid_twice(self) -> None:
            if hasattr(self, "town"):
                assert self.town.check() == []

        def teardown(self) -> None:
            if hasattr(self, "town"):
                done["世帯 × 歩"] += self.steps * PER_WORLD
                done["世界"] += 1
                for row in self.town.payments():
                    done[row["state"]] += 1
                for name in ("claim", "ending_approval", "repayment_approval", "reissue", "entitlement", "verdict"):
                    done[name] += self.town.number_of(name)
                done.update(self.town.checks())
                self.town.close()

    return Life


def run(new_home: Callable[[str], Home], kind: str, salt: str, worlds: int) -> Counter[str]:
    done = Counter[str]()
    print(f"{kind}、{worlds} の世界 × {PER_WORLD} 世帯 × {STEPS} 歩")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine(new_home, kind, salt, done),
        settings=settings(
            max_examples=worlds,
            stateful_step_count=STEPS,
            derandomize="LIFE_RANDOM" not in os.environ,
            database=None,
            deadline=None,
            # 一つの世界は何十秒もかかる。縮めずに、種と歩みをそのまま見せる。
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(done))
    return done


@pytest.mark.parametrize(("kind", "salt", "share"), [("sqlite", "a", 6), ("sqlite", "b", 5), ("postgresql", "c", 2)])
def test_whatever_happens_to_a_household_nobody_is_paid_twice(
    new_home: Callable[[str], Home], kind: str, salt: str, share: int
) -> None:
    done = run(new_home, kind, salt, max(1, round(WORLDS * share / 13)))
    # 何も起こらない世界で安心しない。
    assert done["F42"]
    assert done["F43"] + done["F48"] + done["F49"]


@pytest.mark.parametrize("blind", [judgment_people.overlaps, judgment_past.counted_then], ids=["now", "then"])
def test_this_test_sees_a_key_of_the_household_number_only(
    new_home: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch, blind: Callable[..., pl.DataFrame]
) -> None:
    """わざと入れた誤り: 人を見ずに、世帯の番号だけで一回を数える（いまの世帯の人も、判定した時の人も）。"""
    name = blind.__name__
    for place, module in list(sys.modules.items()):
        if place.startswith("benefit.") and getattr(module, name, None) is blind:
            monkeypatch.setattr(module, name, lambda *given: blind(*given).clear())
    with pytest.raises(AssertionError, match="両方で払われている"):
        run(new_home, "sqlite", f"planted-{name}", 20)
