"""非常用の ID: 二人で開け、開けた人の数字と合わせて使い、60 分で閉じ、したことは二つの記録に残る。"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import fastexcel
import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import break_glass, people, people_login, people_password
from benefit.services.home import Home
from benefit.store import audit, desk, ward
from benefit.store.access import AccessTables
from tests.conftest import StepClock
from tests.support import people as persons

ROLES = {"ward": ("clerk", "approver", "admin"), "desk": ("operator", "ward_clerk", "ward_admin")}
SEALED = break_glass.SEALED_ID


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())


class Office:
    def __init__(self, home: Home, line: str, clock: StepClock) -> None:
        self.home, self.line, self.clock = home, line, clock
        self.engine = home.ward if line == "ward" else home.desk
        self.tables: AccessTables = ward.access if line == "ward" else desk.access
        self.asker, self.approver, self.admin = (Actor(role, role) for role in ROLES[line])
        with self.engine.begin() as connection:
            for actor in (self.asker, self.approver, self.admin):
                people.add(
                    connection, self.tables.staff, self.tables.audit_log, staff_id=actor.id, name=f"試験 {actor.id}",
                    role=actor.role, password="x" * 15, actor=BATCH, at=clock(),
                )  # fmt: skip
            break_glass.seal(connection, self.tables, at=clock())
        for actor in (self.asker, self.approver, self.admin):
            persons.enrol(home, line, actor.id, clock())

    def do(self, name: str, *arguments: Any, **given: Any) -> Any:
        with self.engine.begin() as connection:
            return getattr(break_glass, name)(connection, self.tables, *arguments, at=self.clock(), **given)

    def opened(self) -> tuple[int, str]:
        number = self.do("ask", reason="管理者が倒れた", actor=self.asker)
        return number, self.do("approve", number, actor=self.approver)

    def enter(self, password: str, whose: Actor) -> str:
        code = persons.code(self.home, self.line, whose.id, self.clock)
        try:
            entered = people_login.authenticate(
                self.engine, self.tables, self.home.key, SEALED, password, code, clock=self.clock, terminal="T1"
            )
        except RefusedByRule as refused:
            return str(refused)
        assert entered == people_login.LoggedIn(Actor(SEALED, break_glass.SEALED_ROLE[self.line], "T1"), "")
        return ""

    def second_log(self) -> list[dict[str, Any]]:
        table = self.tables.break_glass_log
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(table).order_by(table.c.sequence)).mappings()]


@pytest.fixture
def office(request: pytest.FixtureRequest, home: Home, clock: StepClock) -> Office:
    return Office(home, getattr(request, "param", "desk"), clock)


both = pytest.mark.parametrize("office", ["ward", "desk"], indirect=True)


@both
def test_one_person_alone_never_opens_it(office: Office) -> None:
    number = office.do("ask", reason="管理者が倒れた", actor=office.asker)
    with pytest.raises(RefusedByRule, match="承認は"):
        office.do("approve", number, actor=office.asker)
    own = office.do("ask", reason="自分で", actor=office.approver)
    with pytest.raises(RefusedByRule, match="申し出た人"):
        office.do("approve", own, actor=office.approver)
    with pytest.raises(WrongUse, match="理由"):
        office.do("ask", reason="  ", actor=office.asker)
    password = office.do("approve", number, actor=office.approver)
    with pytest.raises(RefusedByRule, match="もう承認"):
        office.do("approve", number, actor=office.admin)
    with pytest.raises(RefusedByRule, match="いま、ほかの申し出"):
        office.do("approve", own, actor=office.admin)
    # 合言葉を知る人（承認した人）の数字では入れない。数字を持つ人（申し出た人）は、合言葉を聞いて初めて入れる。
    assert office.enter(password, office.approver) == people_login.REFUSED
    assert office.enter("ちがう合言葉", office.asker) == people_login.REFUSED
    assert office.enter(password, office.asker) == ""


def test_sixty_minutes_later_the_same_words_open_nothing(office: Office) -> None:
    number, password = office.opened()
    opened = office.clock.now
    office.clock.now = opened + timedelta(minutes=59)
    assert office.enter(password, office.asker) == ""
    office.clock.now = opened + timedelta(minutes=60, seconds=1)
    assert office.enter(password, office.asker) == people_login.REFUSED
    assert office.do("close_expired") == [number]
    assert office.do("close_expired") == []
    with pytest.raises(RefusedByRule, match="もう閉じて"):
        office.do("close", number, actor=office.admin)


def test_given_back_early_it_is_closed_at_once(office: Office) -> None:
    number, password = office.opened()
    assert office.enter(password, office.asker) == ""
    office.do("close", number, actor=office.asker)
    assert office.enter(password, office.asker) == people_login.REFUSED
    again, fresh = office.opened()
    assert again != number
    assert fresh != password
    assert office.enter(password, office.asker) == people_login.REFUSED
    assert office.enter(fresh, office.asker) == ""


@both
def test_every_row_it_leaves_is_in_the_second_log_and_nobody_elses_is(office: Office) -> None:
    number, password = office.opened()
    office.enter(password, office.asker)
    sealed = Actor(SEALED, break_glass.SEALED_ROLE[office.line], "T1")
    with office.engine.begin() as connection:
        for actor, action in ((sealed, "case.look"), (office.asker, "case.look"), (sealed, "case.search")):
            audit.record(
                connection, office.tables.audit_log, at=office.clock(), actor=actor, action=action, subject="4000079197"
            )
    copied = office.second_log()
    assert [row["action"] for row in copied] == ["login.accepted", "case.look", "case.search"]
    assert {(row["actor"], row["terminal"], row["release_id"]) for row in copied} == {(SEALED, "T1", number)}
    # 誰が使ったかは、一つめの記録の入った行にある。
    with office.engine.connect() as connection:
        log = office.tables.audit_log
        entered = connection.execute(sa.select(log.c.detail).where(log.c.action == "login.accepted")).scalars().one()
        assert audit.verify(connection, log)[1] is None
    assert office.asker.id in entered
    for statement in (
        office.tables.break_glass_log.delete(),
        office.tables.break_glass_log.update().values(action="x"),
    ):
        with pytest.raises(sa.exc.DBAPIError), office.engine.begin() as connection:
            connection.execute(statement)


def test_the_report_of_the_next_morning_says_who_why_and_what(office: Office) -> None:
    number, password = office.opened()
    office.enter(password, office.asker)
    office.clock.now += timedelta(hours=12)
    office.do("close_expired")
    text, book = office.do("report", number)
    for word in (
        f"試験 {office.asker.id}",
        f"試験 {office.approver.id}",
        "管理者が倒れた",
        "したこと: 1 行",
        "login.accepted",
    ):
        assert word in text, word
    sheet = fastexcel.read_excel(book).load_sheet(0, header_row=7).to_polars()
    assert sheet["したこと"].to_list() == ["login.accepted"]


def test_only_a_person_with_a_second_factor_asks(office: Office) -> None:
    with office.engine.begin() as connection:
        staff = office.tables.staff
        connection.execute(staff.update().where(staff.c.id == office.asker.id).values(totp_enrolled_at=None))
    for actor in (office.asker, Actor(SEALED, "clerk"), Actor("nobody", "clerk")):
        with pytest.raises(RefusedByRule, match="数字"):
            office.do("ask", reason="試し", actor=actor)


def test_the_sealed_id_is_no_person_to_reset_or_end(office: Office) -> None:
    for name in ("end", "reset", "unlock"):
        with pytest.raises(WrongUse, match="いません"), office.engine.begin() as connection:
            getattr(people, name)(
                connection, office.tables, SEALED, reason="試し", actor=office.admin, at=office.clock()
            )
