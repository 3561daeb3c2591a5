"""台帳の歴史: でたらめな速報・確報・取消・二度届く・遅れる・一部だけの十万の歴史を、本物の取込で台帳に書き、手の計算と比べる。

十万の債権を一つの区に置き、その入金を何枚ものファイルに混ぜて届ける。最後の仕訳の差し引きは、一件ずつ手で割り当てた
答え（`oracle`。Polars も SQL も使わない）と一円も違わない。種は COLLECTION_SEED、数は LEDGER_HISTORIES で変える。
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl
import sqlalchemy as sa

from benefit.domain.collection import Channel
from benefit.rules.collection_notices import NOTICE
from benefit.services import collections, receivables
from benefit.services.home import Home
from tests.conftest import StepClock

SEED = int(os.environ.get("COLLECTION_SEED", "20261121"))
HISTORIES = int(os.environ.get("LEDGER_HISTORIES", "100000"))
FILES = 4
DAY, DUE = date(2026, 7, 1), date(2026, 6, 30)
KINDS = {"P": "速報", "F": "確報", "C": "速報取消"}
#: 入金一つに届くもの。遅れる（後のファイル）、二度届くは、ファイルに配るときに混ざる。
ARRIVALS = ("P", "F", "PF", "PF", "PF", "PC", "C", "FC", "PFC")
Entry = tuple[str, str, str, str, int]


@dataclass
class History:
    """一つの債権と、その入金（時刻、日、額、届いたもの）。`now` は更正した後の額、None は登録のない番号。"""

    number: str
    principal: int
    late: int
    now: int | None
    after: bool
    payments: list[tuple[str, date, int, str]] = field(default_factory=list)


def history(roll: random.Random, place: int) -> History:
    principal = roll.choice((900, 1_000, 12_300))
    fate = roll.random()
    now = None if fate < 0.03 else roll.choice((0, 500)) if fate < 0.06 else principal
    made = History(f"{place + 1}", principal, roll.choice((0, 0, 50)), now, roll.random() < 0.1)
    for turn in range(roll.choice((0, 1, 1, 1, 1, 2, 3))):
        yen = roll.choice((principal, principal, 450, principal + 50, 12_350))
        day = DAY + timedelta(roll.randrange(4))
        made.payments.append((f"{turn:06d}", day, yen, roll.choice(ARRIVALS)))
    return made


def oracle(one: History) -> set[Entry]:
    """(番号, 時刻, 入金の側, 受け入れた側, 額)。早い入金から、本税、延滞金、残りは過誤納。"""
    principal, late = one.now or 0, one.late
    found: set[Entry] = set()
    for at, _day, yen, said in sorted(one.payments, key=lambda paid: (paid[1], paid[0])):
        if "C" in said:
            continue
        asset = "預金" if "F" in said else "決済待ち"
        if one.now is None:
            found.add((one.number, at, asset, "不明金", yen))
            continue
        left = yen
        for purpose, room in (("調定", principal), ("延滞金", late), ("過誤納", left)):
            part = min(left, room)
            left -= part
            principal -= part if purpose == "調定" else 0
            late -= part if purpose == "延滞金" else 0
            if part:
                found.add((one.number, at, asset, purpose, part))
    return found


def register(home: Home, clock: StepClock, some: list[tuple[str, int, int]]) -> None:
    rows = [("001", 2026, 1, number, None, yen, late, DUE) for number, yen, late in some]
    frame = pl.DataFrame(rows, schema=receivables.RECEIVABLE, orient="row")
    receivables.register(home, frame, reason="更正", clock=clock)


def deliver(home: Home, clock: StepClock, number: int, rows: list[tuple[object, ...]]) -> tuple[int, int]:
    """一枚のファイルを届ける。(確報の額, 読んだ行)。"""
    schema = {name: kind for name, kind in NOTICE.items() if name != "line_number"}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_row_index("line_number", 1)
    name = f"file{number}"
    done = collections.take(
        home, Channel.CONVENIENCE, frame.cast({"line_number": pl.Int64}),
        file_name=name, sha256=name.ljust(64, "0"), clock=clock,
    )  # fmt: skip
    assert done.rows_read == done.rows_posted + done.rows_held + done.rows_rejected
    return done.final_yen, done.rows_read


def posted(home: Home) -> set[Entry]:
    """仕訳の差し引き（入金と、入金の側・受け入れた側ごと）。"""
    query = """
        SELECT e.pay_key, e.paid_time, p.asset, p.received_as, SUM(p.yen) FROM (
            SELECT event, debit AS asset, credit AS received_as, amount_yen AS yen FROM collection_posting
            WHERE debit IN ('預金', '決済待ち')
            UNION ALL
            SELECT event, credit, debit, -amount_yen FROM collection_posting WHERE credit IN ('預金', '決済待ち')
        ) p JOIN collection_event e ON e.event = p.event
        GROUP BY e.pay_key, e.paid_time, p.asset, p.received_as HAVING SUM(p.yen) <> 0
    """
    with home.ward.connect() as connection:
        rows = connection.execute(sa.text(query)).all()
    return {(key.rpartition("-")[2], at, asset, purpose, int(yen)) for key, at, asset, purpose, yen in rows}


def test_a_hundred_thousand_histories_in_the_real_ledger_equal_the_hand_count(
    sqlite_home: Home, clock: StepClock
) -> None:
    print("seed", SEED, "histories", HISTORIES)
    roll = random.Random(SEED)
    everyone = [history(roll, place) for place in range(HISTORIES)]
    known = [one for one in everyone if one.now is not None]
    register(sqlite_home, clock, [(one.number, one.principal, one.late) for one in known if not one.after])
    files: list[list[tuple[object, ...]]] = [[] for _ in range(FILES)]
    for one in everyone:
        for at, day, yen, said in one.payments:
            # 二度届くものも、順が替わるものもある。
            for sign in said if roll.random() < 0.95 else said + said[0]:
                row = ("コンビニ", KINDS[sign], f"KEY:001-2026-01-{one.number}", day, at, "0012345", yen, None)
                files[roll.randrange(FILES)].append(row)
    for number, rows in enumerate(files):
        roll.shuffle(rows)
        deliver(sqlite_home, clock, number, rows)
        if number == FILES // 2:
            # 入金が先に届いていた調定。登録した時に、不明金から消し込まれる。
            register(sqlite_home, clock, [(one.number, one.principal, one.late) for one in known if one.after])
            assert deliver(sqlite_home, clock, 0, files[0])[1] == len(files[0]), "同じファイルは、前の数を返す"
    lowered = [(one.number, one.now or 0, one.late) for one in known if one.now != one.principal]
    register(sqlite_home, clock, lowered)
    found = posted(sqlite_home)
    expected = set().union(*map(oracle, everyone))
    assert found - expected == set()
    assert expected - found == set()
    money = sum(yen for one in everyone for _at, _day, yen, said in one.payments if "C" not in said)
    assert sum(entry[4] for entry in found) == money
