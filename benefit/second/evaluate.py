"""全員を、一世帯ずつ・一人ずつ判定する（契約 §4 outcomes.csv の行）。"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from benefit.domain.programme import Programme
from benefit.second.child import child_answers, children
from benefit.second.household import JudgedHousehold, judge_household
from benefit.second.judged import Answers, Outcome, judged
from benefit.second.route import route_and_flag
from benefit.second.shortfall import shortfall
from benefit.second.taxpayer import adjustment
from benefit.second.ward_rows import Row, WardRows


def evaluate(rows: Mapping[str, Iterable[Row]], programme: Programme, today: date) -> Iterator[Outcome]:
    """種類ごとの行（`ward_rows.COLUMNS` の列の辞書）から、outcomes.csv の行。順は問わない。"""
    return evaluate_ward(WardRows(rows, programme, today))


def evaluate_ward(ward: WardRows) -> Iterator[Outcome]:
    """番号から引ける行から、outcomes.csv の行。"""
    programme = ward.programme
    if programme.household is not None:
        for household in ward.households:
            yield from _household(ward, household)
    if programme.adjustment is not None:
        benefit = programme.benefit_for("taxpayer")
        assert benefit is not None
        for tax in ward.taxes.values():
            answers, amount = adjustment(ward, tax)
            yield _taxpayer(ward, tax["person_number"], benefit.id, answers, amount)
    if programme.shortfall is not None:
        for row in ward.shortfalls.values():
            answers, benefit_id, amount = shortfall(ward, row)
            yield _taxpayer(ward, row["person_number"], benefit_id, answers, amount)


def _household(ward: WardRows, household: int) -> Iterator[Outcome]:
    found = judge_household(ward, household)
    yield _routed(ward, household, "世帯", household, found)
    child_benefit = ward.programme.benefit_for("child")
    if found.verdict == "対象外" or child_benefit is None:
        return
    for number in children(ward, household):
        verdict, reasons = judged(child_answers(ward, number, found))
        amount = child_benefit.amount_yen if verdict == "対象" and child_benefit.amount_yen is not None else 0
        of_child = JudgedHousehold(verdict, reasons, child_benefit.id, amount, found.payee_number)
        yield _routed(ward, household, "児童", number, of_child)


def _routed(ward: WardRows, household: int, kind: str, number: int, found: JudgedHousehold) -> Outcome:
    route = flag = None
    if found.verdict == "対象":
        assert found.payee_number is not None
        route, flag = route_and_flag(ward, found.payee_number, ward.households[household])
        if ward.new_payees.get(("世帯", household)) == (found.payee_number, True):
            # 相続人には区が直接払う。登録の口座は使わない。
            route, flag = "WARD", "0"
    return Outcome(
        kind,
        number,
        found.benefit,
        found.verdict,
        found.reasons,
        found.amount_yen,
        found.payee_number,
        route,
        flag,
    )


def _taxpayer(ward: WardRows, number: int, benefit: str, answers: Answers, amount_yen: int) -> Outcome:
    verdict, reasons = judged(answers)
    payee, heir = number, False
    if ("納税者", number) in ward.new_payees and ward.is_dead(number, ward.today):
        payee, heir = ward.new_payees["納税者", number]
    if verdict != "対象":
        return Outcome("納税者", number, benefit, verdict, reasons, 0, payee, None, None)
    # 区が直接扱うのは、本人か、その人の基準日の世帯の誰かがその印を持つとき。
    near = {number, *ward.households.get(ward.household_of.get(number, -1), ())}
    route, flag = ("WARD", "0") if heir else route_and_flag(ward, payee, near)
    return Outcome("納税者", number, benefit, verdict, reasons, amount_yen, payee, route, flag)
