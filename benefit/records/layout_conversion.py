"""レイアウト変換（種文書 001）: 宣言された様式から、宣言された様式へ、対応表のとおりに移す。

対応表は、移し先の項目ごとに、移す元の項目・決まった値・閉じた一覧の関数を言う。レコードは一件も増えず、減らない。
書いた後で読み直し、件数が合うことまで確かめてから返す。入りきらない値は切らずに、そのレコードを言って断る。
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records import file_reader, file_writer
from benefit.records.fields import Kind, Value
from benefit.records.file_layout import GROUP, FileLayout
from benefit.records.layout import Layout


@dataclass(frozen=True)
class Rule:
    """移し先の一項目の作り方。

    fields: 移す元の項目（なければ決まった値 `value`）。function: `FUNCTIONS` の名。length・start は関数の引数。
    table: 値の読み替え（ない値は断る）。given: 操作する人が渡す見出しの値の名。
    """

    fields: tuple[str, ...] = ()
    value: Value = ""
    function: str = ""
    start: int = 1
    length: int = 0
    table: tuple[tuple[str, str], ...] = ()
    given: str = ""


def take(
    *fields: str, function: str = "", start: int = 1, length: int = 0, table: Mapping[str, str] | None = None
) -> Rule:
    """元の項目から。"""
    return Rule(fields, function=function, start=start, length=length, table=tuple((table or {}).items()))


def constant(value: Value) -> Rule:
    """決まった値。"""
    return Rule(value=value)


def given(name: str) -> Rule:
    """操作する人が渡す値（ファイル作成日など）。見出しにだけ使える。"""
    return Rule(given=name)


Made = Callable[[pl.Expr, Rule], pl.Expr]
#: 閉じた一覧: 名 → 元の値（文字列）から作る式。できないときは null になり、そのレコードが断られる。
FUNCTIONS: dict[str, Made] = {
    # 右に寄せて 0 を補う。桁が多ければ、そのまま渡って断られる（切らない）。
    "zero_pad": lambda text, rule: pl.when(text == "").then(pl.lit("")).otherwise(text.str.zfill(rule.length)),
    "strip_zeros": lambda text, _: text.str.strip_chars_start("0"),
    "part": lambda text, rule: text.str.slice(rule.start - 1, rule.length),
    "short_date": lambda text, _: pl.when(text.str.starts_with("20")).then(text.str.slice(2)),
    "long_date": lambda text, _: pl.when(text == "").then(pl.lit("")).otherwise("20" + text),
    "number": lambda text, _: pl.when(text.str.contains("^[0-9]{1,18}$")).then(text),
    "blank_zeros": lambda text, _: pl.when(text.str.contains("^0*$")).then(pl.lit("")).otherwise(text),
    "zeros_if_blank": lambda text, rule: pl.when(text == "").then(pl.lit("0" * rule.length)).otherwise(text),
}


@dataclass(frozen=True)
class Conversion:
    """一つの変換。`fields` と `header` は、移し先の項目の名 → 作り方。"""

    id: str
    title: str
    source: str
    target: str
    fields: Mapping[str, Rule]
    header: Mapping[str, Rule]


@dataclass(frozen=True)
class Converted:
    """変換した結果。count は明細の件数（元と同じ）。lost は、移し先に置き場のない元の項目（日本語の名）。"""

    content: bytes
    count: int
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Converter:
    """様式の揃った変換。作った時に、対応表の過不足と型を確かめる。"""

    conversion: Conversion
    source: FileLayout
    target: FileLayout

    def __post_init__(self) -> None:
        """移し先の全部の項目に作り方があり、元の項目がどれも実在すること。"""
        if self.target.read_only:
            raise self._wrong("移し先は読むだけの様式です", self.target.title)
        self._check(self.conversion.fields, self.target.data, set(self.source.columns), "明細", header=False)
        if self.target.header is not None:
            known = set(self.source.header.names) if self.source.header is not None else set()
            self._check(self.conversion.header, self.target.header, known, "見出し", header=True)

    def _wrong(self, says: str, found: str = "", allowed: str = "") -> WrongUse:
        title = f"変換「{self.conversion.title}」: {says}"
        return WrongUse(title, code="conversion", found=found or None, allowed=allowed or None)

    def _check(self, rules: Mapping[str, Rule], target: Layout, known: set[str], where: str, *, header: bool) -> None:
        if differing := set(target.names) ^ set(rules):
            raise self._wrong(f"{where}の項目が合いません", "、".join(sorted(differing)))
        for name, rule in rules.items():
            if unknown := set(rule.fields) - known:
                raise self._wrong(f"{where}「{name}」の元の項目がありません", "、".join(sorted(unknown)))
            if rule.function and rule.function not in FUNCTIONS:
                raise self._wrong(f"{where}「{name}」の関数がありません", rule.function, "、".join(FUNCTIONS))
            if rule.function in {"zero_pad", "part", "zeros_if_blank"} and not 1 <= rule.length <= 999:
                raise self._wrong(f"{where}「{name}」の length がありません")
            if rule.start < 1 or (rule.given and not header):
                raise self._wrong(f"{where}「{name}」の作り方が違います")

    @cached_property
    def lost(self) -> tuple[str, ...]:
        """移し先に置き場のない、元の明細の項目。"""
        used = {name for rule in self.conversion.fields.values() for name in rule.fields}
        # バーコードのように、部分項目だけを移しても、元の項目は移ったとは言えない。
        return tuple(self.source.label_of(name) for name in self.source.data.names if name not in used)

    def convert(self, content: bytes, *, given: Mapping[str, Value], file: str = "") -> Converted:
        """ファイルを変換する。元に悪い所が一つでもあれば、何も作らずに断る。"""
        reading = file_reader.read(content, self.source, file=file)
        data = reading.require()
        table = self.table(data).with_columns(data[GROUP])
        headers = [self._header(header, given) for header in reading.headers or ({},)]
        groups = [
            (header, table.filter(pl.col(GROUP) == number).drop(GROUP)) for number, header in enumerate(headers, 1)
        ]
        if len(groups) > 1 and not self.target.groups:
            if any(header != headers[0] for header in headers):
                raise RefusedInput(
                    "見出しの違う組が二つ以上あり、一つの組に移せません", code="groups", found=f"{len(groups)} 組"
                )
            groups = [(headers[0], table.drop(GROUP))]
        written = file_writer.write(self.target, groups, file=self.target.title)
        again = file_reader.read(written, self.target, file=self.target.title)
        if again.require().height != data.height:
            raise RefusedInput("変換の前後で件数が違います", code="conversion", found=f"{again.good:,} 件")
        return Converted(written, data.height, self.lost)

    def table(self, data: pl.DataFrame) -> pl.DataFrame:
        """明細の列を、移し先の列にする。"""
        target = {field.name: field for field in self.target.data.fields if field.holds_value}
        made = data.select(
            self._made(rule, data.schema).cast(pl.Int64 if target[name].kind is Kind.NUMBER else pl.String).alias(name)
            for name, rule in self.conversion.fields.items()
        )
        return made.select(list(self.target.data.names))

    @staticmethod
    def _made(rule: Rule, schema: Mapping[str, pl.DataType]) -> pl.Expr:
        if not rule.fields:
            return pl.lit(rule.value)
        one = len(rule.fields) == 1 and not rule.function and not rule.table
        if one and schema[rule.fields[0]] == pl.Int64:
            return pl.col(rule.fields[0])
        # 二つ以上の項目は、順につなぐ。
        text = pl.concat_str(pl.col(name).cast(pl.String) for name in rule.fields)
        if rule.table:
            text = text.replace_strict(dict(rule.table), default=None, return_dtype=pl.String)
        return FUNCTIONS[rule.function](text, rule) if rule.function else text

    def _header(self, values: Mapping[str, Value], given: Mapping[str, Value]) -> dict[str, Value]:
        if self.target.header is None:
            return {}
        kinds = {field.name: field.kind for field in self.target.header.fields}
        made: dict[str, Value] = {}
        frame = pl.DataFrame({name: [value] for name, value in values.items()} or {"none": [0]})
        for name, rule in self.conversion.header.items():
            if rule.given:
                if rule.given not in given:
                    raise self._wrong("見出しの値が渡されていません", rule.given)
                made[name] = given[rule.given]
                continue
            value = frame.select(self._made(rule, frame.schema)).item()
            made[name] = int(value) if kinds[name] is Kind.NUMBER and value is not None else value
        if missing := [name for name, value in made.items() if value is None]:
            raise RefusedInput("見出しの値を移せません", code="conversion", found="、".join(missing))
        return made
