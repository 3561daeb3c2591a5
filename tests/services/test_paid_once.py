"""同じ権利に、二度払わない（reliability P1・P2）。守るのはプログラムの順番ではなく、台帳の一意の索引である。"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
import sqlalchemy as sa

from benefit.domain.errors import RefusedByRule
from benefit.domain.transfer import LIVE_STATES
from benefit.records.transfer_result_row import Outcome
from benefit.services import transfers
from benefit.store import audit, ward
from tests.services import race
from tests.services.conftest import (
    FIRST,
    JUDGED,
    MAKER,
    PAY,
    SECOND,
    Office,
    answered,
    refused_by_the_store,
)
from tests.support.forked import entry_hidden
from tests.support.owner import as_owner

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.kill.steps"])
LATER, LATER_PAY = date(2024, 8, 6), date(2024, 8, 13)


def live_by_slot(office: Office) -> Counter[str]:
    return Counter(row["slot"] for row in office.payments() if row["state"] in LIVE_STATES)


def crowd(office: Office, planned: Path, report: Path | None, today: date, pay_date: date) -> None:
    """SQLite は 8 人、PostgreSQL は 16 人で一斉に。一人でも異常に終われば失敗。"""
    count = 8 if office.home.ward.dialect.name == "sqlite" else 16
    gate = _SERVER.Barrier(count)
    office.home.ward.dispose()
    told = {"planned": planned, "report": report, "today": today, "pay_date": pay_date}
    clerks = [
        _SERVER.Process(target=race.work, args=(office.home.path, office.home.ward_url, gate, worker), kwargs=told)
        for worker in range(count)
    ]
    with entry_hidden():
        for one in clerks:
            one.start()
    for one in clerks:
        one.join(180)
    assert [one.exitcode for one in clerks] == [0] * count


def test_many_clerks_doing_everything_at_once_pay_nobody_twice(office: Office) -> None:
    crowd(office, office.planned, None, JUDGED, PAY)
    first = office.payments()
    assert len(first) == len(office.rows())
    assert set(live_by_slot(office).values()) == {1}
    office.approve(1, FIRST)
    office.approve(1, SECOND)
    office.release(1)
    # 結果（一件は振込不能）と、全員をもう一度並べた新しいファイルと、振込の作成が、同時に来る。
    report = answered(office, 1, (Outcome.FAILED, "03"))
    rows = [{**row, "行番号": str(place)} for place, row in enumerate(reversed(office.rows()), 1)]
    crowd(office, office.replan(rows), report, LATER, LATER_PAY)
    paid = [row for row in office.payments() if row["state"] == "F42"]
    failed = next(row for row in office.payments() if row["state"] == "F43")
    again = [row for row in office.payments() if row["attempt"] == 2]
    assert len(paid) == len(first) - 1
    assert [(row["slot"], row["state"]) for row in again] == [(failed["slot"], "F40")]
    assert set(live_by_slot(office).values()) == {1}
    assert office.balances() == {
        "予算": -sum(row["amount_yen"] for row in first),
        "未払": 0,
        "振込中": failed["amount_yen"],
        "支給済": sum(row["amount_yen"] for row in paid),
        "振込不能": 0,
    }
    with office.home.ward.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ward.bank_report)).scalar() == 1
        assert audit.verify(connection, ward.audit_log)[1] is None


def careless(office: Office, paid: dict[str, Any], count: int, *, start: int) -> int:
    """順番も判定も見ない書き手が、同じ slot へ一斉に支払を入れる。入った数。"""
    gate = Barrier(count)

    def insert(worker: int) -> bool:
        gate.wait(60)
        try:
            with office.home.ward.begin() as connection:
                connection.execute(
                    ward.payment.insert().values(**{**paid, "id": start + worker, "attempt": 2 + worker})
                )
        except sa.exc.IntegrityError:
            return False
        return True

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(insert, range(count)))


def drop_index(office: Office, name: str) -> None:
    with office.home.ward.begin() as connection:
        as_owner(connection).execute(sa.text(f"DROP INDEX {name}"))


def test_one_of_many_careless_writers_gets_in_and_without_the_index_they_all_do(office: Office) -> None:
    office.judge()
    made = office.make()
    assert made is not None
    transfers.cancel(office.home, made.id, reason="試験", actor=MAKER, clock=office.clock)
    paid, other = ({**row, "state": "F40"} for row in office.payments()[:2])
    drop_index(office, "uq_payment_verdict_line")  # もう一つの守りを外し、slot の索引だけを見る
    assert careless(office, paid, 8, start=1_000) == 1
    assert live_by_slot(office) == {paid["slot"]: 1}
    # わざと入れた誤り: 索引がなければ、同じ競争が二重の支払を生む。この試験はそれを見る。
    drop_index(office, "uq_payment_live_slot")
    assert careless(office, other, 8, start=2_000) == 8
    assert live_by_slot(office)[other["slot"]] == 8


@pytest.mark.parametrize("state", LIVE_STATES)
def test_the_store_refuses_a_second_payment_beside_a_live_one(office: Office, state: str) -> None:
    office.judge()
    office.make()
    paid = office.payments()[0]
    second = ward.payment.insert().values(**{**paid, "id": 999_999, "attempt": 2})
    with office.home.ward.begin() as connection:
        for step in LIVE_STATES[1 : LIVE_STATES.index(state) + 1]:
            connection.execute(ward.payment.update().where(ward.payment.c.id == paid["id"]).values(state=step))
        as_owner(connection).execute(sa.text("DROP INDEX uq_payment_verdict_line"))
        assert refused_by_the_store(connection, second)
        # この索引がなければ入ってしまう。断ったのは、slot の一意索引である。
        connection.execute(sa.text("DROP INDEX uq_payment_live_slot"))
        assert not refused_by_the_store(connection, second)
        connection.rollback()


def test_after_a_failure_the_slot_is_free_for_one(office: Office) -> None:
    office.judge()
    office.make()
    paid = office.payments()[0]
    with office.home.ward.begin() as connection:
        as_owner(connection).execute(sa.text("DROP INDEX uq_payment_verdict_line"))
        for step in ("F41", "F43"):
            connection.execute(ward.payment.update().where(ward.payment.c.id == paid["id"]).values(state=step))
        second, third = (
            ward.payment.insert().values(**{**paid, "id": 999_000 + attempt, "attempt": attempt}) for attempt in (2, 3)
        )
        assert not refused_by_the_store(connection, second)
        assert refused_by_the_store(connection, third)
        connection.rollback()


def test_a_payment_cannot_name_another_slot_or_another_amount(office: Office) -> None:
    office.judge()
    office.make()
    paid = office.payments()[0]
    with office.home.ward.begin() as connection:
        as_owner(connection).execute(sa.text("DROP INDEX uq_payment_verdict_line"))
        for wrong in ({"slot": "r6-2024/HH100K/9999999999"}, {"amount_yen": paid["amount_yen"] + 10_000}):
            values = {**paid, "id": 999_999, "attempt": 2, "slot": "別の権利", **wrong}
            assert refused_by_the_store(connection, ward.payment.insert().values(**values))
        connection.rollback()


def test_a_cancellation_that_meets_a_release_leaves_the_ledger_whole(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """送り出しが台帳に載る直前に、取消が来る。取消は待ち、断られ、仕訳を立てない。"""
    office.judge()
    made = office.make()
    assert made is not None
    office.approve(made.id, FIRST)
    office.approve(made.id, SECOND)
    written, record = Event(), audit.record

    def pausing(*args: Any, **told: Any) -> None:
        record(*args, **told)
        if told["action"] == "transfer.release":
            written.set()
            # 取消が待ちに入るだけの間を置く。守りがなければ、ここで取消が古い姿を読む。
            Event().wait(0.5)

    monkeypatch.setattr(audit, "record", pausing)

    def cancel() -> str:
        assert written.wait(60)
        with pytest.raises(RefusedByRule) as refused:
            transfers.cancel(office.home, made.id, reason="試験", actor=MAKER, clock=office.clock)
        return str(refused.value)

    with ThreadPoolExecutor(2) as pool:
        released, said = pool.submit(office.release, made.id), pool.submit(cancel)
        assert released.result(120).released
        assert "送り出されて" in said.result(120)
    assert {row["state"] for row in office.payments()} == {"F41"}
    assert office.balances() == {"予算": -made.total_yen, "未払": 0, "振込中": made.total_yen}
