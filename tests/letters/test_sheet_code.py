"""封入の符号: 24 桁と読む形のどちらからも同じ紙に戻り、違う数字は検査で止まる。"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput, WrongUse
from letters import sheet_code
from letters.sheet_code import SheetCode

SEED = int(os.environ.get("BENEFIT_TEST_SEED", random.SystemRandom().randrange(10**6)))
KEY = b"k" * 32
ONE = SheetCode.of(KEY, "12345678901", 0, 2, 1, 2, 123)


def test_order_and_wording() -> None:
    """桁の順は、番号 11、枝番 2、種類 2、枚 1、枚数 1、版 3、検査 4。"""
    assert ONE.digits == f"12345678901000212123{ONE.check}"
    assert len(ONE.digits) == sheet_code.DIGITS == 24
    assert ONE.text == f"12345678901-00 L02 1/2 版123 検{ONE.check}"


@given(
    st.integers(0, 10**11 - 1),
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(1, 9),
    st.data(),
    st.integers(0, 999),
)
def test_both_forms_read_back(
    number: int, branch: int, kind: int, sheets: int, data: st.DataObject, layout: int
) -> None:
    """数字からも、頁に刷った文字からも、同じ符号に戻る。"""
    sheet = data.draw(st.integers(1, sheets))
    code = SheetCode.of(KEY, f"{number:011d}", branch, kind, sheet, sheets, layout)
    assert sheet_code.read(KEY, code.digits) == code
    assert sheet_code.read_text(KEY, code.text) == code


def test_changed_digits_are_caught() -> None:
    """一桁の打ち間違いと、隣の番号と、ほかの区の鍵は、10,000 に一つほどしか通らない。"""
    print(f"BENEFIT_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    passed = 0
    for _ in range(2_000):
        digits = SheetCode.of(KEY, f"{chance.randrange(10**11):011d}", 0, 2, 1, 1, 7).digits
        at = chance.randrange(24)
        changed = digits[:at] + str((int(digits[at]) + chance.randrange(1, 10)) % 10) + digits[at + 1 :]
        for key, wrong in ((KEY, changed), (b"o" * 32, digits)):
            try:
                sheet_code.read(key, wrong)
            except RefusedInput:
                continue
            passed += 1
    assert passed <= 6


@pytest.mark.parametrize(
    "digits", ["", ONE.digits[:-1], ONE.digits + "0", "x" * 24, "１" * 24, ONE.digits[:15] + "31" + ONE.digits[17:]]
)
def test_malformed_codes_are_refused(digits: str) -> None:
    """桁の違うもの、数字でないもの、3/1 枚目は断る。断りに番号は入らない。"""
    with pytest.raises(RefusedInput) as refused:
        sheet_code.read(KEY, digits)
    assert "12345678901" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        ("1234567890", 0, 2, 1, 1, 0),
        ("12345678901", 100, 2, 1, 1, 0),
        ("12345678901", 0, 100, 1, 1, 0),
        ("12345678901", 0, 2, 2, 1, 0),
        ("12345678901", 0, 2, 1, 10, 0),
        ("12345678901", 0, 2, 1, 1, 1000),
    ],
)
def test_values_out_of_range_are_refused(values: tuple[str, int, int, int, int, int]) -> None:
    """桁に入らない値を、切って載せることはしない。"""
    with pytest.raises(WrongUse):
        SheetCode.of(KEY, *values)


def test_layout_number_has_three_digits() -> None:
    """版は指紋から決まり、3 桁に入る。"""
    numbers = {sheet_code.layout_number(f"{each:064x}"[::-1]) for each in range(200)}
    assert all(0 <= number <= 999 for number in numbers)
    assert len(numbers) > 100
