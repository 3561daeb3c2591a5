"""規則の試験の部品: 言わなかったことは「ふつう」になる人・世帯・住民税。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.facts import SCHEMAS, Facts
from benefit.rules.outcomes import Decisions, decide

PROGRAMME = Programme.load("r6-2024")
TODAY = date(2024, 6, 20)
#: 住民税の行: 所得割を課税されている、均等割だけを課税されている。
TAXED: dict[str, Any] = {"income_levy_ward_yen": 100, "per_capita_levy_yen": 4000}
LIGHT: dict[str, Any] = {"per_capita_levy_yen": 4000}

_RESIDENT: dict[str, Any] = {
    "residence_card_number": None,
    "postal_code": "1690075",
    "address": "東京都新宿区高田馬場一丁目2番3号",
    "address2": None,
    "name": "試験　太郎",
    "kana_name": "シケン　タロウ",
    "former_name": None,
    "birth": "1970-05-06",
    "relation": "世帯主",
    "became_resident_on": date(2010, 4, 1),
    "became_resident_reason": "転入",
    "levy_date_municipality": None,
    "removed_on": None,
    "removed_reason": None,
}
_TAX: dict[str, Any] = {
    "levy_year": 2024,
    "levy_kind": "住所",
    "declaration": "申告済",
    "housing_credit_available_yen": None,
    "filed_income_tax_yen": None,
    "estimated_income_tax_yen": None,
    "same_living_spouse": False,
    "deductible_spouse": False,
    "spouse_overseas": False,
    "treaty_exempt": False,
    "ordinance_relief": "なし",
    "supporter_number": None,
    "supporter_outside": False,
    "died_on": None,
}


def birth_range(text: str) -> tuple[date, date]:
    year, month, day = (int(part) for part in text.split("-"))
    if month == 0:
        return date(year, 1, 1), date(year, 12, 31)
    if day == 0:
        last = (date(year + month // 12, month % 12 + 1, 1) - date(1, 1, 2)).days
        return date(year, month, 1), date.fromordinal(last + date(1, 1, 1).toordinal())
    return date(year, month, day), date(year, month, day)


@dataclass
class Ward:
    """少しずつ足して、判定する。"""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {kind: [] for kind in SCHEMAS})
    _numbers: Any = field(default_factory=lambda: count(1))

    def person(self, household: int = 1, *, tax: dict[str, Any] | bool | None = True, **given: Any) -> int:
        """一人足す。tax: True は非課税の行、None は行なし、辞書はその値の行。番号を返す。"""
        number: int = given.pop("number", next(self._numbers))
        row = {**_RESIDENT, **given, "person_number": number, "household_number": household}
        row["birth_earliest"], row["birth_latest"] = birth_range(row["birth"])
        self.add("residents", **row)
        if tax is not None and tax is not False:
            self.tax(number, **(tax if isinstance(tax, dict) else {}))
        return number

    def tax(self, number: int, **given: Any) -> None:
        """住民税の行を足す。金額は、言わなければ 0。"""
        money = {
            name: 0 for name, kind in SCHEMAS["taxes"].items() if name.endswith("_yen") or name.startswith("dependants")
        }
        self.add("taxes", **{**money, **_TAX, **given, "person_number": number})

    def add(self, extract: str, /, **row: Any) -> None:
        """一行足す。"""
        self.rows[extract].append({"line": len(self.rows[extract]) + 2, **row})

    def facts(self) -> Facts:
        return Facts(
            **{
                kind: pl.DataFrame([{name: row.get(name) for name in schema} for row in self.rows[kind]], schema=schema)
                for kind, schema in SCHEMAS.items()
            }
        )

    def decide(self, today: date = TODAY) -> Decisions:
        return decide(self.facts(), PROGRAMME, today)

    def household(self, number: int = 1, today: date = TODAY) -> dict[str, Any]:
        """世帯の判定。"""
        return self.decide(today).households.filter(pl.col("household_number") == number).row(0, named=True)

    def taxpayer(self, number: int, today: date = TODAY) -> dict[str, Any]:
        """納税者の判定。"""
        return self.decide(today).taxpayers.filter(pl.col("person_number") == number).row(0, named=True)
