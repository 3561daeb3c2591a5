"""ログに残ってから、見せる。ログの台帳がどう壊れても、件の一字も出ない（reliability P16・T16）。"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from benefit.store import desk
from tests.api.conftest import Desk, audit_rows, number_of
from tests.support.owner import as_owner

CALL = {"call_reference": "T-1", "purpose": "進み具合の問合せ"}
SECRETS = ("髙﨑", "タカサキ", number_of(200), "振り込みました", "振込済", "高田馬場", "456")


def refuse_inserts(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        as_owner(connection).execute(
            sa.text("ALTER TABLE audit_log ADD CONSTRAINT broken CHECK (sequence < 0) NOT VALID")
        )
    else:
        connection.execute(
            sa.text("CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END")
        )


def drop_log(connection: sa.Connection) -> None:
    as_owner(connection).execute(sa.text("DROP TABLE audit_log"))


def forget_column(connection: sa.Connection) -> None:
    as_owner(connection).execute(sa.text("ALTER TABLE audit_log RENAME COLUMN detail TO details"))


def readings(desk_system: Desk) -> dict[str, Callable[[], object]]:
    """件を返しうる道の全部。"""
    csrf, headers = desk_system.login(), desk_system.token("supervisor1")
    client, number = desk_system.client, number_of(200)
    name = {"kana_name": "タカサキ　キヨシ", "birth": "1950-11-12"}
    return {
        "画面で番号": lambda: client.post("/search", data={"csrf": csrf, **CALL, "case_number": number}),
        "画面で氏名": lambda: client.post("/search", data={"csrf": csrf, **CALL, **name}),
        "画面で開く": lambda: client.post("/case", data={"csrf": csrf, "case_number": number}),
        "API で番号": lambda: client.post("/api/v1/search", json={**CALL, "case_number": number}, headers=headers),
        "API で氏名": lambda: client.post("/api/v1/search", json={**CALL, **name}, headers=headers),
        "API で一件": lambda: client.get(f"/api/v1/cases/{number}", headers=headers),
    }


@pytest.mark.parametrize("harm", [refuse_inserts, drop_log, forget_column])
def test_with_the_log_store_broken_no_way_of_reading_shows_anything(
    desk_system: Desk, harm: Callable[[sa.Connection], None]
) -> None:
    ways = readings(desk_system)
    for way, read in ways.items():
        answer = read()
        assert answer.status_code == 200, way  # 壊す前は読める。壊れたから出ないのだと言うため。
        assert "髙﨑" in answer.text, way
    with desk_system.home.desk.begin() as connection:
        harm(connection)
    for way, read in ways.items():
        answer = read()
        assert answer.status_code == 503, way
        for secret in SECRETS:
            assert secret not in answer.text, (way, secret)


@pytest.mark.parametrize("way", ["画面で番号", "画面で氏名", "画面で開く", "API で番号", "API で氏名", "API で一件"])
def test_a_commit_that_fails_at_the_last_moment_shows_nothing(desk_system: Desk, way: str) -> None:
    # 行は書けたのに、確定だけが失敗する（ディスクの一杯、切れた接続）。
    read = readings(desk_system)[way]
    engine = desk_system.home.desk
    views = ("case.view", "case.search")
    before = sum(len(audit_rows(desk_system.home, action)) for action in views)
    wrote: set[int] = set()

    def note(connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO audit_log" in statement:
            wrote.add(id(connection))

    def fail(connection: sa.Connection) -> None:
        if id(connection) in wrote:
            wrote.discard(id(connection))
            raise sa.exc.OperationalError("COMMIT", {}, Exception("disk full"))

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "commit", fail)
    try:
        answer = read()
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "commit", fail)
    assert answer.status_code == 503
    for secret in SECRETS:
        assert secret not in answer.text
    assert sum(len(audit_rows(desk_system.home, action)) for action in views) == before


def test_one_view_leaves_exactly_one_line_and_a_failed_one_none(desk_system: Desk) -> None:
    headers = desk_system.token()
    for expected in (1, 2):
        assert desk_system.client.get(f"/api/v1/cases/{number_of(200)}", headers=headers).status_code == 200
        assert len(audit_rows(desk_system.home, "case.view")) == expected
    # 形の違う番号は、台帳に触れる前に断る。
    assert desk_system.client.get("/api/v1/cases/123", headers=headers).status_code == 422
    assert len(audit_rows(desk_system.home, "case.view")) == 2


def test_the_number_looked_for_in_vain_is_in_the_log_too(desk_system: Desk) -> None:
    # 当て推量で探す人は、当たらなかった番号で分かる。
    headers = desk_system.token()
    assert desk_system.client.get(f"/api/v1/cases/{number_of(9_999)}", headers=headers).status_code == 404
    (seen,) = audit_rows(desk_system.home, "case.view")
    assert seen["subject"] == number_of(9_999)
    assert '"found": false' in str(seen["detail"])


def test_the_log_holds_no_name_birthday_or_account(desk_system: Desk) -> None:
    for read in readings(desk_system).values():
        read()
    with desk_system.home.desk.connect() as connection:
        text = "".join(str(dict(row)) for row in connection.execute(desk.audit_log.select()).mappings())
    for secret in ("髙﨑", "タカサキ", "1950-11-12", "9123456"):
        assert secret not in text
