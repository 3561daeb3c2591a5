"""総合振込ファイルが守る約束: 手引どおりのバイト、数えた件数と合計、範囲の両側、書けない一件の断り。"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput
from benefit.records import zengin
from benefit.records.zengin import COUNT_MAX, DATA, TransferLine, build, check_count, is_month_day, unwritable
from benefit.records.zengin_text import PARTY_NAME
from tests.records.zengin_samples import HEADER, LINES, line

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_SHA256 = "76900f760438aac717532c439f334b8cf75ac60dcb6aacabaa370d38977981a1"


def from_golden(name: str) -> bytes:
    """書き下した見本を、値をつないでファイルに戻す（様式の宣言を使わない）。"""
    records = (GOLDEN / name).read_text(encoding="utf-8").split("\n\n")
    values = [[row.rsplit(" ", 1)[1] for row in record.strip().split("\n")[1:]] for record in records]
    return "".join("".join(parts).replace("·", " ") + "\r\n" for parts in values).encode("cp932")


def test_the_written_out_golden_is_the_file_of_the_specification():
    assert hashlib.sha256(from_golden("transfer-request.txt")).hexdigest() == GOLDEN_SHA256


def test_the_golden_file_is_built_byte_for_byte():
    built = build(HEADER, LINES)
    assert zengin.render(built.content, show_sensitive=True) == (GOLDEN / "transfer-request.txt").read_text("utf-8")
    assert (len(built.content), built.sha256) == (610, GOLDEN_SHA256)


def test_count_and_total_are_counted_from_the_lines():
    built = build(HEADER, [*LINES, line(amount_yen=1)])
    assert (built.count, built.total_yen) == (3, 150_001)
    assert built.content[-244:-225] == b"8000003000000150001"


def test_every_record_is_followed_by_crlf():
    content = build(HEADER, LINES).content
    assert [content[at : at + 2] for at in range(120, len(content), 122)] == [b"\r\n"] * 5


@pytest.mark.parametrize("amount_yen", [1, 9_999_999_999])
def test_the_smallest_and_largest_amounts_are_written(amount_yen):
    assert b"%010d" % amount_yen in build(HEADER, [line(amount_yen=amount_yen)]).content


@pytest.mark.parametrize("amount_yen", [0, -1, 10_000_000_000, 100_000.0])
def test_an_amount_outside_the_field_refuses_by_line_and_byte(amount_yen):
    with pytest.raises(RefusedInput) as caught:
        build(HEADER, [line(), line(amount_yen=amount_yen)], file="a.txt")
    assert str(caught.value.place) == "a.txt の 3 行目「振込金額（81～90 バイト目）」"


@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (COUNT_MAX, True), (COUNT_MAX + 1, False)])
def test_the_count_is_between_one_and_six_digits(count, good):
    if good:
        check_count(count)
    else:
        with pytest.raises(RefusedInput, match="件数"):
            check_count(count)


def test_no_lines_make_no_file():
    with pytest.raises(RefusedInput, match="0 件"):
        build(HEADER, [])


@pytest.mark.parametrize(("extra_yen", "good"), [(99, True), (100, False)])
def test_a_total_of_more_than_twelve_digits_is_refused(extra_yen, good):
    largest = [line(amount_yen=9_999_999_999)] * 100
    if good:
        assert build(HEADER, [*largest, line(amount_yen=extra_yen)]).total_yen == 999_999_999_999
    else:
        with pytest.raises(RefusedInput, match="合計金額"):
            build(HEADER, [*largest, line(amount_yen=extra_yen)])


@pytest.mark.parametrize(
    ("month_day", "good"),
    [
        ("0101", True),
        ("0229", True),
        ("0430", True),
        ("1231", True),
        ("0230", False),
        ("0431", False),
        ("0000", False),
        ("0100", False),
        ("1301", False),
    ],
)
def test_the_transfer_day_is_a_day_of_the_calendar(month_day, good):
    assert is_month_day(month_day) is good


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"bank_code": "999"}, "被仕向銀行番号"),
        ({"branch_code": "1"}, "被仕向支店番号"),
        ({"account_type": "9"}, "預金種目"),
        ({"account_number": "90000010"}, "口座番号"),
        ({"account_number": " 900001"}, "口座番号"),
        ({"holder_kana": ""}, "受取人名"),
        ({"holder_kana": "　"}, "受取人名"),
        ({"new_code": "3"}, "新規コード"),
        ({"customer_code1": "1"}, "顧客コード1"),
        ({"customer_code2": "ABCDEFGHIJ"}, "顧客コード2"),
        ({"bank_name": "ジェーピー．"}, "被仕向銀行名"),
    ],
)
def test_a_line_that_does_not_fit_makes_no_file_and_names_its_field(changes, field):
    with pytest.raises(RefusedInput) as caught:
        build(HEADER, [line(), line(**changes)])
    assert caught.value.place.record == 3
    assert caught.value.place.field.startswith(field + "（")


def test_a_name_that_cannot_be_written_names_its_code_point_and_not_the_name():
    with pytest.raises(RefusedInput) as caught:
        build(HEADER, [line(), line(), line(holder_kana="サイトウ　髙コ")])
    assert "U+9AD9（6 文字目）" in str(caught.value)
    assert caught.value.place.record == 4
    assert "サイトウ" not in str(caught.value)


def test_only_the_lines_that_cannot_be_written_are_named_and_the_rest_make_a_file():
    lines = [line(), line(holder_kana="ヲガワ"), line(), line(amount_yen=0), line()]
    stopped = unwritable(lines)
    assert [(item.number, item.refusal.place.record) for item in stopped] == [(2, 3), (4, 5)]
    rest = [item for at, item in enumerate(lines, start=1) if at not in {stop.number for stop in stopped}]
    assert build(HEADER, rest).count == 3
    assert unwritable(rest) == []


def test_wo_is_written_only_for_a_bank_that_takes_it():
    lines = [line(holder_kana="ヲガワ")]
    assert "ｦｶﾞﾜ".encode("cp932") in build(HEADER, lines, with_wo=True).content
    assert unwritable(lines, with_wo=True) == []
    with pytest.raises(RefusedInput, match=r"U\+30F2"):
        build(HEADER, lines)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("ア" * 30, "ｱ" * 30),
        ("ア" * 31, "ｱ" * 30),
        ("ア" * 28 + "ガ", "ｱ" * 28 + "ｶﾞ"),
        ("ア" * 29 + "ガ", "ｱ" * 29 + " "),
        ("ア" * 29 + "　ア", "ｱ" * 29 + " "),
    ],
)
def test_a_long_name_is_cut_to_thirty_bytes_without_parting_a_mark(name, written):
    assert build(HEADER, [line(holder_kana=name)]).content[122 + 50 : 122 + 80].decode("cp932") == written


def test_the_transfer_day_in_the_file_is_the_day_given():
    assert build(replace(HEADER, transfer_on=date(2024, 2, 29)), LINES).content[54:58] == b"0229"


@pytest.mark.parametrize(("designation", "good"), [("7", True), ("8", True), ("0", True), ("", True), ("1", False)])
def test_the_designation_is_what_the_bank_asks_for(designation, good):
    header = replace(HEADER, designation=designation)
    if good:
        assert build(header, LINES).content[122 + 111 : 122 + 112].decode() == designation.ljust(1)
    else:
        with pytest.raises(RefusedInput, match="振込指定区分"):
            build(header, LINES)


def test_accounts_and_names_are_not_in_the_text_of_the_objects():
    shown = repr(LINES) + repr(HEADER) + repr(build(HEADER, LINES))
    assert not [secret for secret in ("0765432", "0012345", "ヤマダ") if secret in shown]
    assert "0765432" not in zengin.render(build(HEADER, LINES).content)


NAMES = st.text(sorted(PARTY_NAME.characters), min_size=1, max_size=30).map(lambda name: name.strip(" ") or "ｱ")
DIGITS = "0123456789"


def number_text(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


LINE = st.builds(
    TransferLine,
    bank_code=number_text(4),
    branch_code=number_text(3),
    account_type=st.sampled_from("124"),
    account_number=number_text(7),
    holder_kana=NAMES,
    amount_yen=st.integers(1, 9_999_999_999),
    customer_code1=number_text(10),
    customer_code2=number_text(10),
    new_code=st.sampled_from("012"),
)


@given(st.lists(LINE, min_size=1, max_size=5))
def test_what_is_written_is_read_back_with_the_same_values(lines):
    content = build(HEADER, lines).content
    for at, item in enumerate(lines, start=1):
        values = DATA.decode(content[at * 122 : at * 122 + 120])
        assert {name: getattr(item, name) for name in values if name != "designation"} == {
            name: value for name, value in values.items() if name != "designation"
        }


def test_the_printed_specification_gives_the_positions_of_the_bank_manual():
    printed = zengin.specification()
    for row in (
        "| 取組日 | 55～58 | 4 |",
        "| 受取人名 | 51～80 | 30 |",
        "| 振込金額 | 81～90 | 10 |",
        "| 合計金額 | 8～19 | 12 |",
    ):
        assert row in printed
