"""書けたと言われたものは、電源が落ちても失われない（reliability P10・T10）。

四人が同時に書いている PostgreSQL を何度も即時停止（SIGQUIT。記録を書き出す間を与えない）し、立て直して、書けたと言われた番号が
全部あり、半分だけのトランザクションがなく、監査ログの鎖がつながっていることを見る。POWER_CUTS で回数を増やせる。
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.services.home import Home
from benefit.store import audit, desk
from benefit.store.engine import make_engine
from benefit.store.migrate import upgrade
from tests.kill import ledger_writer
from tests.support.forked import entry_hidden
from tests.support.pgserver import Server, postgres

CUTS = int(os.environ.get("POWER_CUTS", "100"))
SEED = int(os.environ.get("KILL_SEED", "20240603"))
WRITERS = 4
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.kill.steps", "tests.kill.ledger_writer"])


@dataclass
class Writers:
    """書いている四人と、書けたと言われた番号。"""

    children: list[Any]
    told: list[Path]

    def acknowledged(self) -> set[str]:
        # 最後の一行が書きかけなら、まだ言われていない。
        return {
            line.decode()
            for path in self.told
            if path.exists()
            for line in path.read_bytes().rpartition(b"\n")[0].split(b"\n")
            if line
        }


@contextmanager
def writing(server: Server, root: Path, *, careless: bool = False) -> Iterator[Writers]:
    stop = root / "stop"
    told = [root / f"writer-{place}" for place in range(WRITERS)]
    children = [
        _SERVER.Process(target=ledger_writer.write, args=(server.url, path.name, path, stop, careless)) for path in told
    ]
    with entry_hidden():
        for child in children:
            child.start()
    try:
        yield Writers(children, told)
    finally:
        stop.touch()
        for child in children:
            child.join(60)
            child.kill()
            child.join()
            child.close()


def found(server: Server) -> tuple[set[str], set[str]]:
    """台帳にある番号: 進んだ跡と、監査ログ。鎖が切れていれば失敗。"""
    engine = make_engine(server.url, "desk")
    # 書き手はもうつなぎ直している。一つの瞬間の姿を読む。
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        events = set(connection.execute(sa.select(desk.case_event.c.reason)).scalars())
        logged = set(connection.execute(sa.select(desk.audit_log.c.subject)).scalars())
        assert audit.verify(connection, desk.audit_log)[1] is None
    engine.dispose()
    return events, logged


def cut_and_look(server: Server, writers: Writers, chance: random.Random, checked: set[str]) -> set[str]:
    """書き始めるのを待って、でたらめな時に止め、立て直す。失われた番号を返す。"""
    before = len(writers.acknowledged())
    until = time.monotonic() + 60
    while len(writers.acknowledged()) < before + 8:
        assert time.monotonic() < until, "書き手が書いていない"
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.15))
    server.stop(signal.SIGQUIT)
    told = writers.acknowledged()
    server.start()
    events, logged = found(server)
    assert events == logged, "半分だけのトランザクションがある"
    checked |= told
    return told - events


def migrated(server: Server) -> None:
    owner = make_engine(server.url)
    upgrade(owner, "desk")
    ledger_writer.open_case(owner)
    owner.dispose()


@pytest.mark.kill
@pytest.mark.parametrize("default", ["on", "off"])
def test_what_was_acknowledged_survives_every_power_cut(tmp_path: Path, default: str) -> None:
    """台帳の既定（synchronous_commit）が off にされていても、こちらの接続は待つ。"""
    chance, checked = random.Random(SEED), set[str]()
    with postgres(listen_addresses="", synchronous_commit=default) as server:
        migrated(server)
        with writing(server, tmp_path) as writers:
            for turn in range(CUTS // 2):
                lost = cut_and_look(server, writers, chance, checked)
                assert not lost, f"{turn} 回目の停止で {len(lost)} 件を失った（種 {SEED}）"
    print(f"種 {SEED}、停止 {CUTS // 2} 回、書けたと言われた {len(checked)} 件、失われた 0 件")
    assert len(checked) >= 8 * (CUTS // 2)


@pytest.mark.kill
def test_this_test_sees_a_commit_that_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    # 記録を書き出す係を遅くして、誤りが見える間を広げる。待つ接続には関わりがない。
    with postgres(listen_addresses="", wal_writer_delay="5s") as server:
        migrated(server)
        with writing(server, tmp_path, careless=True) as writers:
            assert any(cut_and_look(server, writers, chance, set()) for _ in range(10))


def test_every_sqlite_connection_waits_for_the_disk(sqlite_home: Home) -> None:
    for engine in (sqlite_home.ward, sqlite_home.desk):
        held = [engine.connect() for _ in range(3)]
        for connection in held:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
            connection.close()
