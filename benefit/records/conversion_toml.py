"""区が置く変換の対応表（TOML）を読む。

id = "standard-to-kakuu"
title = "標準システム → 架空銀行"
from = "standard-paid"
to = "kakuu-counter"
[header]
made_on = { given = "made_on" }
[field]
paid_on = "paid_on"
amount_yen = "amount_yen"
key = { fields = ["fiscal_year", "term"], function = "zero_pad", length = 12 }
kind = { fields = ["data_kind"], table = { "01" = "1", "02" = "2" } }
spare = { value = "000" }
"""

from __future__ import annotations

from benefit.domain.errors import Place, RefusedInput
from benefit.records.fields import Value
from benefit.records.layout_conversion import FUNCTIONS, Conversion, Rule
from benefit.records.layout_toml import load_toml

_TOP = ("id", "title", "from", "to", "header", "field")
_RULE: dict[str, tuple[type, ...]] = {
    "fields": (list,),
    "value": (str, int),
    "function": (str,),
    "start": (int,),
    "length": (int,),
    "table": (dict,),
    "given": (str,),
}


def is_conversion(content: bytes, *, file: str) -> bool:
    """様式ではなく、変換の対応表か（`from` があるか）。"""
    return "from" in load_toml(content, file=file)


def parse(content: bytes, *, file: str) -> Conversion:
    """TOML のバイト列から対応表を作る。項目の過不足は、様式と合わせる時（`Converter`）に確かめる。"""
    top = load_toml(content, file=file)
    if unknown := top.keys() - set(_TOP):
        raise _refused(file, "", "知らない項目です", "、".join(sorted(unknown)), "、".join(_TOP))
    for key in ("id", "title", "from", "to"):
        if not isinstance(top.get(key), str) or not top[key]:
            raise _refused(file, key, "文字で書いてください", str(top.get(key, "なし")), "文字")
    made = {}
    for key in ("header", "field"):
        table = top.get(key, {})
        if not isinstance(table, dict):
            raise _refused(file, key, "表（[…]）で書いてください", str(table)[:60], "表")
        made[key] = {name: _rule(file, f"{key}.{name}", rule) for name, rule in table.items()}
    return Conversion(top["id"], top["title"], top["from"], top["to"], fields=made["field"], header=made["header"])


def _rule(file: str, where: str, given: object) -> Rule:
    if isinstance(given, str):
        return Rule((given,))
    if not isinstance(given, dict):
        raise _refused(file, where, "元の項目の名か、{ … } で書いてください", str(given)[:60], "")
    for key, value in given.items():
        if key not in _RULE:
            raise _refused(file, where, "知らない項目です", key, "、".join(_RULE))
        if type(value) not in _RULE[key]:
            raise _refused(file, where, f"{key} の型が違います", str(value)[:60], "")
    ways = [key for key in ("fields", "value", "given") if key in given]
    if len(ways) != 1:
        raise _refused(file, where, "fields・value・given のどれか一つを書きます", "、".join(ways) or "なし", "")
    if (function := given.get("function", "")) and function not in FUNCTIONS:
        raise _refused(file, where, "ない関数です", function, "、".join(FUNCTIONS))
    fields, table = given.get("fields", []), given.get("table", {})
    if any(not isinstance(one, str) for one in (*fields, *table.values())) or ("fields" in given and not fields):
        raise _refused(file, where, "fields と table は文字で書きます", "", "")
    fixed: Value = given.get("value", "")
    return Rule(
        tuple(fields),
        value=fixed,
        function=function,
        start=given.get("start", 1),
        length=given.get("length", 0),
        table=tuple(table.items()),
        given=given.get("given", ""),
    )


def _refused(file: str, where: str, says: str, found: str, allowed: str) -> RefusedInput:
    place = Place(file, None, where)
    return RefusedInput(says, code="conversion-toml", place=place, found=found or None, allowed=allowed or None)
