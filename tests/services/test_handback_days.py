"""でたらめな日々: 受渡がなくなり、重なり、前後し、名を変えて届いても、区の見る姿は最後に受け取った時の委託先の姿に等しい。"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import desk_load, handback_lists
from benefit.services.home import Home
from benefit.store import desk, ward
from tests.conftest import StepClock
from tests.services.conftest import PROGRAMME, Office
from tests.services.test_handback_withdrawn import protect
from tests.support.handback import Exchange
from tests.support.small_ward import read

SEED = int(os.environ.get("HANDBACK_SEED", random.SystemRandom().randrange(2**32)))
DAYS = int(os.environ.get("HANDBACK_DAYS", "5"))


class Model:
    """正しい答え。フォルダを作った時の委託先の姿を覚えておき、受け取ったら、それが区の姿になる。"""

    def __init__(self, office: Office, dice: random.Random) -> None:
        self.office, self.dice, self.days = office, dice, Exchange(office)
        self.made: list[tuple[Path, dict[str, Any]]] = []
        self.payees: list[Path] = []
        self.seen: dict[str, Any] = {}
        self.newest = 0
        self.counts: Counter[str] = Counter()
        self.said: dict[int, tuple[str, str]] = {}

    def photograph(self) -> dict[str, Any]:
        case, contact = desk.benefit_case, desk.contact
        with self.office.home.desk.connect() as connection:
            rows = connection.execute(sa.select(case.c.case_number, case.c.branch, case.c.state)).all()
            contacts = connection.execute(sa.select(contact.c.id, contact.c.case_number, contact.c.body)).all()
        return {"cases": {row[0]: (row[1], row[2]) for row in rows}, "contacts": {row[0]: row[1:] for row in contacts}}

    # --- 委託先の仕事 ---
    def work(self) -> None:
        states = self.days.desk_states()
        number = self.dice.choice(sorted(states))
        deed = self.dice.choice(["contact", "returned", "refused", "dead"])
        try:
            if deed == "contact":
                self.days.contact(number, f"電話 {self.dice.random()}")
            elif deed == "returned":
                self.days.returned(number)
            else:
                self.days.tell(number, "refusal_received" if deed == "refused" else "death_told")
        except BenefitError:
            pass  # その状態では、できない仕事

    def make(self) -> None:
        seen = self.photograph()
        self.made.append((self.days.make(), seen))

    # --- 受渡 ---
    def deliver(self) -> None:
        """どれかの進捗情報が（名を変えて）区に届く。"""
        if not self.made:
            return
        at = self.dice.choice([len(self.made) - 1, self.dice.randrange(len(self.made))])
        folder, photograph = self.made[at]
        if self.dice.random() < 0.5:
            other = folder.with_name(f"{folder.name}-{self.dice.randrange(10**9)}")
            shutil.copytree(folder, other)
            folder = other
        before = self.days.ward_rows()
        if at + 1 < self.newest:
            with pytest.raises(RefusedByRule, match="もっと新しい"):
                self.days.take(folder)
            assert self.days.ward_rows() == before
            self.counts["refused"] += 1
            return
        done = self.days.take(folder)
        if done.repeated:
            assert at + 1 == self.newest
            assert self.days.ward_rows() == before
            self.counts["repeated"] += 1
            return
        assert at + 1 > self.newest
        self.newest, self.seen = at + 1, photograph
        self.said |= photograph["contacts"]
        assert done.cases_read == done.cases_agreed + done.cases_listed == len(photograph["cases"])
        assert done.cases_given == done.cases_read - done.cases_strange + done.cases_vanished
        assert (done.cases_listed, done.cases_vanished) == (0, 0)
        self.counts["taken"] += 1

    def export(self) -> None:
        self.payees.append(self.days.export())

    def load(self) -> None:
        """支給対象者の受渡が委託先に届く（古いものは断られる）。"""
        if self.payees:
            try:
                desk_load.load(self.office.home, self.dice.choice(self.payees), clock=self.office.clock)
            except BenefitError:
                self.counts["load refused"] += 1

    def hide(self) -> None:
        """一人が区直轄になる。"""
        rows = read(self.office.root / "payees" / "payees.csv")
        if self.dice.random() < 0.3:
            protect(self.office, self.dice.choice(rows)["住民番号"])

    # --- いつも成り立つこと ---
    def holds(self) -> None:
        if not self.newest:
            return
        seen = {number: (row["branch"], row["state"]) for number, row in self.days.seen().items()}
        assert seen == self.seen["cases"]
        with self.office.home.ward.connect() as connection:
            event, contact = ward.desk_event, ward.desk_contact
            told = connection.execute(sa.select(contact.c.contact_id, contact.c.case_number, contact.c.body)).all()
            newest = sa.select(event.c.case_number, event.c.to_state).order_by(event.c.event_id)
            states = dict(tuple(row) for row in connection.execute(newest))
        # 出来事は一度ずつ数えられ、最後の出来事は、いまの状態に着く。
        assert {row[0]: tuple(row[1:]) for row in told} == {key: tuple(value) for key, value in self.said.items()}
        assert {number: states[number] for number in seen} == {number: state for number, (_b, state) in seen.items()}


DEEDS = ("work", "work", "make", "deliver", "deliver", "export", "load", "hide")


def run(office: Office, seed: int, plan: list[str]) -> Model:
    """計画のとおりに日々を回し、終わりに受渡を揃える。"""
    model = Model(office, random.Random(seed))
    model.make()
    model.deliver()
    for name in plan:
        getattr(model, name)()
        if name == "deliver":
            model.holds()
    model.export()
    desk_load.load(office.home, model.payees[-1], clock=office.clock)
    model.make()
    while model.newest < len(model.made):
        model.deliver()
    model.holds()
    waiting = handback_lists.withdrawals_waiting(office.home, PROGRAMME, today=office.clock().date())
    assert waiting.is_empty()
    return model


def test_whatever_happens_on_the_way_the_ward_sees_the_desk_as_it_was(office: Office) -> None:
    print(f"HANDBACK_SEED={SEED}")
    dice = random.Random(SEED)
    model = run(office, SEED, [deed for _day in range(DAYS) for deed in dice.sample(DEEDS, k=len(DEEDS))])
    assert model.counts["taken"] >= 2


@settings(max_examples=int(os.environ.get("HANDBACK_EXAMPLES", "3")))
@given(plan=st.lists(st.sampled_from(DEEDS), min_size=10, max_size=40), seed=st.integers(0, 2**32))
def test_no_order_of_deeds_makes_the_ward_see_something_else(
    plan: list[str], seed: int, prepared_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("days") / "office"
    shutil.copytree(prepared_sqlite, root)
    home, clock = Home.at(root / "home"), StepClock()
    clock.now = clock.now.replace(month=7, day=26)
    try:
        run(Office(home, clock, root / "planned", root), seed, plan)
    finally:
        home.ward.dispose()
        home.desk.dispose()
