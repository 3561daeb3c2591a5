"""公表された事故は、仕組みの違う二つ以上の守りの、どの一つだけでも止まる。全部を外せば、本当に起きる。

止まったかどうかは、台帳ではなく、銀行に渡したファイルのバイト列で見る。
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batch.museum.cases import CASES
from batch.museum.office import Office
from batch.museum.story import Case, Control, Mistake
from tests.museum.off import OFF, switch_off

Before = Callable[[Mistake], Office]
MISTAKES = [(case, mistake) for case in CASES for mistake in case.mistakes]
NAMES = [f"{case.key}{case.mistakes.index(mistake) + 1}" for case, mistake in MISTAKES]
each_mistake = pytest.mark.parametrize(("case", "mistake"), MISTAKES, ids=NAMES)
each_control = pytest.mark.parametrize(
    ("case", "mistake", "control"),
    [(case, mistake, control) for case, mistake in MISTAKES for control in mistake.controls],
    ids=[
        f"{name}-{control.key}"
        for name, (_, mistake) in zip(NAMES, MISTAKES, strict=True)
        for control in mistake.controls
    ],
)


@each_mistake
def test_the_controls_are_of_two_kinds_at_least(case: Case, mistake: Mistake) -> None:
    assert len(mistake.controls) >= 2
    assert len({control.mechanism for control in mistake.controls}) >= 2
    assert {control.key for control in mistake.controls} <= set(OFF), case.place


@each_mistake
def test_with_everything_on_the_first_control_stops_it(
    case: Case, mistake: Mistake, before_the_mistake: Before
) -> None:
    office = before_the_mistake(mistake)
    stops = mistake.do(office)
    assert mistake.controls[0].stopped(stops[0]), stops
    assert office.harm() == [], case.place


@each_control
def test_each_control_stops_it_alone(
    case: Case, mistake: Mistake, control: Control, before_the_mistake: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ほかの守りを全部外しても、この一つが止める。"""
    office = before_the_mistake(mistake)
    others = [other.key for other in mistake.controls if other is not control]
    switch_off(monkeypatch, office, mistake, others)
    stops = mistake.do(office)
    assert [stop for stop in stops if control.stopped(stop)], stops
    assert office.harm() == [], stops


@each_mistake
def test_with_the_first_control_off_the_second_stops_it(
    case: Case, mistake: Mistake, before_the_mistake: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = mistake.controls[:2]
    office = before_the_mistake(mistake)
    switch_off(monkeypatch, office, mistake, [first.key])
    stops = mistake.do(office)
    assert second.stopped(stops[0]), stops
    assert office.harm() == [], case.place


@each_mistake
def test_with_every_control_off_the_incident_really_happens(
    case: Case, mistake: Mistake, before_the_mistake: Before, monkeypatch: pytest.MonkeyPatch
) -> None:
    """事故を見つけられない試験は、何も守らない。"""
    office = before_the_mistake(mistake)
    switch_off(monkeypatch, office, mistake, [control.key for control in mistake.controls])
    stops = mistake.do(office)
    assert stops == []
    assert office.harm() != [], case.place
