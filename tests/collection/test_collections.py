"""収納データを受け取り、消し込む: 二度数えない、順番によらない、一円も失わない（issue「Money coming in」）。"""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
import sqlalchemy as sa

from benefit.domain.collection import Channel
from benefit.domain.errors import RefusedByRule
from benefit.rules.collection_notices import NOTICE
from benefit.services import collections, receivables
from benefit.services.home import Home
from benefit.store import ward
from tests.collection.conftest import accounts
from tests.conftest import StepClock

DUE = date(2026, 6, 30)


def register(home: Home, clock: StepClock, *debts: tuple[str, int]) -> receivables.Registered:
    rows = [("001", 2026, 1, number, None, yen, 0, DUE) for number, yen in debts]
    return receivables.register(
        home, pl.DataFrame(rows, schema=receivables.RECEIVABLE, orient="row"), reason="更正", clock=clock
    )


def key(number: str) -> str:
    return f"KEY:001-2026-01-{number}"


def take(
    home: Home,
    clock: StepClock,
    *rows: tuple[str, str, int, str],
    name: str = "a",
    channel: Channel = Channel.CONVENIENCE,
) -> collections.Collected:
    """(種類, 通知書番号, 金額, 時刻)。"""
    table = [
        (place, channel.value, kind, key(number), date(2026, 7, 10), at, "0012345", yen, date(2026, 7, 31))
        for place, (kind, number, yen, at) in enumerate(rows, 1)
    ]
    frame = pl.DataFrame(table, schema=NOTICE, orient="row")
    return collections.take(home, channel, frame, file_name=name, sha256=name.ljust(64, "0"), clock=clock)


def equation(done: collections.Collected) -> tuple[int, int, int, int]:
    assert done.rows_read == done.rows_posted + done.rows_held + done.rows_rejected
    return done.rows_read, done.rows_posted, done.rows_held, done.rows_rejected


def test_a_quick_notice_is_replaced_by_the_final_one(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    assert equation(take(home, clock, ("速報", "11", 12_300, "0915"), name="a")) == (1, 1, 0, 0)
    assert accounts(home) == {"決済待ち": 12_300, "調定": -12_300}
    assert equation(take(home, clock, ("確報", "11", 12_300, "0915"), name="b")) == (1, 1, 0, 0)
    assert accounts(home) == {"預金": 12_300, "調定": -12_300}


def test_the_final_notice_may_come_first(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    take(home, clock, ("確報", "11", 12_300, "0915"), name="b")
    take(home, clock, ("速報", "11", 12_300, "0915"), name="a")
    assert accounts(home) == {"預金": 12_300, "調定": -12_300}


def test_a_cancellation_undoes_the_quick_notice_cleanly(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    take(home, clock, ("速報", "11", 12_300, "0915"), ("速報取消", "11", 12_300, "0915"))
    assert accounts(home) == {}


def test_the_same_file_and_the_same_record_are_counted_once(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    first = take(home, clock, ("確報", "11", 12_300, "0915"), name="a")
    again = take(home, clock, ("確報", "11", 12_300, "0915"), name="a")
    assert (again.file_id, again.repeated) == (first.file_id, True)
    # 別のファイルに同じ記録があっても、もう数えてある（受け付けない側に入る）。
    assert equation(take(home, clock, ("確報", "11", 12_300, "0915"), name="b")) == (1, 0, 0, 1)
    assert accounts(home) == {"預金": 12_300, "調定": -12_300}


def test_two_real_payments_of_one_slip_are_an_overpayment_for_a_person(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    done = take(home, clock, ("確報", "11", 12_300, "0915"), ("確報", "11", 12_300, "1733"))
    assert equation(done) == (2, 1, 1, 0)
    assert accounts(home) == {"預金": 24_600, "調定": -12_300, "過誤納": -12_300}


def test_money_nobody_owes_is_kept_and_found_when_the_receivable_comes(home: Home, clock: StepClock) -> None:
    assert equation(take(home, clock, ("確報", "11", 12_300, "0915"))) == (1, 0, 1, 0)
    assert accounts(home) == {"預金": 12_300, "不明金": -12_300}
    register(home, clock, ("11", 12_300))
    assert accounts(home) == {"預金": 12_300, "調定": -12_300}


def test_a_lowered_receivable_turns_the_rest_into_an_overpayment(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    take(home, clock, ("確報", "11", 12_300, "0915"))
    assert register(home, clock, ("11", 10_000)) == receivables.Registered(0, 1, 0)
    assert accounts(home) == {"預金": 12_300, "調定": -10_000, "過誤納": -2_300}
    assert register(home, clock, ("11", 10_000)) == receivables.Registered(0, 0, 1)


def test_counter_slips_without_a_time_are_told_apart_by_their_number_in_the_file(home: Home, clock: StepClock) -> None:
    """窓口の納付書には時刻がない。同じ中身の行が一つのファイルに二つあれば、二つの入金である。"""
    register(home, clock, ("11", 1_000))
    done = take(home, clock, ("確報", "11", 500, ""), ("確報", "11", 500, ""), channel=Channel.COUNTER)
    assert equation(done) == (2, 2, 0, 0)
    assert accounts(home) == {"預金": 1_000, "調定": -1_000}


def test_a_reminder_is_not_sent_once_a_quick_notice_arrived(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300), ("12", 800))
    take(home, clock, ("速報", "11", 12_300, "0915"))
    late = receivables.outstanding(home, date(2026, 7, 11))
    assert late.select("notice_number", "left_yen", "stopped_by_notice").rows() == [("11", 0, True), ("12", 800, False)]


def test_a_slip_number_of_another_receivable_is_refused(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 100), ("12", 100))
    keys = pl.DataFrame({"pay_key": ["CVS:1", "CVS:2"], "receivable_id": [1, 2]})
    assert receivables.add_keys(home, keys, clock=clock) == 2
    assert receivables.add_keys(home, keys, clock=clock) == 0
    with pytest.raises(RefusedByRule, match="別の調定"):
        receivables.add_keys(home, keys.with_columns(receivable_id=pl.lit(2)), clock=clock)


def test_the_store_itself_refuses_a_second_count_of_one_notice(home: Home, clock: StepClock) -> None:
    register(home, clock, ("11", 12_300))
    take(home, clock, ("確報", "11", 12_300, "0915"))
    table = ward.collection_notice
    with home.ward.connect() as connection:
        row = dict(connection.execute(sa.select(table)).mappings().one())
    with pytest.raises(sa.exc.IntegrityError), home.ward.begin() as connection:
        connection.execute(table.insert().values(**{**row, "line_number": 2}))


def test_whatever_the_order_of_arrival_every_yen_is_somewhere_and_balances_are_right(
    home: Home, clock: StepClock
) -> None:
    """でたらめな歴史を、何枚ものファイルで、でたらめな順に、いくつかは二度届ける。"""
    seed = 20261121
    print("seed", seed)
    rng = random.Random(seed)
    register(home, clock, *((f"{n + 10}", 1_000) for n in range(12)))
    payments = [(f"{rng.randrange(10, 24)}", rng.choice([400, 1_000, 1_300]), f"{n:04d}") for n in range(40)]
    said = [rng.choice(["速報", "確報", "速報 確報", "速報 速報取消", "速報取消"]).split() for _ in payments]
    records = [(kind, *payment) for payment, kinds in zip(payments, said, strict=True) for kind in kinds]
    records += rng.sample(records, 10)
    rng.shuffle(records)
    for start in range(0, len(records), 9):
        equation(take(home, clock, *records[start : start + 9], name=f"f{start}"))
    alive = [(p, k) for p, k in zip(payments, said, strict=True) if k in (["速報"], ["確報"], ["速報", "確報"])]
    found = accounts(home)
    assert found.get("預金", 0) == sum(p[1] for p, k in alive if "確報" in k)
    assert found.get("決済待ち", 0) == sum(p[1] for p, k in alive if k == ["速報"])
    owed = {f"{n + 10}": sum(p[1] for p, _k in alive if p[0] == f"{n + 10}") for n in range(14)}
    assert -found.get("調定", 0) == sum(min(1_000, owed[f"{n + 10}"]) for n in range(12))
    assert -found.get("過誤納", 0) == sum(max(0, owed[f"{n + 10}"] - 1_000) for n in range(12))
    assert -found.get("不明金", 0) == owed["22"] + owed["23"]
    assert sum(found.values()) == 0
