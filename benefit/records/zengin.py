"""総合振込ファイル（全銀協規定フォーマット、種別 21、120 バイト、各レコードの後に CRLF）。

`build` は見出しと振込の並びからファイルを作る。件数と合計は必ず並びから数え、渡されることはない。
読み替えられない氏名、範囲の外の金額が一件でもあれば、何も作らずにその行を言って断る
（どの行が作れないかは `unwritable` が全部挙げる）。作ったファイルは、送り出す前に
`zengin_reader`（別に書いた読み手）が読み直す。
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from operator import attrgetter
from typing import cast

from benefit.domain.errors import Place, RefusedInput
from benefit.records import layout_view as view
from benefit.records import zengin_writer_block
from benefit.records.layout import Field, Layout, Value, const, digits, filler, number, text
from benefit.records.zengin_text import (
    BANK_NAME,
    PARTY_NAME,
    PARTY_NAME_WITH_WO,
    CharacterClass,
    convert,
    convert_all,
    cut,
    cut_all,
)

RECORD_LENGTH = 120
HOLDER_BYTES = 30
NEWLINE = "\r\n"
AMOUNT_MAX_YEN = 9_999_999_999
COUNT_MAX = 999_999
#: 契約 §1: 預金種目 1 普通、2 当座、4 貯蓄。
ACCOUNT_TYPES = ("1", "2", "4")

SOURCES = (
    "全国銀行協会「適用業務およびレコード・フォーマット」令和元年12月（zengin4j の引用による）",
    "為替振込持込フォーマット（位置の印刷された持込規格）",
    "群馬・愛知・兵庫県信組・十八親和・三井住友の公開資料（同上の引用による）",
)
READ_ON = date(2026, 11, 21)


def is_month_day(value: str) -> bool:
    """MMDD が暦にある月日か。年がないので 0229 は許す。"""
    month, day = int(value[:2]), int(value[2:])
    days = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]


#: 結果のファイル（transfer_results）と共通の、見出しの 103 バイト。
HEADER_FIELDS = (
    const("1", "データ区分"),
    const("21", "種別コード", "総合振込"),
    const("0", "コード区分", "JIS"),
    digits("client_code", "振込依頼人コード", 10, note="銀行が付番する委託者コード"),
    text("client_name", "振込依頼人名", 40, PARTY_NAME, blank_ok=False),
    digits("transfer_month_day", "取組日", 4, valid=is_month_day, note="MMDD（年はない）"),
    digits("bank_code", "仕向銀行番号", 4),
    text("bank_name", "仕向銀行名", 15, BANK_NAME, note="任意"),
    digits("branch_code", "仕向支店番号", 3),
    text("branch_name", "仕向支店名", 15, BANK_NAME, note="任意"),
    digits("account_type", "預金種目（依頼人）", 1, choices=("1", "2", "9"), note="1 普通、2 当座、9 その他"),
    digits("account_number", "口座番号（依頼人）", 7, sensitive=True),
)


def _layout(name: str, *fields: Field) -> Layout:
    return Layout(name, RECORD_LENGTH, fields, sources=SOURCES, verified=True, read_on=READ_ON)


def _data(allowed: CharacterClass) -> Layout:
    return _layout(
        "総合振込データ",
        const("2", "データ区分"),
        digits("bank_code", "被仕向銀行番号", 4),
        text("bank_name", "被仕向銀行名", 15, BANK_NAME, note="任意"),
        digits("branch_code", "被仕向支店番号", 3),
        text("branch_name", "被仕向支店名", 15, BANK_NAME, note="任意"),
        const("0000", "手形交換所番号", "今は使わない"),
        digits("account_type", "預金種目", 1, choices=ACCOUNT_TYPES, note="1 普通、2 当座、4 貯蓄"),
        digits("account_number", "口座番号", 7, sensitive=True),
        text("holder_kana", "受取人名", HOLDER_BYTES, allowed, blank_ok=False, sensitive=True),
        number("amount_yen", "振込金額", 10, minimum=1, note="円"),
        digits("new_code", "新規コード", 1, choices=("0", "1", "2"), note="1 第1回、2 口座の変更分、0 その他"),
        digits("customer_code1", "顧客コード1", 10, note="依頼人の整理番号"),
        digits("customer_code2", "顧客コード2", 10, note="依頼人の整理番号"),
        digits("designation", "振込指定区分", 1, choices=("7", "8", "0"), blank_ok=True, note="7 電信、8 文書"),
        const(" ", "識別表示", "EDI 情報は書かない"),
        filler(7),
    )


HEADER = _layout("総合振込ヘッダ", *HEADER_FIELDS, filler(17))
DATA = _data(PARTY_NAME)
#: ｦ を受け付けると約束した銀行に出すときだけの様式。
DATA_WITH_WO = _data(PARTY_NAME_WITH_WO)
TRAILER = _layout(
    "総合振込トレーラ",
    const("8", "データ区分"),
    number("count", "合計件数", 6, minimum=1),
    number("total_yen", "合計金額", 12, minimum=1, note="円"),
    filler(101),
)
END = _layout("総合振込エンド", const("9", "データ区分"), filler(119))
_BY_KIND = {b"1": HEADER, b"2": DATA_WITH_WO, b"8": TRAILER, b"9": END}


@dataclass(frozen=True)
class FileHeader:
    """依頼人と取組日。名は全角でも半角でもよい（書くときに読み替え、切る）。

    transfer_on: 振込指定日。ファイルには月日だけが載る。designation: 銀行が求める振込指定区分（`7`・`8`・`0`・空）。
    """

    client_code: str
    client_name: str
    transfer_on: date
    bank_code: str
    branch_code: str
    account_type: str
    account_number: str = field(repr=False)
    bank_name: str = ""
    branch_name: str = ""
    designation: str = "7"


@dataclass(frozen=True, slots=True)
class TransferLine:
    """一件の振込。`holder_kana` は台帳のまま渡す（全角でも半角でもよい）。金額は円。

    new_code: `1` 第1回、`2` 銀行・店・種目・番号のどれかを変えた再振込、`0` その他（formats §3.5）。
    """

    bank_code: str
    branch_code: str
    account_type: str
    account_number: str = field(repr=False)
    holder_kana: str = field(repr=False)
    amount_yen: int
    customer_code1: str = "0" * 10
    customer_code2: str = "0" * 10
    new_code: str = "1"
    bank_name: str = ""
    branch_name: str = ""


@dataclass(frozen=True)
class BankFile:
    """作ったファイル。件数と合計（円）は振込の並びから数えたもの。"""

    content: bytes = field(repr=False)
    count: int
    total_yen: int

    @property
    def sha256(self) -> str:
        """承認される指紋。"""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Unwritable:
    """書けない一件。`number` は並びの中の番号（1 から）。"""

    number: int
    refusal: RefusedInput


_LINE_NAMES = tuple(item.name for item in fields(TransferLine))
_LINE_VALUES = attrgetter(*_LINE_NAMES)


def build(header: FileHeader, lines: Sequence[TransferLine], *, with_wo: bool = False, file: str = "") -> BankFile:
    """総合振込ファイルを作る。`with_wo` は受取人名の ｦ を受け付ける銀行だけ。

    断り（`RefusedInput`、行はファイルの行 = 見出しの次が 2 行目）: 一件もない、件数・合計・金額が範囲の外、
    桁の合わない番号、読み替えられない字（符号位置を言う）、空の名義。
    """
    check_count(len(lines))
    return _whole(header, _columns(lines, header.designation), with_wo=with_wo, file=file)


def build_columns(
    header: FileHeader, columns: Mapping[str, Sequence[Value]], *, with_wo: bool = False, file: str = ""
) -> BankFile:
    """`build` と同じファイルを、列（`TransferLine` の項目の英語名 → 値の並び）から作る。何十万件もあるときに使う。"""
    count = len(columns["amount_yen"])
    check_count(count)
    filled = {name: [""] * count for name in ("bank_name", "branch_name")}
    return _whole(
        header, {**filled, **columns, "designation": [header.designation] * count}, with_wo=with_wo, file=file
    )


def _whole(header: FileHeader, columns: Mapping[str, Sequence[Value]], *, with_wo: bool, file: str) -> BankFile:
    data = _encode_columns(columns, with_wo=with_wo, file=file)
    amounts = cast(Sequence[int], columns["amount_yen"])
    count, total_yen = len(amounts), sum(amounts)
    trailer: dict[str, Value] = {"count": count, "total_yen": total_yen}
    newline = NEWLINE.encode()
    content = b"".join(
        (
            HEADER.encode(header_values(header, file=file), file=file, record=1) + newline,
            data,
            TRAILER.encode(trailer, file=file, record=count + 2) + newline,
            END.encode({}, file=file, record=count + 3) + newline,
        )
    )
    return BankFile(content, count, total_yen)


def check_count(count: int) -> None:
    """件数が 1 から 999,999 まででなければ断る（トレーラの合計件数は 6 桁）。"""
    if not 1 <= count <= COUNT_MAX:
        raise RefusedInput(
            "振込の件数が範囲の外です", code="count", found=f"{count:,} 件", allowed=f"1 から {COUNT_MAX:,} 件まで"
        )


def unwritable(lines: Sequence[TransferLine], *, designation: str = "7", with_wo: bool = False) -> list[Unwritable]:
    """ファイルに書けない行をすべて挙げる。空なら `build` できる。書けない一件だけを止め、残りを送るために使う。"""
    return _unwritable(lines, 1, designation, with_wo=with_wo)


def _unwritable(lines: Sequence[TransferLine], first: int, designation: str, *, with_wo: bool) -> list[Unwritable]:
    """書けない行のある半分だけを、さらに半分にして探す。書ける何万行を一つずつは試さない。"""
    if not lines:
        return []
    try:
        _encode_columns(_columns(lines, designation), with_wo=with_wo, file="", first_record=first + 1)
    except RefusedInput as refusal:
        if len(lines) == 1:
            return [Unwritable(first, refusal)]
        half = len(lines) // 2
        front = _unwritable(lines[:half], first, designation, with_wo=with_wo)
        return [*front, *_unwritable(lines[half:], first + half, designation, with_wo=with_wo)]
    return []


def _columns(lines: Sequence[TransferLine], designation: str) -> dict[str, Sequence[Value]]:
    columns: dict[str, Sequence[Value]] = dict(
        zip(_LINE_NAMES, zip(*map(_LINE_VALUES, lines), strict=True), strict=True)
    )
    return columns | {"designation": [designation] * len(lines)}


def _encode_columns(
    columns: Mapping[str, Sequence[Value]], *, with_wo: bool, file: str, first_record: int = 2
) -> bytes:
    layout = DATA_WITH_WO if with_wo else DATA
    written = zengin_writer_block.encode(layout, columns)
    return _encode_by_layout(layout, columns, file, first_record) if written is None else written


def _encode_by_layout(layout: Layout, columns: Mapping[str, Sequence[Value]], file: str, first_record: int) -> bytes:
    """様式の宣言のとおりに、一行ずつ。書けない行があれば、どの行のどの項目かを言って断る。"""
    converted = dict(columns)
    for placed in layout.placed:
        item = placed.field
        if item.allowed is not None:
            half = convert_all(
                cast(Sequence[str], columns[item.name]),
                item.allowed,
                file=file,
                field=placed.title,
                first_record=first_record,
            )
            converted[item.name] = cut_all(half, item.length)
    return layout.encode_all(converted, file=file, first_record=first_record, newline=NEWLINE)


def header_values(header: FileHeader, *, file: str = "") -> dict[str, Value]:
    """見出しの項目の値（`HEADER_FIELDS` の英語名）。名は読み替え、切る。"""
    return {
        "client_code": header.client_code,
        "client_name": cut(convert(header.client_name, PARTY_NAME, place=Place(file, 1, "振込依頼人名")), 40),
        "transfer_month_day": f"{header.transfer_on:%m%d}",
        "bank_code": header.bank_code,
        "bank_name": cut(convert(header.bank_name, BANK_NAME, place=Place(file, 1, "仕向銀行名")), 15),
        "branch_code": header.branch_code,
        "branch_name": cut(convert(header.branch_name, BANK_NAME, place=Place(file, 1, "仕向支店名")), 15),
        "account_type": header.account_type,
        "account_number": header.account_number,
    }


def layout_of(record: bytes) -> Layout:
    """レコードの様式（データ区分による）。ない区分は断る。"""
    if layout := _BY_KIND.get(record[:1]):
        return layout
    raise RefusedInput("データ区分が違います", code="record-kind", found=f"0x{record[:1].hex()}", allowed="1、2、8、9")


def render(content: bytes, *, show_sensitive: bool = False) -> str:
    """ファイル全体を「項目 位置 値」で書き下す（銀行の手引と見比べるため）。"""
    return view.render_file(content, layout_of, length=RECORD_LENGTH, show_sensitive=show_sensitive)


def specification() -> str:
    """総合振込の四つのレコードの仕様書（Markdown）。"""
    return "\n".join(view.specification(layout) for layout in (HEADER, DATA, TRAILER, END))
