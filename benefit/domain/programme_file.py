"""事業の TOML を読む: 項目の過不足、型、言葉、値どうしの筋を確かめ、職員に分かる言葉で断る。

一つの表は `benefit.domain.programme_parts` の一つの型に対応する。形は型から決まるので、項目の一覧は一か所にしかない。
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from typing import Any

from benefit.domain import programme_parts as parts
from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.programme import Programme
from benefit.domain.programme_sense import unsound

#: 表の名 → 型。なくてよい表は OPTIONAL。
TABLES: dict[str, type] = {
    "household": parts.HouseholdTerms,
    "child": parts.ChildTerms,
    "adjustment": parts.AdjustmentTerms,
    "shortfall": parts.ShortfallTerms,
    "route": parts.RouteTerms,
    "schedule": parts.ScheduleTerms,
    "letters": parts.LetterTerms,
    "transfer": parts.TransferTerms,
    "office": parts.OfficeTerms,
}
OPTIONAL = ("household", "child", "adjustment", "shortfall")
TOP = ("id", "name", "levy_year", "base_date", "levy_date", "entered_from", "under_16_born_from")
_TYPE_NAMES = {int: "整数", str: "文字", date: "日付（YYYY-MM-DD）", bool: "true か false"}
_SWITCH = {"true": True, "false": False}
WHAT_IF = "試算（--set）"
#: 数の上限。これより大きい円も日数も、書き誤りである（表の計算があふれる前に断る）。
_LARGEST = 10**12


class _Reading:
    """一つのファイルを読む間の、ファイル名、変える値、集めた出典。"""

    def __init__(self, file: str, changes: Mapping[str, str]) -> None:
        self.file, self.changes = file, dict(changes)
        self.sources: dict[str, str] = {}

    def refuse(self, says: str, code: str, *, found: str | None = None, allowed: str | None = None) -> RefusedInput:
        return RefusedInput(f"{self.file}: {says}", code=code, found=found, allowed=allowed)

    def keys(self, given: Mapping[str, object], wanted: set[str], optional: set[str], where: str) -> None:
        """項目の過不足を断る。"""
        missing, extra = sorted(wanted - given.keys()), sorted(given.keys() - wanted - optional)
        if missing or extra:
            place = f"表「{where}」の" if where else "事業の"
            raise self.refuse(
                f"{place}項目が合いません"
                f"（足りない: {'、'.join(missing) or 'なし'} / 知らない: {'、'.join(extra) or 'なし'}）",
                "programme-keys",
            )

    def value(self, name: str, entry: object, kind: Any) -> Any:
        """一つの項目の値。出典がない、型が違う、書けない言葉のときは断る。"""
        if not isinstance(entry, dict) or not isinstance(entry.get("source"), str) or not entry.get("source"):
            raise self.refuse(f'項目「{name}」は {{ value = …, source = "出典" }} と書きます', "programme-source")
        if entry.keys() != {"value", "source"}:
            raise self.refuse(f"項目「{name}」に書けるのは value と source だけです", "programme-source")
        self.sources[name] = entry["source"]
        value = entry["value"]
        if name in self.changes:
            value, self.sources[name] = self._changed(name, self.changes.pop(name), kind), WHAT_IF
        return self.typed(name, value, kind)

    def typed(self, name: str, value: Any, kind: Any) -> Any:
        """値を型に合わせる。"""
        origin = typing.get_origin(kind)
        if origin is typing.Literal:
            words = typing.get_args(kind)
            if value not in words:
                raise self.refuse(
                    f"項目「{name}」に書けない言葉です", "programme-word", found=str(value), allowed="、".join(words)
                )
            return value
        if origin in {types.UnionType, typing.Union}:
            return self.typed(name, value, next(one for one in typing.get_args(kind) if one is not type(None)))
        if origin is tuple:
            inner = typing.get_args(kind)
            if not isinstance(value, list) or not value:
                raise self.refuse(f"項目「{name}」は空でない並びです", "programme-type", found=type(value).__name__)
            if len(inner) == 2 and inner[1] is Ellipsis:
                return tuple(self.typed(name, one, inner[0]) for one in value)
            if len(value) != len(inner):
                raise self.refuse(f"項目「{name}」の並びの長さは {len(inner)} です", "programme-type")
            return tuple(self.typed(name, one, each) for one, each in zip(value, inner, strict=True))
        # 時刻つきの値（2024-06-03T00:00:00）も date の仲間だが、日付と比べられない。
        if not isinstance(value, kind) or isinstance(value, datetime) or (isinstance(value, bool) and kind is not bool):
            raise self.refuse(
                f"項目「{name}」の型が違います", "programme-type", found=type(value).__name__, allowed=_TYPE_NAMES[kind]
            )
        if kind is int and abs(value) > _LARGEST:
            raise self.refuse(
                f"項目「{name}」の数が大きすぎます",
                "programme-type",
                found=f"{len(str(value))} 桁",
                allowed=f"{_LARGEST:,} まで",
            )
        if kind is str and not value.strip():
            raise self.refuse(f"項目「{name}」が空です", "programme-type", allowed="空でない文字")
        return value

    def _changed(self, name: str, text: str, kind: Any) -> Any:
        """--set で書かれた文字を、値にする。"""
        plain = next((one for one in typing.get_args(kind) if one is not type(None)), kind)
        plain = plain if isinstance(plain, type) and typing.get_origin(kind) is not typing.Literal else kind
        if typing.get_origin(kind) is tuple:
            raise WrongUse(f"--set で並びは変えられません（{name}）。ファイルを直してください")
        try:
            if plain is int:
                return int(text.replace(",", "").replace("_", ""))
            if plain is bool:
                return _SWITCH[text]
            return date.fromisoformat(text) if plain is date else text
        except (KeyError, ValueError):
            raise WrongUse(f"--set の値が読めません（{name}）", found=text, allowed=_TYPE_NAMES[plain]) from None

    def table(self, where: str, given: object, kind: type, **fixed: Any) -> Any:
        """一つの表を、型一つに。"""
        assert is_dataclass(kind)
        if not isinstance(given, dict):
            raise self.refuse(f"「{where}」は表（[{where}]）で書きます", "programme-keys")
        hints = typing.get_type_hints(kind)
        own = [one for one in fields(kind) if one.name not in fixed]
        needed = {one.name for one in own if one.default is MISSING}
        self.keys(given, needed, {one.name for one in own} - needed, where)
        values = {name: self.value(f"{where}.{name}", entry, hints[name]) for name, entry in given.items()}
        return kind(**fixed, **values)


def _place(error: str) -> str:
    """tomllib の英語の断りから、場所だけを取り出す。"""
    found = re.search(r"at line (\d+), column (\d+)", error)
    return f"{found[1]} 行目の {found[2]} 文字目の近く" if found else "ファイルの終わりの近く"


def read(text: str, *, file: str, changes: Mapping[str, str]) -> Programme:
    """TOML の文面から事業へ。断りは RefusedInput（試算の値が読めないときは WrongUse）。"""
    # 表計算やメモ帳が付ける BOM は、中身ではない。
    text = text.removeprefix("\ufeff")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedInput(
            f"{file}: TOML として読めません（{_place(str(error))}。引用符、かっこ、=、日付を確かめてください）",
            code="programme-toml",
        ) from None
    reading = _Reading(file, changes)
    needed = {*TOP, "benefits", "conditions", *(set(TABLES) - set(OPTIONAL))}
    reading.keys(raw, needed, set(OPTIONAL), "")
    hints = typing.get_type_hints(Programme)
    values: dict[str, Any] = {name: reading.value(name, raw[name], hints[name]) for name in TOP}
    for where, kind in TABLES.items():
        values[where] = reading.table(where, raw[where], kind) if where in raw else None
    for where in ("benefits", "conditions"):
        if not isinstance(raw[where], dict) or not raw[where]:
            raise reading.refuse(f"「{where}」に表が一つもありません", "programme-keys")
    values["benefits"] = {
        name: reading.table(f"benefits.{name}", given, parts.BenefitTerms, id=name)
        for name, given in raw["benefits"].items()
    }
    values["conditions"] = {
        name: reading.table(f"conditions.{name}", given, parts.LetterConditions)
        for name, given in raw["conditions"].items()
    }
    if reading.changes:
        raise WrongUse(
            f"--set の項目「{'、'.join(sorted(reading.changes))}」は、この事業にありません",
            allowed="、".join(sorted(reading.sources)),
        )
    content = text + "".join(f"\n{name}={value}" for name, value in sorted(changes.items()))
    digest = hashlib.sha256(content.encode()).hexdigest()
    programme = Programme(**values, sources=reading.sources, digest=digest, text=text)
    if (says := unsound(programme)) is not None:
        raise reading.refuse(says, "programme-sense")
    return programme
