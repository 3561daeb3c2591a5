"""収納の様式ごとの、架空の見本: 見出しの値と明細の行。口座番号は 9 で始まる。"""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import strategies as st

from benefit.records import file_writer
from benefit.records.fields import Field, Kind
from benefit.records.file_layout import FileLayout
from benefit.records.forms import check_digit
from benefit.records.layout_registry import BUILT_IN

#: formats §4.2 の架空の 44 桁（12,300 円）。
BARCODE = "91999999000000000000000012345026073100123008"
_FRAME = {"made_on": "20260711", "agent_code": "000010", "biller_code": "0000099999", "usage": "1"}
_DEBIT = {
    "client_code": "1234567890",
    "client_name": "ｶｸｳｼ ｶｲｹｲｶ",
    "debit_month_day": "0831",
    "bank_code": "9999",
    "bank_name": "ｶｸｳｷﾞﾝｺｳ",
    "branch_code": "001",
    "branch_name": "ﾎﾝﾃﾝ",
    "account_type": "1",
    "account_number": "0012345",
}


def barcode(amount_yen: int, number: int) -> str:
    """架空の 44 桁。"""
    body = f"919999992026{number:017d}0260731{0}{amount_yen:06d}"
    return f"{body}{check_digit(body)}"


_CVS = {
    "paid_on": "20260710",
    "paid_at": "0915",
    "barcode_kind": "1",
    "store_code": "0012345",
    "customer_kind": "00",
    "received_on": "20260711",
    "settles_on": "00000000",
    "booked_on": "20260710",
    "chain_code": "003711",
}
_MOBILE = {
    "paid_on": "20260710",
    "paid_at": "091530",
    "barcode": barcode(12300, 1),
    "bank_code": "9999",
    "agent_code": "",
    "approval_number": "",
    "receipt_number": "R202607100001",
}
_CARD = _MOBILE | {"means": "2", "bank_code": "", "agent_code": "000077", "approval_number": "A123456"}
_LEVY = {
    "biller_number": "99999",
    "payment_number": "00000000000000012345",
    "confirmation_number": "654321",
    "payment_class": "001",
    "account_title": "101",
    "fiscal_year": "2026",
    "term": "03",
    "amount_yen": 12300,
    "late_fee_yen": 0,
    "due_on": "20260630",
    "payable_until": "20260731",
    "payer_kana": "ﾔﾏﾀﾞ ﾀﾛｳ",
    "shown": "国民健康保険料　令和８年度３期",
    "person_number": "000000000012345",
}
_LEVY2 = _LEVY | {
    "payment_number": "12346",
    "amount_yen": 4500,
    "late_fee_yen": 100,
    "payer_kana": "ｽｽﾞｷ ﾊﾅｺ",
    "shown": "国保料３期（分納）",
    "person_number": "",
}
_MPN = {
    "biller_number": "99999",
    "account_title": "101",
    "fiscal_year": "2026",
    "term": "03",
    "amount_yen": 12300,
    "payment_number": "00000000000000012345",
    "confirmation_number": "654321",
    "payment_class": "001",
    "bank_code": "9999",
    "branch_code": "101",
    "paid_on": "20260710",
    "paid_at": "091530",
    "channel": "2",
    "settles_on": "",
}
_COUNTER = {
    "account_title": "101",
    "fiscal_year": "2026",
    "term": "03",
    "amount_yen": 12300,
    "paid_yen": 12300,
    "late_fee_yen": 0,
    "bank_code": "9999",
    "branch_code": "101",
    "paid_on": "20260710",
    "notice_number": "00000000000000012345",
}
_CLEANING = _COUNTER | {"account_title": "301", "levied_yen": 12300, "fee_yen": 615, "payer": "架空清掃㈱"}
_EMPLOYER = {
    "fiscal_year": "2026",
    "term": "06",
    "employer_number": "000000000099999",
    "paid_yen": 123400,
    "late_fee_yen": 0,
    "retirement_yen": 5600,
    "bank_code": "9999",
    "branch_code": "",
    "paid_on": "20260710",
}
_STATEMENT = {
    "agent_bank_code": "9999",
    "agent_bank_name": "ｶｸｳｷﾞﾝｺｳ",
    "hub_branch_code": "001",
    "hub_branch_name": "ﾎﾝﾃﾝ",
    "branch_code": "101",
    "branch_name": "ﾐﾅﾐｼﾃﾝ",
    "employer_number": "000000000099999",
    "employer_name": "株式会社架空商事",
    "employer_postal_code": "1000000",
    "employer_address": "東京都架空区架空町一丁目２－３　髙橋ビル４階",
    "paid_yen": 123400,
    "late_fee_yen": 0,
    "retirement_yen": 5600,
    "bank_code": "9999",
    "paid_on": "20260710",
}
_ENROLMENT = {
    "person_number": "000000000012345",
    "account_title": "101",
    "from_on": "20260401",
    "bank_code": "9999",
    "branch_code": "101",
    "account_type": "1",
    "account_number": "9000001",
    "holder_kana": "ﾔﾏﾀﾞ ﾀﾛｳ",
}
_PAYER = {
    "bank_code": "9999",
    "bank_name": "ｶｸｳｷﾞﾝｺｳ",
    "branch_code": "101",
    "branch_name": "ﾐﾅﾐｼﾃﾝ",
    "account_type": "1",
    "account_number": "9000001",
    "holder_kana": "ﾔﾏﾀﾞ ﾀﾛｳ",
    "amount_yen": 12300,
    "new_code": "0",
    "customer_number": "10202603000000012345",
}
_PAYER2 = _PAYER | {
    "account_number": "9000002",
    "holder_kana": "ｽｽﾞｷ ﾊﾅｺ",
    "amount_yen": 4500,
    "customer_number": "10202603000000012346",
}
_STANDARD = {
    "data_kind": "02",
    "channel": "payeasy-paid",
    "account_title": "101",
    "fiscal_year": "2026",
    "term": "03",
    "payment_key": "00000000000000012345",
    "confirmation_number": "654321",
    "payment_class": "001",
    "amount_yen": 12300,
    "late_fee_yen": 0,
    "bank_code": "9999",
    "place_code": "101",
    "paid_on": "20260710",
    "paid_at": "091530",
    "settles_on": "20260731",
    "biller_number": "99999",
    "means": "2",
}
_BLANK_FRAME = dict.fromkeys(_FRAME, "")

#: 様式の名 → （見出し、明細）。
SAMPLES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "convenience-store": (
        _FRAME,
        [
            _CVS | {"data_kind": "01", "barcode": barcode(12300, 1)},
            _CVS | {"data_kind": "02", "barcode": barcode(12300, 1), "settles_on": "20260731"},
            _CVS | {"data_kind": "03", "barcode": barcode(300000, 2)},
        ],
    ),
    "electronic-money": (
        _BLANK_FRAME,
        [_CVS | {"data_kind": "02", "barcode": barcode(4500, 3), "settles_on": "20260731", "store_code": ""}],
    ),
    "mobile-register": (
        _FRAME,
        [
            _MOBILE | {"data_kind": "01", "means": "1", "remits_on": ""},
            _MOBILE | {"data_kind": "02", "means": "1", "remits_on": "20260714"},
            _CARD | {"data_kind": "02", "barcode": barcode(4500, 2), "remits_on": "20260831"},
        ],
    ),
    "card-remittance": (
        _FRAME,
        [
            {
                "remitted_on": "20260831",
                "agent_code": "000077",
                "approval_number": "A123456",
                "receipt_number": "R202607100001",
                "barcode": barcode(4500, 2),
                "paid_on": "20260710",
                "amount_yen": 4500,
                "fee_yen": 45,
            }
        ],
    ),
    "payeasy-upload": (
        _FRAME,
        [
            _LEVY | {"change_kind": "1"},
            _LEVY2 | {"change_kind": "2"},
            _LEVY2 | {"change_kind": "3", "payment_number": "12347"},
        ],
    ),
    "payeasy-paid": (
        _FRAME,
        [
            _MPN | {"data_kind": "01"},
            _MPN | {"data_kind": "02", "settles_on": "20260713"},
            _MPN | {"data_kind": "03", "payment_number": "12346", "biller_number": "", "channel": "", "paid_at": ""},
        ],
    ),
    "counter-general": (_FRAME, [_COUNTER | {"entry_kind": "1"}, _COUNTER | {"entry_kind": "2", "notice_number": ""}]),
    "counter-care": (_FRAME, [_COUNTER | {"entry_kind": "1", "account_title": "201"}]),
    "counter-cleaning": (_FRAME, [_CLEANING | {"entry_kind": "1"}]),
    "special-collection": (_FRAME, [_EMPLOYER | {"entry_kind": "1"}, _EMPLOYER | {"entry_kind": "2", "paid_yen": 100}]),
    "special-collection-statement": (_FRAME, [_STATEMENT, _STATEMENT | {"employer_name": "", "paid_yen": 1}]),
    "direct-debit-accounts": (
        _FRAME,
        [
            _ENROLMENT | {"change_kind": "1"},
            _ENROLMENT | {"change_kind": "2", "account_number": "9000002"},
            dict.fromkeys(_ENROLMENT, "")
            | {"change_kind": "3", "person_number": "000000000012346"}
            | {"account_title": "201", "from_on": "20260801"},
        ],
    ),
    "direct-debit-request": (_DEBIT, [_PAYER, _PAYER2]),
    "direct-debit-result": (
        _DEBIT,
        [
            _PAYER | {"result_code": "0"},
            _PAYER2 | {"result_code": "1"},
            _PAYER2 | {"result_code": "N", "account_number": "9000003"},
            _PAYER2 | {"result_code": "X", "account_number": "9000004"},
        ],
    ),
    "standard-levies": (_FRAME, [_LEVY | {"notice_number": "000000012345"}]),
    "standard-paid": (_FRAME, [_STANDARD, _STANDARD | {"data_kind": "01", "settles_on": ""}]),
}
#: 種別 99 は読むだけなので、バイトで持つ。分からない所に何があっても、そのまま残る。
LOCAL_TAX = [
    "1990" + "0000000099" + "001" + "080710" + "0806" + "ｶ)ｶｸｳｼﾖｳｼﾞ".ljust(40) + "ﾄｳｷﾖｳﾄ ｶｸｳｸ ｶｸｳﾁﾖｳ 1-2-3".ljust(50) + "   ",
    "2" + "131041" + "ｶｸｳｸ".ljust(15) + "000000000099999" + " " + "00012" + "000123400" + "00001" + "000005600"
    + ("00013" + "000000129000").ljust(54),
    "8" + ("000001" + "000000129000").ljust(119),
    "9" + " " * 119,
]  # fmt: skip


def table(layout: FileLayout, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """明細の行を、様式の列の順の表にする。"""
    numbers = set(layout.numbers())
    schema = {name: pl.Int64 if name in numbers else pl.String for name in layout.data.names}
    return pl.DataFrame([{name: row[name] for name in schema} for row in rows], schema=schema)


def sample(layout_id: str, *, newline: str | None = None) -> bytes:
    """見本のファイル。"""
    if layout_id == "local-tax-99":
        return "".join(f"{line}\r\n" for line in LOCAL_TAX).encode("cp932")
    layout = BUILT_IN[layout_id]
    header, rows = SAMPLES[layout_id]
    return file_writer.write(layout, [(header, table(layout, rows))], newline=newline)


_KANJI = st.sampled_from("国保料延長髙﨑架空区　ﾔﾏﾀﾞA1-～－①㈱弌")
_DAYS = st.dates().map(lambda day: f"{day:%Y%m%d}".zfill(8))
_FORMS = {
    "date": _DAYS,
    "short_date": st.dates().map(lambda day: f"{day:%m%d}").map(lambda text: "24" + text),
    "month_day": st.dates().map(lambda day: f"{day:%m%d}"),
    "era_date": st.dates().map(lambda day: f"08{day:%m%d}"),
    "era_month": st.dates().map(lambda day: f"08{day:%m}"),
    "barcode": st.tuples(st.integers(0, 999_999), st.integers(0, 10**17 - 1)).map(lambda pair: barcode(*pair)),
    "deadline": st.sampled_from(["999999", "260731"]),
}


def values_of(field: Field) -> st.SearchStrategy[Any]:
    """項目に書ける値の全部から。"""
    if field.kind is Kind.NUMBER:
        return st.integers(field.minimum, 10**field.length - 1)
    if field.choices:
        made: st.SearchStrategy[Any] = st.sampled_from(field.choices)
    elif field.form == "time":
        made = st.times().map(lambda time: f"{time:%H%M%S}"[: field.length])
    elif field.form:
        made = _FORMS[field.form]
    elif field.valid:
        made = st.one_of(st.just("0" * field.length), _DAYS)
    elif field.kind is Kind.DIGITS:
        made = st.text("0123456789", min_size=field.length, max_size=field.length)
    elif field.kind is Kind.WIDE:
        made = st.text(_KANJI, min_size=1, max_size=field.length // 2).map(lambda text: text.rstrip(" "))
    else:
        letters = sorted(field.allowed.characters)
        made = st.text(letters, min_size=1, max_size=field.length).map(lambda text: text.rstrip(" ") or "A")
    return st.one_of(st.just(""), made) if field.blank_ok else made
