"""一つの区の行: 抽出データと回答の行（辞書）を、番号から引けるように並べたもの。"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from benefit.domain.programme import Programme

Row = Mapping[str, Any]
#: ここで読む列。写しの表から、これだけを取り出せばよい。
COLUMNS: dict[str, tuple[str, ...]] = {
    "residents": (
        "person_number",
        "household_number",
        "birth",
        "relation",
        "kana_name",
        "became_resident_on",
        "became_resident_reason",
        "removed_on",
        "removed_reason",
    ),
    "taxes": (
        "person_number",
        "levy_kind",
        "declaration",
        "per_capita_levy_yen",
        "income_levy_ward_yen",
        "income_levy_metro_yen",
        "total_income_yen",
        "taxable_income_yen",
        "deduction_difference_yen",
        "separate_income_tax_yen",
        "housing_credit_available_yen",
        "housing_credit_resident_yen",
        "filed_income_tax_yen",
        "estimated_income_tax_yen",
        "same_living_spouse",
        "deductible_spouse",
        "spouse_overseas",
        "dependants_16_and_over",
        "dependants_under_16",
        "dependants_overseas",
        "treaty_exempt",
        "ordinance_relief",
        "supporter_number",
        "supporter_outside",
        "died_on",
    ),
    "shortfall": (
        "person_number",
        "levy_kind",
        "income_tax_yen",
        "income_tax_total_income_yen",
        "resident_tax_total_income_yen",
        "resident_tax_yen",
        "n_income_tax",
        "n_resident_tax",
        "first_decided_by",
        "first_required_yen",
        "family_worker",
        "dependant",
        "low_income_target",
        "abroad_on_levy_date",
        "died_on",
    ),
    "prior": ("benefit_name", "household_number", "person_number", "relation", "state"),
    "accounts": ("person_number", "account_kind", "holder_kana"),
    "addresses": ("person_number", "kind", "kana_name", "line"),
    "protected": ("person_number", "kind"),
    "tax_answers": (
        "person_number",
        "answer",
        "per_capita_levy_yen",
        "income_levy_before_cut_yen",
        "income_levy_after_cut_yen",
        "treaty_exempt",
    ),
    "account_answers": ("person_number", "registered", "holder_kana"),
    "tax_corrections": ("person_number", "seen_class", "corrected_class"),
    "payee_changes": ("subject_kind", "subject_number", "new_payee", "heir"),
}


def birth_days(text: str) -> tuple[date, date]:
    """生年月日の取りうる一番早い日と遅い日。月か日の 00 は不詳（契約 §1）。"""
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:])
    first = date(year, month or 1, day or 1)
    last_month = month or 12
    if day:
        return first, date(year, last_month, day)
    next_month = date(year + last_month // 12, last_month % 12 + 1, 1)
    return first, next_month - timedelta(days=1)


class WardRows:
    """番号から引ける行。"""

    def __init__(self, rows: Mapping[str, Iterable[Row]], programme: Programme, today: date) -> None:
        self.programme, self.today = programme, today
        self.residents = _by_person(rows.get("residents", ()))
        self.taxes = _by_person(rows.get("taxes", ()))
        self.shortfalls = _by_person(rows.get("shortfall", ()))
        #: 死亡日の載る行: その事業の、税の行。
        self._recorded = self.taxes if programme.shortfall is None else self.shortfalls
        self.tax_answers = _by_person(rows.get("tax_answers", ()))
        self.account_answers = _by_person(rows.get("account_answers", ()))
        self.corrections = _by_person(rows.get("tax_corrections", ()))
        self.accounts = _lists(rows.get("accounts", ()), "person_number")
        self.addresses = _lists(rows.get("addresses", ()), "person_number")
        self.protected: dict[int, set[str]] = defaultdict(set)
        for row in rows.get("protected", ()):
            self.protected[row["person_number"]].add(row["kind"])
        self.new_payees: dict[tuple[str, int], tuple[int, bool]] = {
            (row["subject_kind"], row["subject_number"]): (row["new_payee"], row["heir"])
            for row in rows.get("payee_changes", ())
        }
        self.births = {number: birth_days(row["birth"]) for number, row in self.residents.items()}
        #: 基準日の世帯 → 世帯員の住民番号。
        self.households: dict[int, list[int]] = defaultdict(list)
        self.household_of: dict[int, int] = {}
        for number, row in self.residents.items():
            if self._is_member(row):
                self.households[row["household_number"]].append(number)
                self.household_of[number] = row["household_number"]
        self.prior_households = self._prior(rows.get("prior", ()))
        #: 人 → その人のいた昨年度の世帯。
        self.prior_of: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for key, members in self.prior_households.items():
            for number in {row["person_number"] for row in members}:
                self.prior_of[number].append(key)

    def _is_member(self, row: Row) -> bool:
        """Member: 住民となった日 ≤ 基準日、かつ消除日が空か、基準日より後。"""
        base = self.programme.base_date
        removed = row["removed_on"]
        return row["became_resident_on"] <= base and (removed is None or removed > base)

    def _prior(self, rows: Iterable[Row]) -> dict[tuple[str, int], list[Row]]:
        """昨年度の世帯: 一つの給付名と世帯番号の、状態が「対象外」でない行。"""
        found: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in rows:
            if row["state"] != "対象外":
                found[row["benefit_name"], row["household_number"]].append(row)
        return found

    def householder(self, household: int) -> int | None:
        """世帯主。一人に決まらなければ、いない（HEAD が不明）。"""
        heads = [number for number in self.households[household] if self.residents[number]["relation"] == "世帯主"]
        return heads[0] if len(heads) == 1 else None

    def is_dead(self, number: int, day: date) -> bool:
        """その日に亡くなっているか: 消除事由 死亡 の消除日か、死亡日が、その日以前。転出は生きている。"""
        resident, recorded = self.residents.get(number), self._recorded.get(number)
        days = [recorded["died_on"] if recorded is not None else None]
        if resident is not None and resident["removed_reason"] == "死亡":
            days.append(resident["removed_on"])
        return any(died is not None and died <= day for died in days)


def _by_person(rows: Iterable[Row]) -> dict[int, Row]:
    return {row["person_number"]: row for row in rows}


def _lists(rows: Iterable[Row], name: str) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[name]].append(row)
    return found
