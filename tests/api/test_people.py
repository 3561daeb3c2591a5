"""人・端末・非常用の ID の画面: 区の管理者だけが開け、合言葉は一度だけ見え、送り直しでは二度作らない。"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from api.ward.app import create_app as create_ward
from benefit.domain.access import DeskRole
from benefit.services import break_glass, people_login, people_password
from benefit.store import desk, ward
from tests.api.conftest import PASSWORD, Desk, audit_rows, in_days
from tests.support import people as persons
from tests.support.certificates import certificate

KEEPERS = {"supervisor", "ward_clerk", "ward_admin"}


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch, desk_system: Desk) -> None:
    monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())
    with desk_system.home.desk.begin() as connection:
        connection.execute(desk.staff.update().values(password_hash=persons.cheap().hash(PASSWORD)))


class Admin:
    """画面の区の管理者。"""

    def __init__(self, place: Desk, staff_id: str = "ward_admin1") -> None:
        self.place, self.csrf, self.count = place, place.login(staff_id), 0

    def post(self, path: str, **data: str) -> tuple[int, str]:
        self.count += 1
        given = {"csrf": self.csrf, "operation": f"operation-{id(self)}-{self.count}", **data}
        answer = self.place.client.post(path, data=given)
        return answer.status_code, answer.text

    def password(self, text: str) -> str:
        return text.split('<code id="password">')[1].split("<", maxsplit=1)[0] if '<code id="password">' in text else ""


def row(place: Desk, staff_id: str) -> dict[str, object]:
    with place.home.desk.connect() as connection:
        return dict(connection.execute(desk.staff.select().where(desk.staff.c.id == staff_id)).mappings().one())


@pytest.mark.parametrize("role", sorted(DeskRole))
@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_only_the_ward_admin_reaches_people_and_terminals(desk_system: Desk, role: DeskRole) -> None:
    desk_system.login(f"{role.value}1")
    admin = 200 if role == DeskRole.WARD_ADMIN else 403
    wanted = {"/staff": admin, "/staff/review.xlsx": admin, "/terminals": admin}
    wanted["/break-glass"] = 200 if role.value in KEEPERS else 403
    assert {path: desk_system.client.get(path).status_code for path in wanted} == wanted


def test_a_person_is_registered_once_and_the_first_password_is_shown_once(desk_system: Desk) -> None:
    admin = Admin(desk_system)
    given = {"staff_id": "op-9", "name": "=山田 <b>花子</b>", "role": "operator", "contract_ends_on": "2025-03-31"}
    status, text = admin.post("/staff/add", **given, operation="press-once-1")
    password = admin.password(text)
    assert (status, len(password) >= 15) == (200, True)
    assert "<b>花子" not in text
    again = admin.post("/staff/add", **given, operation="press-once-1")
    assert (again[0], admin.password(again[1])) == (200, ""), "送り直しは、合言葉をもう見せない"
    assert admin.post("/staff/add", **given)[0] == 400
    with desk_system.home.desk.connect() as connection:
        kept = str(connection.execute(desk.operation.select()).mappings().all())
        kept += str(connection.execute(desk.audit_log.select()).mappings().all())
    assert password not in kept
    assert people_login.authenticate(
        desk_system.home.desk, desk.access, desk_system.home.key, "op-9", password, "", clock=desk_system.clock
    ).stage == "password"  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [{"role": "king"}, {"contract_ends_on": "来年"}, {"staff_id": "職員"}, {"name": "　"}, {"staff_id": "operator1"}],
)
def test_a_wrong_entry_is_said_and_keeps_what_was_typed(desk_system: Desk, given: dict[str, str]) -> None:
    entry = {"staff_id": "op-9", "name": "山田", "role": "operator", "contract_ends_on": "", **given}
    status, text = Admin(desk_system).post("/staff/add", **entry)
    assert status == 400
    assert 'role="alert"' in text
    assert f'value="{entry["staff_id"]}"' in text


def test_the_admin_ends_resets_opens_and_changes_people(desk_system: Desk) -> None:
    admin = Admin(desk_system)
    assert "operator1 を終える" in admin.post("/staff/open", staff_id="operator1")[1]
    assert admin.post("/staff/role", staff_id="operator1", role="supervisor", reason="配置換え")[0] == 200
    assert row(desk_system, "operator1")["role"] == "supervisor"
    _status, text = admin.post("/staff/reset", staff_id="operator1", reason="端末の紛失")
    assert people_password.PASSWORDS.matches(admin.password(text), str(row(desk_system, "operator1")["password_hash"]))
    assert admin.post("/staff/unlock", staff_id="operator1", reason="本人と確かめた")[0] == 200
    assert admin.post("/staff/end", staff_id="operator1", reason=" ")[0] == 400
    assert admin.post("/staff/end", staff_id="operator1", reason="退職")[0] == 200
    assert row(desk_system, "operator1")["ended_at"] is not None
    assert admin.post("/staff/end", staff_id="ward_admin1", reason="自分")[0] == 400
    assert admin.post("/staff/open", staff_id="だれもいない")[0] == 400
    deeds = [f"staff.{name}" for name in ("role", "reset", "unlock", "end")]
    assert [audit_rows(desk_system.home, deed)[0]["actor"] for deed in deeds] == ["ward_admin1"] * 4


def test_a_terminal_is_registered_and_ended_on_the_screen(desk_system: Desk) -> None:
    admin, pem = Admin(desk_system), certificate("端末1")
    assert admin.post("/terminals/add", name="端末1", place="二階", certificate="ちがう")[0] == 400
    assert admin.post("/terminals/add", name="端末1", place="二階", certificate=pem)[0] == 200
    assert admin.post("/terminals/end", name="端末1", reason="")[0] == 400
    assert admin.post("/terminals/end", name="端末1", reason="紛失")[0] == 200
    assert "に終了" in desk_system.client.get("/terminals").text


def test_the_review_list_comes_as_a_workbook_and_is_logged(desk_system: Desk) -> None:
    Admin(desk_system)
    answer = desk_system.client.get("/staff/review.xlsx")
    assert answer.content[:2] == b"PK"
    assert [row["actor"] for row in audit_rows(desk_system.home, "staff.review")] == ["ward_admin1"]


def test_the_sealed_id_is_opened_by_two_people_on_the_screen(desk_system: Desk) -> None:
    with desk_system.home.desk.begin() as connection:
        break_glass.seal(connection, desk.access, at=desk_system.clock())
    supervisor = Admin(desk_system, "supervisor1")
    assert supervisor.post("/break-glass/ask", reason=" ")[0] == 400
    assert "承認待ち" in supervisor.post("/break-glass/ask", reason="区の窓口が停電")[1]
    assert supervisor.post("/break-glass/approve", number="1")[0] == 400
    clerk = Admin(desk_system, "ward_clerk1")
    status, text = clerk.post("/break-glass/approve", number="1")
    assert (status, len(clerk.password(text)) >= 15) == (200, True)
    assert "閉じました" in clerk.post("/break-glass/close", number="1")[1]
    assert desk_system.client.post("/break-glass/report", data={"csrf": clerk.csrf, "number": "1"}).content[:2] == b"PK"
    assert clerk.post("/break-glass/report", number="7")[0] == 400
    in_days(desk_system.clock, minutes=6)
    answer = desk_system.client.post(
        "/break-glass/approve", data={"csrf": clerk.csrf, "operation": "again-123456"}, follow_redirects=False
    )
    assert answer.headers["location"] == "/login/again?back=/break-glass", "5 分を過ぎた承認は、もう一度確かめてから"


@pytest.fixture
def ward_client(desk_system: Desk) -> Iterator[TestClient]:
    home, clock = desk_system.home, desk_system.clock
    values = {"id": "kanri", "name": "区 管理", "role": "admin", "password_hash": persons.cheap().hash(PASSWORD)}
    with home.ward.begin() as connection:
        connection.execute(ward.staff.insert().values(**values, created_at=clock()))
    persons.enrol(home, "ward", "kanri", clock())
    client = TestClient(create_ward(home, clock=clock), base_url="https://testserver")
    yield client
    client.close()


def test_the_ward_screens_have_the_same_people_and_terminals_of_their_own(
    desk_system: Desk, ward_client: TestClient
) -> None:
    code = persons.code(desk_system.home, "ward", "kanri", desk_system.clock)
    entered = ward_client.post(
        "/login", data={"staff_id": "kanri", "password": PASSWORD, "code": code}, follow_redirects=False
    )
    assert entered.status_code == 303
    text = ward_client.get("/staff").text
    assert "区職員（承認）" in text
    assert "operator1" not in text
    assert [ward_client.get(path).status_code for path in ("/terminals", "/break-glass", "/staff/review.xlsx")] == [
        200
    ] * 3
    with desk_system.home.ward.connect() as connection:
        assert connection.execute(
            sa.select(ward.audit_log.c.actor).where(ward.audit_log.c.action == "staff.review")
        ).all()


def test_the_same_deeds_are_done_in_json(desk_system: Desk) -> None:
    client, sent = desk_system.client, iter(range(99))

    def post(headers: dict[str, str], path: str, key: str = "", **given: object) -> tuple[int, dict[str, object]]:
        answer = client.post(
            f"/api/v1{path}", json=given, headers={**headers, "Idempotency-Key": key or f"key-of-json-{next(sent)}"}
        )
        return answer.status_code, answer.json()

    admin = desk_system.token("ward_admin1")
    person = {"staff_id": "op-9", "name": "山田", "role": "operator", "contract_ends_on": "2025-03-31"}
    status, made = post(admin, "/staff", key="same-key-9", **person)
    assert (status, len(str(made["first_password"])) >= 15) == (200, True)
    assert post(admin, "/staff", key="same-key-9", **person) == (200, {"staff_id": "op-9", "first_password": ""})
    assert post(admin, "/staff", key="same-key-9", **{**person, "name": "別人"})[0] == 409
    assert post(admin, "/staff", **person)[0] == 400
    on = {"staff_id": "op-9", "reason": "試し"}
    assert post(admin, "/staff/role", role="reviewer", **on)[0] == 200
    assert post(admin, "/staff/reset", **on)[1]["first_password"]
    assert post(admin, "/staff/unlock", **on)[0] == post(admin, "/staff/end", **on)[0] == 200
    assert post(admin, "/staff/end", staff_id="op-9", reason="")[0] == 422
    listed = {row["id"]: row for row in client.get("/api/v1/staff", headers=admin).json()["rows"]}
    assert (listed["op-9"]["state"], listed["op-9"]["role"]) == ("終了", "reviewer")
    assert "password_hash" not in listed["op-9"]
    assert post(admin, "/terminals", name="端末1", place="二階", certificate=certificate("端末1"))[0] == 200
    assert post(admin, "/terminals/end", name="端末1", reason="紛失")[0] == 200
    assert [row["name"] for row in client.get("/api/v1/terminals", headers=admin).json()["rows"]] == ["端末1"]
    with desk_system.home.desk.begin() as connection:
        break_glass.seal(connection, desk.access, at=desk_system.clock())
    assert post(admin, "/break-glass/ask", reason="停電")[1]["number"] == 1
    assert post(admin, "/break-glass/approve", number=1)[0] == 400
    clerk = desk_system.token("ward_clerk1")
    assert post(clerk, "/break-glass/approve", number=1)[1]["password"]
    assert post(clerk, "/break-glass/close", number=1)[0] == 200
    in_days(desk_system.clock, minutes=6)
    assert post(clerk, "/break-glass/approve", number=1)[0] == 403
    assert post(desk_system.token("operator1"), "/staff", **person)[0] == 403
