"""調べる数の上限（P19）: 一人ごと、台帳で数え、60 で止まり、管理者と区の二人がそろって解くまで止まる。"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor, DeskRole
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import look_up_limits
from benefit.services.home import Home
from benefit.services.look_up_limits import LookUpStopped, count_or_stop, release, stopped
from benefit.store import desk
from tests.conftest import StepClock

WHO = Actor("operator1", "operator")
SUPERVISOR, OTHER = Actor("supervisor1", "supervisor"), Actor("supervisor2", "supervisor")
WARD, WARD_ADMIN = Actor("kutanto", "ward_clerk"), Actor("kukanri", "ward_admin")
T = desk.access


@pytest.fixture
def place(home: Home, clock: StepClock) -> Home:
    people = (WHO, Actor("operator2", "operator"), SUPERVISOR, OTHER, WARD, WARD_ADMIN)
    with home.desk.begin() as connection:
        connection.execute(
            desk.staff.insert(),
            [{"id": a.id, "name": "試験", "role": a.role, "password_hash": "-", "created_at": clock()} for a in people],
        )
    return home


def look(home: Home, clock: StepClock, times: int = 1, actor: Actor = WHO) -> int:
    count = 0
    with home.desk.begin() as connection:
        for _ in range(times):
            count = count_or_stop(connection, actor, clock())
    return count


def rows(home: Home, table: sa.Table) -> int:
    with home.desk.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_thirty_leave_one_row_for_the_weekly_report_and_sixty_stop(place: Home, clock: StepClock) -> None:
    assert look(place, clock, 29) == 29
    assert rows(place, T.look_up_alarm) == 0
    assert look(place, clock, 30) == 59
    assert (rows(place, T.look_up_alarm), rows(place, T.look_up_stop)) == (1, 0)
    assert look(place, clock) == 60
    assert rows(place, T.look_up_stop) == 1
    with pytest.raises(LookUpStopped, match="管理者と区"):
        look(place, clock)
    clock.now += timedelta(days=3)
    with pytest.raises(LookUpStopped):
        look(place, clock)
    assert rows(place, T.look_up) == 60
    assert look(place, clock, actor=Actor("operator2", "operator")) == 1, "ほかの人は止まらない"


def test_the_hour_slides(place: Home, clock: StepClock) -> None:
    look(place, clock, 59)
    clock.now += timedelta(hours=1)
    assert look(place, clock, 59) == 59
    assert rows(place, T.look_up_stop) == 0


def test_a_stop_ends_only_when_both_sides_have_released_it(place: Home, clock: StepClock) -> None:
    look(place, clock, 60)
    with place.desk.begin() as connection:
        (held,) = stopped(connection)
        assert (held["staff_id"], held["sides"]) == (WHO.id, set())
        assert not release(connection, held["id"], reason="同じ世帯の続き", actor=SUPERVISOR, at=clock())
        for again in (SUPERVISOR, OTHER):
            with pytest.raises(RefusedByRule, match="もう解いています"):
                release(connection, held["id"], reason="二度目", actor=again, at=clock())
        with pytest.raises(LookUpStopped):
            count_or_stop(connection, WHO, clock())
        with pytest.raises(WrongUse, match="理由"):
            release(connection, held["id"], reason=" ", actor=WARD, at=clock())
        assert release(connection, held["id"], reason="確かめた", actor=WARD, at=clock())
        assert stopped(connection) == []
    assert look(place, clock) == 1, "解いた後は、数え直す"


@pytest.mark.parametrize("role", sorted(DeskRole))
def test_only_a_supervisor_and_the_ward_release(role: DeskRole) -> None:
    wanted = {"supervisor": "supervisor", "ward_clerk": "ward", "ward_admin": "ward"}
    assert look_up_limits.side_of(Actor("x", role.value)) == wanted.get(role.value)


def test_the_one_who_is_stopped_releases_nothing_even_with_the_role(place: Home, clock: StepClock) -> None:
    look(place, clock, 60, actor=SUPERVISOR)
    with place.desk.begin() as connection:
        number = stopped(connection)[0]["id"]
        with pytest.raises(RefusedByRule, match="本人"):
            release(connection, number, reason="試し", actor=SUPERVISOR, at=clock())
        with pytest.raises(RefusedByRule, match="管理者と区"):
            release(connection, number, reason="試し", actor=WHO, at=clock())
    values = {"stop_id": number, "stopped_staff_id": SUPERVISOR.id, "reason": "x", "released_at": clock()}
    for wrong in (
        {"side": "supervisor", "released_by": SUPERVISOR.id},
        {"side": "supervisor", "released_by": WARD.id, "stopped_staff_id": OTHER.id},
    ):
        with pytest.raises(sa.exc.IntegrityError), place.desk.begin() as connection:
            connection.execute(T.look_up_release.insert().values(**{**values, **wrong}))
    both = [{**values, "side": side, "released_by": WARD.id} for side in ("supervisor", "ward")]
    with pytest.raises(sa.exc.IntegrityError), place.desk.begin() as connection:
        connection.execute(T.look_up_release.insert(), both)


def test_the_count_goes_back_with_the_look_that_was_not_shown(place: Home, clock: StepClock) -> None:
    """ログが書けずに巻き戻った閲覧は、数えもしない。見せた閲覧は、必ず数えてある。"""
    with place.desk.connect() as connection:
        count_or_stop(connection, WHO, clock())
        connection.rollback()
    assert rows(place, T.look_up) == 0


def test_side_by_side_looks_do_not_slip_past_the_stop(place: Home, clock: StepClock) -> None:
    look(place, clock, 55)
    at = clock()

    def one(_place: int) -> bool:
        try:
            with place.desk.begin() as connection:
                count_or_stop(connection, WHO, at)
        except LookUpStopped:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        seen = sum(pool.map(one, range(12)))
    assert (seen, rows(place, T.look_up), rows(place, T.look_up_stop)) == (5, 60, 1)
