"""届け方と口座（契約 §2 Route）。"""

from __future__ import annotations

from collections.abc import Iterable

from benefit.second.holder_name import names_agree
from benefit.second.ward_rows import WardRows

FLAGS = {"生活保護": "1", "過去給付": "2", "公金受取": "3"}


def _holders(ward: WardRows, payee: int) -> dict[str, str]:
    """口座種別 → 名義。公金受取口座の回答は、有なら置き換え、無と提供停止なら取り去る。"""
    found = {row["account_kind"]: row["holder_kana"] for row in ward.accounts.get(payee, ())}
    answer = ward.account_answers.get(payee)
    if answer is not None:
        found.pop("公金受取", None)
        if answer["registered"] == "有":
            found["公金受取"] = answer["holder_kana"]
    return found


def _kana_name(ward: WardRows, payee: int) -> str | None:
    """カナ氏名: 住民記録、なければ送付先。法定代理人の氏名は本人の氏名ではない。送付先は、後の行が新しい。"""
    resident = ward.residents.get(payee)
    if resident is not None and resident["kana_name"] is not None:
        name: str = resident["kana_name"]
        return name
    written = [
        (row["line"], row["kana_name"])
        for row in ward.addresses.get(payee, ())
        if row["kind"] != "法定代理人" and row["kana_name"] is not None
    ]
    return max(written)[1] if written else None


def route_and_flag(ward: WardRows, payee: int, people: Iterable[int]) -> tuple[str, str]:
    """対象の行の経路と口座フラグ。`people` は、区が直接扱う人かを見る人たち。"""
    holders = _holders(ward, payee)
    first = next((kind for kind in ward.programme.route.account_precedence if kind in holders), None)
    flag = "0" if first is None else FLAGS[first]
    if any(number in ward.protected for number in people):
        return "WARD", flag
    if first is not None and names_agree(holders[first], _kana_name(ward, payee)):
        return "PUSH", flag
    return "CONFIRM", flag
