"""届いたファイルの経路ごとの鍵: どの様式でも、同じ一つの消込の道に入る（seed 001・003・004）。"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.records import file_writer
from benefit.records.layout_registry import BUILT_IN
from benefit.services import collection_files, collection_moves, receivable_files, receivables
from benefit.services.home import Home
from tests.collection.conftest import accounts
from tests.collection.test_collections import DUE
from tests.conftest import StepClock
from tests.records.collection_samples import SAMPLES, barcode, sample, table

MPN = "MPN:00000000000000012345"


def put(tmp_path: Path, layout_id: str) -> Path:
    path = tmp_path / f"{layout_id}.dat"
    path.write_bytes(sample(layout_id))
    return path


def owe(home: Home, clock: StepClock, rows: list[tuple[str, int, int, str, int]], keys: list[tuple[str, int]]) -> None:
    """(科目, 年度, 期別, 通知書番号, 額) と、鍵。"""
    frame = [(subject, year, term, number, None, yen, 0, DUE) for subject, year, term, number, yen in rows]
    receivables.register(home, pl.DataFrame(frame, schema=receivables.RECEIVABLE, orient="row"), reason="", clock=clock)
    schema = {"pay_key": pl.String, "receivable_id": pl.Int64}
    receivables.add_keys(home, pl.DataFrame(keys, schema=schema, orient="row"), clock=clock)


def key_of(code: str) -> str:
    return f"CVS:{code[2:29]}"


def receive(home: Home, clock: StepClock, tmp_path: Path, layout_id: str) -> collection_files.Taken:
    return collection_files.receive(home, layout_id, put(tmp_path, layout_id), clock=clock)


def test_convenience_store_notices_and_the_electronic_money_subset(
    home: Home, clock: StepClock, tmp_path: Path
) -> None:
    owe(home, clock, [("301", 2026, 1, "1", 12_300), ("301", 2026, 1, "3", 4_500)],
        [(key_of(barcode(12_300, 1)), 1), (key_of(barcode(4_500, 3)), 2)])  # fmt: skip
    done = receive(home, clock, tmp_path, "convenience-store").collected
    # 速報と確報は一つの入金。速報のない取消（300,000 円）は人へ。
    assert (done.rows_read, done.rows_posted, done.rows_held, done.rows_rejected) == (3, 2, 1, 0)
    assert receive(home, clock, tmp_path, "electronic-money").collected.rows_posted == 1
    assert accounts(home) == {"預金": 16_800, "調定": -16_800}
    assert collection_moves.queue(home).select("why", "yen").rows() == [("要確認", 300_000)]


def test_a_reissued_slip_with_another_amount_is_still_the_same_slip() -> None:
    assert key_of(barcode(12_300, 1)) == key_of(barcode(9_000, 1))


def test_mobile_register_tells_banking_from_credit(home: Home, clock: StepClock, tmp_path: Path) -> None:
    owe(home, clock, [("101", 2026, 1, "1", 12_300), ("101", 2026, 1, "2", 4_500)],
        [(key_of(barcode(12_300, 1)), 1), (key_of(barcode(4_500, 2)), 2)])  # fmt: skip
    receive(home, clock, tmp_path, "mobile-register")
    # カードの納付は、立替金が入るまで決済待ちである（確報と書かれていても）。
    assert accounts(home) == {"預金": 12_300, "決済待ち": 4_500, "調定": -16_800}


def test_payeasy_by_its_payment_number(home: Home, clock: StepClock, tmp_path: Path) -> None:
    owe(home, clock, [("101", 2026, 3, "1", 12_300)], [(MPN, 1)])
    done = receive(home, clock, tmp_path, "payeasy-paid").collected
    assert (done.rows_read, done.rows_posted, done.rows_held) == (3, 2, 1)
    assert accounts(home) == {"預金": 12_300, "調定": -12_300}


def test_counter_slips_with_and_without_a_notice_number(home: Home, clock: StepClock, tmp_path: Path) -> None:
    owe(home, clock, [("101", 2026, 3, "00000000000000012345", 12_300), ("101", 2026, 3, "7", 12_300)], [])
    done = receive(home, clock, tmp_path, "counter-general").collected
    assert (done.rows_posted, done.rows_held) == (1, 1)
    # 番号のない一枚は、科目・年度・期別・額が合う調定が候補になる。
    assert collection_moves.queue(home).select("why", "candidates").rows() == [("不明金", "2")]


def test_special_collection_by_the_employers_number(home: Home, clock: StepClock, tmp_path: Path) -> None:
    owe(home, clock, [("190", 2026, 6, "000000000099999", 134_700)], [])
    assert receive(home, clock, tmp_path, "special-collection").collected.rows_posted == 2
    assert accounts(home) == {"預金": 134_700, "調定": -134_700}


def test_a_broken_byte_refuses_the_whole_file_and_leaves_nothing(home: Home, clock: StepClock, tmp_path: Path) -> None:
    path = put(tmp_path, "convenience-store")
    path.write_bytes(path.read_bytes().replace(b"20260710", b"20261310", 1))
    with pytest.raises(RefusedInput, match="convenience-store"):
        collection_files.receive(home, "convenience-store", path, clock=clock)
    assert accounts(home) == {}


def test_a_test_file_and_an_unknown_layout_are_refused(home: Home, clock: StepClock, tmp_path: Path) -> None:
    header, rows = SAMPLES["convenience-store"]
    layout = BUILT_IN["convenience-store"]
    path = tmp_path / "test.dat"
    path.write_bytes(file_writer.write(layout, [(header | {"usage": "0"}, table(layout, rows))]))
    with pytest.raises(RefusedByRule, match="テスト"):
        collection_files.receive(home, "convenience-store", path, clock=clock)
    with pytest.raises(WrongUse, match="受け取れません"):
        collection_files.receive(home, "payeasy-upload", path, clock=clock)


def levies(tmp_path: Path, made_on: str, *rows: dict[str, object]) -> Path:
    header, samples = SAMPLES["standard-levies"]
    layout = BUILT_IN["standard-levies"]
    made = table(layout, [samples[0] | row for row in rows])
    path = tmp_path / f"choutei-{made_on}.dat"
    path.write_bytes(file_writer.write(layout, [(header | {"made_on": made_on}, made)]))
    return path


def register(home: Home, clock: StepClock, path: Path) -> tuple[int, int, int]:
    done = receivable_files.register(home, path, reason="更正", clock=clock)
    return done.added, done.changed, done.same


def test_yesterdays_levies_do_not_bring_back_the_old_amount(home: Home, clock: StepClock, tmp_path: Path) -> None:
    """更正の後に前の日のファイルを出しても、額は戻らない。別の科目の前の日のファイルは、登録できる。"""
    old = levies(tmp_path, "20260710", {"amount_yen": 12_300})
    assert register(home, clock, old) == (1, 0, 0)
    assert register(home, clock, old) == (0, 0, 1)
    assert register(home, clock, levies(tmp_path, "20260712", {"amount_yen": 9_000})) == (0, 1, 0)
    with pytest.raises(RefusedByRule, match="もっと新しい調定のファイル"):
        register(home, clock, old)
    assert receivables.outstanding(home, date(2026, 8, 1))["due_yen"].to_list() == [9_000]
    assert register(home, clock, levies(tmp_path, "20260711", {"account_title": "201", "payment_number": "9"})) == (
        1,
        0,
        0,
    )
