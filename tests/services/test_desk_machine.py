"""でたらめな仕事を続けても: 状態は跡の畳み込みと同じ、一行も消えない、二人の等しい入力なしに審査は終わらない。"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from benefit.domain.access import BATCH, Actor
from benefit.domain.case import STEPS, TRANSITIONS
from benefit.domain.deficiency import DEFECTS, FORM_KINDS
from benefit.domain.errors import BenefitError
from benefit.services.desk_accounts import account_of
from benefit.services.desk_cases import TOLD_EVENTS, Move, advance, tell
from benefit.services.desk_deficiencies import find, notify
from benefit.services.desk_intake import EVENTS_OF, Arrival, receive
from benefit.services.desk_returned_mail import Return, returned
from benefit.services.desk_review import check, key, start
from benefit.services.desk_undo import FOLDED, fold, undo
from benefit.store import desk
from benefit.store.engine import reading
from tests.support.desk_world import ACCOUNT, ALL_GOOD, EVERYONE, FIRST, SECOND, TABLES, DeskWorld

DEEDS, DUE = 350, date(2024, 7, 30)
STATES = ("S10", "P20", "P25", "C20", "C28", "F43", "F42")
ACCOUNTS = (ACCOUNT, ACCOUNT, account_of("9999", "001", "1", "7654321", "ｼﾝｼﾞﾕｸ ﾊﾅｺ"))
#: 出来事を起こす紙。
PAPERS = {
    event: [kind for kind, told in EVENTS_OF.items() if event in told] for told in EVENTS_OF.values() for event in told
}


class Office:
    """一つの世界の五十件ほどに、でたらめな人が、でたらめな仕事をする。"""

    def __init__(self, world: DeskWorld, seed: int) -> None:
        self.world, self.chance, self.done = world, random.Random(seed), 0
        self.numbers = [number for state in STATES for number in world.cases(7, state, due_on=DUE)]
        self.kept: dict[str, set[int]] = {}
        self.wild: tuple[Callable[[str, Actor], Any], ...] = (
            self._paper, self._key, self._check, self._defect, self._notice, self._mail, self._told, self._undo,
        )  # fmt: skip

    def do(self) -> None:
        """一つの仕事: 七割は表の道を、三割は何でも。断られても、よい。"""
        number, actor = self.chance.choice(self.numbers), self.chance.choice(EVERYONE)
        with suppress(BenefitError):
            if self.chance.random() < 0.3:
                self.chance.choice(self.wild)(number, actor)
            else:
                self._along(number)
            self.done += 1

    def _along(self, number: str) -> None:
        state = self.world.state(number)
        steps = [
            step for step in STEPS if step.state == state and step.event not in {"ended", "reissued", "death_told"}
        ]
        if not steps:
            return
        step = self.chance.choice(steps)
        actor = self.chance.choice([each for each in (*EVERYONE, BATCH) if each.role in step.roles])
        if step.event in {"review_finished", "account_verified"}:
            with suppress(BenefitError):
                self._key(number, FIRST)
            self._check(number, self.chance.choice((FIRST, SECOND, SECOND)))
        elif step.event == "review_started":
            self.world.do(start, number, actor=actor)
        elif step.event == "deficiency_found":
            self._defect(number, actor)
        elif step.event == "deficiency_notified":
            self._notice(number, actor)
        elif step.event == "mail_returned":
            self._mail(number, actor)
        elif step.event in PAPERS:
            self._paper(number, actor, self.chance.choice(PAPERS[step.event]))
        elif step.event in TOLD_EVENTS:
            self._told(number, actor, step.event)
        elif step.event != "received_late":
            self.world.do(advance, [Move(number, state, step.event)], actor=BATCH, reason="夜間")

    def _day(self) -> date:
        return DUE + timedelta(days=self.chance.randrange(-10, 3))

    def _paper(self, number: str, actor: Actor, kind: str = "") -> None:
        told = kind or self.chance.choice(list(FORM_KINDS))
        branch = None if kind else self.chance.choice((None, 1, 0))
        self.world.do(receive, Arrival(number, told, self._day(), branch=branch), actor=actor)

    def _key(self, number: str, actor: Actor) -> None:
        self.world.do(key, number, self.chance.choice(ACCOUNTS), ALL_GOOD, actor=actor)

    def _check(self, number: str, actor: Actor) -> None:
        self.world.do(check, number, self.chance.choice(ACCOUNTS), actor=actor)

    def _defect(self, number: str, actor: Actor) -> None:
        self.world.do(find, number, self.chance.sample(list(DEFECTS), 2), actor=actor)

    def _notice(self, number: str, actor: Actor) -> None:
        self.world.do(notify, number, on=self._day(), actor=actor)

    def _mail(self, number: str, actor: Actor) -> None:
        self.world.do(returned, Return(number, "moved", self._day()), actor=actor)

    def _told(self, number: str, actor: Actor, event: str = "") -> None:
        self.world.do(tell, number, event or self.chance.choice(TOLD_EVENTS), reason="電話", actor=actor)

    def _undo(self, number: str, actor: Actor) -> None:
        self.world.do(undo, number, reason="誤り", actor=actor)

    def keeps(self) -> set[tuple[str, str]]:
        """約束の全部。通った（状態, 出来事）を返す。"""
        events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in self.world.events(*self.numbers):
            events[event["case_number"]].append(event)
        with reading(self.world.home.desk) as connection:
            for table in TABLES:
                identity = next(iter(table.primary_key))
                query = sa.select(identity).where(table.c.case_number.in_(self.numbers))
                now = set(connection.execute(query).scalars())
                assert self.kept.get(table.name, set()) <= now, f"{table.name} の行が消えた"
                self.kept[table.name] = now
            for number, row in self.world.rows(self.numbers).items():
                self._fold(connection, row, events[number])
            self._two_people(connection)
        return {(event["from_state"], event["event"]) for told in events.values() for event in told}

    def _fold(self, connection: sa.Connection, row: dict[str, Any], events: list[dict[str, Any]]) -> None:
        state, gone = events[0]["to_state"], {event["reverses"] for event in events}
        for event in events[1:]:
            assert event["from_state"] == state, "跡が途切れた"
            assert event["reverses"] or TRANSITIONS[state, event["event"]] == event["to_state"]
            state = event["to_state"]
        assert row["state"] == state, "状態は、跡の畳み込みと同じ"
        standing = [event for event in events if event["reverses"] is None and event["id"] not in gone]
        folded = fold(connection, row["case_number"], standing)
        assert {name: row[name] for name in FOLDED} == folded, "列も、跡の畳み込みと同じ"

    def _two_people(self, connection: sa.Connection) -> None:
        """審査の終わった一歩は、どれも、別の二人の等しい入力を名指す。"""
        event, one, two = desk.case_event, desk.form_review, desk.form_review_approval
        equal = [one.c[name].is_not_distinct_from(two.c[name]) for name in ACCOUNT.columns]
        ended = sa.select(event.c.id).where(
            event.c.case_number.in_(self.numbers), event.c.event.in_(("review_finished", "account_verified"))
        )
        proven = (
            ended.join(one, event.c.evidence == sa.literal("form_review:") + sa.cast(one.c.id, sa.String))
            .join(two, two.c.review_id == one.c.id)
            .where(one.c.keyed_by != two.c.checked_by, two.c.checked_by == event.c.actor, *equal)
        )
        assert set(connection.execute(ended).scalars()) == set(connection.execute(proven).scalars())


#: 人と夜間処理が歩く道（区の終わり・出し直しと、どこからでも起こる死亡の申出を除く）。
WALKED = {(step.state, step.event) for step in STEPS if step.event not in {"reissued", "ended", "death_told"}}


@settings(max_examples=2, phases=(Phase.explicit, Phase.generate))
@given(seed=st.integers(0, 10**6))
def test_whatever_people_do_the_promises_stand(world: DeskWorld, seed: int) -> None:
    note(f"種 {seed}")
    office, walked = Office(world, seed), set[tuple[str, str]]()
    for _half in range(2):
        for _deed in range(DEEDS // 2):
            office.do()
        walked = office.keeps()
    # 通らない道の約束は、何も守っていない。
    assert len(walked & WALKED) > len(WALKED) * 2 // 3, sorted(WALKED - walked)
