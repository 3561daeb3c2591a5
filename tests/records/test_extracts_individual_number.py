"""個人番号の仕掛け線: 半分より多い列を、名前によらず、値を見せずに、ファイルごと断る（契約 §1）。"""

from __future__ import annotations

import random

import polars as pl
import pytest

from benefit.domain.errors import RefusedInput
from benefit.records import extracts
from benefit.records.individual_number import suspected_columns


def individual_number(body: str) -> str:
    """11 桁に検査用数字を付ける（総務省令第85号 第5条を、一桁ずつ書いたもの）。"""
    total = 0
    for place, digit in enumerate(reversed(body), start=1):
        total += int(digit) * (place + 1 if place <= 6 else place - 5)
    rest = total % 11
    return body + str(0 if rest <= 1 else 11 - rest)


def suspected(values: list[str | None]) -> bool:
    return suspected_columns(pl.DataFrame({"0": values}, schema={"0": pl.String})) == ["0"]


VALID = individual_number("12345678901")
WRONG = VALID[:-1] + str((int(VALID[-1]) + 1) % 10)


def test_the_check_digit_is_the_ordinances() -> None:
    assert VALID == "123456789018"
    dice = random.Random(85)
    for _ in range(300):
        number = individual_number(f"{dice.randrange(10**11):011d}")
        assert suspected([number]), number
        damaged = number[:-1] + str((int(number[-1]) + dice.randrange(1, 10)) % 10)
        assert not suspected([damaged]), damaged


@pytest.mark.parametrize(
    ("values", "is_suspected"),
    [
        ([VALID, VALID, WRONG], True),
        ([VALID, WRONG], False),
        ([VALID, WRONG, None, None], False),
        ([VALID, None, None, None], True),
        ([VALID, "なし"], False),
        ([VALID, VALID, "なし"], True),
        ([VALID + "0"], False),
        ([VALID[1:]], False),
        (["1234-5678-9018"], True),
        (["1234 5678 9018"], True),
        ([], False),
        ([None], False),
    ],
)
def test_more_than_half_is_the_line_and_blanks_are_not_values(values: list[str | None], is_suspected: bool) -> None:
    assert suspected(values) is is_suspected


def test_the_name_of_the_column_does_not_matter_and_no_value_is_shown() -> None:
    data = f"住民番号,備考\n0010000001,{VALID}\n0010000002,{VALID}\n".encode()
    with pytest.raises(RefusedInput) as refused:
        extracts.read(extracts.TABLES["braille"], data, file_name="x.csv")
    assert refused.value.code == "individual-number"
    assert refused.value.found == "列「備考」"
    assert VALID not in str(refused.value)


def test_a_heading_that_is_itself_a_number_is_told_by_its_place() -> None:
    """見出しのないファイルでは、見出しに見えるものが一人目の番号である。"""
    data = f"住民番号,{VALID}\n0010000002,{VALID}\n".encode()
    with pytest.raises(RefusedInput) as refused:
        extracts.read(extracts.TABLES["braille"], data, file_name="x.csv")
    assert refused.value.found == "2 列目"
    assert VALID not in str(refused.value)


def test_a_required_column_is_watched_as_well() -> None:
    data = f"住民番号\n{VALID}\n".encode()
    with pytest.raises(RefusedInput, match="個人番号らしい列"):
        extracts.read(extracts.TABLES["braille"], data, file_name="x.csv")
