"""世帯と児童の答えを動かしうる、事実の違いの候補。一つの候補は、一人についての一つの違いである。

直す候補（`repairs`）は非該当・不明の検査を該当にする向き、崩す候補（`breaks`）は対象を終わらせる向き。
どれが要るか、どれで変わるかは、候補を当てて判定してから決める（`explain_change`）。
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benefit.second.tax_class import tax_class
from benefit.services.explain_nearby import Fact, Nearby

#: 住民税の行がない人に、課税のない行があったとしたら。
_UNTAXED: dict[str, Any] = {
    "levy_kind": "住所",
    "declaration": "申告済",
    **dict.fromkeys(
        (
            "per_capita_levy_yen",
            "income_levy_ward_yen",
            "income_levy_metro_yen",
            "total_income_yen",
            "taxable_income_yen",
            "deduction_difference_yen",
            "separate_income_tax_yen",
            "housing_credit_resident_yen",
            "dependants_16_and_over",
            "dependants_under_16",
            "dependants_overseas",
        ),
        0,
    ),
    **dict.fromkeys(
        ("housing_credit_available_yen", "filed_income_tax_yen", "estimated_income_tax_yen", "supporter_number"), None
    ),
    **dict.fromkeys(
        ("same_living_spouse", "deductible_spouse", "spouse_overseas", "treaty_exempt", "supporter_outside"), False
    ),
    "ordinance_relief": "なし",
    "died_on": None,
}
_NOT_TAXED_ANSWER: dict[str, Any] = {
    "answer": "非課税",
    "per_capita_levy_yen": None,
    "income_levy_before_cut_yen": None,
    "income_levy_after_cut_yen": None,
    "treaty_exempt": False,
}


@dataclass(frozen=True)
class Move:
    """一つの違い。says: 職員と本人に言う文。plain: 税額を出してはいけない人に言う文。whose: 誰の税か。"""

    facts: tuple[Fact, ...]
    says: str
    plain: str
    whose: int | None = None


def _move(facts: Fact | tuple[Fact, ...], says: str, plain: str = "", whose: int | None = None) -> Move:
    return Move(facts if isinstance(facts, tuple) else (facts,), says, plain or says, whose)


def repairs(near: Nearby) -> list[Move]:
    """対象に向かう候補。"""
    moves: list[Move] = []
    for number in near.ward.households.get(near.home, ()):
        moves += _taxless(near, number)
        moves += _alive(near, number)
        moves += _prior(near, number)
        tax = near.ward.taxes.get(number)
        if tax is not None and (tax["supporter_outside"] or tax["supporter_number"] is not None):
            fact = Fact("taxes", number, tax["line"], {"supporter_number": None, "supporter_outside": False})
            moves.append(_move(fact, f"{number:010d} が誰の扶養でもない", whose=number))
    return moves


def heads(near: Nearby) -> list[tuple[Move, ...]]:
    """世帯主を一人にする、いくつかの仕方。もう一人なら、何もしない一つ。"""
    members = near.ward.households.get(near.home, [])
    residents = near.ward.residents
    found = [number for number in members if residents[number]["relation"] == "世帯主"]

    def said(number: int, relation: str) -> Move:
        fact = Fact("residents", number, residents[number]["line"], {"relation": relation})
        return _move(fact, f"{number:010d} の続柄が「{relation}」である")

    if len(found) == 1:
        others = [number for number in members if number != near.number]
        if near.kind == "児童" and found == [near.number]:
            return [(said(near.number, "子"), said(number, "世帯主")) for number in others] or [()]
        return [()]
    if not found:
        return [(said(number, "世帯主"),) for number in members if number != near.number]
    return [tuple(said(number, "同居人") for number in found if number != kept) for kept in found]


def of_child(near: Nearby) -> list[Move]:
    """児童だけの、直す候補: 施設の印、不詳の生年月日。"""
    terms = near.programme.child
    assert terms is not None
    moves = [
        _move(
            Fact("protected", near.number, row["line"], {"kind": "なし"}),
            f"{near.number:010d} に児童施設の印がない",
        )
        for row in near.rows["protected"]
        if row["person_number"] == near.number and row["kind"] == "児童施設"
    ]
    if near.ward.births[near.number][0] < terms.born_from:
        moves.append(_birth(near, near.number, terms.born_from, "以後と分かる"))
    return moves


def _birth(near: Nearby, number: int, day: Any, more: str) -> Move:
    values = {"birth": day.isoformat(), "birth_earliest": day, "birth_latest": day}
    line = near.ward.residents[number]["line"]
    return _move(Fact("residents", number, line, values), f"{number:010d} の生年月日が {day} {more}")


def _taxless(near: Nearby, number: int) -> Iterator[Move]:
    """この人の課税区分を、対象になる区分にする候補。"""
    ward, name = near.ward, f"{number:010d}"
    found = tax_class(ward, number)
    light = near.programme.benefit_for("per_capita_household") is not None
    correction, tax = ward.corrections.get(number), ward.taxes.get(number)
    if correction is not None and found == correction["corrected_class"] and found not in {"0", "1" if light else "0"}:
        yield _move(
            Fact("tax_corrections", number, 0, {"corrected_class": "0"}), f"{name} の更正後の区分が非課税である"
        )
        return
    if tax is not None:
        line = tax["line"]
        if tax["treaty_exempt"]:
            yield _move(Fact("taxes", number, line, {"treaty_exempt": False}), f"{name} が租税条約の免除を受けていない")
        levy = tax["income_levy_ward_yen"] + tax["income_levy_metro_yen"]
        if levy > 0 and tax["ordinance_relief"] != "全部":
            yield _move(
                Fact("taxes", number, line, {"income_levy_ward_yen": 0, "income_levy_metro_yen": 0}),
                f"{name} の減税前の所得割が {levy:,} 円少ない（0 円である）",
                f"{name} に減税前の所得割がない",
                number,
            )
        if tax["per_capita_levy_yen"] > 0 and not light and tax["ordinance_relief"] != "全部":
            yield _move(
                Fact("taxes", number, line, {"per_capita_levy_yen": 0}),
                f"{name} の均等割が {tax['per_capita_levy_yen']:,} 円少ない（0 円である）",
                f"{name} に均等割がない",
                number,
            )
        if tax["declaration"] == "未申告":
            yield _move(Fact("taxes", number, line, {"declaration": "申告済"}), f"{name} が申告をしている")
        return
    answer = ward.tax_answers.get(number)
    if answer is not None and found in {"1", "2", "U", "X", "Q"}:
        yield _move(
            Fact("tax_answers", number, answer["line"], _NOT_TAXED_ANSWER), f"{name} の照会の回答が「非課税」である"
        )
    elif found == "Q":
        yield _move(Fact("tax_answers", number, None, _NOT_TAXED_ANSWER), f"{name} の照会の回答が「非課税」である")
    elif found in {"U", "N"}:
        yield _move(Fact("taxes", number, None, _UNTAXED), f"{name} に、申告済で課税のない住民税の行がある")


def _alive(near: Nearby, number: int) -> Iterator[Move]:
    if near.ward.is_dead(number, near.today):
        yield _move(lives(near, number), f"{number:010d} が判定の日 {near.today} に存命である")


def lives(near: Nearby, number: int) -> tuple[Fact, ...]:
    """死亡の記録がない、という違い。"""
    ward = near.ward
    facts = []
    resident = ward.residents.get(number)
    if resident is not None and resident["removed_reason"] == "死亡":
        facts.append(Fact("residents", number, resident["line"], {"removed_on": None, "removed_reason": None}))
    for kind in ("taxes", "shortfall"):
        facts += [
            Fact(kind, number, row["line"], {"died_on": None})
            for row in near.rows[kind]
            if row["person_number"] == number and row["died_on"] is not None
        ]
    return tuple(facts)


def _prior(near: Nearby, number: int) -> Iterator[Move]:
    terms = near.programme.household
    if terms is None or terms.prior == "IGNORE":
        return
    for row in near.rows["prior"]:
        if row["person_number"] == number and row["state"] != "対象外":
            yield _move(
                Fact("prior", number, row["line"], {"state": "対象外"}),
                f"{number:010d} が昨年度の {row['benefit_name']} の対象世帯（{row['household_number']:010d}）にいない",
            )


def breaks(near: Nearby) -> Iterator[list[Move]]:
    """対象を終わらせる向きの候補。一つの並びは同じ種類の違いで、先に変わったものを一つだけ言う。"""
    ward = near.ward
    members = ward.households[near.home]
    head = ward.householder(near.home)
    rows = [(number, ward.taxes[number]) for number in members if number in ward.taxes]
    yield [
        _move(
            Fact("taxes", number, tax["line"], {"income_levy_ward_yen": tax["income_levy_ward_yen"] + 1}),
            f"世帯の一人（{number:010d}）に、減税前の所得割が 1 円でもある",
            whose=number,
        )
        for number, tax in rows
    ]
    yield [
        _move(
            Fact("taxes", number, tax["line"], {"per_capita_levy_yen": tax["per_capita_levy_yen"] + 1}),
            f"世帯の一人（{number:010d}）に、均等割が 1 円でもある",
            whose=number,
        )
        for number, tax in rows
        if tax["per_capita_levy_yen"] == 0
    ]
    yield [
        _move(
            Fact("taxes", number, tax["line"], {"declaration": "未申告"}), f"世帯の一人（{number:010d}）が未申告である"
        )
        for number, tax in rows
    ]
    yield [
        _move(
            Fact("taxes", number, tax["line"], {"treaty_exempt": True}),
            f"世帯の一人（{number:010d}）が租税条約の免除を受けている",
        )
        for number, tax in rows
    ]
    if head is not None:
        last_year = {
            "benefit_name": "昨年度の給付",
            "household_number": near.home,
            "relation": "世帯主",
            "state": "支給済",
        }
        yield [_move(Fact("prior", head, None, last_year), f"世帯主（{head:010d}）が昨年度の対象世帯にいる")]
        line = ward.residents[head]["line"]
        died = {"removed_on": near.today, "removed_reason": "死亡"}
        yield [_move(Fact("residents", head, line, died), f"世帯主（{head:010d}）が判定の日までに亡くなっている")]
    alone = [(number, tax) for number, tax in rows if not tax["supporter_outside"] and tax["supporter_number"] is None]
    if len(rows) == len(members) and alone:
        facts = tuple(Fact("taxes", number, tax["line"], {"supporter_outside": True}) for number, tax in alone)
        names = "、".join(f"{number:010d}" for number, _tax in alone)
        yield [_move(facts, f"扶養されていない {len(alone)} 人（{names}）が区外の人の扶養である")]
    if near.kind == "児童":
        terms = near.programme.child
        assert terms is not None
        yield [_birth(near, near.number, terms.born_from - timedelta(days=1), "である（一日早く対象の日の前）")]
        marked = Fact("protected", near.number, None, {"kind": "児童施設"})
        yield [_move(marked, f"{near.number:010d} が児童福祉施設等に入所している")]
