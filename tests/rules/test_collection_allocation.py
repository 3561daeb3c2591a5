"""消込の計算: 入金の状態と割り当ては、届いたものの全部から、順番によらず決まる（issue「Money coming in」、formats §4.4）。

でたらめな入金の歴史（速報・確報・取消・二度届く・遅れる・一部だけ・多すぎる）を、一件ずつ手で計算する別の計算
（この試験の中の `oracle`。Polars を使わない）と比べる。HISTORIES で回数を増やせる。台帳に書く十万の歴史は tests/collection/test_ledger_histories.py。
"""

from __future__ import annotations

import os
import random
from collections import defaultdict
from datetime import date, timedelta

import polars as pl
import pytest

from benefit.domain.collection import CollectionState
from benefit.rules.collection_allocation import ALLOCATION, allocate, asset, corrections, moved, state

SEED = int(os.environ.get("COLLECTION_SEED", "20261121"))
HISTORIES = int(os.environ.get("HISTORIES", "10000"))
DAY = date(2026, 7, 1)
EVENTS = {
    "event": pl.String,
    "receivable_id": pl.Int64,
    "amount_yen": pl.Int64,
    "paid_on": pl.Date,
    "paid_time": pl.String,
    "provisional": pl.Boolean,
    "final": pl.Boolean,
    "cancelled": pl.Boolean,
}


def events(*rows: tuple[str, int | None, int, int, str]) -> pl.DataFrame:
    """(名, 債権, 金額, 何日目, 届いた種類 P・F・C の字)。"""
    table = [
        (name, owner, yen, DAY + timedelta(day), "0900", "P" in said, "F" in said, "C" in said)
        for name, owner, yen, day, said in rows
    ]
    return pl.DataFrame(table, schema=EVENTS, orient="row").with_columns(state()).with_columns(asset())


def due(*rows: tuple[int, int, int]) -> pl.DataFrame:
    schema = {"receivable_id": pl.Int64, "principal_yen": pl.Int64, "late_charge_yen": pl.Int64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def told(frame: pl.DataFrame) -> set[tuple[str, str, str, int | None, int]]:
    return set(frame.select(list(ALLOCATION)).iter_rows())


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("P", "速報"), ("F", "確報"), ("PF", "確報"), ("PC", "取消"),
        ("C", "要確認"), ("FC", "要確認"), ("PFC", "要確認"),
    ],
)  # fmt: skip
def test_the_state_depends_only_on_which_notices_arrived(said: str, expected: str) -> None:
    assert events(("a", 1, 100, 0, said))["state"].to_list() == [expected]


def test_a_provisional_payment_lowers_the_debt_but_is_not_money_yet() -> None:
    found = allocate(events(("a", 1, 12_300, 0, "P")), due((1, 12_300, 0)))
    assert told(found) == {("a", "決済待ち", "調定", 1, 12_300)}


def test_principal_first_then_late_charge_and_the_rest_is_an_overpayment() -> None:
    found = allocate(events(("a", 1, 900, 0, "F"), ("b", 1, 300, 1, "F")), due((1, 1_000, 50)))
    assert told(found) == {
        ("a", "預金", "調定", 1, 900),
        ("b", "預金", "調定", 1, 100),
        ("b", "預金", "延滞金", 1, 50),
        ("b", "預金", "過誤納", 1, 150),
    }


def test_a_payment_nobody_knows_is_kept_as_unmatched_money() -> None:
    assert told(allocate(events(("a", None, 500, 0, "F"), ("b", 9, 70, 0, "F")), due((1, 1_000, 0)))) == {
        ("a", "預金", "不明金", None, 500),
        ("b", "預金", "不明金", None, 70),
    }


def test_when_the_first_payment_is_cancelled_the_second_takes_its_place() -> None:
    debts = due((1, 1_000, 0))
    before = allocate(events(("a", 1, 1_000, 0, "P"), ("b", 1, 1_000, 1, "F")), debts)
    after = allocate(events(("a", 1, 1_000, 0, "PC"), ("b", 1, 1_000, 1, "F")), debts)
    assert told(corrections(after, before)) == {
        ("a", "決済待ち", "調定", 1, -1_000),
        ("b", "預金", "過誤納", 1, -1_000),
        ("b", "預金", "調定", 1, 1_000),
    }


def test_an_approved_refund_leaves_the_overpayment_and_a_use_elsewhere_is_a_payment_there() -> None:
    moves = pl.DataFrame(
        [("a", "還付", None, 100), ("a", "充当", 2, 150)],
        schema={"event": pl.String, "kind": pl.String, "receivable_id": pl.Int64, "amount_yen": pl.Int64}, orient="row",
    )  # fmt: skip
    paid = events(("a", 1, 1_300, 0, "F"), ("a", 2, 150, 5, "F")).with_columns(
        asset=pl.when(pl.col("receivable_id") == 2).then(pl.lit("充当金")).otherwise(pl.col("asset"))
    )
    assert told(moved(allocate(paid, due((1, 1_000, 0), (2, 400, 0))), moves)) == {
        ("a", "預金", "調定", 1, 1_000),
        ("a", "預金", "過誤納", 1, 50),
        ("a", "預金", "還付", 1, 100),
        ("a", "預金", "充当", 1, 150),
        ("a", "充当金", "調定", 2, 150),
    }


def test_deriving_again_writes_nothing() -> None:
    found = allocate(events(("a", 1, 900, 0, "PF"), ("b", None, 3, 1, "F")), due((1, 1_000, 50)))
    assert corrections(found, found).is_empty()


def history(rng: random.Random, owner: int) -> tuple[tuple[int, int, int], list[tuple[str, int | None, int, int, str]]]:
    """債権一つと、その入金の歴史。"""
    principal, late = rng.choice([0, 1, 900, 12_300]), rng.choice([0, 0, 50])
    rows: list[tuple[str, int | None, int, int, str]] = []
    for turn in range(rng.randrange(5)):
        yen = rng.choice([1, 450, 900, 12_300, 12_350])
        said = rng.choice(["P", "F", "PF", "PC", "C", "FC", "PFC", "F", "PF"])
        rows.append((f"{owner}-{turn}", rng.choice([owner, owner, owner, None]), yen, rng.randrange(4), said))
    return (owner, principal, late), rows


def oracle(
    debt: tuple[int, int, int], rows: list[tuple[str, int | None, int, int, str]]
) -> set[tuple[str, str, str, int | None, int]]:
    """一円ずつは数えないが、一件ずつ手で割り当てる。"""
    owner, principal, late = debt
    found: dict[tuple[str, str, str, int | None], int] = defaultdict(int)
    for name, to, yen, _day, said in sorted(rows, key=lambda row: (row[3], row[0])):
        if said in {"C", "FC", "PFC", "PC"}:
            continue
        asset = "決済待ち" if said == "P" else "預金"
        if to is None:
            found[name, asset, "不明金", None] += yen
            continue
        left = yen
        for purpose in ("調定", "延滞金", "過誤納"):
            room = {"調定": principal, "延滞金": late, "過誤納": left}[purpose]
            part = min(left, room)
            if part:
                found[name, asset, purpose, owner] += part
            left -= part
            if purpose == "調定":
                principal -= part
            elif purpose == "延滞金":
                late -= part
    return {(*key, yen) for key, yen in found.items()}


def test_random_histories_equal_the_hand_count_and_lose_no_yen() -> None:
    print("seed", SEED, "histories", HISTORIES)
    rng = random.Random(SEED)
    debts, rows, expected = [], [], set()
    for owner in range(HISTORIES):
        debt, mine = history(rng, owner)
        debts.append(debt)
        rows.extend(mine)
        expected |= oracle(debt, mine)
    rng.shuffle(rows)
    found = allocate(events(*rows), due(*debts))
    assert told(found) == expected
    money = events(*rows).filter(pl.col("state").is_in([CollectionState.FINAL, CollectionState.PROVISIONAL]))
    assert found["amount_yen"].sum() == money["amount_yen"].sum()


def test_what_was_written_step_by_step_is_what_is_derived_at_the_end() -> None:
    """一日ずつ届いたものを差で書き足していっても、最後の姿は、全部を一度に計算した姿と同じ。"""
    print("seed", SEED)
    rng = random.Random(SEED + 1)
    for _round in range(30):
        debts, rows = [], []
        for owner in range(8):
            debt, mine = history(rng, owner)
            debts.append(debt)
            rows.extend(mine)
        arrivals = [
            (name, letter) for name, _o, _y, _d, said in rows for letter in said for _ in range(rng.choice([1, 1, 2]))
        ]
        rng.shuffle(arrivals)
        posted = pl.DataFrame(schema=ALLOCATION)
        seen: dict[str, set[str]] = defaultdict(set)
        for name, letter in arrivals:
            seen[name].add(letter)
            now = events(*[(n, o, y, d, "".join(seen[n])) for n, o, y, d, _said in rows if seen.get(n)])
            delta = corrections(allocate(now, due(*debts)), posted)
            posted = (
                pl.concat([posted, delta.select(list(ALLOCATION))])
                .group_by(list(ALLOCATION)[:-1])
                .agg(pl.col("amount_yen").sum())
                .filter(pl.col("amount_yen") != 0)
            )
            assert (posted["amount_yen"] > 0).all()
        assert told(posted) == told(allocate(events(*[row for row in rows if row[4]]), due(*debts)))
