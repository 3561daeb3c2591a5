"""T03 届いたものが、どんな形でもう一度届いても、二度払わない（reliability P3）。

台本は乱数で作る。SCRIPTS で数を、REPLAY_SEED で種を変えられる。鍵は、ファイルの名も日付も含まない。
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.services import gate, judgment_report, ledger_facts, transfer_lines
from benefit.services.home import Home
from benefit.services.standing import Inputs
from benefit.store import ward
from tests.ledger import history
from tests.ledger.books import BUILT, JUDGED, Books
from tests.ledger.replays import Play
from tests.ledger.world import single_households

SCRIPTS = int(os.environ.get("SCRIPTS", "500"))
SEED = int(os.environ.get("REPLAY_SEED", "20240603"))
#: 一つの作業場所で続ける台本の数。
PER_HOME = 50


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """同じ入力の判定（純粋な計算）は、覚えておく。台帳を読むところは、毎回本物である。"""
    known: dict[str, Any] = {}
    decide = gate.decide_now

    def once(inputs: Inputs) -> Any:
        if inputs.digest not in known:
            known.clear()
            known[inputs.digest] = decide(inputs)
        return known[inputs.digest]

    monkeypatch.setattr(gate, "decide_now", once)
    # 職員が読む表計算の写しは作らない。この試験は verdicts.csv を読む（写しは判定の報告の試験が見る）。
    monkeypatch.setattr(judgment_report, "_book", lambda *_given: b"")


def opened(home: Home, chance: random.Random, scripts: int) -> Play:
    books = Books(home, home.path.parent, single_households(scripts * 3 + 20))
    books.open()
    books.receive()
    books.build_and_approve(BUILT)
    books.tell(BUILT)
    books.clock.day = JUDGED
    books.receive(("residents",))
    fresh = books.entitlements()
    chance.shuffle(fresh)
    return Play(books, chance, fresh)


def checked(play: Play) -> list[str]:
    with play.books.home.ward.connect() as connection:
        return history.read(connection).wrong


def batches(kind: str) -> Iterator[int]:
    """五つに四つは SQLite、一つは PostgreSQL で。"""
    left = SCRIPTS // 5 if kind == "postgresql" else SCRIPTS - SCRIPTS // 5
    while left > 0:
        yield min(left, PER_HOME)
        left -= PER_HOME


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_that_comes_again_is_paid_again(kind: str, part: int, new_home: Callable[[str], Home]) -> None:
    for number, scripts in enumerate(batches(kind)):
        if number % 2 != part:
            continue
        seed = SEED + number
        print(f"種 {seed}（{kind}、{scripts} 本）")
        play = opened(new_home(kind), random.Random(seed), scripts)
        for script in range(scripts):
            play.script()
            assert checked(play) == [], f"種 {seed}、{script} 本目: {play.done}"
        play.pay()
        assert checked(play) == []
        with play.books.home.ward.connect() as connection:
            seen = history.read(connection)
        # 申し出て支給可になった権利は、どれも一度だけ払われたか、振込不能で待っている。
        numbers = {right["slot"]: right["case_number"] for right in play.books.entitlements()}
        assert {numbers[slot] for slot in seen.paid} | play._failed_numbers() >= play.told
        assert set(seen.paid.values()) <= {1}


def acted(play: Play, scripts: int) -> None:
    for _ in range(scripts):
        play.script()


def everywhere(monkeypatch: pytest.MonkeyPatch, original: Any, planted: Any) -> None:
    """`original` を取り込んだ全部の部品で、`planted` に替える。"""
    for name, module in list(sys.modules.items()):
        if name.startswith("benefit.") and getattr(module, original.__name__, None) is original:
            monkeypatch.setattr(module, original.__name__, planted)


def test_this_test_sees_a_key_that_contains_the_file(
    new_home: Callable[[str], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """わざと入れた誤り: 払ったかどうかの鍵に、ファイルの番号を入れる。"""
    ledger, pending = ledger_facts.with_ledger, transfer_lines.pending_verdicts

    def by_file(*given: Any) -> pl.DataFrame:
        rows = ledger(*given)
        hidden = {"paid", "in_flight", "moving", "waiting"} & set(rows.columns)
        return rows.with_columns(pl.lit(value=False).alias(name) for name in hidden)

    def by_file_too(connection: sa.Connection, **_among: Any) -> list[dict[str, Any]]:
        payment, right, verdict = ward.payment, ward.entitlement, ward.verdict
        done = {
            (row.entitlement_id, row.planned_file_id)
            for row in connection.execute(sa.select(payment.c.entitlement_id, payment.c.planned_file_id))
        }
        count = dict[int, int]()
        for number, _file in done:
            count[number] = count.get(number, 0) + 1
        names = ("planned_file_id", "line_number", *transfer_lines.ACCOUNT)
        query = (
            sa.select(
                *(verdict.c[name] for name in names),
                right.c.id.label("entitlement_id"),
                right.c.slot,
                right.c.amount_yen,
                right.c.case_number,
                right.c.branch,
            )
            .join(right, right.c.id == verdict.c.entitlement_id)
            .where(verdict.c.verdict == "支給可")
            .order_by(right.c.case_number, verdict.c.planned_file_id.desc())
        )
        rows = [dict(row) for row in connection.execute(query).mappings()]
        free = {
            row["entitlement_id"]: row for row in rows if (row["entitlement_id"], row["planned_file_id"]) not in done
        }
        return [{**row, "attempts": count.get(key, 0), "last_state": None} for key, row in free.items()]

    everywhere(monkeypatch, ledger, by_file)
    everywhere(monkeypatch, pending, by_file_too)
    play = opened(new_home("sqlite"), random.Random(SEED), 30)
    with play.books.home.ward.begin() as connection:
        connection.execute(sa.text("DROP INDEX uq_payment_live_slot"))
        connection.execute(
            sa.text("CREATE UNIQUE INDEX uq_payment_live_slot ON payment (slot, planned_file_id) WHERE state <> 'F49'")
        )
    with pytest.raises(AssertionError, match="もう一度支給可"):
        acted(play, 30)
    # 判定の言うことを見なくても、台帳の歴史の検査だけでも見つかる。
    play.strict = False
    for _ in range(30):
        play.claim()
        play.changed_copy()
        play.pay()
        if any("同時に" in one or "二度" in one for one in checked(play)):
            return
    raise AssertionError("鍵にファイルの番号を入れた誤りを、台帳の歴史の検査が見つけられない")
