"""ログに残ってから、見せる。ログの台帳がどう壊れても、件の一字も出ない（reliability P16・T16）。"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from httpx2 import Response
from sqlalchemy import event

from benefit.store import desk
from tests.api import phone
from tests.api.conftest import Desk, audit_rows, number_of
from tests.support.owner import as_owner

SECRETS = ("髙﨑", "タカサキ", "タ○サ○", number_of(200), "振り込みました", "振込済", "高田馬場", "****456", "9123456")
VIEWS = ("case.view", "case.search", "account.show")


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


def readings(desk_system: Desk) -> dict[str, tuple[str, Callable[[], Response]]]:
    """件を返しうる道の全部と、壊れていなければ見えるもの。コールセンターは画面、管理者は API で、一件を開いてある。"""
    csrf, headers = desk_system.login(), desk_system.token("supervisor1")
    client, number, name = desk_system.client, number_of(200), "タカサキ　キヨシ 1950-11-12"
    # 口座は 30 秒で隠れるので、時計を止めておく。
    client.app.state.clock = lambda fixed=desk_system.clock(): fixed  # type: ignore[attr-defined]
    phone.answer(desk_system, csrf, number, purpose=phone.ACCOUNT)
    phone.opened(desk_system, headers, number, purpose=phone.ACCOUNT)
    reason = {"reason": "本人が口座を尋ねた"}
    client.post("/case/account", data={"csrf": csrf, "operation": phone.key(), **reason})
    by_name = {"kana_name": "タカサキ　キヨシ", "birth": "1950-11-12"}
    find = "/api/v1/search"
    return {
        "画面の口座": ("9123456", lambda: client.get("/case/account", follow_redirects=False)),
        "画面で番号": ("髙﨑", lambda: phone.search(desk_system, csrf, number, purpose=phone.ACCOUNT)),
        "画面で氏名": ("髙﨑", lambda: phone.search(desk_system, csrf, name, purpose=phone.ACCOUNT)),
        "画面の一件": ("髙﨑", lambda: client.get("/case")),
        "API で番号": ("タ○サ○", lambda: client.post(find, json={"case_number": number}, headers=headers)),
        "API で氏名": ("タ○サ○", lambda: client.post(find, json=by_name, headers=headers)),
        "API で一件": ("髙﨑", lambda: client.get("/api/v1/case", headers=headers)),
        "API の口座": (
            "9123456",
            lambda: client.post("/api/v1/case/account", json=reason, headers=phone.of_case(desk_system, headers)),
        ),
    }


@pytest.mark.parametrize("harm", [refuse_inserts, drop_log, forget_column])
def test_with_the_log_store_broken_no_way_of_reading_shows_anything(
    desk_system: Desk, harm: Callable[[sa.Connection], None]
) -> None:
    ways = readings(desk_system)
    for way, (shown, read) in ways.items():
        answer = read()
        assert answer.status_code == 200, way  # 壊す前は読める。壊れたから出ないのだと言うため。
        assert shown in answer.text, way
    with desk_system.home.desk.begin() as connection:
        harm(connection)
    for way, (_, read) in ways.items():
        answer = read()
        assert answer.status_code == 503, way
        for secret in SECRETS:
            assert secret not in answer.text, (way, secret)


@pytest.mark.parametrize("way", ["画面で番号", "画面の一件", "画面の口座", "API で氏名", "API で一件", "API の口座"])
def test_a_commit_that_fails_at_the_last_moment_shows_nothing(desk_system: Desk, way: str) -> None:
    # 行は書けたのに、確定だけが失敗する（ディスクの一杯、切れた接続）。
    _, read = readings(desk_system)[way]
    engine = desk_system.home.desk
    before = sum(len(audit_rows(desk_system.home, action)) for action in VIEWS)
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
    assert sum(len(audit_rows(desk_system.home, action)) for action in VIEWS) == before


def test_one_view_leaves_exactly_one_line_and_a_failed_one_none(desk_system: Desk) -> None:
    headers = desk_system.token()
    phone.opened(desk_system, headers)
    for expected in (1, 2):
        assert desk_system.client.get("/api/v1/case", headers=headers).status_code == 200
        assert len(audit_rows(desk_system.home, "case.view")) == expected
    # 形の違う番号は、台帳に触れる前に断る。
    before = len(audit_rows(desk_system.home, "case.search"))
    assert desk_system.client.post("/api/v1/search", json={"case_number": "x"}, headers=headers).status_code == 422
    assert len(audit_rows(desk_system.home, "case.search")) == before


def test_the_number_looked_for_in_vain_is_in_the_log_too(desk_system: Desk) -> None:
    # 当て推量で探す人は、当たらなかった番号で分かる。
    headers = desk_system.token()
    phone.begin(desk_system, headers)
    answer = desk_system.client.post("/api/v1/search", json={"case_number": number_of(9_999)}, headers=headers)
    assert answer.json()["hits"] == []
    (seen,) = audit_rows(desk_system.home, "case.search")
    assert seen["subject"] == number_of(9_999)
    assert '"hits": 0' in str(seen["detail"])


def test_the_log_holds_no_name_birthday_or_account(desk_system: Desk) -> None:
    for _, read in readings(desk_system).values():
        read()
    with desk_system.home.desk.connect() as connection:
        text = "".join(str(dict(row)) for row in connection.execute(desk.audit_log.select()).mappings())
    for secret in ("髙﨑", "タカサキ", "1950-11-12", "9123456"):
        assert secret not in text
