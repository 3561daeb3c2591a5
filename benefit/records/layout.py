"""様式: 外のファイルの一レコードを、仕様書の順に並べた項目の表として一度だけ宣言する。

位置の計算、書き出し、読み取り、伏せ字、印刷できる仕様書、項目ごとの見比べは、すべてこの宣言から出る。
項目の長さの合計がレコードの長さに合わなければ、宣言そのものが失敗する。文字は JIS X 0201（一字一バイト）、
漢字の項目（`wide`）だけが CP932 の二バイト。

    RECORD = Layout("総合振込データ", 120, (
        const("2", "データ区分"),
        number("amount_yen", "振込金額", 10, minimum=1), ...,
    ), sources=("…",), verified=True, read_on=date(2026, 11, 21))

位置はすべて 1 から数えたバイト。断りは、ファイル・レコード・バイト位置・項目を言い、`sensitive` な値は写さない。
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from benefit.domain.errors import Place, RefusedInput, WrongUse
from benefit.records.fields import UNWRITABLE, Field, Kind, Problem, Value, const, digits, filler, number, text, wide

__all__ = [
    "ENCODING",
    "Field",
    "Kind",
    "Layout",
    "PlacedField",
    "Value",
    "const",
    "digits",
    "filler",
    "number",
    "text",
    "wide",
]

ENCODING = "cp932"  # 使う文字では JIS X 0201 とバイトが同じ（formats §1.6）


@dataclass(frozen=True)
class PlacedField:
    """レコードの中に置かれた項目。`start`・`end` は 1 から数えたバイト位置（両端を含む）。"""

    field: Field
    start: int
    end: int

    @property
    def position(self) -> str:
        """断りと仕様書に出る位置。例「81～90」。"""
        return str(self.start) if self.start == self.end else f"{self.start}～{self.end}"

    @property
    def title(self) -> str:
        """断りの「項目」。例「振込金額（81～90 バイト目）」。"""
        return f"{self.field.label}（{self.position} バイト目）"


@dataclass(frozen=True)
class Layout:
    """一つのレコードの様式。

    sources: 出典。verified: 独立した二つ以上の出典が一致したか。read_on: 出典を読んだ日。
    own_convention: 公開された様式がなく、私たちが決めたもの（相手の仕様書が来れば差し替える）。
    """

    name: str
    length: int
    fields: tuple[Field, ...]
    sources: tuple[str, ...]
    verified: bool
    read_on: date
    own_convention: bool = False

    def __post_init__(self) -> None:
        """宣言の誤りをその場で断る: 長さの合計、名前の重なり、出典の数。"""
        total = sum(field.length for field in self.fields)
        if total != self.length or any(field.length < 1 for field in self.fields):
            raise WrongUse(f"様式「{self.name}」の長さが合いません", found=f"{total}", allowed=f"{self.length}")
        names = self.names
        if "" in names or len(set(names)) != len(names):
            raise WrongUse(f"様式「{self.name}」の項目の名前が重なるか、空です")
        if self.verified and len(self.sources) < 2:
            raise WrongUse(f"様式「{self.name}」は出典が二つないので、確かめたとは言えません")
        if self.verified and self.own_convention:
            raise WrongUse(f"様式「{self.name}」は自分たちで決めたものなので、確かめたとは言えません")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """値を渡す項目の英語名（仕様書の順）。"""
        return tuple(field.name for field in self.fields if field.holds_value)

    @cached_property
    def placed(self) -> tuple[PlacedField, ...]:
        """位置を計算した項目の並び。"""
        return tuple(self._place())

    def _place(self) -> Iterator[PlacedField]:
        start = 1
        for field in self.fields:
            yield PlacedField(field, start, start + field.length - 1)
            start += field.length

    def encode(self, values: Mapping[str, Value], *, file: str = "", record: int = 1) -> bytes:
        """一レコードを書く。`values` は英語名 → 値。合わない値は `RefusedInput`、足りない名前は `WrongUse`。"""
        columns = {name: (value,) for name, value in values.items()}
        return self._encode(columns, 1, file, record)[0].encode(ENCODING)

    def encode_all(
        self, columns: Mapping[str, Sequence[Value]], *, file: str = "", first_record: int = 1, newline: str = ""
    ) -> bytes:
        """同じ様式のレコードをまとめて書く。`columns` は英語名 → 値の列（長さは同じ）。各レコードの後に `newline`。"""
        counts = {len(column) for column in columns.values()}
        if len(counts) != 1:
            raise WrongUse(f"様式「{self.name}」に渡した列の長さが揃っていません")
        records = self._encode(columns, counts.pop(), file, first_record)
        return "".join(record + newline for record in records).encode(ENCODING)

    def _encode(self, columns: Mapping[str, Sequence[Value]], count: int, file: str, first: int) -> list[str]:
        if differing := set(self.names) ^ set(columns):
            raise WrongUse(f"様式「{self.name}」の項目が合いません", found="、".join(sorted(differing)))
        cells = []
        for placed in self.placed:
            field = placed.field
            if not field.holds_value:
                cells.append([field.value] * count)
                continue
            column = columns[field.name]
            self._check(placed, column, file, first)
            cells.append([field.cell(value) for value in column])
        return ["".join(parts) for parts in zip(*cells, strict=True)]

    def _check(self, placed: PlacedField, column: Sequence[Value], file: str, first: int) -> None:
        # 五万行でも、検査するのは違う値だけ。型が混ざると 1 と 1.0 と True が一つに潰れるので、その時は一つずつ。
        distinct = set(column) if len(set(map(type, column))) == 1 else column
        if all(placed.field.problem(value) is None for value in distinct):
            return
        for record, value in enumerate(column, start=first):
            if problem := placed.field.problem(value):
                raise self._refusal(placed, problem, file, record)

    def decode(self, content: bytes, *, file: str = "", record: int = 1) -> dict[str, Value]:
        """一レコード（改行を除く）を読み、英語名 → 値にする。固定・空き・桁・文字のどれが違っても `RefusedInput`。"""
        if len(content) != self.length:
            raise RefusedInput(
                "レコードの長さが違います",
                code="record-length",
                place=Place(file, record, f"{self.name}（{min(len(content), self.length) + 1} バイト目）"),
                found=f"{len(content)} バイト",
                allowed=f"{self.length} バイト",
            )
        values: dict[str, Value] = {}
        for placed in self.placed:
            outcome = self._read(placed.field, content[placed.start - 1 : placed.end])
            if isinstance(outcome, Problem):
                raise self._refusal(placed, outcome, file, record)
            if placed.field.holds_value:
                values[placed.field.name] = outcome
        return values

    def problems(self, content: bytes) -> list[tuple[PlacedField, Problem]]:
        """長さの合った一レコードの、合わない項目の全部（`decode` は最初の一つで断る）。"""
        read = ((placed, self._read(placed.field, content[placed.start - 1 : placed.end])) for placed in self.placed)
        return [(placed, outcome) for placed, outcome in read if isinstance(outcome, Problem)]

    @staticmethod
    def _read(field: Field, raw: bytes) -> Value | Problem:
        if not field.holds_value:
            if raw == field.value.encode(ENCODING):
                return field.value
            found = "空白でないバイト" if field.kind is Kind.FILLER else f"0x{raw.hex().upper()}"
            return Problem("決まった中身と違います", found, f"「{field.value}」" if field.value.strip() else "空白")
        if field.kind is Kind.WIDE:
            return Layout._read_wide(field, raw)
        bad = [byte for byte in raw if not (0x20 <= byte <= 0x7E or 0xA1 <= byte <= 0xDF)]
        if bad:
            return Problem("JIS X 0201 にないバイトがあります", f"0x{bad[0]:02X}", "英数字・記号・半角カナ")
        value = raw.decode(ENCODING).rstrip(" ")
        if field.kind is Kind.NUMBER:
            if len(value) != field.length or not value.isdigit():
                return Problem("数字ではありません", field.show(value), f"0 を詰めた {field.length} 桁の数字")
            return field.problem(int(value)) or int(value)
        return field.problem(value) or value

    @staticmethod
    def _read_wide(field: Field, raw: bytes) -> Value | Problem:
        try:
            value = raw.decode(ENCODING).rstrip(" ")
        except UnicodeDecodeError as fault:
            # 二バイトの字が項目の終わりで切れている場合も、ここに来る。
            return Problem("CP932 で読めないバイトがあります", f"0x{raw[fault.start]:02X}", "CP932（シフト JIS）")
        if bad := UNWRITABLE.search(value):
            return Problem("使えない文字があります", f"U+{ord(bad.group()):04X}", "CP932（シフト JIS）の字")
        return field.problem(value) or value

    @staticmethod
    def _refusal(placed: PlacedField, problem: Problem, file: str, record: int) -> RefusedInput:
        return RefusedInput(
            problem.says,
            code="layout",
            place=Place(file, record, placed.title),
            found=problem.found,
            allowed=problem.allowed,
        )
