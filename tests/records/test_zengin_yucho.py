"""ゆうちょの記号・番号が、振込に使う口座になる約束。番号はすべて架空。"""

from __future__ import annotations

import pytest

from benefit.domain.errors import RefusedInput
from benefit.records.yucho import account_of, as_written


@pytest.mark.parametrize(
    ("symbol", "number", "account"),
    [
        ("19990", "90000011", ("9900", "998", "1", "9000001")),
        ("10120", "91", ("9900", "018", "1", "0000009")),
        ("09990", "9000001", ("9900", "999", "2", "9000001")),
        ("00120", "9", ("9900", "019", "2", "0000009")),
    ],
)
def test_a_symbol_and_number_become_an_account(symbol, number, account):
    assert account_of(symbol, number) == account


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        ("1999", "91"),
        ("199900", "91"),
        ("29990", "91"),
        ("１９９９０", "91"),
        ("19990", "9"),
        ("19990", "900000111"),
        ("09990", "90000011"),
        ("09990", ""),
        ("19990", "9-1"),
    ],
)
def test_anything_else_is_refused_without_repeating_the_number(symbol, number):
    with pytest.raises(RefusedInput) as caught:
        account_of(symbol, number)
    assert not number or f"「{number}」" not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "account"),
    [
        (("9900", "", "", "19990-90000011"), ("9900", "998", "1", "9000001")),
        (("", "", "", "10120－91"), ("9900", "018", "1", "0000009")),
        (("9900", "", "", " 09990-9000001 "), ("9900", "999", "2", "9000001")),
        (("9900", "998", "1", "9000001"), ("9900", "998", "1", "9000001")),
        (("9900", "019", "2", "0000009"), ("9900", "019", "2", "0000009")),
        (("9999", "101", "1", "9000001"), ("9999", "101", "1", "9000001")),
        (("", "", "", ""), ("", "", "", "")),
    ],
)
def test_a_form_may_say_the_symbol_and_number(written, account):
    assert as_written(*written) == account


@pytest.mark.parametrize(
    "written",
    [
        ("9999", "", "", "19990-90000011"),
        ("9900", "998", "", "19990-90000011"),
        ("9900", "", "1", "19990-90000011"),
        ("9900", "101", "1", "9000001"),  # 記号の頭三桁を店番に
        ("9900", "998", "1", "90000011"),  # 番号を 8 桁のまま
        ("9900", "", "", "9000001"),
        ("9900", "", "", "29990-90000011"),
        ("9900", "", "", "19990-2-9000001"),
    ],
)
def test_a_symbol_copied_as_it_stands_is_refused_and_not_repeated(written):
    with pytest.raises(RefusedInput) as caught:
        as_written(*written)
    assert written[3] not in str(caught.value).replace("19990-90000011", "", 1)
