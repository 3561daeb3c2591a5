"""職員の登録と、閉じる長さ。"""

from __future__ import annotations

from datetime import timedelta

import pytest

from benefit.domain.access import BATCH, Actor
from benefit.domain.errors import BenefitError, RefusedByRule
from benefit.services import people
from benefit.services.home import Home
from benefit.store import audit, desk
from tests.api.conftest import PASSWORD, Desk, audit_rows, in_days
from tests.conftest import StepClock

OPENS_AGAIN = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)


def add(home: Home, clock: StepClock, **given: str) -> None:
    values = {"staff_id": "op-2", "name": "試験", "role": "operator", "password": PASSWORD, **given}
    with home.desk.begin() as connection:
        people.add(connection, desk.staff, desk.audit_log, actor=BATCH, at=clock(), **values)


def test_a_person_added_can_log_in_and_the_store_holds_no_password(home: Home, clock: StepClock) -> None:
    add(home, clock)
    actor = people.authenticate(home.desk, desk.staff, desk.audit_log, "op-2", PASSWORD, clock)
    assert actor == Actor("op-2", "operator")
    with home.desk.connect() as connection:
        kept = connection.execute(desk.staff.select()).mappings().one()["password_hash"]
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert [row["subject"] for row in audit_rows(home, "staff.add")] == ["op-2"]


@pytest.mark.parametrize("given", [{"password": "1" * 14}, {"staff_id": ""}, {"staff_id": "職員"}, {"staff_id": "a b"}])
def test_a_short_password_or_a_strange_id_is_refused(home: Home, clock: StepClock, given: dict[str, str]) -> None:
    with pytest.raises(BenefitError):
        add(home, clock, **given)
    with home.desk.connect() as connection:
        assert connection.execute(desk.staff.select()).all() == []


def test_fifteen_characters_are_enough_and_one_id_is_one_person(home: Home, clock: StepClock) -> None:
    add(home, clock, password="1" * 15)
    with pytest.raises(RefusedByRule, match="もう使われています"):
        add(home, clock)


def test_each_failure_after_the_fifth_doubles_the_wait_up_to_an_hour(desk_system: Desk) -> None:
    def attempt(password: str) -> bool:
        store = desk_system.home.desk
        try:
            people.authenticate(store, desk.staff, desk.audit_log, "operator1", password, desk_system.clock)
        except RefusedByRule:
            return False
        return True

    for _ in range(4):
        assert not attempt("ちがう")
    for seconds in OPENS_AGAIN:
        assert not attempt("ちがう")
        # 時計は呼ぶたびに一秒進む。開く一秒前はまだ閉じ、開いた時刻には入れる。
        with desk_system.home.desk.connect() as connection:
            row = connection.execute(desk.staff.select().where(desk.staff.c.id == "operator1")).mappings().one()
        until = row["locked_until"].replace(tzinfo=desk_system.clock.now.tzinfo)
        assert until - desk_system.clock.now == timedelta(seconds=seconds)
        in_days(desk_system.clock, seconds=seconds - 2)
        assert not attempt(PASSWORD)
    in_days(desk_system.clock, seconds=1)
    assert attempt(PASSWORD)


def test_a_person_whose_contract_ended_is_out_at_once(desk_system: Desk) -> None:
    headers = desk_system.token()
    with desk_system.home.desk.begin() as connection:
        connection.execute(
            desk.staff.update().where(desk.staff.c.id == "operator1").values(ended_at=desk_system.clock())
        )
    assert desk_system.client.post("/api/v1/logout", headers=headers).status_code == 401
    login = {"staff_id": "operator1", "password": PASSWORD}
    assert desk_system.client.post("/api/v1/login", json=login).status_code == 401


def test_every_login_and_refusal_is_in_a_chain_that_holds(desk_system: Desk) -> None:
    desk_system.token()
    for staff_id in ("operator1", "だれもいない"):
        desk_system.client.post("/api/v1/login", json={"staff_id": staff_id, "password": "ちがう"})
    assert [row["actor"] for row in audit_rows(desk_system.home, "login.accepted")] == ["operator1"]
    # 知らない ID は写さない。合言葉を ID の欄に打った人がいるからである。
    assert [row["subject"] for row in audit_rows(desk_system.home, "login.refused")] == ["operator1", "unknown"]
    with desk_system.home.desk.connect() as connection:
        assert audit.verify(connection, desk.audit_log)[1] is None
