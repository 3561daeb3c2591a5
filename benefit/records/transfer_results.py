"""振込の結果（120 バイト固定長）: 総合振込をそのまま写し、空きだけに結果を載せる。CSV は transfer_results_csv。

私たちの取り決めであり、公開の標準はない（formats §3.2）。足りない・知らない・合わないデータは、レコードと
バイト位置と項目を言って断り、一行も受け取らない。件数と金額は行から数え直し、トレーラと比べる。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from benefit.domain.errors import Place, RefusedInput, WrongUse
from benefit.records import layout_view as view
from benefit.records import transfer_results_csv
from benefit.records.layout import ENCODING, Field, Layout, Value, const, digits, filler, number, text
from benefit.records.transfer_result_row import CREDITED_REASON, REASONS, Outcome, TransferResult, TransferResults
from benefit.records.zengin import END, HEADER_FIELDS, NEWLINE, READ_ON, RECORD_LENGTH, is_month_day
from benefit.records.zengin_text import ANY_JISX0201

_SOURCES = ("本システムの取り決め（公開の標準はない。総合振込を写し、空きだけを使う）",)


def _is_day(value: str) -> bool:
    return _day(value) is not None


def _day(yymmdd: str) -> date | None:
    try:
        return date(2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return None


def _layout(name: str, *fields: Field) -> Layout:
    return Layout(name, RECORD_LENGTH, fields, sources=_SOURCES, verified=False, read_on=READ_ON)


HEADER = _layout(
    "振込結果ヘッダ",
    *HEADER_FIELDS,
    const("R", "ファイル種類", "結果。空白なら普通の総合振込"),
    digits("created_on", "作成日", 6, valid=_is_day, note="YYMMDD（西暦）"),
    digits("serial", "通番", 3, note="日ごと"),
    filler(7),
)
#: 1～113 バイトは元の総合振込のまま。写しなので、書くときより広く読む。
DATA = _layout(
    "振込結果データ",
    const("2", "データ区分"),
    digits("bank_code", "被仕向銀行番号", 4),
    text("bank_name", "被仕向銀行名", 15, ANY_JISX0201),
    digits("branch_code", "被仕向支店番号", 3),
    text("branch_name", "被仕向支店名", 15, ANY_JISX0201),
    text("clearing_house", "手形交換所番号", 4, ANY_JISX0201, choices=("0000",), note="空白も可"),
    digits("account_type", "預金種目", 1, choices=("1", "2", "4", "9")),
    digits("account_number", "口座番号", 7, sensitive=True),
    text("holder_kana", "受取人名", 30, ANY_JISX0201, blank_ok=False, sensitive=True),
    number("amount_yen", "振込金額", 10, minimum=1, note="円"),
    digits("new_code", "新規コード", 1, choices=("0", "1", "2")),
    text("reference", "顧客コード1・2 か EDI 情報", 20, ANY_JISX0201, note="識別表示が Y でなければ 10 桁の数字が二つ"),
    digits("designation", "振込指定区分", 1, choices=("7", "8", "0"), blank_ok=True),
    text("identification", "識別表示", 1, ANY_JISX0201, choices=("Y",), note="空白も可"),
    digits(
        "outcome", "処理結果", 1, choices=tuple(Outcome), note="0 入金済、1 振込不能、2 照会中、3 組戻済、4 組戻不成立"
    ),
    digits("reason_code", "不能理由コード", 2, choices=tuple(REASONS)),
    digits("transfer_month_day", "元振込指定日", 4, valid=is_month_day, note="MMDD"),
)
TRAILER = _layout(
    "振込結果トレーラ",
    const("8", "データ区分"),
    number("count", "合計件数", 6, minimum=1),
    number("total_yen", "合計金額", 12, minimum=1, note="円"),
    number("paid_count", "振込済件数", 6),
    number("paid_yen", "振込済金額", 12, note="円"),
    number("unpaid_count", "振込不能件数", 6),
    number("unpaid_yen", "振込不能金額", 12, note="円"),
    filler(65),
)
_BY_KIND = {b"1": HEADER, b"2": DATA, b"8": TRAILER, b"9": END}


class Answer(NamedTuple):
    """銀行の一件への答え（`mirror` に渡す）。"""

    outcome: Outcome
    reason_code: str = CREDITED_REASON


def read(content: bytes, *, file: str = "") -> TransferResults:
    """結果のファイルを読む。固定長か CSV かは中身で分かる。"""
    if not content.strip():
        raise RefusedInput("ファイルが空です", code="empty-file", place=Place(file))
    return read_fixed(content, file=file) if content[:3] == b"121" else transfer_results_csv.read(content, file=file)


def read_fixed(content: bytes, *, file: str = "") -> TransferResults:
    """固定長の結果を読む。改行は CRLF かなし。"""
    records = view.split_records(content, RECORD_LENGTH, file=file)
    _check_order(records, file)
    if records[0][103:104] == b" ":
        raise RefusedInput(
            "総合振込の依頼ファイルで、結果ではありません",
            code="not-a-result",
            place=Place(file, 1, "ファイル種類（104 バイト目）"),
            found="空白",
            allowed="「R」",
        )
    header = HEADER.decode(records[0], file=file, record=1)
    created_on = _day(str(header["created_on"]))
    assert created_on is not None
    rows = [_row(raw, created_on, file, record) for record, raw in enumerate(records[1:-2], start=2)]
    trailer = TRAILER.decode(records[-2], file=file, record=len(records) - 1)
    END.decode(records[-1], file=file, record=len(records))
    _check_totals(trailer, rows, file, len(records) - 1)
    return TransferResults("固定長", rows, created_on, str(header["serial"]))


def _check_order(records: Sequence[bytes], file: str) -> None:
    kinds = b"1" + b"2" * (len(records) - 3) + b"89"
    for record, raw in enumerate(records, start=1):
        allowed = kinds[record - 1 : record]
        if len(records) < 4 or raw[:1] != allowed:
            raise RefusedInput(
                "データ区分の順が違います",
                code="record-order",
                place=Place(file, record, "データ区分（1 バイト目）"),
                found=f"0x{raw[:1].hex().upper()}（全 {len(records)} レコード）",
                allowed="1、2 が一件以上、8、9 の順",
            )


def _row(raw: bytes, created_on: date, file: str, record: int) -> TransferResult:
    values = DATA.decode(raw, file=file, record=record)
    outcome, reason_code = Outcome(str(values["outcome"])), str(values["reason_code"])
    if (outcome is Outcome.CREDITED) != (reason_code == CREDITED_REASON) and outcome in _REASON_FOLLOWS:
        raise RefusedInput(
            "処理結果と不能理由コードが合いません",
            code="reason",
            place=Place(file, record, "不能理由コード（115～116 バイト目）"),
            found=f"処理結果 {outcome}、理由 {reason_code}",
            allowed="入金済なら 00、振込不能なら 00 でない理由",
        )
    codes: tuple[str | None, str | None] = (None, None)
    if values["identification"] != "Y":
        reference = str(values["reference"])
        if len(reference) != 20 or not reference.isdigit():
            raise RefusedInput(
                "顧客コードが数字ではありません",
                code="customer-code",
                place=Place(file, record, "顧客コード1・2（92～111 バイト目）"),
                allowed="10 桁の数字が二つ（文字なら識別表示は Y）",
            )
        codes = reference[:10], reference[10:]
    return TransferResult(
        record=record,
        bank_code=str(values["bank_code"]),
        branch_code=str(values["branch_code"]),
        account_type=str(values["account_type"]),
        account_number=str(values["account_number"]),
        holder_kana=str(values["holder_kana"]),
        amount_yen=int(values["amount_yen"]),
        outcome=outcome,
        reason_code=reason_code,
        reason=REASONS[reason_code].says,
        transferred_on=_year_of(str(values["transfer_month_day"]), created_on, file, record),
        customer_code1=codes[0],
        customer_code2=codes[1],
    )


# 照会中と組戻は、理由がまだない・別にあることがある。
_REASON_FOLLOWS = {Outcome.CREDITED, Outcome.FAILED}


def _year_of(month_day: str, created_on: date, file: str, record: int) -> date:
    """年のない月日は、結果の作成日以前で最も近い日と読む（一年を超えては遡らない。私たちの決まり）。"""
    for year in (created_on.year, created_on.year - 1):
        found = _day(f"{year % 100:02d}{month_day}")
        if found and timedelta(0) <= created_on - found <= timedelta(days=366):
            return found
    raise RefusedInput(
        "元振込指定日の年が決まりません",
        code="transfer-date",
        place=Place(file, record, "元振込指定日（117～120 バイト目）"),
        found=month_day,
        allowed="作成日から一年以内にある月日",
    )


def _totals(rows: Sequence[tuple[Outcome, int]]) -> dict[str, Value]:
    paid = [amount_yen for outcome, amount_yen in rows if outcome.paid is True]
    unpaid = [amount_yen for outcome, amount_yen in rows if outcome.paid is False]
    return {
        "count": len(rows),
        "total_yen": sum(amount_yen for _, amount_yen in rows),
        "paid_count": len(paid),
        "paid_yen": sum(paid),
        "unpaid_count": len(unpaid),
        "unpaid_yen": sum(unpaid),
    }


def _check_totals(trailer: dict[str, Value], rows: Sequence[TransferResult], file: str, record: int) -> None:
    counted = _totals([(row.outcome, row.amount_yen) for row in rows])
    for placed in TRAILER.placed:
        name = placed.field.name
        if name and trailer[name] != counted[name]:
            raise RefusedInput(
                "トレーラが、行から数えたものと合いません",
                code="totals",
                place=Place(file, record, placed.title),
                found=f"{trailer[name]:,}",
                allowed=f"{counted[name]:,}",
            )


def mirror(request: bytes, answers: Sequence[Answer], *, created_on: date, serial: int = 1) -> bytes:
    """総合振込 `request` への結果を作る（銀行の役。デモと試験のため）。1～113 バイトは依頼のまま。"""
    records = view.split_records(request, RECORD_LENGTH)
    if len(records) != len(answers) + 3:
        raise WrongUse("依頼と答えの件数が合いません", found=f"{len(answers)} 件", allowed=f"{len(records) - 3} 件")
    month_day = records[0][54:58]
    header = records[0][:103] + f"R{created_on:%y%m%d}{serial:03d}".encode().ljust(17)
    data = [
        raw[:113] + f"{answer.outcome}{answer.reason_code}".encode() + month_day
        for raw, answer in zip(records[1:-2], answers, strict=True)
    ]
    amounts = [(answer.outcome, int(raw[80:90])) for raw, answer in zip(data, answers, strict=True)]
    trailer = TRAILER.encode(_totals(amounts), record=len(records) - 1)
    newline = NEWLINE.encode(ENCODING)
    content = b"".join(raw + newline for raw in (header, *data, trailer, records[-1]))
    read_fixed(content)
    return content


def layout_of(record: bytes) -> Layout:
    """レコードの様式（データ区分による）。ない区分は断る。"""
    if layout := _BY_KIND.get(record[:1]):
        return layout
    raise RefusedInput("データ区分が違います", code="record-kind", found=f"0x{record[:1].hex()}", allowed="1、2、8、9")


def render(content: bytes, *, show_sensitive: bool = False) -> str:
    """ファイル全体を「項目 位置 値」で書き下す。"""
    return view.render_file(content, layout_of, length=RECORD_LENGTH, show_sensitive=show_sensitive)


def specification() -> str:
    """振込結果の四つのレコードの仕様書（Markdown）。"""
    return "\n".join(view.specification(layout) for layout in (HEADER, DATA, TRAILER, END))
