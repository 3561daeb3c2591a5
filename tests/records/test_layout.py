"""様式の宣言が守る約束: 長さの合計、位置、読み書きの一致、断りの言葉、伏せ字、仕様書。"""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records.layout import Field, Layout, const, digits, filler, number, text
from benefit.records.layout_view import MASK, masked, masked_record, render, specification, split_records
from benefit.records.zengin_text import ANY_JISX0201, PARTY_NAME

SAMPLE = (
    const("2", "データ区分"),
    digits("account_type", "預金種目", 1, choices=("1", "2", "4")),
    digits("account_number", "口座番号", 7, sensitive=True),
    text("holder_kana", "受取人名", 10, PARTY_NAME, blank_ok=False, sensitive=True),
    number("amount_yen", "振込金額", 10, minimum=1),
    text("note", "摘要", 5, ANY_JISX0201),
    filler(6),
)
GOOD = {"account_type": "1", "account_number": "9000001", "holder_kana": "ﾔﾏﾀﾞ ﾀﾛｳ", "amount_yen": 100000, "note": "A"}


def layout_of(
    *fields: Field, length: int = 40, sources: tuple[str, ...] = ("甲", "乙"), verified: bool = True
) -> Layout:
    return Layout("見本", length, fields, sources=sources, verified=verified, read_on=date(2026, 11, 21))


RECORD = layout_of(*SAMPLE)


@pytest.mark.parametrize("length", [39, 41])
def test_lengths_that_do_not_sum_to_the_record_fail_at_declaration(length):
    with pytest.raises(WrongUse, match="長さが合いません"):
        layout_of(*SAMPLE, length=length)


def test_two_fields_of_one_name_fail_at_declaration():
    with pytest.raises(WrongUse, match="名前が重なる"):
        layout_of(number("a", "甲", 20), number("a", "乙", 20))


def test_one_source_is_not_enough_to_call_a_layout_verified():
    with pytest.raises(WrongUse, match="出典が二つない"):
        layout_of(*SAMPLE, sources=("甲",))
    assert not layout_of(*SAMPLE, sources=("甲",), verified=False).verified


def test_positions_are_computed_from_one_and_leave_no_gap():
    assert [placed.position for placed in RECORD.placed] == ["1", "2", "3～9", "10～19", "20～29", "30～34", "35～40"]


def test_a_record_is_written_as_the_table_says():
    assert RECORD.encode(GOOD) == "219000001ﾔﾏﾀﾞ ﾀﾛｳ  0000100000A          ".encode("cp932")


def test_many_records_are_the_records_one_by_one():
    rows = [GOOD, GOOD | {"amount_yen": 1, "holder_kana": "ｱ"}]
    columns = {name: [row[name] for row in rows] for name in GOOD}
    assert RECORD.encode_all(columns, newline="\r\n") == b"".join(RECORD.encode(row) + b"\r\n" for row in rows)


def test_missing_unknown_and_ragged_columns_are_wrong_use():
    with pytest.raises(WrongUse, match="note"):
        RECORD.encode({name: value for name, value in GOOD.items() if name != "note"})
    with pytest.raises(WrongUse, match="extra"):
        RECORD.encode(GOOD | {"extra": "1"})
    with pytest.raises(WrongUse, match="揃って"):
        RECORD.encode_all({name: [value] for name, value in GOOD.items()} | {"note": ["A", "B"]})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("amount_yen", 0, "範囲"),
        ("amount_yen", 10_000_000_000, "範囲"),
        ("amount_yen", -1, "範囲"),
        ("amount_yen", 1.0, "整数"),
        ("amount_yen", True, "整数"),
        ("amount_yen", "100", "整数"),
        ("account_type", "3", "許されない"),
        ("account_type", 1, "文字列"),
        ("account_number", "900000", "桁"),
        ("account_number", "90000011", "桁"),
        ("account_number", "９００００１１", "桁"),
        ("account_number", "900000²", "桁"),
        ("holder_kana", "", "空です"),
        ("holder_kana", "ｱｲｳｴｵｶｷｸｹｺｻ", "長すぎ"),
        ("holder_kana", "ｱ ", "末尾に空白"),
        ("holder_kana", "ｦｶﾞﾜ", "使えない文字"),
        ("holder_kana", "a", "使えない文字"),
    ],
)
def test_a_value_outside_its_field_is_refused_by_record_byte_and_field(name, value, says):
    columns = {key: [given] * 3 for key, given in GOOD.items()}
    columns[name] = [GOOD[name], GOOD[name], value]
    placed = next(placed for placed in RECORD.placed if placed.field.name == name)
    with pytest.raises(RefusedInput, match=says) as caught:
        RECORD.encode_all(columns, file="a.txt", first_record=5)
    assert str(caught.value.place) == f"a.txt の 7 行目「{placed.field.label}（{placed.position} バイト目）」"


@pytest.mark.parametrize("amount_yen", [1, 9_999_999_999])
def test_the_ends_of_the_range_are_inside(amount_yen):
    assert RECORD.decode(RECORD.encode(GOOD | {"amount_yen": amount_yen}))["amount_yen"] == amount_yen


def test_a_mixed_column_cannot_hide_a_float_behind_an_equal_integer():
    columns = {name: [value] * 2 for name, value in GOOD.items()} | {"amount_yen": [1, 1.0]}
    with pytest.raises(RefusedInput, match="整数"):
        RECORD.encode_all(columns)


@pytest.mark.parametrize(
    ("at", "byte", "field"),
    [
        (1, 0x33, "データ区分"),
        (3, 0x20, "口座番号"),
        (20, 0x20, "振込金額"),
        (40, 0x30, "ダミー"),
        (10, 0x80, "受取人名"),
        (10, 0x00, "受取人名"),
        (19, 0xE0, "受取人名"),
    ],
)
def test_a_broken_byte_is_refused_by_its_position(at, byte, field):
    raw = bytearray(RECORD.encode(GOOD))
    raw[at - 1] = byte
    with pytest.raises(RefusedInput) as caught:
        RECORD.decode(bytes(raw), file="b.txt", record=12)
    assert caught.value.place.record == 12
    assert caught.value.place.field.startswith(field)
    assert "バイト目" in caught.value.place.field


def test_a_nul_does_not_hide_the_bad_byte_after_it():
    """0 は偽である。NUL の後の二バイト文字の頭が、検査をすり抜けたことがある。"""
    raw = bytearray(RECORD.encode(GOOD))
    raw[9:11] = b"\x00\xe0"
    with pytest.raises(RefusedInput, match="0x00"):
        RECORD.decode(bytes(raw))


@pytest.mark.parametrize("length", [0, 39, 41])
def test_a_record_of_another_length_is_refused(length):
    with pytest.raises(RefusedInput, match=f"{length} バイト"):
        RECORD.decode(b"2" * length)


def test_a_sensitive_value_never_appears_in_a_refusal():
    for name, value in {"account_number": "98765432", "holder_kana": "ｻｲﾄｳ ﾊﾅｺ ﾅｶﾞｲ"}.items():
        with pytest.raises(RefusedInput) as caught:
            RECORD.encode(GOOD | {name: value})
        assert value not in str(caught.value)


FIELDS = {
    "digits": st.integers(1, 8).flatmap(
        lambda n: st.tuples(st.just(digits("x", "x", n)), st.text("0123456789", min_size=n, max_size=n))
    ),
    "number": st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(number("x", "x", n)), st.integers(0, 10**n - 1))),
    "text": st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            st.just(text("x", "x", n, ANY_JISX0201)),
            st.text(sorted(ANY_JISX0201.characters), max_size=n).map(lambda value: value.rstrip(" ")),
        )
    ),
}


@given(st.lists(st.one_of(*FIELDS.values()), min_size=1, max_size=8))
def test_what_is_written_is_read_back_with_the_same_values(parts):
    fields, values = [], {}
    for at, (field, value) in enumerate(parts):
        fields.append(Field(**{**field.__dict__, "name": f"f{at}"}))
        values[f"f{at}"] = value
    layout = layout_of(const("1", "k"), *fields, filler(3), length=4 + sum(field.length for field in fields))
    raw = layout.encode(values)
    assert len(raw) == layout.length
    assert layout.decode(raw) == values


def test_masking_hides_the_value_and_its_length():
    shown = masked(RECORD, GOOD)
    assert shown == GOOD | {"account_number": MASK * 3, "holder_kana": MASK * 3}
    assert masked_record(RECORD, RECORD.encode(GOOD)) == "21" + "*" * 17 + "0000100000A" + " " * 10
    assert masked_record(RECORD, b"219000001") == "*" * 40


def test_the_record_written_out_by_field_hides_what_is_sensitive_until_asked():
    hidden, open_ = render(RECORD, RECORD.encode(GOOD)), render(RECORD, RECORD.encode(GOOD), show_sensitive=True)
    assert "口座番号 3～9 *******" in hidden
    assert "9000001" not in hidden
    assert "口座番号 3～9 9000001" in open_
    assert "受取人名 10～19 ﾔﾏﾀﾞ·ﾀﾛｳ··" in open_


def test_the_printed_specification_has_every_field_with_its_source_and_date():
    printed = specification(RECORD)
    assert "| 5 | 振込金額 | 20～29 | 10 | 数 | 1 以上 | `amount_yen` |" in printed
    assert "- 出典: 甲、乙" in printed
    assert "はい（2026-11-21）" in printed
    assert printed.count("\n| ") == 1 + len(RECORD.fields)


@pytest.mark.parametrize("newline", [b"", b"\r\n"])
@pytest.mark.parametrize("end", [b"", b"\x1a"])
def test_records_are_cut_with_crlf_or_with_nothing(newline, end):
    assert split_records(b"abcd" + newline + b"efgh" + newline + end, 4) == [b"abcd", b"efgh"]


@pytest.mark.parametrize(
    ("content", "code", "record"),
    [
        (b"", "empty-file", None),
        (b"abcd\r\nef\r\n", "record-length", 2),
        (b"abcdef", "record-length", 2),
        (b"abcd\nefgh\n", "newline", 2),
        (b"abcd\refgh\r", "newline", 2),
        (b"abcd\r\n\r\n", "record-length", 2),
    ],
)
def test_short_records_and_other_newlines_are_refused(content, code, record):
    with pytest.raises(RefusedInput) as caught:
        split_records(content, 4, file="c.txt")
    assert caught.value.code == code
    assert caught.value.place.record == record or code == "newline"
