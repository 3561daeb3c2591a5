"""ファイルの様式: 見出し・明細・合計・終わりのレコードと、合計が何を数えるかを、一つの表として宣言する。

    FileLayout("cvs", "コンビニ収納", data=DATA, header=HEADER, trailer=TRAILER, end=END,
               totals=(Total("provisional_count", "provisional_yen", "amount_yen", "data_kind", ("01",)), …),
               parts=(Part("amount_yen", "支払金額", "barcode", 38, 6, number=True), …))

読み手（`file_reader`）、書き手（`file_writer`）、仕様書（`layout_sheet`）、様式の変換は、この宣言だけを見る。
レコードの種類は、先頭の固定の項目（レコード区分・データ区分）で見分ける。
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from benefit.domain.errors import WrongUse
from benefit.records.layout import Field, Kind, Layout

#: 読んだ表に付く列: 物理レコードの番号（1 から）と、見出しごとの組の番号（1 から）。
RECORD, GROUP = "record", "group"
#: レコードの役目。表の順は、ファイルに並ぶ順。
ROLES = {"header": "見出し", "data": "明細", "trailer": "合計", "end": "終わり"}


@dataclass(frozen=True)
class Total:
    """合計レコードの一組: 件数の項目、金額の項目、足す列、数える明細（`where` の値が `values` のもの）。

    件数だけ・金額だけの様式では、ない方を空にする。`other` は「`values` でないもの」を数える。
    """

    count: str
    yen: str
    amount: str
    where: str = ""
    values: tuple[str, ...] = ()
    other: bool = False


@dataclass(frozen=True)
class Part:
    """項目の中の部分（バーコードの中の金額など）。`start` は項目の中の位置（1 から）。"""

    name: str
    label: str
    of: str
    start: int
    length: int
    number: bool = False
    note: str = ""


@dataclass(frozen=True)
class FileLayout:
    """一つのファイルの様式。

    groups: 見出し…合計の組が二つ以上あってよいか。end_count: 終わりのレコードの、全レコードの件数の項目。
    read_only: 様式の一部しか分からないので、読むだけで書かない（`incomplete` にわけを書く）。
    """

    id: str
    title: str
    data: Layout
    header: Layout | None = None
    trailer: Layout | None = None
    end: Layout | None = None
    totals: tuple[Total, ...] = ()
    parts: tuple[Part, ...] = ()
    end_count: str = ""
    groups: bool = False
    newline: str = "\r\n"
    read_only: bool = False
    incomplete: str = ""

    def __post_init__(self) -> None:
        """宣言の誤りをその場で断る: 長さ、レコードの区分、合計と部分項目の名。"""
        if len({layout.length for layout in self.layouts.values()}) != 1:
            raise self._wrong("レコードの長さが揃っていません")
        marks = list(self.marks.values())
        if len(set(marks)) != len(marks):
            raise self._wrong("レコードの区分が重なります", "、".join(marks))
        if self.trailer is None and self.totals:
            raise self._wrong("合計のレコードがないのに、合計が宣言されています")
        for part in self.parts:
            self._check_part(part)
        for total in self.totals:
            self._check_total(total)
        if self.end_count and (self.end is None or self.end_count not in self.end.names):
            raise self._wrong("終わりのレコードに件数の項目がありません", self.end_count)
        repeated = {RECORD, GROUP} & set(self.columns)
        if repeated or len(set(self.columns)) != len(self.columns):
            raise self._wrong("項目の名前が重なります", "、".join(sorted(repeated)) or None)

    def _wrong(self, says: str, found: str | None = None) -> WrongUse:
        return WrongUse(f"様式「{self.title}」: {says}", code="layout-declaration", found=found)

    def _check_part(self, part: Part) -> None:
        whole = self.field_of(part.of)
        if whole is None or part.start < 1 or part.length < 1 or part.start + part.length - 1 > whole.length:
            raise self._wrong(f"部分項目「{part.label}」が項目からはみ出します", part.of)
        if whole.kind not in {Kind.DIGITS, Kind.TEXT} or (part.number and part.length > _MOST_DIGITS):
            raise self._wrong(f"部分項目「{part.label}」は、数字か半角の文字の中にだけ置けます", part.of)

    def _check_total(self, total: Total) -> None:
        assert self.trailer is not None
        missing = {total.count, total.yen} - {""} - set(self.trailer.names)
        missing |= ({total.amount} if total.yen else set()) - set(self.columns)
        missing |= ({total.where} if total.where else set()) - set(self.columns)
        if missing:
            raise self._wrong("合計の項目がありません", "、".join(sorted(missing)))

    @cached_property
    def layouts(self) -> dict[str, Layout]:
        """役目 → レコードの様式（あるものだけ、ファイルに並ぶ順）。"""
        all_of_them = {"header": self.header, "data": self.data, "trailer": self.trailer, "end": self.end}
        return {role: layout for role, layout in all_of_them.items() if layout is not None}

    @cached_property
    def marks(self) -> dict[str, str]:
        """役目 → 先頭の区分の一字。"""
        found = {}
        for role, layout in self.layouts.items():
            first = layout.fields[0]
            if first.kind is not Kind.CONST or not first.value:
                raise self._wrong(f"{ROLES[role]}のレコードが、固定の区分で始まっていません", first.label)
            found[role] = first.value[0]
        return found

    @property
    def length(self) -> int:
        """一レコードのバイト数。"""
        return self.data.length

    @property
    def own_convention(self) -> bool:
        """一つでも自分たちの取り決めのレコードがあるか。"""
        return any(layout.own_convention for layout in self.layouts.values())

    @property
    def verified(self) -> bool:
        """全部のレコードが、独立した二つの出典で確かめたものか。"""
        return all(layout.verified for layout in self.layouts.values())

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """読んだ明細の列（項目、部分項目の順）。"""
        return (*self.data.names, *(part.name for part in self.parts))

    def field_of(self, name: str) -> Field | None:
        """明細の項目。"""
        return next((field for field in self.data.fields if field.holds_value and field.name == name), None)

    def label_of(self, name: str) -> str:
        """明細の列の日本語の名。"""
        if field := self.field_of(name):
            return field.label
        return next((part.label for part in self.parts if part.name == name), name)

    def layout_of(self, record: bytes) -> Layout:
        """レコードの様式。知らない区分は断る。"""
        for role, mark in self.marks.items():
            if record[:1] == mark.encode():
                return self.layouts[role]
        raise WrongUse(
            "レコードの区分が違います", found=f"0x{record[:1].hex()}", allowed="、".join(self.marks.values())
        )

    def numbers(self) -> Iterator[str]:
        """円や件の列（Int64）。ほかは文字列。"""
        yield from (field.name for field in self.data.fields if field.kind is Kind.NUMBER)
        yield from (part.name for part in self.parts if part.number)


_MOST_DIGITS = 18
