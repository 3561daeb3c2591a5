"""本人の確かめ（P20、T20 のサービスの段）: 閉じる長さ、二要素、同じ断り、最初の手続き。数は台帳にあり、再起動で消えない。"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import people, people_first, people_login, people_password
from benefit.services.home import Home
from benefit.services.people_totp import Seal, code_at, matching_step, new_secret, step_of
from benefit.store import desk
from tests.conftest import StepClock
from tests.support import people as persons

PASSWORD = "みかん ろうそく 自転車 はしご"
#: 五回目からの、閉じる長さ（秒）。
CURVE = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())


class Gate:
    """一人の人と、その入り口。"""

    def __init__(self, home: Home, clock: StepClock) -> None:
        self.home, self.clock = home, clock
        self.add("op")

    def add(self, staff_id: str, **more: Any) -> None:
        with self.home.desk.begin() as connection:
            people.add(
                connection, desk.staff, desk.audit_log, staff_id=staff_id, name="試験", role="operator",
                password=PASSWORD, actor=BATCH, at=self.clock(),
            )  # fmt: skip
        persons.enrol(self.home, "desk", staff_id, self.clock())
        if more:
            self.change(staff_id, **more)

    def change(self, staff_id: str = "op", **values: Any) -> None:
        with self.home.desk.begin() as connection:
            connection.execute(desk.staff.update().where(desk.staff.c.id == staff_id).values(**values))

    def row(self, staff_id: str = "op") -> dict[str, Any]:
        with self.home.desk.connect() as connection:
            return dict(connection.execute(desk.staff.select().where(desk.staff.c.id == staff_id)).mappings().one())

    def code(self, staff_id: str = "op") -> str:
        return persons.code(self.home, "desk", staff_id, self.clock)

    def says(self, staff_id: str = "op", password: str = PASSWORD, code: str | None = None, **given: Any) -> str:
        """断りの文。入れたら空。"""
        try:
            self.enter(staff_id, password, code, **given)
        except RefusedByRule as refused:
            return str(refused)
        return ""

    def enter(
        self, staff_id: str = "op", password: str = PASSWORD, code: str | None = None, **given: Any
    ) -> people_login.LoggedIn:
        typed = self.code(staff_id) if code is None else code
        return people_login.authenticate(
            self.home.desk, desk.access, self.home.key, staff_id, password, typed, clock=self.clock, **given
        )

    def wait(self, **span: float) -> None:
        self.clock.now += timedelta(**span)


@pytest.fixture
def gate(home: Home, clock: StepClock) -> Gate:
    return Gate(home, clock)


def utc(moment: datetime, clock: StepClock) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.now.tzinfo)


def test_the_right_three_words_enter(gate: Gate) -> None:
    assert gate.enter() == people_login.LoggedIn(Actor("op", "operator", "console"), "")
    assert gate.row()["last_login_at"] is not None


def test_every_other_way_is_refused_in_the_same_words(gate: Gate) -> None:
    ends = gate.clock.now.date() - timedelta(days=1)
    for staff_id, more in (
        ("ended", {"ended_at": gate.clock.now}),
        ("contract", {"contract_ends_on": ends}),
        ("closed", {"closed_at": gate.clock.now}),
        ("locked", {"locked_until": gate.clock.now + timedelta(hours=1)}),
    ):
        gate.add(staff_id, **more)
        assert gate.says(staff_id) == people_login.REFUSED, staff_id
    gate.wait(minutes=2)
    gate.clock.now -= timedelta(days=15)
    gate.add("unused", opened_at=gate.clock.now)
    gate.wait(days=15)
    assert gate.says("unused") == people_login.REFUSED
    for given in (
        {"password": "ちがう"}, {"code": "000000"}, {"code": ""}, {"code": "１２３４５６"}, {"code": "12345678"},
        {"staff_id": "nobody", "code": "123456"}, {"staff_id": "", "code": ""}, {"staff_id": "x" * 300, "code": ""},
    ):  # fmt: skip
        assert gate.says(**given) == people_login.REFUSED, given  # type: ignore[arg-type]


def test_the_last_day_of_the_contract_still_counts_and_the_next_does_not(gate: Gate) -> None:
    gate.change(contract_ends_on=date(2024, 6, 20))
    assert gate.says() == ""
    gate.clock.now = datetime(2024, 6, 20, 14, 59, 30, tzinfo=gate.clock.now.tzinfo)  # 日本の 23:59:30
    assert gate.says() == ""
    gate.wait(minutes=1)
    assert gate.says() == people_login.REFUSED


def test_fourteen_unused_days_close_an_id_until_an_admin_opens_it(gate: Gate) -> None:
    gate.enter()
    gate.wait(days=13, hours=23)
    assert gate.says() == ""
    gate.wait(days=14, minutes=1)
    assert gate.says() == people_login.REFUSED
    with gate.home.desk.begin() as connection:
        people.unlock(
            connection, desk.access, "op", reason="休み明け", actor=Actor("kanri", "ward_admin"), at=gate.clock()
        )
    assert gate.says() == ""


def test_each_failure_after_the_fifth_doubles_the_wait_up_to_an_hour(gate: Gate) -> None:
    for _ in range(4):
        assert gate.says(password="ちがう")
    for seconds in CURVE:
        assert gate.says(password="ちがう")
        until = utc(gate.row()["locked_until"], gate.clock)
        assert until - gate.clock.now == timedelta(seconds=seconds)
        # 時計は呼ぶたびに一秒進む。開く一秒前はまだ閉じ、その試みは数えず、開いた時刻には確かめる。
        gate.clock.now = until - timedelta(seconds=2)
        assert gate.says(code=code_at(persons.secret_of("op"), step_of(gate.clock.now)))
        assert utc(gate.row()["locked_until"], gate.clock) == until
    gate.clock.now = until - timedelta(seconds=1)
    assert gate.says(code=code_at(persons.secret_of("op"), step_of(gate.clock.now))) == ""
    assert gate.row()["failed_count"] == 0


def test_the_count_is_in_the_ledger_and_a_restart_does_not_forget_it(gate: Gate) -> None:
    for _ in range(3):
        gate.says(password="ちがう")
    gate.home.desk.dispose()
    again = Home.at(gate.home.path, ward_url=gate.home.ward_url, desk_url=gate.home.desk_url)
    try:
        other = Gate.__new__(Gate)
        other.home, other.clock = again, gate.clock
        for _ in range(2):
            other.says(password="ちがう")
        assert other.says() == people_login.REFUSED
    finally:
        again.desk.dispose()


def test_a_hundred_failures_in_a_row_close_the_id_until_an_admin_opens_it(gate: Gate) -> None:
    gate.change(failed_count=98)
    gate.says(password="ちがう")
    gate.wait(hours=2)
    assert gate.row()["closed_at"] is None
    gate.says(password="ちがう")
    gate.wait(hours=2)
    assert (gate.row()["failed_count"], gate.row()["closed_at"] is None) == (100, False)
    assert gate.says() == people_login.REFUSED
    gate.wait(days=3)
    assert gate.says() == people_login.REFUSED, "待っても開かない"
    with gate.home.desk.begin() as connection:
        people.unlock(
            connection, desk.access, "op", reason="本人と確かめた", actor=Actor("kanri", "ward_admin"), at=gate.clock()
        )
    assert gate.says() == ""


def test_one_terminal_may_fail_twenty_times_a_minute_and_the_next_are_not_even_checked(gate: Gate) -> None:
    gate.clock.now = gate.clock.now.replace(second=0)
    step = gate.clock.now
    for place in range(people_login.SOURCE_LIMIT):
        gate.clock.now = step
        assert gate.says(f"guess{place}", code="000000", terminal="A")
    gate.clock.now = step
    assert gate.says(terminal="A") == people_login.REFUSED
    gate.clock.now = step
    assert gate.row()["failed_count"] == 0
    assert gate.says(terminal="B") == "", "ほかの端末は、止まらない"
    gate.clock.now = step + timedelta(minutes=1, seconds=5)
    assert gate.says(terminal="A") == "", "一分たてば、また確かめる"
    with gate.home.desk.connect() as connection:
        table = desk.access.login_attempt
        results = connection.execute(sa.select(table.c.result, sa.func.count()).group_by(table.c.result)).all()
        kept = connection.execute(sa.select(table.c.staff_id).where(table.c.result == "refused")).scalars().all()
    assert {tuple(each) for each in results} == {("accepted", 2), ("refused", 20), ("held", 1)}
    assert set(kept) == {None}, "知らない ID は写さない（合言葉を ID の欄に打つ人がいる）"


def test_one_code_is_taken_once(gate: Gate) -> None:
    code = gate.code()
    assert gate.says(code=code) == ""
    assert gate.says(code=code) == people_login.REFUSED
    # 先の刻みを使ったら、その前の刻みも使えない。
    now = step_of(gate.clock.now)
    assert gate.says(code=code_at(persons.secret_of("op"), now + 1)) == ""
    assert gate.says(code=code_at(persons.secret_of("op"), now)) == people_login.REFUSED


def test_a_clock_one_step_off_is_forgiven_and_two_steps_are_not() -> None:
    secret, at = new_secret(), datetime(2024, 6, 20, 1, 0, 10, tzinfo=StepClock().now.tzinfo)
    now = step_of(at)
    assert [matching_step(secret, code_at(secret, now + off), at, last=None) for off in (-2, -1, 0, 1, 2)] == [
        None, now - 1, now, now + 1, None,
    ]  # fmt: skip
    assert matching_step(secret, code_at(secret, now), at, last=now) is None
    assert matching_step(secret, f" {code_at(secret, now)[:3]} {code_at(secret, now)[3:]} ", at, last=None) == now


def test_a_seal_opens_only_for_its_own_person_ledger_and_key(home: Home) -> None:
    kept = Seal(home.key, "desk").close("op", "SECRET")
    assert "SECRET" not in kept
    assert Seal(home.key, "desk").open("op", kept) == "SECRET"
    assert Seal(home.key, "desk").open("op-2", kept) is None
    assert Seal(home.key, "ward").open("op", kept) is None
    assert Seal(lambda _name: b"\1" * 32, "desk").open("op", kept) is None


def test_a_second_factor_copied_from_another_row_does_not_open(gate: Gate) -> None:
    """台帳に書ける人が、自分の種を人の行に写しても入れない。"""
    gate.add("thief")
    gate.change("op", totp_secret=gate.row("thief")["totp_secret"])
    assert gate.says(code=gate.code("thief")) == people_login.REFUSED


def test_nobody_does_anything_before_the_first_steps(gate: Gate) -> None:
    words = "さくら 石段 きつね 水筒 四月"
    gate.change(password_changed_at=None, totp_secret=None, totp_enrolled_at=None, terms_accepted_at=None)
    entered = gate.enter(code="")
    assert entered.stage == "password"
    with gate.home.desk.begin() as connection:
        steps: dict[str, Any] = {"connection": connection, "tables": desk.access}
        with pytest.raises(RefusedByRule, match="いまの合言葉が違います"):
            people_first.change_password(**steps, actor=entered.actor, old="ちがう", new=words, at=gate.clock())
        with pytest.raises(WrongUse, match="同じ合言葉"):
            people_first.change_password(**steps, actor=entered.actor, old=PASSWORD, new=PASSWORD, at=gate.clock())
        people_first.change_password(**steps, actor=entered.actor, old=PASSWORD, new=words, at=gate.clock())
        secret = people_first.pending_secret(**steps, keys=gate.home.key, actor=entered.actor)
        assert people_first.pending_secret(**steps, keys=gate.home.key, actor=entered.actor) == secret
    # 種を見ただけで、正しい数字をまだ入れていない人は、登録が済んでいない。
    assert gate.enter(password=words, code="").stage == "totp"
    with gate.home.desk.begin() as connection:
        steps["connection"] = connection
        with pytest.raises(WrongUse, match="数字が違います"):
            people_first.enrol_totp(**steps, keys=gate.home.key, actor=entered.actor, code="000000", at=gate.clock())
        code = code_at(secret, step_of(gate.clock.now))
        people_first.enrol_totp(**steps, keys=gate.home.key, actor=entered.actor, code=code, at=gate.clock())
        with pytest.raises(RefusedByRule, match="済んでいます"):
            people_first.pending_secret(**steps, keys=gate.home.key, actor=entered.actor)
    assert gate.says(password=words, code=code) == people_login.REFUSED, "登録に使った数字も、二度は使えない"
    later = code_at(secret, step_of(gate.clock.now) + 1)
    assert gate.enter(password=words, code=later).stage == "terms"
    with gate.home.desk.begin() as connection:
        people_first.accept_terms(connection, desk.access, entered.actor, at=gate.clock())
    gate.wait(minutes=2)
    assert gate.enter(password=words, code=code_at(secret, step_of(gate.clock.now))).stage == ""


def test_the_duties_are_confirmed_again_after_a_year(gate: Gate) -> None:
    row = {**gate.row(), "terms_accepted_at": gate.clock.now}
    assert people_first.stage_of(row, gate.clock.now + timedelta(days=365)) == ""
    assert people_first.stage_of(row, gate.clock.now + timedelta(days=365, seconds=1)) == "terms"


@pytest.mark.parametrize("home", ["postgresql"], indirect=True)
def test_a_login_never_waits_for_the_work_of_the_same_person(gate: Gate) -> None:
    """書込みの途中の人の ID で、誰かが入ろうとしても、互いに待ち合って倒れない。"""
    code, table = gate.code(), desk.operation
    with ThreadPoolExecutor(1) as pool, gate.home.desk.connect() as working:
        row = {"key": "k", "staff_id": "op", "route": "x", "params_hash": "x", "result": "{}", "at": gate.clock()}
        working.execute(table.insert().values(**row))
        try:
            assert pool.submit(gate.says, code=code).result(timeout=30) == ""
        finally:
            working.rollback()
