"""事業の TOML を読む: 項目の過不足、型、言葉、値どうしの筋を確かめ、職員に分かる言葉で断る。

一つの表は `benefit.domain.programme_parts` の一つの型に対応する。形は型から決まるので、項目の一覧は一か所にしかない。
"""

from __future__ import annotations

import hashlib
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from typing import Any

from benefit.domain import programme_parts as parts
from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.programme import Programme

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
_TYPE_NAMES = {int: "整数", str: "文字", date: "日付（YYYY-MM-DD）"}
WHAT_IF = "試算（--set）"


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
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.refuse(
                f"項目「{name}」の型が違います", "programme-type", found=type(value).__name__, allowed=_TYPE_NAMES[kind]
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
            return date.fromisoformat(text) if plain is date else text
        except ValueError:
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


def read(text: str, *, file: str, changes: Mapping[str, str]) -> Programme:
    """TOML の文面から事業へ。断りは RefusedInput（試算の値が読めないときは WrongUse）。"""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedInput(f"{file}: TOML として読めません（{error}）", code="programme-toml") from None
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
    _sensible(programme, reading)
    return programme


def _sensible(programme: Programme, reading: _Reading) -> None:
    """値どうしの筋。型は合っていても、事業として成り立たないものを断る。"""
    benefits = programme.benefits.values()
    who = [benefit.who for benefit in benefits]
    needs = {
        "household": {"untaxed_household", "per_capita_household"},
        "child": {"child"},
        "adjustment": {"taxpayer"},
        "shortfall": {"shortfall", "shortfall_fixed"},
    }
    rules: list[tuple[bool, str]] = [
        (len(set(who)) == len(who), "同じ相手（who）への給付が二つあります"),
        (programme.levy_date <= programme.base_date, "賦課期日（levy_date）が基準日（base_date）より後です"),
        (programme.levy_date < programme.entered_from, "entered_from は賦課期日の翌日以後です"),
        (
            programme.schedule.apply_deadline >= programme.base_date,
            "申請期限（schedule.apply_deadline）が基準日より前です",
        ),
        (
            programme.schedule.contract_to >= programme.schedule.apply_deadline,
            "委託の終わり（schedule.contract_to）が申請期限より前です",
        ),
        (programme.schedule.push_window_days >= 1, "schedule.push_window_days は 1 以上です"),
        (programme.schedule.fresh_business_days >= 0, "schedule.fresh_business_days は 0 以上です"),
        (
            0 < programme.transfer.line_hold_yen <= programme.transfer.line_block_yen <= 1_000_000,
            "transfer.line_hold_yen ≦ line_block_yen ≦ 1,000,000 です（阿武町の事例）",
        ),
        (
            set(programme.route.account_precedence) == {"生活保護", "過去給付", "公金受取"},
            "route.account_precedence は 生活保護・過去給付・公金受取 の並べ替えです",
        ),
        (
            programme.household is None or "untaxed_household" in who,
            "世帯の給付のある事業には、非課税の世帯（untaxed_household）への給付を書きます",
        ),
        (
            programme.child is None or programme.household is not None,
            "こども加算（[child]）は、世帯の給付（[household]）のある事業にだけ書けます",
        ),
        (
            set(programme.conditions) == {benefit.slot_kind for benefit in benefits},
            "conditions の表は、給付の slot の種類（HH100K・CHILD・ADJ・SHORT）と同じです",
        ),
    ]
    rules.append(
        (programme.adjustment is None or programme.shortfall is None, "調整給付と不足額給付は、別の事業に分けます")
    )
    for table, kinds in needs.items():
        present = getattr(programme, table) is not None
        rules.append(
            (
                present == bool(kinds & set(who)),
                f"表「{table}」と、その相手（{'・'.join(sorted(kinds))}）への給付は、両方書きます",
            )
        )
    for benefit in benefits:
        computed = benefit.who in {"taxpayer", "shortfall"}
        rules.append(
            (
                (benefit.amount_yen is None) == computed,
                f"benefits.{benefit.id}.amount_yen は、{'計算で決まる給付には書けません' if computed else '書きます'}",
            )
        )
        if benefit.amount_yen is not None:
            rules.append(
                (
                    0 < benefit.amount_yen <= programme.transfer.line_block_yen,
                    f"benefits.{benefit.id}.amount_yen は 1 円以上、{programme.transfer.line_block_yen:,} 円以下です",
                )
            )
        rules.append(
            (len(benefit.id) <= 8 and benefit.id.isascii(), f"給付種別「{benefit.id}」は、半角 8 文字までです")
        )
    for terms in (programme.adjustment, programme.shortfall):
        if terms is not None:
            rules.append(
                (terms.rounding_yen > 0 and terms.income_cap_yen > 0, "切り上げの単位と所得の上限は 1 円以上です")
            )
    if programme.adjustment is not None:
        lowest = [row[0] for row in programme.adjustment.quick_table]
        rules.append((lowest == sorted(set(lowest), reverse=True), "adjustment.quick_table は、下限の高い順に書きます"))
    for holds, says in rules:
        if not holds:
            raise reading.refuse(says, "programme-sense")
