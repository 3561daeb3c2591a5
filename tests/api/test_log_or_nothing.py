"""T16: 二千回の読みの、どこでログの台帳が壊れても、記録の残らない件は一字も出ない（reliability P16）。

壊し方は本物: 挿入の断り、確定の失敗、ほかの人の錠、時間切れ、満ちたディスク、読んでから送るまでの間の SIGKILL。
見るのは一つだけである: 中身の出た答えには、確定したログの行が必ずある。
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from benefit.store import audit, desk
from benefit.store.engine import reading
from tests.api import phone
from tests.api.conftest import Desk, number_of
from tests.support.owner import as_owner

READS = int(os.environ.get("LOG_READS", "2000"))
SEED = int(os.environ.get("LOG_SEED", "16"))
SECRETS = ("髙﨑", "タカサキ", "振り込みました", "振込済", "高田馬場", "9123456")
Read = Callable[[], str]


def opened(desk_system: Desk) -> list[Read]:
    """件の中身を返す道（一件を開き、口座を出してある）。コールセンターは画面、管理者は API。"""
    csrf, headers = desk_system.login(), desk_system.token("supervisor1")
    client, number = desk_system.client, number_of(200)
    client.app.state.clock = lambda fixed=desk_system.clock(): fixed  # type: ignore[attr-defined]
    phone.answer(desk_system, csrf, number, purpose=phone.ACCOUNT)
    phone.opened(desk_system, headers, number, purpose=phone.ACCOUNT)
    reason = {"reason": "本人が口座を尋ねた"}
    client.post("/case/account", data={"csrf": csrf, "operation": phone.key(), **reason})
    return [
        lambda: client.get("/case").text,
        lambda: client.get("/case/account", follow_redirects=False).text,
        lambda: client.get("/api/v1/case", headers=headers).text,
    ]


def lines(desk_system: Desk) -> int:
    """確定したログの行数（別の接続で数える）。"""
    with reading(desk_system.home.desk) as connection:
        if connection.dialect.name == "postgresql":
            as_owner(connection)
        return connection.execute(sa.select(sa.func.count()).select_from(desk.audit_log)).scalar_one()


def shows(body: str) -> bool:
    return any(secret in body for secret in SECRETS)


@contextmanager
def listening(engine: sa.Engine, name: str, heard: Callable[..., None]) -> Iterator[None]:
    event.listen(engine, name, heard)
    try:
        yield
    finally:
        event.remove(engine, name, heard)


@contextmanager
def failing(engine: sa.Engine, when: str, deed: Callable[[], None]) -> Iterator[None]:
    """ログの行を書く時（insert）、書いた後の確定の直前（commit）に `deed` をする。"""
    wrote: set[int] = set()

    def before(connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "INSERT INTO audit_log" in statement:
            if when == "insert":
                deed()
            wrote.add(id(connection))

    def commit(connection: sa.Connection) -> None:
        if when == "commit" and id(connection) in wrote:
            wrote.clear()
            deed()

    with listening(engine, "before_cursor_execute", before), listening(engine, "commit", commit):
        yield


def full_disk() -> None:
    raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))


@contextmanager
def unbroken(desk_system: Desk) -> Iterator[None]:
    yield


@contextmanager
def insert_fails(desk_system: Desk) -> Iterator[None]:
    with failing(desk_system.home.desk, "insert", full_disk):
        yield


@contextmanager
def commit_fails(desk_system: Desk) -> Iterator[None]:
    with failing(desk_system.home.desk, "commit", full_disk):
        yield


@contextmanager
def store_refuses(desk_system: Desk) -> Iterator[None]:
    """台帳そのものが、ログの行を断る（仕掛け・権限）。"""
    engine = desk_system.home.desk
    with engine.begin() as connection:
        as_owner(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("REVOKE INSERT ON audit_log FROM benefit_desk_app")
        else:
            connection.exec_driver_sql(
                "CREATE TRIGGER broken BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'broken'); END"
            )
    yield
    with engine.begin() as connection:
        as_owner(connection)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("GRANT INSERT ON audit_log TO benefit_desk_app")
        else:
            connection.exec_driver_sql("DROP TRIGGER broken")


@contextmanager
def locked(desk_system: Desk) -> Iterator[None]:
    """ほかの人が書いている最中で、待ちが時間切れになる。"""
    engine = desk_system.home.desk
    if engine.dialect.name == "sqlite":

        def impatient(connection: sa.Connection) -> None:
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")

    else:

        def impatient(connection: sa.Connection) -> None:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '2ms'")

    with engine.begin() as writer:
        if engine.dialect.name == "postgresql":
            audit.in_turn(writer, "audit")
        with listening(engine, "begin", impatient):
            yield
        writer.rollback()
    if engine.dialect.name == "sqlite":
        engine.dispose()  # 待ちの短い接続を残さない


@contextmanager
def full_store(desk_system: Desk) -> Iterator[None]:
    """SQLite のファイルが、もう一頁も増やせない。PostgreSQL では、文の時間切れ。"""
    engine = desk_system.home.desk

    def narrow(connection: sa.Connection) -> None:
        if engine.dialect.name == "sqlite":
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def slow(connection: sa.Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if engine.dialect.name == "postgresql" and "INSERT INTO audit_log" in statement:
            connection.exec_driver_sql("SET LOCAL statement_timeout = '1ms'")
            connection.exec_driver_sql("SELECT pg_sleep(1)")

    with listening(engine, "begin", narrow), listening(engine, "before_cursor_execute", slow):
        yield
    engine.dispose()


HARMS = (unbroken, insert_fails, commit_fails, store_refuses, locked, full_store)


def broken_reads(desk_system: Desk, times: int) -> Counter[tuple[str, bool]]:
    """でたらめに壊しながら読む。(壊し方, 中身が出たか) の数。記録のない中身が出たら、そこで落ちる。"""
    print(f"T16 の種: {SEED}、{times} 回")
    luck, ways, tally = random.Random(SEED), opened(desk_system), Counter[tuple[str, bool]]()
    while sum(tally.values()) < times:
        harm = luck.choice(HARMS)
        with harm(desk_system):
            known = lines(desk_system)
            for _ in range(luck.randrange(4, 12)):
                seen = shows(luck.choice(ways)())
                tally[harm.__name__, seen] += 1
                known += seen
                assert not seen or lines(desk_system) == known, f"{harm.__name__}: 記録のない件が出ました"
            assert lines(desk_system) == known, f"{harm.__name__}: 見せていないのに、見たことになりました"
    return tally


def test_no_body_leaves_without_a_committed_line(desk_system: Desk) -> None:
    share = 0.8 if desk_system.home.desk.dialect.name == "sqlite" else 0.2
    tally = broken_reads(desk_system, int(READS * share))
    assert tally["unbroken", True] > 0
    assert tally["unbroken", False] == 0
    for harm in ("insert_fails", "commit_fails", "store_refuses", "locked"):
        assert tally[harm, False] > 0
        assert tally[harm, True] == 0
    assert tally["full_store", False] > 0


def test_the_eye_of_this_test_sees_a_screen_that_logs_as_best_it_can(
    desk_system: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 植えた誤り: 書けなければ諦めて見せる。
    record = audit.record

    def at_best(connection: sa.Connection, *given: Any, **more: Any) -> None:
        try:
            with connection.begin_nested():
                record(connection, *given, **more)
        except sa.exc.SQLAlchemyError:
            pass

    monkeypatch.setattr(audit, "record", at_best)
    with pytest.raises(AssertionError, match="記録のない件が出ました"):
        broken_reads(desk_system, 400)


def killed(desk_system: Desk, read: Read, place: str) -> str:
    """子が読み、`place` で SIGKILL される。親に届いた中身を返す。"""
    inlet, outlet = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(inlet)
            engine = desk_system.home.desk
            engine.dispose(close=False)
            signal.alarm(120)  # 子が止まっても、試験は止まらない

            def die() -> None:
                os.kill(os.getpid(), signal.SIGKILL)

            if place == "見せた後":
                os.write(outlet, read().encode())
                die()
            with failing(engine, place, die):
                os.write(outlet, read().encode())
        finally:
            os._exit(1)
    os.close(outlet)
    with os.fdopen(inlet, "rb") as received:
        body = received.read().decode()
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    return body


def test_a_kill_between_reading_and_sending_shows_nothing_unlogged(desk_system: Desk) -> None:
    ways = opened(desk_system)
    desk_system.home.desk.dispose()
    for place in ("insert", "commit", "見せた後"):
        for read in ways:
            before = lines(desk_system)
            desk_system.home.desk.dispose()
            body = killed(desk_system, read, place)
            assert shows(body) == (place == "見せた後")
            assert lines(desk_system) == before + (place == "見せた後")
            desk_system.home.desk.dispose()
