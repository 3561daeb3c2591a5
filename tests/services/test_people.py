"""人の登録、終わり、開き直し、棚卸。作るのは区の管理者だけで、自分の ID は自分で直せない。"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import fastexcel
import pytest
import sqlalchemy as sa

from benefit.domain.access import BATCH, Actor
from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from benefit.services import people, people_password, people_review
from benefit.services.home import Home
from benefit.store import audit, desk
from benefit.store.engine import make_engine
from tests.conftest import StepClock
from tests.support import people as persons

ADMIN = Actor("kukanri", "ward_admin")
WORDS = "みかん ろうそく 自転車 はしご"


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())


def add(home: Home, clock: StepClock, **given: Any) -> None:
    values = {"staff_id": "op-2", "name": "試験", "role": "operator", "password": WORDS, **given}
    with home.desk.begin() as connection:
        people.add(connection, desk.staff, desk.audit_log, actor=BATCH, at=clock(), **values)


def deed(home: Home, clock: StepClock, name: str, *arguments: Any, **given: Any) -> Any:
    with home.desk.begin() as connection:
        do: Callable[..., Any] = getattr(people, name)
        return do(connection, desk.access, *arguments, actor=given.pop("actor", ADMIN), at=clock(), **given)


def row(home: Home, staff_id: str = "op-2") -> dict[str, Any]:
    with home.desk.connect() as connection:
        return dict(connection.execute(desk.staff.select().where(desk.staff.c.id == staff_id)).mappings().one())


def test_the_store_holds_no_password_and_the_registration_is_in_the_log(home: Home, clock: StepClock) -> None:
    add(home, clock)
    kept = row(home)
    assert kept["password_hash"].startswith("$argon2id$")
    assert WORDS not in str(kept)
    assert kept["password_changed_at"] is None, "最初の合言葉は、本人が変えるまで仮のもの"
    with home.desk.connect() as connection:
        logged = connection.execute(sa.select(desk.audit_log.c.action, desk.audit_log.c.subject)).all()
        assert [tuple(each) for each in logged] == [("staff.add", "op-2")]
        assert audit.verify(connection, desk.audit_log)[1] is None


@pytest.mark.parametrize(
    "given",
    [
        {"password": "1" * 14},
        {"staff_id": ""},
        {"staff_id": "職員"},
        {"staff_id": "a b"},
        {"staff_id": "a" * 41},
        {"name": " "},
    ],
)
def test_a_short_password_a_strange_id_or_no_name_is_refused(
    sqlite_home: Home, clock: StepClock, given: dict[str, str]
) -> None:
    with pytest.raises(BenefitError):
        add(sqlite_home, clock, **given)
    with sqlite_home.desk.connect() as connection:
        assert connection.execute(desk.staff.select()).all() == []


def test_fifteen_characters_are_enough_and_one_id_is_one_person(home: Home, clock: StepClock) -> None:
    add(home, clock, password="1" * 15)
    with pytest.raises(RefusedByRule, match="もう使われています"):
        add(home, clock)


@pytest.mark.parametrize(
    "password",
    [
        "みかんろうそく自転車", "1" * 20, "correctPassWord-2024", "QWERTYuiop-asdf-1", "ｐａｓｓｗｏｒｄ　ばなな　すいか",
        "yamada-yamada-yama-1", "kyufukin-shinjuku-1", "給付金-新宿区-給付金-一", "山田太郎-山田太郎-山田", "a" * 201, "abc\tdefghijklmnopqr",
    ],
)  # fmt: skip
def test_a_password_one_could_guess_is_refused_without_repeating_it(password: str) -> None:
    with pytest.raises(WrongUse) as refused:
        people_password.check_new(password, staff_id="yamada", name="山田太郎")
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password", [WORDS, "horse battery staple!", "👍いろいろな文字も使えます123", "x9" * 4 + "山川草木風花雪月"]
)
def test_any_long_enough_words_are_taken(password: str) -> None:
    people_password.check_new(password, staff_id="yamada", name="山田太郎")


def test_the_first_administrator_is_made_once(home: Home, clock: StepClock) -> None:
    with home.desk.begin() as connection:
        assert people.first_admin(connection, desk.access, "kanri", actor=BATCH, at=clock())
        assert people.first_admin(connection, desk.access, "kanri2", actor=BATCH, at=clock()) == ""
        assert connection.execute(sa.select(desk.staff.c.id)).scalars().all() == ["kanri"]


def test_nobody_mends_his_own_id_and_the_last_administrator_stays(home: Home, clock: StepClock) -> None:
    add(home, clock, staff_id=ADMIN.id, role="ward_admin")
    for name, given in (
        ("end", {}),
        ("reset", {}),
        ("unlock", {}),
        ("change_role", {"role": "operator", "contract_ends_on": None}),
    ):
        with pytest.raises(RefusedByRule, match="ほかの管理者"):
            deed(home, clock, name, ADMIN.id, reason="試し", **given)
    another = Actor("kukanri2", "ward_admin")
    with pytest.raises(RefusedByRule, match="最後の管理者"):
        deed(home, clock, "end", ADMIN.id, reason="異動", actor=another)
    add(home, clock, staff_id=another.id, role="ward_admin")
    deed(home, clock, "end", ADMIN.id, reason="異動", actor=another)
    assert row(home, ADMIN.id)["ended_at"] is not None


def test_a_role_changes_and_the_id_stays(home: Home, clock: StepClock) -> None:
    """新しい ID を作れば、前の ID の申し出を自分で承認できてしまう。"""
    add(home, clock)
    deed(home, clock, "change_role", "op-2", role="supervisor", contract_ends_on=date(2025, 3, 31), reason="配置換え")
    assert (row(home)["role"], row(home)["contract_ends_on"]) == ("supervisor", date(2025, 3, 31))
    with pytest.raises(WrongUse, match="役割が違います"):
        deed(home, clock, "change_role", "op-2", role="king", contract_ends_on=None, reason="試し")


@pytest.mark.parametrize("name", ["end", "reset", "unlock"])
def test_a_deed_without_a_reason_or_on_nobody_changes_nothing(sqlite_home: Home, clock: StepClock, name: str) -> None:
    add(sqlite_home, clock)
    before = row(sqlite_home)
    with pytest.raises(WrongUse, match="理由"):
        deed(sqlite_home, clock, name, "op-2", reason=" ")
    with pytest.raises(WrongUse, match="いません"):
        deed(sqlite_home, clock, name, "op-3", reason="試し")
    assert row(sqlite_home) == before


def test_a_person_reset_starts_again_with_a_new_password_and_no_second_factor(home: Home, clock: StepClock) -> None:
    add(home, clock)
    persons.enrol(home, "desk", "op-2", clock())
    password = deed(home, clock, "reset", "op-2", reason="端末の紛失")
    kept = row(home)
    assert people_password.PASSWORDS.matches(password, kept["password_hash"])
    assert (kept["totp_secret"], kept["totp_enrolled_at"], kept["password_changed_at"]) == (None, None, None)


def test_the_review_list_says_who_may_still_come_in(home: Home, clock: StepClock) -> None:
    for staff_id, more in (
        ("a", {}),
        ("b", {"contract_ends_on": date(2024, 6, 19)}),
        ("c", {}),
        ("d", {}),
        ("e", {"name": '=HYPERLINK("x")'}),
    ):
        add(home, clock, staff_id=staff_id, **more)
    deed(home, clock, "end", "c", reason="退職")
    with home.desk.begin() as connection:
        connection.execute(desk.staff.update().where(desk.staff.c.id == "d").values(closed_at=clock()))
        found = people_review.rows(connection, desk.access, clock.now)
        later = people_review.rows(connection, desk.access, clock.now + timedelta(days=15))
        book = people_review.workbook(connection, desk.access, clock.now)
    assert [each["state"] for each in found] == [
        "使える",
        "契約の終わり",
        "終了",
        "閉鎖（続けて 100 回の間違い）",
        "使える",
    ]
    assert later[0]["state"] == "閉鎖（14 日使われていない）"
    sheet = fastexcel.read_excel(io.BytesIO(book).read()).load_sheet(0, header_row=4).to_polars()
    assert sheet["ID"].to_list() == ["a", "b", "c", "d", "e"]
    assert sheet["氏名"].to_list()[-1] == '=HYPERLINK("x")', "式でなく、字のまま"


def test_the_ledger_keeps_people_for_ever(home: Home, clock: StepClock) -> None:
    add(home, clock)
    owner = make_engine(home.desk_url)
    try:
        with pytest.raises(sa.exc.DBAPIError), owner.begin() as connection:
            connection.execute(desk.staff.delete())
    finally:
        owner.dispose()
