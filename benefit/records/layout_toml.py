"""区が置く様式（TOML）を読む。新しい銀行の仕様書は、コードではなく一枚の表である。

    id = "kakuu-counter"
    title = "架空銀行 収入済データ"
    length = 120
    sources = ["架空銀行 仕様書 第3版 5 ページ"]
    read_on = 2026-11-21
    [[data]]
    type = "固定"
    label = "データ区分"
    value = "2"
    [[data]]
    type = "数字"
    name = "paid_on"
    label = "納付日"
    length = 8
    form = "date"

`header`・`trailer`・`end` も同じ形。`[[total]]` は合計、`[[part]]` は部分項目。
誤りは、ファイル・表・何番目の項目かを言って断る。
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

from benefit.domain.errors import Place, RefusedInput, WrongUse
from benefit.records import zengin_text
from benefit.records.fields import Field, Kind
from benefit.records.file_layout import ROLES, FileLayout, Part, Total
from benefit.records.forms import FORMS
from benefit.records.layout import Layout

KINDS = {kind.value: kind for kind in Kind}
#: 文字の項目に許す字の組。書かなければ JIS。
CHARACTERS = {
    "JIS": zengin_text.ANY_JISX0201,
    "名義": zengin_text.PARTY_NAME,
    "名義ヲ": zengin_text.PARTY_NAME_WITH_WO,
    "銀行名": zengin_text.BANK_NAME,
}
NEWLINES = {"CRLF": "\r\n", "LF": "\n", "なし": ""}
_FIELD_KEYS: dict[str, type] = {
    "type": str,
    "label": str,
    "name": str,
    "length": int,
    "value": str,
    "minimum": int,
    "choices": list,
    "form": str,
    "blank": bool,
    "sensitive": bool,
    "characters": str,
    "note": str,
}
_TOP: dict[str, type] = {
    "id": str,
    "title": str,
    "length": int,
    "sources": list,
    "read_on": date,
    "verified": bool,
    "own_convention": bool,
    "groups": bool,
    "newline": str,
    "end_count": str,
    "incomplete": str,
    **dict.fromkeys((*ROLES, "total", "part"), list),
}
_NEEDED = ("id", "title", "length", "sources", "read_on", "data")
_LONGEST = 10_000


class _Sheet:
    """読んでいる一枚。"""

    def __init__(self, file: str) -> None:
        self.file = file

    def refuse(self, where: str, says: str, *, found: object = None, allowed: str | None = None) -> RefusedInput:
        shown = None if found is None else str(found)[:60]
        place = Place(self.file, None, where)
        return RefusedInput(says, code="layout-toml", place=place, found=shown, allowed=allowed)

    def checked(self, given: object, kinds: Mapping[str, type], where: str) -> dict[str, Any]:
        """知らない項目と、型の違う値を断る。"""
        if not isinstance(given, dict):
            raise self.refuse(where, "表（[[…]]）で書いてください", found=given)
        for key, value in given.items():
            if key not in kinds:
                raise self.refuse(where, "知らない項目です", found=key, allowed="、".join(kinds))
            if type(value) is not kinds[key]:
                said = {str: "文字", int: "整数", bool: "true か false", list: "並び", date: "日付"}[kinds[key]]
                raise self.refuse(where, f"{key} の型が違います", found=value, allowed=said)
        return given

    def word(self, where: str, key: str, value: str, words: Mapping[str, Any]) -> Any:
        if value not in words:
            raise self.refuse(where, f"{key} に書けない言葉です", found=value, allowed="、".join(words))
        return words[value]

    def field(self, given: object, where: str) -> Field:
        table = self.checked(given, _FIELD_KEYS, where)
        for key in ("type", "label"):
            if not table.get(key):
                raise self.refuse(where, f"{key} がありません")
        kind = self.word(where, "type", table["type"], KINDS)
        value = table.get("value", "")
        length = len(value) if kind is Kind.CONST else table.get("length", 0)
        if not 1 <= length <= _LONGEST or table.get("length", length) != length:
            raise self.refuse(where, "長さが合いません", found=table.get("length", "なし"), allowed="1 以上の整数")
        if kind is Kind.CONST and not (value.isascii() and value.isprintable()):
            raise self.refuse(where, "固定の値は、半角の英数字と記号だけです", found=value)
        if kind is Kind.NUMBER and length > 18:
            raise self.refuse(where, "数の桁が多すぎます", found=length, allowed="18 桁まで")
        holds = kind not in {Kind.CONST, Kind.FILLER}
        name = table.get("name", "")
        if holds != bool(name) or (name and not (name.isascii() and name.isidentifier())):
            raise self.refuse(where, "name は、値のある項目に、英字の名で書きます", found=name or "なし")
        choices = tuple(table.get("choices", ()))
        if any(not isinstance(one, str) or (kind is Kind.DIGITS and len(one) != length) for one in choices):
            raise self.refuse(where, "choices の値の桁が合いません", found=choices)
        if (form := table.get("form", "")) and kind is not Kind.DIGITS:
            raise self.refuse(where, "form は、型が数字の項目にだけ書けます", found=form)
        if form:
            self.word(where, "form", form, FORMS)
        if form and length != _FORM_DIGITS[form] and length not in _TIME_DIGITS.get(form, ()):
            raise self.refuse(
                where, f"form「{form}」の桁が合いません", found=length, allowed=f"{_FORM_DIGITS[form]} 桁"
            )
        return Field(
            name,
            table["label"],
            length,
            kind,
            value=" " * length if kind is Kind.FILLER else value,
            minimum=table.get("minimum", 0),
            choices=choices,
            blank_ok=table.get("blank", kind in {Kind.TEXT, Kind.WIDE}),
            allowed=self.word(where, "characters", table.get("characters", "JIS"), CHARACTERS)
            if kind is Kind.TEXT
            else None,
            sensitive=table.get("sensitive", False),
            note=table.get("note", ""),
            form=form,
        )


_FORM_DIGITS = {
    "date": 8,
    "short_date": 6,
    "month_day": 4,
    "era_date": 6,
    "era_month": 4,
    "time": 4,
    "deadline": 6,
    "barcode": 44,
}
_TIME_DIGITS = {"time": (6,)}
_TOTAL_KEYS: dict[str, type] = {"count": str, "yen": str, "amount": str, "where": str, "values": list, "other": bool}
_PART_KEYS: dict[str, type] = {
    "name": str,
    "label": str,
    "of": str,
    "start": int,
    "length": int,
    "number": bool,
    "note": str,
}


def parse(content: bytes, *, file: str) -> FileLayout:
    """TOML のバイト列から様式を作る。"""
    sheet = _Sheet(file)
    top = sheet.checked(load_toml(content, file=file), _TOP, "")
    for key in _NEEDED:
        if not top.get(key):
            raise sheet.refuse("", f"{key} がありません", allowed="、".join(_NEEDED))
    if not top["id"].isascii() or any(not isinstance(one, str) for one in top["sources"]):
        raise sheet.refuse("", "id は半角の英数字、sources は文字の並びで書きます", found=top["id"])
    try:
        return _build(sheet, top)
    except WrongUse as fault:
        # 宣言の決まり（長さの合計、名の重なり、合計の項目）を、ファイルの断りとして言い直す。
        raise RefusedInput(
            fault.says, code="layout-toml", place=Place(file), found=fault.found, allowed=fault.allowed
        ) from None


def _build(sheet: _Sheet, top: dict[str, Any]) -> FileLayout:
    def record(role: str) -> Layout | None:
        if role not in top:
            return None
        fields = tuple(
            sheet.field(one, f"{role}（{ROLES[role]}）の {at} 番目") for at, one in enumerate(top[role], start=1)
        )
        return Layout(
            f"{top['title']} {ROLES[role]}",
            top["length"],
            fields,
            tuple(top["sources"]),
            verified=top.get("verified", False),
            read_on=top["read_on"],
            own_convention=top.get("own_convention", False),
        )

    data = record("data")
    assert data is not None
    totals = tuple(_total(sheet, one, f"total の {at} 番目") for at, one in enumerate(top.get("total", ()), start=1))
    parts = tuple(_part(sheet, one, f"part の {at} 番目") for at, one in enumerate(top.get("part", ()), start=1))
    return FileLayout(
        top["id"],
        top["title"],
        data=data,
        header=record("header"),
        trailer=record("trailer"),
        end=record("end"),
        totals=totals,
        parts=parts,
        end_count=top.get("end_count", ""),
        groups=top.get("groups", False),
        newline=sheet.word("", "newline", top.get("newline", "CRLF"), NEWLINES),
        read_only=bool(top.get("incomplete")),
        incomplete=top.get("incomplete", ""),
    )


def _total(sheet: _Sheet, given: object, where: str) -> Total:
    table = sheet.checked(given, _TOTAL_KEYS, where)
    values = tuple(str(one) for one in table.get("values", ()))
    if bool(table.get("where")) != bool(values) or (table.get("yen") and not table.get("amount")):
        raise sheet.refuse(where, "where には values、yen には amount が要ります")
    return Total(
        table.get("count", ""),
        table.get("yen", ""),
        table.get("amount", ""),
        table.get("where", ""),
        values,
        other=table.get("other", False),
    )


def _part(sheet: _Sheet, given: object, where: str) -> Part:
    table = sheet.checked(given, _PART_KEYS, where)
    if missing := [key for key in ("name", "label", "of", "start", "length") if not table.get(key)]:
        raise sheet.refuse(where, f"{'、'.join(missing)} がありません")
    return Part(
        table["name"],
        table["label"],
        table["of"],
        table["start"],
        table["length"],
        number=table.get("number", False),
        note=table.get("note", ""),
    )


def load_toml(content: bytes, *, file: str) -> dict[str, Any]:
    """TOML を読む。文字コードと書き方の誤りは、何行目かを言って断る。"""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RefusedInput("UTF-8 ではありません", code="layout-toml", place=Place(file)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise RefusedInput("TOML の書き方が違います", code="layout-toml", place=Place(file), found=str(fault)) from None
