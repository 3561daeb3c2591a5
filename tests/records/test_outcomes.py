"""outcomes.csv の書き方（契約 §4）。"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from benefit.records.outcomes import COLUMNS, render, render_entitlements

SCHEMA = pl.Schema(
    {
        "subject_kind": pl.String,
        "subject_number": pl.Int64,
        "benefit": pl.String,
        "verdict": pl.String,
        "reasons": pl.String,
        "amount_yen": pl.Int64,
        "payee_number": pl.Int64,
        "route": pl.String,
        "account_flag": pl.String,
    }
)
ELIGIBLE: dict[str, Any] = {
    "subject_kind": "世帯",
    "subject_number": 12_108_682,
    "benefit": "R6-1",
    "verdict": "対象",
    "reasons": "",
    "amount_yen": 100_000,
    "payee_number": 7_927_617_726,
    "route": "CONFIRM",
    "account_flag": "0",
}
UNDETERMINED = {
    **ELIGIBLE, "subject_number": 5, "benefit": "R6-H", "verdict": "未確定", "reasons": "HEAD;DECLARED",
    "amount_yen": 0, "payee_number": None, "route": None, "account_flag": None,
}  # fmt: skip
CHILD = {**ELIGIBLE, "subject_kind": "児童", "subject_number": 1, "benefit": "R6-3", "amount_yen": 50_000}
TAXPAYER = {**ELIGIBLE, "subject_kind": "納税者", "subject_number": 9_000_000_001, "benefit": "R6-4"}


def lines(*rows: dict[str, Any]) -> list[str]:
    return render(pl.DataFrame(list(rows), schema=SCHEMA)).decode("utf-8").splitlines()


def test_the_heading_is_the_contracts_letter_for_letter() -> None:
    heading = "対象区分,対象番号,給付種別,判定,理由,支給額,受給者番号,経路,口座フラグ"
    assert lines(ELIGIBLE)[0] == ",".join(COLUMNS) == heading


def test_numbers_are_padded_to_ten_digits_and_blanks_stay_blank() -> None:
    assert lines(ELIGIBLE, UNDETERMINED)[1:] == [
        "世帯,0000000005,R6-H,未確定,HEAD;DECLARED,0,,,",
        "世帯,0012108682,R6-1,対象,,100000,7927617726,CONFIRM,0",
    ]


def test_rows_are_sorted_by_the_text_of_the_first_three_columns() -> None:
    found = lines(TAXPAYER, ELIGIBLE, CHILD, UNDETERMINED)[1:]
    assert found == sorted(found)
    assert [line[:2] for line in found] == ["世帯", "世帯", "児童", "納税"]


def test_utf_8_without_bom_and_lf_only() -> None:
    data = render(pl.DataFrame([ELIGIBLE, CHILD], schema=SCHEMA))
    assert data.startswith("対象区分".encode())
    assert b"\r" not in data
    assert data.endswith(b"\n")


def test_the_bytes_do_not_depend_on_the_order_of_the_rows() -> None:
    frame = pl.DataFrame([TAXPAYER, ELIGIBLE, CHILD, UNDETERMINED], schema=SCHEMA)
    assert render(frame) == render(frame.reverse())


def test_nothing_to_say_is_still_a_file_with_a_heading() -> None:
    assert lines() == [",".join(COLUMNS)]


def test_entitlements_put_the_case_number_and_branch_before_the_same_columns() -> None:
    frame = pl.DataFrame([ELIGIBLE], schema=SCHEMA).with_columns(case_number=pl.lit("01234567890"), branch=pl.lit("0"))
    heading, row = render_entitlements(frame).decode("utf-8").splitlines()
    assert heading == ",".join(["給付管理番号", "枝番", *COLUMNS])
    assert row == "01234567890,0,世帯,0012108682,R6-1,対象,,100000,7927617726,CONFIRM,0"


@pytest.mark.parametrize("number", [0, 9_999_999_999])
def test_the_smallest_and_the_largest_number_keep_ten_digits(number: int) -> None:
    assert lines({**ELIGIBLE, "subject_number": number})[1].split(",")[1] == f"{number:010d}"
