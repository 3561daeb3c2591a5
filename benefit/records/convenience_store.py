"""コンビニ収納と電子マネーの収納データ（120 バイト）。速報・確報・速報取消が一つのファイルに混ざる。

明細の様式は公開の一例から（公式ではない）、枠は自分たちの取り決め（formats §4.4–4.6）。
金額は、バーコードの 38–43 桁だけにある。
自由使用欄 21 桁の切り方は契約によるので、`layout(FreeSpace(…))` で変える。
"""

from __future__ import annotations

from dataclasses import dataclass

from benefit.domain.errors import WrongUse
from benefit.records import collection_frame as frame
from benefit.records.collection_frame import CANCELLED, DATA_KIND_NOTE, DATA_KINDS, FINAL
from benefit.records.file_layout import FileLayout, Part
from benefit.records.forms import is_date
from benefit.records.layout import Layout, const, digits, filler, text
from benefit.records.zengin_text import ANY_JISX0201

LENGTH = 120
_OBSERVED = "ある銀行の取込の公開コード一例（formats §4.5。公式の手引 第3章は未見）"
_FREE_START, _FREE_LENGTH = 9, 21


@dataclass(frozen=True)
class FreeSpace:
    """バーコードの自由使用欄 21 桁の切り方（年度、納付書番号、残りは代行会社の桁）。既定は 年度 4・納付書番号 17。"""

    agent_digits: int = 0
    year_digits: int = 4
    slip_digits: int = 17

    def __post_init__(self) -> None:
        """合わせて 21 桁でなければ断る。"""
        if (
            self.agent_digits + self.year_digits + self.slip_digits != _FREE_LENGTH
            or min(self.agent_digits, self.year_digits, self.slip_digits) < 0
        ):
            raise WrongUse("自由使用欄の桁の合計が 21 ではありません", code="free-space")

    def pack(self, year: str, slip_number: str, agent: str = "") -> str:
        """21 桁にする。桁の合わない番号は断る（黙って切らない）。"""
        told = (("代行会社の桁", agent, self.agent_digits), ("年度", year, self.year_digits))
        for name, value, length in (*told, ("納付書番号", slip_number, self.slip_digits)):
            if len(value) != length or (length and not (value.isascii() and value.isdigit())):
                raise WrongUse(f"{name}の桁が合いません", found=f"{len(value)} 桁", allowed=f"{length} 桁の数字")
        return agent + year + slip_number


def barcode_parts(free: FreeSpace = FreeSpace()) -> tuple[Part, ...]:
    """44 桁の中身（formats §4.1・4.3）。"""
    at = _FREE_START
    parts = [Part("maker_code", "メーカーコード", "barcode", 3, 6)]
    named = (
        ("agent_part", "代行会社の桁", free.agent_digits),
        ("slip_year", "年度", free.year_digits),
        ("slip_number", "納付書番号", free.slip_digits),
    )
    for name, label, length in named:
        if length:
            parts.append(Part(name, label, "barcode", at, length, note="自由使用欄の切り方は取り決め"))
        at += length
    return (
        *parts,
        Part("reissue", "再発行区分", "barcode", 30, 1),
        Part("pay_by", "支払期限日", "barcode", 31, 6, note="YYMMDD、999999 は期限なし"),
        Part("stamp", "印紙フラグ", "barcode", 37, 1),
        Part("amount_yen", "支払金額", "barcode", 38, 6, number=True, note="円"),
    )


def _data(name: str, kinds: tuple[str, ...]) -> Layout:
    return Layout(
        f"{name}データ",
        LENGTH,
        (
            const("2", "レコード区分"),
            digits("data_kind", "データ識別コード", 2, choices=kinds, note=DATA_KIND_NOTE),
            digits("paid_on", "収納日付", 8, form="date", note="YYYYMMDD"),
            digits("paid_at", "収納時間", 4, form="time", note="HHMM"),
            digits("barcode_kind", "バーコード種別", 1),
            digits("barcode", "バーコード情報", 44, form="barcode", sensitive=True, note="91 から検査数字まで"),
            filler(3),
            text("store_code", "収納店舗コード", 7, ANY_JISX0201, note="幅はチェーンによる。そのまま通す"),
            text("customer_kind", "客層", 2, ANY_JISX0201),
            digits("received_on", "データ取得日", 8, form="date"),
            digits("settles_on", "支払い予定日", 8, blank_ok=True, valid=_settlement, note="YYYYMMDD。速報では 0"),
            digits("booked_on", "経理処理日", 8, form="date"),
            text("chain_code", "小売業企業コード", 6, ANY_JISX0201),
            filler(18, "予備"),
        ),
        sources=(_OBSERVED, frame.SEED_3),
        verified=False,
        read_on=frame.READ_ON,
    )


def _settlement(value: str) -> bool:
    return value == "0" * 8 or is_date(value)


def layout(free: FreeSpace = FreeSpace()) -> FileLayout:
    """コンビニ収納のファイルの様式。"""
    name = "コンビニ収納"
    return FileLayout(
        "convenience-store",
        "コンビニ収納データ",
        data=_data(name, DATA_KINDS),
        header=frame.header(name, LENGTH, source=frame.SEED_3),
        trailer=frame.trailer(name, LENGTH, frame.KIND_SLOTS, source=frame.SEED_3),
        end=frame.end(name, LENGTH, source=frame.SEED_3),
        totals=frame.kind_totals(),
        parts=barcode_parts(free),
        end_count="records",
    )


def _e_money_trailer() -> Layout:
    # 種文書 003 で下線があるのは確報と速報取消の合計だけ。速報の合計は、空白でも 0 でもよい。
    return frame.own(
        "電子マネー収納トレーラ",
        LENGTH,
        const("8", "レコード区分"),
        digits("provisional_count", "速報件数合計", 6, choices=("000000",), blank_ok=True, note="扱わない"),
        digits("provisional_yen", "速報金額合計", 12, choices=("0" * 12,), blank_ok=True, note="扱わない"),
        *frame.trailer("電子マネー収納", LENGTH, frame.KIND_SLOTS[1:], source=frame.SEED_3).fields[1:-1],
        filler(65),
        source=frame.SEED_3,
    )


def e_money_layout(free: FreeSpace = FreeSpace()) -> FileLayout:
    """電子マネーの収納データ: 速報はなく、見出しの項目と総件数は空白でよい（種文書 003 の下線の項目だけ）。"""
    name = "電子マネー収納"
    return FileLayout(
        "electronic-money",
        "電子マネー収納データ",
        data=_data(name, (FINAL, CANCELLED)),
        header=frame.header(name, LENGTH, source=frame.SEED_3, blank_ok=True),
        trailer=_e_money_trailer(),
        end=frame.end(name, LENGTH, source=frame.SEED_3, blank_ok=True),
        totals=frame.kind_totals()[1:],
        parts=barcode_parts(free),
        end_count="records",
    )


CONVENIENCE_STORE = layout()
ELECTRONIC_MONEY = e_money_layout()
