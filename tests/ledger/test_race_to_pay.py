"""T02 何人の職員と一括処理が同時に動いても、二度払わず、一人も落とさない（reliability P2）。

32 人（SQLite は 8 人）が、同じ 2,000 の権利を、それぞれの並べ方のファイルで申し出て、判定し、作り、承認し、送り、
取り消し、結果を取り込み、振込不能をやり直す。二人は、途中で SIGKILL される。CLAIMS・WORKERS で大きくできる。
"""

from __future__ import annotations

import multiprocessing
import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.records.planned_payments import FILE_NAME
from benefit.services.home import Home
from benefit.store import audit, ward
from tests.ledger import clerks, history, race_history
from tests.ledger.books import BUILT, CREDITED, FIRST, JUDGED, SECOND, Books
from tests.ledger.world import single_households
from tests.support.forked import entry_hidden

CLAIMS = int(os.environ.get("CLAIMS", "2000"))
WORKERS = {"postgresql": int(os.environ.get("WORKERS", "32")), "sqlite": int(os.environ.get("WORKERS_SQLITE", "8"))}
FILES = 4
SEED = int(os.environ.get("RACE_SEED", "20240603"))
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.kill.steps", "tests.ledger.clerks"])


def opened(home: Home, claims: int) -> Books:
    """`claims` の一人世帯の権利があり、手紙の期限の過ぎた作業場所。"""
    books = Books(home, home.path.parent, single_households(claims))
    books.open()
    books.receive()
    books.build_and_approve(BUILT)
    books.tell(BUILT)
    books.clock.day = JUDGED
    books.receive(("residents",))
    assert len(books.entitlements()) == claims
    return books


def share(books: Books, workers: int, files: int, chance: random.Random) -> list[list[Path]]:
    """一人一人に、全部の権利を、違う並べ方で `files` つに分けたファイル。"""
    rows = [books.planned_row(right) for right in books.entitlements()]
    shared = []
    for worker in range(workers):
        chance.shuffle(rows)
        size = -(-len(rows) // files)
        shared.append([books.plan(rows[k * size : (k + 1) * size], f"W{worker}-{k}") for k in range(files)])
    return shared


def crowd(
    books: Books, target: Callable[..., None], each: list[dict[str, Any]], kills: tuple[float, ...] = ()
) -> list[Path]:
    """一斉に始める。`kills` 秒ごとに、初めの何人かを順に止める。帳面を返す。"""
    books.home.ward.dispose()
    gate = _SERVER.Barrier(len(each) + 1)
    logs = [books.root / f"log-{worker}.jsonl" for worker in range(len(each))]
    crew = [
        _SERVER.Process(
            target=target,
            args=(books.home.path, books.home.ward_url, gate, worker),
            kwargs={"log": log, **given},
        )
        for worker, (log, given) in enumerate(zip(logs, each, strict=True))
    ]
    with entry_hidden():
        for one in crew:
            one.start()
    gate.wait(300)
    for seconds, one in zip(kills, crew, strict=False):
        one.join(seconds)
        one.kill()
    for one in crew:
        one.join(600)
    assert [one.exitcode for one in crew[len(kills) :]] == [0] * (len(crew) - len(kills))
    return logs


def settle(books: Books) -> None:
    """残りを一人で終わらせる: 途中のファイルを送り、結果を取り込み、払われていない権利をもう一度申し出る。"""
    for turn in range(3):
        made = books.make()
        for number in unfinished(books):
            for actor in (FIRST, SECOND):
                with suppress(RefusedByRule):
                    books.approve(number, actor)
            sent = books.release(number)
            books.take(books.answer(number, [CREDITED] * sent.line_count, created_on=date(2024, 8, 6 + turn)))
        paid = {row["slot"] for row in payments(books) if row["state"] in {"F40", "F41", "F42"}}
        left = [right for right in books.entitlements() if right["slot"] not in paid]
        if not left and made is None:
            return
        if left:
            books.judge(books.plan([books.planned_row(right, turn=8 + turn) for right in left], f"S{turn}"))


def unfinished(books: Books) -> list[int]:
    """作っただけか、送って答えのない支払のある振込。"""
    line, payment = ward.transfer_line, ward.payment
    query = (
        sa.select(line.c.transfer_id)
        .join(payment, payment.c.id == line.c.payment_id)
        .where(payment.c.state.in_(["F40", "F41"]))
    )
    with books.home.ward.connect() as connection:
        return sorted(set(connection.execute(query).scalars()))


def payments(books: Books) -> list[dict[str, Any]]:
    with books.home.ward.connect() as connection:
        return [dict(row) for row in connection.execute(ward.payment.select()).mappings()]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_crowd_of_clerks_claiming_everything_at_once_pays_everyone_once(
    kind: str, new_home: Callable[[str], Home]
) -> None:
    print(f"種 {SEED}、{WORKERS[kind]} 人 × {CLAIMS:,} 件")
    chance = random.Random(SEED)
    books = opened(new_home(kind), CLAIMS)
    folders = share(books, WORKERS[kind], FILES, chance)
    each = [{"folders": mine, "seed": SEED, "orderly": True} for mine in folders]
    logs = crowd(books, clerks.work, each, kills=(chance.uniform(1, 4), chance.uniform(0, 2)))
    events = race_history.events(logs)
    rows_of = {
        folder.name: len((folder / FILE_NAME).read_bytes().splitlines()) - 1 for mine in folders for folder in mine
    }
    with books.home.ward.connect() as connection:
        assert race_history.violations(events, connection, rows_of) == []
        assert history.read(connection).wrong == []
    settle(books)
    with books.home.ward.connect() as connection:
        seen = history.read(connection)
        assert audit.verify(connection, ward.audit_log)[1] is None
    assert seen.wrong == []
    # 二度払われた人も、払われなかった人も、一人もいない。
    assert seen.paid == {right["slot"]: 1 for right in books.entitlements()}
    assert seen.balances["支給済"] == sum(right["amount_yen"] for right in books.entitlements())


def test_without_the_queue_the_constraints_alone_still_pay_nobody_twice(new_home: Callable[[str], Home]) -> None:
    """一列に並べる仕掛けを外す。断られる仕事は増えるが、二重は生まれない。"""
    books = opened(new_home("postgresql"), 200)
    folders = share(books, 12, 2, random.Random(SEED))
    logs = crowd(books, clerks.work, [{"folders": mine, "seed": SEED, "orderly": False} for mine in folders])
    assert race_history.events(logs)
    with books.home.ward.connect() as connection:
        seen = history.read(connection)
    assert [one for one in seen.wrong if "同時に" in one or "二度" in one] == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_this_test_sees_a_check_then_insert_without_the_unique_index(
    kind: str, new_home: Callable[[str], Home]
) -> None:
    """わざと入れた誤り: 読んでから入れる書き手。索引があれば一人だけが入り、外せば歴史の検査が二重を見る。"""
    for dropped in (False, True):
        books = opened(new_home(kind), 20)
        books.judge(books.plan([books.planned_row(right) for right in books.entitlements()], "P1"))
        with books.home.ward.begin() as connection:
            if kind == "postgresql":
                connection.execute(sa.text("SET LOCAL ROLE NONE"))  # 仕事の役割では、守りを外せない
            connection.execute(sa.text("DROP INDEX uq_payment_verdict_line"))
            if dropped:
                connection.execute(sa.text("DROP INDEX uq_payment_live_slot"))
        logs = crowd(books, clerks.careless, [{} for _ in range(6)])
        told = [event for event in race_history.events(logs) if event["phase"] == "ok"]
        with books.home.ward.connect() as connection:
            seen = history.read(connection)
        double = [one for one in seen.wrong if "同時に" in one]
        if dropped:
            assert len(told) == 6 * 20
            assert double
        else:
            assert len(told) == 20
            assert double == []
            assert set(seen.live.values()) == {1}
