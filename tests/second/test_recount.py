"""誰も落ちない: 架空の十万人（PEOPLE=1000000 で百万人）の outcomes.csv が、SQL で数え直した結果と一行も違わない。

SQLite に CSV の文字のまま入れ、契約から書いた SQL（recount.sql）で判定し直す。照会の回答はない（回答は別の試験）。
"""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest

from benefit.records.outcomes import render
from benefit.rules.outcomes import decide
from tests.bench.extracts import write_big
from tests.second.programmes import R6
from tests.second.reading import facts_of

PEOPLE = int(os.environ.get("PEOPLE", "100000"))
TODAY = date(2024, 6, 20)
SQL = (Path(__file__).parent / "recount.sql").read_text(encoding="utf-8")
LOADED = {"resident": "residents", "tax": "taxes", "prior": "prior", "protected": "protected"}


def fill(connection: sqlite3.Connection, table: str, lines: Iterable[str]) -> int:
    """CSV を、文字のまま表に入れる。"""
    rows = csv.reader(lines)
    heading = next(rows)
    columns = ", ".join(f'"{name}" TEXT' for name in heading)
    connection.execute(f"CREATE TABLE {table} ({columns})")
    marks = ", ".join("?" * len(heading))
    return connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows).rowcount


def one(connection: sqlite3.Connection, query: str) -> int:
    found: int = connection.execute(query).fetchone()[0]
    return found


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """recount（SQL）と outcome（outcomes.csv）の入ったデータベース。"""
    folder, began = tmp_path_factory.mktemp("big"), time.perf_counter()
    write_big(folder, PEOPLE, seed=7)
    print("種 7、人数", PEOPLE)
    outcomes = render(decide(facts_of(folder), R6, TODAY).outcomes)
    judged = time.perf_counter()
    connection = sqlite3.connect(":memory:")
    for table, kind in LOADED.items():
        with (folder / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
            fill(connection, table, file)
    fill(connection, "outcome", io.StringIO(outcomes.decode(), newline=""))
    assert R6.child is not None
    assert R6.adjustment is not None
    connection.execute("CREATE TABLE terms (base, entered, under_16, child, today)")
    dates = (R6.base_date, R6.entered_from, R6.under_16_born_from, R6.child.born_from, TODAY)
    connection.execute("INSERT INTO terms VALUES (?, ?, ?, ?, ?)", [day.isoformat() for day in dates])
    connection.execute("CREATE TABLE quick (lowest INTEGER PRIMARY KEY, percent, deduction)")
    connection.executemany("INSERT INTO quick VALUES (?, ?, ?)", R6.adjustment.quick_table)
    connection.executescript(SQL)
    print(f"作成・取込・判定 {judged - began:.1f} 秒、SQL {time.perf_counter() - judged:.1f} 秒")
    yield connection
    connection.close()


OURS = "SELECT 対象区分, 対象番号, 給付種別, 判定, 理由, CAST(支給額 AS INTEGER), 受給者番号 FROM outcome"
THEIRS = "SELECT kind, number, benefit, verdict, reasons, yen, payee FROM recount"


def test_every_row_is_the_one_the_sql_recounts(counted: sqlite3.Connection) -> None:
    assert counted.execute(f"{OURS} EXCEPT {THEIRS} LIMIT 5").fetchall() == []
    assert counted.execute(f"{THEIRS} EXCEPT {OURS} LIMIT 5").fetchall() == []


def test_rows_and_yen_by_subject_benefit_and_verdict_are_those_of_the_sql(counted: sqlite3.Connection) -> None:
    ours = counted.execute(
        "SELECT 対象区分, 給付種別, 判定, COUNT(*), SUM(支給額) FROM outcome GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).fetchall()
    theirs = counted.execute(
        "SELECT kind, benefit, verdict, COUNT(*), SUM(yen) FROM recount GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).fetchall()
    assert ours == theirs
    assert len(ours) >= 9
    for row in ours:
        print(*row)


def test_every_member_is_in_exactly_one_household_row(counted: sqlite3.Connection) -> None:
    members = one(counted, "SELECT COUNT(*) FROM member")
    in_one = "JOIN outcome ON outcome.対象区分 = '世帯' AND outcome.対象番号 = member.household"
    counted.execute("CREATE INDEX IF NOT EXISTS outcome_subject ON outcome (対象番号, 対象区分)")
    assert one(counted, f"SELECT COUNT(*) FROM member {in_one}") == members
    assert one(counted, f"SELECT COUNT(DISTINCT person) FROM member {in_one}") == members
    homes = one(counted, "SELECT COUNT(DISTINCT household) FROM member")
    assert one(counted, "SELECT COUNT(*) FROM outcome WHERE 対象区分 = '世帯'") == homes
    # 世帯員でない人は、その日より前に消えたか、後から来た人だけである。
    assert one(counted, "SELECT COUNT(*) FROM resident") == PEOPLE
    assert 0 < PEOPLE - members < PEOPLE // 10


def test_every_taxes_row_is_in_exactly_one_taxpayer_row(counted: sqlite3.Connection) -> None:
    rows = one(counted, "SELECT COUNT(*) FROM tax")
    assert one(counted, "SELECT COUNT(*) FROM outcome WHERE 対象区分 = '納税者'") == rows > PEOPLE // 2
    assert counted.execute(
        "SELECT 宛名番号 FROM tax EXCEPT SELECT 対象番号 FROM outcome WHERE 対象区分 = '納税者'"
    ).fetchall() == []  # fmt: skip


def test_eligible_rows_are_for_the_ward_alone_exactly_where_someone_is_protected(counted: sqlite3.Connection) -> None:
    guarded = """
        SELECT recount.kind, recount.number FROM recount
        LEFT JOIN member ON recount.kind <> '世帯' AND member.person = recount.number
        WHERE verdict = '対象' AND (
            COALESCE(member.household, CASE kind WHEN '世帯' THEN number END) IN
                (SELECT household FROM member JOIN protected ON 住民番号 = person)
            OR (kind = '納税者' AND number IN (SELECT 住民番号 FROM protected)))
    """
    ours = "SELECT 対象区分, 対象番号 FROM outcome WHERE 経路 = 'WARD'"
    assert counted.execute(f"{ours} EXCEPT {guarded}").fetchall() == []
    assert counted.execute(f"{guarded} EXCEPT {ours}").fetchall() == []
    assert counted.execute(ours).fetchone() is not None
