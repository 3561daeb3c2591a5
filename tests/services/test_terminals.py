"""名のある端末: 証明書の指紋で見分け、終えたものは通らない。断りの記録は溢れない。"""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.services import terminals
from benefit.services.home import Home
from benefit.store import desk
from tests.conftest import StepClock
from tests.support.certificates import certificate

ADMIN = Actor("kukanri", "ward_admin")
T = desk.access


def add(home: Home, clock: StepClock, pem: str, name: str = "端末1", place: str = "二階の窓側") -> None:
    with home.desk.begin() as connection:
        terminals.add(connection, T, pem=pem, name=name, place=place, actor=ADMIN, at=clock())


def test_a_registered_terminal_is_known_by_its_certificate_until_it_ends(home: Home, clock: StepClock) -> None:
    pem = certificate("端末1")
    add(home, clock, pem)
    with home.desk.begin() as connection:
        found = terminals.known(connection, T, terminals.fingerprint(pem))
        assert found is not None
        assert found["name"] == "端末1"
        assert terminals.known(connection, T, terminals.fingerprint(certificate("端末1"))) is None
        with pytest.raises(WrongUse, match="理由"):
            terminals.end(connection, T, "端末1", reason="", actor=ADMIN, at=clock())
        terminals.end(connection, T, "端末1", reason="紛失", actor=ADMIN, at=clock())
        assert terminals.known(connection, T, terminals.fingerprint(pem)) is None
        with pytest.raises(RefusedByRule, match="もう終わって"):
            terminals.end(connection, T, "端末1", reason="紛失", actor=ADMIN, at=clock())


def test_one_name_and_one_certificate_are_one_terminal(home: Home, clock: StepClock) -> None:
    pem = certificate("端末1")
    add(home, clock, pem)
    for given in (
        {"pem": pem, "name": "端末2"},
        {"pem": certificate("x"), "name": "端末1"},
        {"pem": certificate("x"), "name": "console"},
    ):
        with pytest.raises(RefusedByRule, match="もう登録"):
            add(home, clock, **given)  # type: ignore[arg-type]
    for given in ({"name": " "}, {"place": ""}, {"name": "長" * 41}):
        with pytest.raises(WrongUse):
            add(home, clock, certificate("x"), **given)
    for broken in ("", "ちがう", pem.replace("M", "?"), pem[:100]):
        with pytest.raises(RefusedInput, match="証明書"):
            terminals.fingerprint(broken)


def test_the_console_is_one_and_cannot_be_ended(home: Home, clock: StepClock) -> None:
    with home.desk.begin() as connection:
        for _ in range(2):
            terminals.console(connection, T, actor=ADMIN, at=clock())
        assert [row["name"] for row in terminals.listed(connection, T)] == ["console"]
        with pytest.raises(WrongUse):
            terminals.end(connection, T, "console", reason="試し", actor=ADMIN, at=clock())


def test_refused_connections_are_noted_but_never_flood_the_log(home: Home, clock: StepClock) -> None:
    start = clock.now.replace(second=0)

    def refuse(peer: str, why: str = "証明書がない", minutes: int = 0) -> None:
        with home.desk.begin() as connection:
            terminals.note_refusal(connection, T, peer=peer, reason=why, at=start + timedelta(minutes=minutes))

    def noted() -> int:
        with home.desk.connect() as connection:
            query = (
                sa.select(sa.func.count()).select_from(T.audit_log).where(T.audit_log.c.action == "connection.refused")
            )
            return int(connection.execute(query).scalar_one())

    for _ in range(5):
        refuse("10.0.0.9")
    assert noted() == 1, "同じ相手・同じわけ・同じ一分は、一行"
    refuse("10.0.0.9", "登録のない端末")
    refuse("10.0.0.9", minutes=1)
    assert noted() == 3
    for place in range(40):
        refuse(f"10.0.1.{place}", minutes=2)
    assert noted() == 3 + terminals.REFUSALS_A_MINUTE
