"""振込の結果が守る約束: 依頼の写しであること、数え直し、知らないデータの断り、固定長と CSV が同じ行になること。"""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records import transfer_results
from benefit.records.transfer_result_row import REASONS, Handling, Outcome
from benefit.records.transfer_results import Answer, mirror, read
from benefit.records.transfer_results_csv import COLUMNS, NEW_ACCOUNT, REQUIRED
from benefit.records.zengin import build
from tests.records.zengin_samples import HEADER, LINES, line

GOLDEN = Path(__file__).parent / "golden" / "transfer-result.txt"
GOLDEN_SHA256 = "3245ba9e71b9bb1ad1eabf5ec0ed62cf7c0893c9e3542d3d90dde50fb8c93325"
REQUEST = build(HEADER, LINES).content
MADE_ON = date(2026, 8, 3)
RESULT = mirror(REQUEST, [Answer(Outcome.CREDITED), Answer(Outcome.FAILED, "01")], created_on=MADE_ON)


def broken(at: int, new: bytes) -> bytes:
    return RESULT[:at] + new + RESULT[at + len(new) :]


def test_the_golden_result_is_made_and_read_byte_for_byte():
    assert hashlib.sha256(RESULT).hexdigest() == GOLDEN_SHA256
    assert transfer_results.render(RESULT, show_sensitive=True) == GOLDEN.read_text("utf-8")
    results = read(RESULT)
    assert (results.form, results.created_on, results.serial, results.total_yen) == ("固定長", MADE_ON, "001", 150_000)
    assert [(row.outcome, row.reason_code, row.amount_yen, row.customer_code1) for row in results.rows] == [
        (Outcome.CREDITED, "00", 100_000, "0000001001"),
        (Outcome.FAILED, "01", 50_000, "0000001002"),
    ]
    assert results.rows[1].transferred_on == HEADER.transfer_on


def test_the_result_mirrors_the_request_in_its_first_113_bytes():
    for at in (122, 244):
        assert RESULT[at : at + 113] == REQUEST[at : at + 113]


def test_a_result_without_newlines_is_read_the_same():
    assert read(RESULT.replace(b"\r\n", b"")).rows == read(RESULT).rows


def test_an_ordinary_request_is_not_taken_for_a_result():
    with pytest.raises(RefusedInput, match="依頼ファイル") as caught:
        read(REQUEST)
    assert "104 バイト目" in str(caught.value)


@pytest.mark.parametrize(
    ("at", "new", "record", "field"),
    [
        (103, b"Q", 1, "ファイル種類（104 バイト目）"),
        (104, b"261301", 1, "作成日（105～110 バイト目）"),
        (113, b"0", 1, "ダミー（114～120 バイト目）"),
        (122 + 42, b"3", 2, "預金種目（43 バイト目）"),
        (122 + 80, b"         1", 2, "振込金額（81～90 バイト目）"),
        (122 + 91, b"A", 2, "顧客コード1・2（92～111 バイト目）"),
        (122 + 112, b"X", 2, "識別表示（113 バイト目）"),
        (122 + 113, b"5", 2, "処理結果（114 バイト目）"),
        (122 + 113, b" ", 2, "処理結果（114 バイト目）"),
        (122 + 114, b"98", 2, "不能理由コード（115～116 バイト目）"),
        (122 + 114, b"01", 2, "不能理由コード（115～116 バイト目）"),
        (244 + 114, b"00", 3, "不能理由コード（115～116 バイト目）"),
        (122 + 116, b"0230", 2, "元振込指定日（117～120 バイト目）"),
        (366 + 6, b"3", 4, "合計件数（2～7 バイト目）"),
        (366 + 18, b"1", 4, "合計金額（8～19 バイト目）"),
        (366 + 24, b"2", 4, "振込済件数（20～25 バイト目）"),
        (366 + 54, b"1", 4, "振込不能金額（44～55 バイト目）"),
        (366 + 60, b"1", 4, "ダミー（56～120 バイト目）"),
        (488 + 60, b"1", 5, "ダミー（2～120 バイト目）"),
    ],
)
def test_unknown_data_is_refused_by_record_byte_and_field(at, new, record, field):
    with pytest.raises(RefusedInput) as caught:
        read(broken(at, new), file="r.txt")
    assert str(caught.value.place) == f"r.txt の {record} 行目「{field}」"


@pytest.mark.parametrize("order", ["289", "1289", "189", "12228", "1829", "12289", "21289", "1228 9"])
def test_records_in_another_order_are_refused(order):
    records = {RESULT[at : at + 1].decode(): RESULT[at : at + 122] for at in (0, 122, 366, 488)}
    content = b"".join(records.get(kind, b" " * 120 + b"\r\n") for kind in order)
    with pytest.raises(RefusedInput) as caught:
        read(content if content.startswith(b"121") else b"121" + content[3:])
    assert caught.value.place.record is not None


def test_a_short_record_is_refused_by_its_byte():
    with pytest.raises(RefusedInput) as caught:
        read(RESULT.replace(b" " * 65 + b"\r\n", b"\r\n"), file="r.txt")
    assert str(caught.value.place) == "r.txt の 4 行目「56 バイト目」"


@pytest.mark.parametrize(
    ("outcome", "paid"),
    [
        (Outcome.CREDITED, True),
        (Outcome.FAILED, False),
        (Outcome.INQUIRING, None),
        (Outcome.RECALLED, False),
        (Outcome.RECALL_FAILED, True),
    ],
)
def test_an_inquiry_counts_on_neither_side(outcome, paid):
    reason = "00" if outcome is Outcome.CREDITED else "09"
    content = mirror(REQUEST, [Answer(outcome, reason), Answer(Outcome.CREDITED)], created_on=MADE_ON)
    assert read(content).rows[0].outcome.paid is paid
    assert int(content[366 + 19 : 366 + 25]) == 1 + (paid is True)
    assert int(content[366 + 37 : 366 + 43]) == (paid is False)


@pytest.mark.parametrize(
    ("created_on", "year"),
    [(date(2026, 7, 31), 2026), (date(2026, 12, 31), 2026), (date(2027, 7, 30), 2026), (date(2027, 7, 31), 2027)],
)
def test_the_year_is_the_nearest_that_is_not_after_the_result(created_on, year):
    content = mirror(REQUEST, [Answer(Outcome.CREDITED)] * 2, created_on=created_on)
    assert read(content).rows[0].transferred_on == date(year, 7, 31)


@pytest.mark.parametrize(("created_on", "good"), [("250301", True), ("250302", False)])
def test_a_leap_day_more_than_a_year_away_is_refused(created_on, good):
    content = broken(104, created_on.encode())
    for at in (122, 244):
        content = content[: at + 116] + b"0229" + content[at + 120 :]
    if good:
        assert read(content).rows[0].transferred_on == date(2024, 2, 29)
    else:
        with pytest.raises(RefusedInput, match="年が決まりません"):
            read(content)


def test_edi_text_is_not_taken_for_customer_codes():
    content = broken(122 + 91, "ｷﾕｳﾌ 1             ".encode("cp932") + b" ")
    content = content[: 122 + 112] + b"Y" + content[122 + 113 :]
    assert read(content).rows[0].customer_code1 is None


def test_answers_must_be_as_many_as_the_request():
    with pytest.raises(WrongUse, match="件数"):
        mirror(REQUEST, [Answer(Outcome.CREDITED)], created_on=MADE_ON)


@given(
    st.binary(max_size=700) | st.integers(0, 609).flatmap(lambda at: st.binary(max_size=4).map(lambda b: broken(at, b)))
)
def test_no_bytes_end_in_anything_but_rows_or_a_refusal(content):
    try:
        rows = read(content).rows
    except RefusedInput:
        return
    assert rows


# --- CSV -------------------------------------------------------------------------------------------------------------

SIX = {
    "金融機関コード": "9999",
    "店舗コード": "102",
    "預金種目": "2",
    "口座番号": "0765432",
    "口座名義人名": "ｶ)ｶｸｳｼﾖｳｼﾞ",
    "振込金額": "50000",
}
NEW = dict(zip(NEW_ACCOUNT, ("9999", "103", "1", "9000009", "ｶ)ｶｸｳ"), strict=True))


def table(*rows: dict[str, str], newline: str = "\r\n", encoding: str = "utf-8") -> bytes:
    names = list(rows[0])
    return "".join(",".join(cells) + newline for cells in (names, *(row.values() for row in rows))).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_the_six_items_of_the_notice_are_a_whole_file(encoding, newline):
    (row,) = read(table(SIX, encoding=encoding, newline=newline)).rows
    assert (row.outcome, row.reason_code, row.amount_yen, row.transferred_on) == (Outcome.FAILED, "99", 50_000, None)


def test_the_fixed_file_and_the_csv_become_the_same_row():
    fixed = read(RESULT).rows[1]
    cells = SIX | {
        "元振込指定日": "2026-07-31",
        "顧客コード1": "0000001002",
        "顧客コード2": "0000000001",
        "不能理由コード": "01",
    }
    (row,) = read(table(cells)).rows
    names = [name for name in type(row).__slots__ if name != "record"]
    assert {name: getattr(row, name) for name in names} == {name: getattr(fixed, name) for name in names}


def test_every_column_is_read():
    cells = SIX | {
        "不能理由コード": "04",
        "不能理由": '"解約、""済"""',
        "資金返却日": "2026-08-05",
        "処理区分": "再振込",
        "支出命令番号": "A-1",
        "担当課": "総務課",
        **NEW,
    }
    (row,) = read(table(cells)).rows
    assert (row.reason, row.returned_on, row.handling) == ('解約、"済"', date(2026, 8, 5), Handling.RE_TRANSFER)
    assert (row.new_account.branch_code, row.new_account.account_number) == ("103", "9000009")
    assert (row.order_number, row.section) == ("A-1", "総務課")


def test_a_zero_lost_in_a_spreadsheet_is_put_back_and_said():
    results = read(table(SIX | {"金融機関コード": "33", "口座番号": "765432"}))
    assert (results.rows[0].bank_code, results.rows[0].account_number) == ("0033", "0765432")
    assert [(notice.record, notice.field) for notice in results.notices] == [(2, "金融機関コード"), (2, "口座番号")]
    assert read(table(SIX)).notices == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"金融機関コード": "99990"}, "金融機関コード（1 列目）"),
        ({"店舗コード": "1O2"}, "店舗コード（2 列目）"),
        ({"預金種目": "3"}, "預金種目（3 列目）"),
        ({"口座番号": ""}, "口座番号（4 列目）"),
        ({"口座名義人名": "カクウ"}, "口座名義人名（5 列目）"),
        ({"口座名義人名": "ｱ" * 31}, "口座名義人名（5 列目）"),
        ({"口座名義人名": ""}, "口座名義人名（5 列目）"),
        ({"振込金額": "0"}, "振込金額（6 列目）"),
        ({"振込金額": "10000000000"}, "振込金額（6 列目）"),
        ({"振込金額": '"50,000"'}, "振込金額（6 列目）"),
        ({"振込金額": "50000.0"}, "振込金額（6 列目）"),
        ({"元振込指定日": "2026-02-29"}, "元振込指定日（7 列目）"),
        ({"元振込指定日": "20260731"}, "元振込指定日（7 列目）"),
        ({"不能理由コード": "10"}, "不能理由コード（7 列目）"),
        ({"不能理由コード": "00"}, "不能理由コード（7 列目）"),
        ({"処理区分": "再送"}, "処理区分（7 列目）"),
        ({**NEW}, "新金融機関コード（7 列目）"),
        ({"処理区分": "戻入", **NEW}, "新金融機関コード（8 列目）"),
        ({"処理区分": "再振込", **NEW, "新口座番号": ""}, "新金融機関コード（8 列目）"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_row_and_column(changes, field):
    first = SIX | {name: "" for name in changes if name not in SIX}
    with pytest.raises(RefusedInput) as caught:
        read(table(first, SIX | changes), file="f.csv")
    assert str(caught.value.place) == f"f.csv の 3 行目「{field}」"
    assert "0765432" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (table({name: value for name, value in SIX.items() if name != "振込金額"}), "columns"),
        (table(SIX | {"備考": ""}), "columns"),
        (table(SIX).replace("店舗コード".encode(), "金融機関コード".encode()), "columns"),
        (table(SIX) + b"9999,102\r\n", "columns"),
        (table(SIX) + b"\r\n" + table(SIX).split(b"\r\n")[1], "columns"),
        (table(SIX).split(b"\r\n")[0], "empty-file"),
        (table(SIX | {"担当課": '"総務課'}), "csv"),
        (table(SIX) + b"\xff\xff", "encoding"),
        (table(SIX) + b"\0", "encoding"),
    ],
)
def test_missing_unknown_and_broken_tables_are_refused(content, code):
    with pytest.raises(RefusedInput) as caught:
        read(content)
    assert caught.value.code == code


def test_the_columns_are_those_of_the_agreement_and_begin_with_the_six_items():
    assert COLUMNS[:6] == REQUIRED
    assert len(set(COLUMNS)) == len(COLUMNS) == 6 + 7 + 5 + 2 + 4  # 終わりの四つは、担当課との照会のファイルの列


def test_only_a_credit_has_no_reason():
    assert list(REASONS) == ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "90", "99"]
    content = mirror(build(HEADER, [line()]).content, [Answer(Outcome.INQUIRING, "99")], created_on=MADE_ON)
    assert read(content).rows[0].reason == "理由不明"


def test_the_printed_specification_says_it_is_our_own_convention():
    printed = transfer_results.specification()
    assert "公開の標準はない" in printed
    assert "| 処理結果 | 114 | 1 |" in printed
    assert printed.count("いいえ（") == 3  # エンドだけは総合振込と同じ、確かめた様式
