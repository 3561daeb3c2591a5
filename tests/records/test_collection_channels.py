"""受けるファイルごとの約束: 振替不能を払ったことにしない、電子マネーの項目、バーコードの中身、調定の差。"""

from __future__ import annotations

import polars as pl
import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records import direct_debit, payeasy
from benefit.records.convenience_store import CONVENIENCE_STORE, ELECTRONIC_MONEY, FreeSpace, layout
from benefit.records.counter import GENERAL, STATEMENT
from benefit.records.file_reader import read
from benefit.records.file_writer import totals_of, write
from benefit.records.mobile_register import PAID as MOBILE
from tests.records.collection_samples import SAMPLES, barcode, sample, table


def test_the_amount_of_a_store_payment_is_inside_its_barcode():
    data = read(sample("convenience-store"), CONVENIENCE_STORE).require()
    assert data["amount_yen"].to_list() == [12300, 12300, 300000]
    assert data.row(0, named=True) | {"slip_year": "2026", "slip_number": f"{1:017d}", "pay_by": "260731"} == data.row(
        0, named=True
    )


def test_another_split_of_the_free_space_reads_the_same_barcode():
    data = read(sample("convenience-store"), layout(FreeSpace(5, 4, 12))).require()
    assert data["agent_part"][0] + data["slip_year"][0] + data["slip_number"][0] == f"2026{1:017d}"


def test_totals_of_the_three_kinds_are_counted_apart():
    reading = read(sample("convenience-store"), CONVENIENCE_STORE)
    told = {key: value for key, value in reading.trailers[0].items() if key not in {"record", "group"}}
    assert list(told.values()) == [1, 12300, 1, 12300, 1, 300000]


def test_a_barcode_with_a_wrong_check_digit_refuses_the_file():
    content = sample("convenience-store")
    code = barcode(12300, 1)
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    reading = read(content.replace(code.encode(), wrong.encode()), CONVENIENCE_STORE)
    assert [fault.record for fault in reading.faults] == [2, 3]
    assert code[:10] not in str(reading.faults[0])


def test_electronic_money_has_no_prompt_report_and_may_leave_the_frame_blank():
    assert read(sample("electronic-money"), ELECTRONIC_MONEY).require().height == 1
    prompt = sample("electronic-money").replace(b"\r\n202", b"\r\n201")
    assert "データ識別コード" in str(read(prompt, ELECTRONIC_MONEY).faults[0])
    blank = sample("electronic-money").replace(b"9" + b"00000004", b"9" + b" " * 8)
    assert read(blank, ELECTRONIC_MONEY).require().height == 1
    wrong = sample("electronic-money").replace(b"9" + b"00000004", b"9" + b"00000005")
    assert read(wrong, ELECTRONIC_MONEY).faults[0].code == "total"


def test_only_code_zero_is_money_collected():
    data = read(sample("direct-debit-result"), direct_debit.RESULT).require()
    told = direct_debit.outcomes(data)
    assert told["outcome"].to_list() == ["paid", "failed", "undecided", "unknown"]
    assert told["collected_yen"].to_list() == [12300, 0, 0, 0]
    assert told["meaning"].to_list()[1] == "資金不足"
    assert told["meaning"].to_list()[3] == "未定義の結果コード"
    assert told["result_code"].to_list() == ["0", "1", "N", "X"]


@pytest.mark.parametrize("code", [chr(number) for number in range(0x21, 0x7F)])
def test_no_other_code_is_ever_paid(code):
    rows = table(direct_debit.RESULT, [SAMPLES["direct-debit-result"][1][0] | {"result_code": code}])
    told = direct_debit.outcomes(rows)
    assert (told["outcome"][0] == "paid") is (code == "0")
    assert (told["collected_yen"][0] > 0) is (code == "0")
    assert totals_of(direct_debit.RESULT, rows)["paid_count"] == int(code == "0")


def test_a_blank_result_code_is_refused():
    content = sample("direct-debit-result").replace(b"10202603000000012345" + b"0", b"10202603000000012345" + b" ")
    assert "振替結果コード" in str(read(content, direct_debit.RESULT).faults[0])


def both():
    header, rows = SAMPLES["direct-debit-request"]
    request = read(write(direct_debit.REQUEST, [(header, table(direct_debit.REQUEST, rows))]), direct_debit.REQUEST)
    back = [row | {"result_code": "0"} for row in rows]
    return request.require(), back


def result(rows):
    made = table(direct_debit.RESULT, rows)
    return read(write(direct_debit.RESULT, [(SAMPLES["direct-debit-result"][0], made)]), direct_debit.RESULT).require()


def test_a_result_must_be_its_request_line_by_line():
    request, back = both()
    assert direct_debit.differences(request, result(back)).height == 0
    assert direct_debit.differences(request, result(back[::-1])).height == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount_yen", 12301),
        ("account_number", "9999999"),
        ("bank_code", "9998"),
        ("branch_code", "999"),
        ("account_type", "2"),
        ("customer_number", "10202603000000012399"),
    ],
)
def test_a_result_that_changes_the_request_is_found(name, value):
    request, back = both()
    found = direct_debit.differences(request, result([back[0] | {name: value}, back[1]]))
    assert found.rows() == [("結果だけ", 2, 1), ("請求だけ", 2, 1)]


def test_a_result_told_twice_or_not_at_all_is_found():
    request, back = both()
    assert direct_debit.differences(request, result([*back, back[0]])).rows() == [("結果だけ", 4, 1)]
    assert direct_debit.differences(request, result(back[:1])).rows() == [("請求だけ", 3, 1)]


def test_the_customer_number_is_packed_without_cutting_or_padding():
    packed = direct_debit.pack_key("10", "2026", "03", "000000012345")
    assert packed == "10202603000000012345"
    data = read(sample("direct-debit-result"), direct_debit.RESULT).require()
    assert data.select("account_title", "fiscal_year", "term", "notice_number").row(0) == (
        "10",
        "2026",
        "03",
        "000000012345",
    )
    for bad in (("101", "2026", "03", "000000012345"), ("10", "2026", "3", "000000012345"), ("10", "2026", "03", "1")):
        with pytest.raises(WrongUse, match="桁が合いません"):
            direct_debit.pack_key(*bad)


def test_a_card_payment_says_when_the_money_will_come():
    data = read(sample("mobile-register"), MOBILE).require().filter(pl.col("means") == "2")
    assert data.select("paid_on", "remits_on", "agent_code").row(0) == ("20260710", "20260831", "000077")


def test_a_counter_payment_may_have_no_key_and_a_statement_keeps_its_kanji():
    assert read(sample("counter-general"), GENERAL).require()["notice_number"].to_list()[1] == ""
    data = read(sample("special-collection-statement"), STATEMENT).require()
    assert data["employer_address"][0] == "東京都架空区架空町一丁目２－３　髙橋ビル４階"


LEVIES = SAMPLES["payeasy-upload"][1]


def levies(*rows):
    return table(payeasy.UPLOAD, [LEVIES[0] | {"change_kind": "1"} | row for row in rows])


def test_changes_are_new_changed_and_deleted_and_nothing_else():
    before = levies({}, {"payment_number": "B", "amount_yen": 1}, {"payment_number": "C"})
    after = levies({}, {"payment_number": "B", "amount_yen": 2}, {"payment_number": "D"})
    made = payeasy.changes(before, after)
    assert made.select("change_kind", "payment_number", "amount_yen").rows() == [
        ("1", "D", 12300),
        ("2", "B", 2),
        ("3", "C", 12300),
    ]
    assert payeasy.changes(before, before).height == 0


@pytest.mark.parametrize(
    "name", [n for n in payeasy.UPLOAD.data.names if n not in {*payeasy.INQUIRY_KEY, "change_kind"}]
)
def test_any_item_that_differs_makes_a_change_record(name):
    kinds = {"amount_yen": 1, "late_fee_yen": 7, "due_on": "20270101", "payable_until": "20270101"}
    other = kinds.get(name, {"account_title": "999", "fiscal_year": "1999", "term": "99"}.get(name, "ﾍﾝｺｳ"))
    made = payeasy.changes(levies({}), levies({name: other}))
    assert made["change_kind"].to_list() == ["2"]
    assert made[name].to_list() == [other]


def test_applying_the_changes_gives_what_is_wanted():
    before = levies({}, {"payment_number": "B"}, {"payment_number": "C"})
    after = levies({"amount_yen": 99}, {"payment_number": "C"}, {"payment_number": "E"})
    made = payeasy.changes(before, after)
    keys = list(payeasy.INQUIRY_KEY)
    kept = before.join(made.filter(pl.col("change_kind") != "1"), on=keys, how="anti")
    now = pl.concat([kept, made.filter(pl.col("change_kind") != "3")]).drop("change_kind")
    assert now.sort(keys).equals(after.drop("change_kind").sort(keys))


def test_the_same_key_twice_cannot_be_changed():
    with pytest.raises(RefusedInput, match="同じ照会依頼キー"):
        payeasy.changes(levies({}, {"amount_yen": 2}), levies({}))
