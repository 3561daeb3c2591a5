"""T32: 植えた十六の悪いことは、どの種でも全部見つかり、静かな日々の空振りは一日二件までである（reliability §4.7）。"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from benefit.services import log_detectors
from benefit.services.log_findings import Finding
from benefit.services.log_frames import Logs
from tests.services.log_traffic import (
    DAYS,
    OPERATORS,
    SURNAMES,
    Traffic,
    at,
    pay,
    quiet_desk,
    quiet_ward,
    utc,
    week,
    weeks,
    working_days,
)

SEEDS = [int(text) for text in os.environ.get("THIEF_SEEDS", "1 2 3").split()]
MOST_FALSE_ALARMS = 2.0

DESK_PLANTS: dict[str, Callable[[Traffic], str]] = {}
WARD_PLANTS: dict[str, Callable[[Traffic], str]] = {}


def plant(where: dict[str, Callable[[Traffic], str]], detector: str) -> Callable[..., Callable[[Traffic], str]]:
    """悪いことを植え、見つかるはずの人（番号・端末）を空白で並べて返す関数を登録する。"""

    def keep(function: Callable[[Traffic], str]) -> Callable[[Traffic], str]:
        where[detector] = function
        return function

    return keep


@plant(DESK_PLANTS, "L01")
def a_search_loop(made: Traffic) -> str:
    for number in range(31):
        made.call(at(working_days()[2], 17.0) + timedelta(seconds=100 * number), "op-1")
    return "op-1"


@plant(DESK_PLANTS, "L02")
def guessing_numbers(made: Traffic) -> str:
    for number in range(10):
        made.call(at(working_days()[3], 17) + timedelta(minutes=4 * number), "op-2", hits=0)
    return "op-2"


@plant(DESK_PLANTS, "L03")
def copying_all_day(made: Traffic) -> str:
    for number in range(110):
        made.call(at(working_days()[4], 9.01) + timedelta(minutes=4 * number), "op-3")
    return "op-3"


@plant(DESK_PLANTS, "L04")
def looking_without_a_call(made: Traffic) -> str:
    for number in range(12):
        made.deed(at(working_days()[5], 16.9) + timedelta(minutes=number), "op-4", "case.view", made.cases[number][0])
    return "op-4"


@plant(DESK_PLANTS, "L05")
def coming_on_saturday(made: Traffic) -> str:
    saturday = next(day for day in (working_days()[6] + timedelta(days=n) for n in range(7)) if day.weekday() == 5)
    made.call(at(saturday, 10), "op-5")
    return "op-5"


@plant(DESK_PLANTS, "L06")
def reading_a_long_list(made: Traffic) -> str:
    made.deed(at(working_days()[7], 15), "kanri", "case.excel", role="supervisor", rows=51)
    return "kanri"


@plant(DESK_PLANTS, "L07")
def looking_at_relatives(made: Traffic) -> str:
    rare = SURNAMES[-1]
    made.people = [(who, f"{rare}　職員" if who == "op-6" else name) for who, name in made.people]
    mine = [case for case, name, _ in made.cases if name.startswith(rare)]
    for number in range(3):
        made.call(at(working_days()[8], 17) + timedelta(minutes=7 * number), "op-6", subject=mine[number])
    return "op-6"


@plant(DESK_PLANTS, "L08")
def one_caller_tries_three_operators(made: Traffic) -> str:
    for number, who in enumerate(OPERATORS[7:10]):
        made.call(at(working_days()[9], 17) + timedelta(minutes=9 * number), who, subject=made.cases[77][0])
    return made.cases[77][0]


@plant(DESK_PLANTS, "L12")
def a_lent_account(made: Traffic) -> str:
    # 仕事の途中のよその端末（行って戻る）と、帰った後のよその端末（ログインなしに移る）。
    for hour, who in ((10.02, "op-8"), (17.05, "op-9")):
        if who == "op-9":
            made.call(at(working_days()[10], 16.95), who)
        made.deed(at(working_days()[10], hour), who, "contact.write", terminal="端末-よそ")
    return "op-8 op-9"


@plant(DESK_PLANTS, "L13")
def trying_every_id(made: Traffic) -> str:
    for number in range(3):
        moment = at(working_days()[11], 12) + timedelta(minutes=number)
        made.deed(moment, "nobody", "login.refused", f"op-{number}", role="none", terminal="端末-倉庫")
    return "端末-倉庫"


@plant(DESK_PLANTS, "L14")
def an_hour_of_the_log_is_gone(made: Traffic) -> str:
    begin, end = at(working_days()[12], 11), at(working_days()[12], 12)
    made.log = [row for row in made.log if not begin <= row[0] < end]
    return "監査ログ"


@plant(WARD_PLANTS, "L09")
def account_changed_just_before(made: Traffic) -> str:
    case_number = made.paid[70][3]
    made.changes.append((case_number, working_days()[5] - timedelta(days=5)))
    return case_number


@plant(WARD_PLANTS, "L10")
def one_account_two_households(made: Traffic) -> str:
    day = working_days()[10]
    pay(made, 10, day, 901, account="00010019999999")
    pay(made, 10, day, 902, account="00010019999999")
    return f"{made.paid[-2][3]}、{made.paid[-1][3]}"


@plant(WARD_PLANTS, "L11")
def approving_what_one_entered(made: Traffic) -> str:
    made.editors += [(made.paid[130][2], "shonin2"), (made.paid[131][2], "shonin1")]
    return "shonin1 shonin2"


@plant(WARD_PLANTS, "L15")
def one_row_was_not_checked(made: Traffic) -> str:
    made.runs.append(("F-N", working_days()[9], 200, 199))
    return "F-N"


@plant(WARD_PLANTS, "L16")
def the_printer_never_answered(made: Traffic) -> str:
    made.handovers.append(("print_out/99", utc(at(working_days()[3], 11)), None, None, True))
    return "print_out/99"


def found_in(logs: Logs) -> list[Finding]:
    """毎週の報告が並べるもの全部。"""
    return [one for since in weeks() for found in log_detectors.run(week(logs, since)).values() for one in found]


@pytest.mark.parametrize("seed_at", range(len(SEEDS)))
def test_every_planted_misuse_is_seen_and_quiet_days_stay_quiet(seed_at: int) -> None:
    seed = SEEDS[seed_at]
    print(f"T32 の種: {seed}")
    assert set(DESK_PLANTS) | set(WARD_PLANTS) == {one.id for one in log_detectors.DETECTORS}
    for store, make, plants in (("desk", quiet_desk, DESK_PLANTS), ("ward", quiet_ward, WARD_PLANTS)):
        false = found_in(make(seed).logs(store))
        assert len(false) <= MOST_FALSE_ALARMS * DAYS, Counter(one.detector for one in false)
        made = make(seed)
        expected = {(detector, who) for detector, sow in plants.items() for who in sow(made).split(" ")}
        found = {(one.detector, one.who) for one in found_in(made.logs(store))}
        assert expected <= found
        # 植えたものが、ほかの検知まで鳴らし続けない。
        assert len(found - expected) <= MOST_FALSE_ALARMS * DAYS


def test_no_finding_carries_a_name() -> None:
    made = quiet_desk(SEEDS[0])
    for sow in DESK_PLANTS.values():
        sow(made)
    told = "".join(f"{one.who}{one.says}" for one in found_in(made.logs("desk")))
    for _who, name in made.people:
        assert name not in told
    assert not any(surname in told for surname in SURNAMES)


def test_an_empty_month_runs_every_detector_and_finds_nothing() -> None:
    for store in ("desk", "ward"):
        made = Traffic(quiet_ward(1).luck)
        assert not any(log_detectors.run(made.logs(store)).values())
