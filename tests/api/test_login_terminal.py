"""端末の証明書: 信じてよい入口からの、登録のある証明書だけが通る。合い札は、入った端末だけのものである。"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from httpx2 import Headers
from starlette.testclient import TestClient

from api import proxy
from api.desk.app import create_app
from benefit.domain.access import Actor
from benefit.domain.errors import WrongUse
from benefit.services import people_password, terminals
from benefit.store import desk
from tests.api.conftest import PASSWORD, Desk, audit_rows, in_days
from tests.support import people as persons
from tests.support.certificates import certificate

#: 台帳の種類によらない約束（番地と見出し）。
one_store = pytest.mark.parametrize("home", ["sqlite"], indirect=True)
GATE, HEADER = "10.0.0.1", "X-Client-Certificate"
ADMIN = Actor("ward_admin1", "ward_admin")


class Place:
    """入口の後ろの画面。登録のある端末が二つ。"""

    def __init__(self, place: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people_password, "PASSWORDS", persons.cheap())
        self.desk = place
        self.app = create_app(place.home.desk, keys=place.home.key, clock=place.clock, proxies=f"{GATE}, 10.0.0.2")
        self.clients: list[TestClient] = []
        self.pem = {name: certificate(name) for name in ("端末1", "端末2", "知らない")}
        with place.home.desk.begin() as connection:
            connection.execute(desk.staff.update().values(password_hash=persons.cheap().hash(PASSWORD)))
            for name in ("端末1", "端末2"):
                terminals.add(
                    connection, desk.access, pem=self.pem[name], name=name, place="二階", actor=ADMIN, at=place.clock()
                )

    def from_(self, peer: str, *certificates: str) -> TestClient:
        headers = [(HEADER, quote(self.pem.get(each, each))) for each in certificates]
        client = TestClient(self.app, base_url="https://testserver", client=(peer, 5000))
        client.headers = Headers(headers)
        self.clients.append(client)
        return client

    def token(self, client: TestClient) -> dict[str, str]:
        given = {"staff_id": "operator1", "password": PASSWORD, "code": self.desk.code()}
        return {"Authorization": f"Bearer {client.post('/api/v1/login', json=given).json()['token']}"}


@pytest.fixture
def place(desk_system: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    made = Place(desk_system, monkeypatch)
    yield made
    for client in made.clients:
        client.close()


def status(client: TestClient, path: str = "/login") -> int:
    return client.get(path, follow_redirects=False).status_code


def test_only_a_registered_certificate_from_a_trusted_gate_comes_in(place: Place) -> None:
    assert status(place.from_(GATE, "端末1")) == 200
    assert status(place.from_("10.0.0.2", "端末2")) == 200
    assert status(place.from_("::ffff:10.0.0.1", "端末1")) == 200
    refused = [
        place.from_("10.0.0.3", "端末1"),  # よその番地が、本物の証明書の写しを見出しに書いた
        place.from_("127.0.0.1", "端末1"),
        place.from_(GATE),
        place.from_(GATE, "知らない"),
        place.from_(GATE, "端末1", "端末2"),
        place.from_(GATE, "-----BEGIN CERTIFICATE-----\nこわれた\n-----END CERTIFICATE-----"),
        place.from_(GATE, "A" * 30_000),
    ]
    answers = [
        client.get(path, follow_redirects=False) for client in refused for path in ("/login", "/", "/static/desk.css")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text.split("<footer>")[0] for answer in answers}) == 1, "断りの画面から、わけは読めない"
    assert status(refused[0], "/api/v1/cases/1") == 403
    noted = audit_rows(place.desk.home, "connection.refused")
    assert {(row["subject"], row["reason"]) for row in noted} >= {
        ("10.0.0.3", "信じてよい入口でない"), (GATE, "証明書がないか、読めない"), (GATE, "登録のない端末"),
    }  # fmt: skip


@one_store
def test_other_headers_that_say_where_one_comes_from_are_not_read(place: Place) -> None:
    headers = {
        "X-Forwarded-For": GATE,
        "X-Real-IP": GATE,
        "Forwarded": f"for={GATE}",
        HEADER: quote(place.pem["端末1"]),
    }
    client = place.from_("10.0.0.3")
    assert client.get("/login", headers=headers).status_code == 403


@one_store
def test_the_log_says_which_terminal(place: Place) -> None:
    place.token(place.from_(GATE, "端末2"))
    assert [row["terminal"] for row in audit_rows(place.desk.home, "login.accepted")] == ["端末2"]


def test_a_token_carried_to_another_terminal_opens_nothing_and_stays_good_at_home(place: Place) -> None:
    one, two = place.from_(GATE, "端末1"), place.from_(GATE, "端末2")
    headers = place.token(one)
    assert two.post("/api/v1/logout", headers=headers).status_code == 401
    assert one.post("/api/v1/logout", headers=headers).status_code == 200


def test_an_ended_terminal_is_out_at_once_with_everyone_on_it(place: Place) -> None:
    one = place.from_(GATE, "端末1")
    headers = place.token(one)
    with place.desk.home.desk.begin() as connection:
        terminals.end(connection, desk.access, "端末1", reason="紛失", actor=ADMIN, at=place.desk.clock())
        assert connection.execute(desk.staff_session.select()).all() == []
    assert one.post("/api/v1/logout", headers=headers).status_code == 403


@one_store
def test_twenty_failures_a_minute_hold_one_terminal_and_not_the_other(place: Place) -> None:
    one, two = place.from_(GATE, "端末1"), place.from_(GATE, "端末2")
    now = place.desk.clock.now.replace(second=0)
    for number in range(20):
        place.desk.clock.now = now
        one.post("/api/v1/login", json={"staff_id": f"guess{number}", "password": "ちがう", "code": "1"})
    place.desk.clock.now = now
    right = {"staff_id": "operator1", "password": PASSWORD, "code": place.desk.code()}
    assert one.post("/api/v1/login", json=right).status_code == 401
    assert two.post("/api/v1/login", json=right).status_code == 200
    in_days(place.desk.clock, minutes=2)
    assert place.token(one)


@one_store
def test_without_a_gate_only_the_server_itself_may_ask_and_no_header_helps(desk_system: Desk) -> None:
    pem = quote(certificate("x"))
    for peer, wanted in (("127.0.0.1", 200), ("::1", 200), ("10.0.0.1", 403), ("192.168.1.5", 403)):
        client = TestClient(
            desk_system.client.app, base_url="https://testserver", client=(peer, 1), headers={HEADER: pem}
        )
        assert status(client) == wanted, peer
        client.close()


@pytest.mark.parametrize("given", ["localhost", "10.0.0.0/8", "10.0.0.1;10.0.0.2"])
def test_a_gate_written_in_another_form_stops_the_start(given: str) -> None:
    with pytest.raises(WrongUse, match="BENEFIT_PROXY"):
        proxy.addresses(given)
