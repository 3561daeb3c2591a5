"""クレジットの立替金: カードが通った知らせは決済待ち、立替金の明細が番号も額も合えば預金になる。合わないものは人へ。"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from benefit.domain.collection import Channel
from benefit.domain.errors import RefusedInput
from benefit.records import file_writer
from benefit.records.layout_registry import BUILT_IN
from benefit.services import bank_credits, card_remittances, collection_balance, collection_files, collection_moves
from benefit.services.home import Home
from tests.collection.conftest import APPROVER, CLERK, accounts
from tests.collection.test_collection_files import key_of, owe
from tests.conftest import StepClock
from tests.records.collection_samples import SAMPLES, barcode, table


def file(layout_id: str, *rows: dict[str, Any]) -> bytes:
    header, samples = SAMPLES[layout_id]
    last = samples[-1]
    return file_writer.write(BUILT_IN[layout_id], [(header, table(BUILT_IN[layout_id], [last | row for row in rows]))])


def told(home: Home, clock: StepClock, *rows: tuple[int, int, str], kind: str = "02") -> None:
    """カードが通った知らせ: (納付書番号, 額, 取扱番号)。"""
    data = file(
        "mobile-register",
        *({"barcode": barcode(yen, number), "receipt_number": at, "data_kind": kind} for number, yen, at in rows),
    )
    collection_files.receive_bytes(home, "mobile-register", data, file_name="mobile", clock=clock)


def remit(home: Home, clock: StepClock, *rows: tuple[int, int, str], made_on: str = "") -> dict[str, int]:
    """立替金の明細。"""
    data = file(
        "card-remittance",
        *(
            {"barcode": barcode(yen, number), "receipt_number": at, "amount_yen": yen, "fee_yen": 10}
            for number, yen, at in rows
        ),
    )
    data = data.replace(b"20260711", made_on.encode(), 1) if made_on else data
    return collection_files.receive_bytes(home, "card-remittance", data, file_name="tatekae", clock=clock).cards


def test_money_comes_with_the_remittance_and_the_bank_gets_it_less_the_fee(staffed: Home, clock: StepClock) -> None:
    owe(staffed, clock, [("101", 2026, 1, "1", 1_000), ("101", 2026, 1, "2", 2_000)],
        [(key_of(barcode(1, 1)), 1), (key_of(barcode(1, 2)), 2)])  # fmt: skip
    told(staffed, clock, (1, 1_000, "R1"), (2, 2_000, "R2"))
    assert accounts(staffed) == {"決済待ち": 3_000, "調定": -3_000}
    assert card_remittances.waiting(staffed, date(2026, 9, 1)) == (2, 3_000, 2, 3_000)
    assert remit(staffed, clock, (1, 1_000, "R1"), (2, 2_000, "R2")) == {"一致": 2}
    assert accounts(staffed) == {"預金": 3_000, "調定": -3_000}
    assert card_remittances.waiting(staffed, date(2026, 9, 1)) == (0, 0, 0, 0)
    clock.now = datetime(2026, 9, 1, tzinfo=clock.now.tzinfo)
    number = bank_credits.ask(
        staffed, Channel.CREDIT, date(2026, 8, 31), 2_980, "C-1", reason="通帳", actor=CLERK, clock=clock
    )
    bank_credits.approve(staffed, number, actor=APPROVER, clock=clock)
    assert collection_balance.days(staffed).select(
        "arrived_yen", "credited_yen", "fee_yen", "difference_yen"
    ).rows() == [(3_000, 2_980, 20, 0)]


def test_what_differs_is_held_and_nothing_is_lost(staffed: Home, clock: StepClock) -> None:
    """額の違う立替金、知らせのない立替金は、不明金として人へ。取り消した後の立替金は要確認。元の知らせは決済待ちのまま。"""
    owe(staffed, clock, [("101", 2026, 1, "1", 1_000), ("101", 2026, 1, "3", 3_000)],
        [(key_of(barcode(1, 1)), 1), (key_of(barcode(1, 3)), 2)])  # fmt: skip
    told(staffed, clock, (1, 1_000, "R1"), (3, 3_000, "R3"))
    told(staffed, clock, (3, 3_000, "R3"), kind="03")
    assert remit(staffed, clock, (1, 900, "R1"), (2, 2_000, "R2"), (3, 3_000, "R3")) == {
        "額が違う": 1, "知らせがない": 1, "取消の後": 1,
    }  # fmt: skip
    assert accounts(staffed) == {"決済待ち": 1_000, "調定": -1_000, "預金": 2_900, "不明金": -2_900}
    queue = collection_moves.queue(staffed)
    assert queue.select("why", "yen", "candidates").sort("yen").rows() == [
        ("不明金", 900, "1"), ("不明金", 2_000, ""), ("要確認", 3_000, ""),
    ]  # fmt: skip
    assert "バーコードの番号が同じ" in queue.filter(queue["yen"] == 900)["because"][0]
    assert [(one.outcome, one.amount_yen, one.told_yen) for one in card_remittances.differences(staffed)] == [
        ("額が違う", 900, 1_000), ("知らせがない", 2_000, None), ("取消の後", 3_000, 3_000),
    ]  # fmt: skip


def test_the_same_remittance_is_counted_once_in_any_file(staffed: Home, clock: StepClock) -> None:
    owe(staffed, clock, [("101", 2026, 1, "1", 1_000)], [(key_of(barcode(1, 1)), 1)])
    told(staffed, clock, (1, 1_000, "R1"))
    assert remit(staffed, clock, (1, 1_000, "R1"), (1, 1_000, "R1"), (2, 500, "R2")) == {
        "一致": 1, "もう届いている": 1, "知らせがない": 1,
    }  # fmt: skip
    again = remit(staffed, clock, (1, 1_000, "R1"), (1, 1_000, "R1"), (2, 500, "R2"))
    assert again["一致"] == 1, "同じファイルは、その時の結果を言う"
    assert remit(staffed, clock, (1, 1_000, "R1"), (2, 500, "R2"), made_on="20260901") == {"もう届いている": 2}
    assert accounts(staffed) == {"預金": 1_500, "調定": -1_000, "不明金": -500}


def test_a_wrong_total_refuses_the_whole_file(home: Home, clock: StepClock, tmp_path: Path) -> None:
    del tmp_path
    data = file("card-remittance", {"amount_yen": 4_500})
    with pytest.raises(RefusedInput, match="合計"):
        collection_files.receive_bytes(
            home, "card-remittance", data.replace(b"000000004500" + b"0", b"000000004501" + b"0", 1),
            file_name="x", clock=clock,
        )  # fmt: skip
    assert accounts(home) == {}
