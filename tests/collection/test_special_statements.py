"""特別徴収の納入書と納入明細: 指定番号と月で比べ、違いにわけを付けて並べる。お金は納入書で一度だけ数える。"""

from __future__ import annotations

from typing import Any

import pytest

from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records import file_writer
from benefit.records.layout_registry import BUILT_IN
from benefit.services import collection_files, special_statements
from benefit.services.home import Home
from tests.collection.conftest import CLERK, accounts
from tests.conftest import StepClock
from tests.records.collection_samples import SAMPLES, table


def receive(
    home: Home, clock: StepClock, layout_id: str, *rows: tuple[int, int, str], made_on: str = "20260711"
) -> Any:
    """(指定番号, 税額, 納付日)。延滞金は 0、退職税額は 5,600 円。"""
    header, samples = SAMPLES[layout_id]
    made = [
        samples[0] | {"employer_number": f"{number:015d}", "paid_yen": yen, "paid_on": on} for number, yen, on in rows
    ]
    layout = BUILT_IN[layout_id]
    data = file_writer.write(layout, [(header | {"made_on": made_on}, table(layout, made))])
    return collection_files.receive_bytes(home, layout_id, data, file_name=layout_id, clock=clock).collected


SLIP, STATEMENT = "special-collection", "special-collection-statement"


def why(home: Home) -> list[tuple[str, str, int, int]]:
    found = special_statements.compare(home).differences
    return found.select("month", "why", "slip_yen", "statement_yen").rows()


def test_sums_are_compared_by_employer_and_month(home: Home, clock: StepClock) -> None:
    """納入書二枚と明細三行でも、合計が同じなら合っている。"""
    receive(home, clock, SLIP, (1, 600, "20260710"), (1, 400, "20260720"), (2, 900, "20260710"))
    before = accounts(home)
    done = receive(home, clock, STATEMENT, (1, 700, "20260710"), (1, 300, "20260720"), (2, 800, "20260710"))
    assert (done.rows_read, done.rows_posted, done.rows_rejected) == (3, 3, 0)
    assert accounts(home) == before, "明細はお金ではない"
    assert special_statements.compare(home).agreed == 1
    assert why(home) == [("2026-07", "税額が違う", 6_500, 6_400)]


def test_the_missing_side_is_named_and_a_shifted_date_is_told(home: Home, clock: StepClock) -> None:
    receive(home, clock, SLIP, (1, 600, "20260731"), (2, 900, "20260710"))
    receive(home, clock, STATEMENT, (1, 600, "20260801"), (3, 800, "20260710"))
    assert why(home) == [
        ("2026-07", "同じ額が別の月にある（納付日のずれ）", 6_200, 0),
        ("2026-07", "明細がない", 6_500, 0),
        ("2026-07", "納入書がない", 0, 6_400),
        ("2026-08", "同じ額が別の月にある（納付日のずれ）", 0, 6_200),
    ]


def test_the_same_statement_is_counted_once(home: Home, clock: StepClock) -> None:
    receive(home, clock, STATEMENT, (1, 600, "20260710"), (1, 600, "20260710"))
    assert receive(home, clock, STATEMENT, (1, 600, "20260710"), (1, 600, "20260710")).repeated
    done = receive(home, clock, STATEMENT, (1, 600, "20260710"), (2, 1, "20260710"), made_on="20260712")
    assert (done.rows_read, done.rows_posted, done.rows_rejected) == (2, 1, 1)
    receive(home, clock, SLIP, (1, 600, "20260710"), (1, 600, "20260710"), (2, 1, "20260710"))
    receive(home, clock, SLIP, (1, 600, "20260710"), made_on="20260712")
    assert special_statements.compare(home).agreed == 2


def test_a_difference_is_closed_with_a_reason_and_comes_back_when_it_changes(staffed: Home, clock: StepClock) -> None:
    receive(staffed, clock, SLIP, (1, 600, "20260710"))
    row = special_statements.compare(staffed).differences.row(0, named=True)
    given = (staffed, row["employer_number"], row["month"], row["digest"])
    with pytest.raises(WrongUse, match="理由"):
        special_statements.close(*given, reason=" ", actor=CLERK, clock=clock)
    special_statements.close(*given, reason="紙の明細が届いた", actor=CLERK, clock=clock)
    assert (special_statements.compare(staffed).closed, why(staffed)) == (1, [])
    with pytest.raises((WrongUse, RefusedByRule)):
        special_statements.close(*given, reason="もう一度", actor=CLERK, clock=clock)
    receive(staffed, clock, STATEMENT, (1, 500, "20260710"))
    assert why(staffed) == [("2026-07", "税額が違う", 6_200, 6_100)]
