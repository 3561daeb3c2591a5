"""一つの対象（世帯・児童・納税者）の判定が見た行と、事実が少し違ったときの答え。

違いの答えは、第二の判定（`benefit.second`）に、その対象のまわりの行だけを渡して求める。証明の答えそのものは
ここから来ない: 証明は判定の写しであり、ここは「もしこうだったら」だけを答える。
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from benefit.domain.programme import Programme
from benefit.records import certificates as layout
from benefit.rules.facts import SCHEMAS, Facts
from benefit.second.child import child_answers, children
from benefit.second.household import judge_household
from benefit.second.judged import judged
from benefit.second.shortfall import shortfall
from benefit.second.taxpayer import adjustment
from benefit.second.ward_rows import COLUMNS, WardRows

Rows = dict[str, list[dict[str, Any]]]
#: 一つの世帯の判定が見る種類。口座と送付先は、対象かどうかに効かない。
_SEEN = ("taxes", "shortfall", "protected", "tax_answers", "tax_corrections")


@dataclass(frozen=True)
class Fact:
    """一つの行の、違う値。line が None なら、いまはない行。"""

    kind: str
    person_number: int
    line: int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Answered:
    """答え: 判定、理由、給付種別、額。その対象の行がなくなるときの判定は「行なし」。"""

    verdict: str
    reasons: str = ""
    benefit: str = ""
    amount_yen: int = 0


class Nearby:
    """一つの対象のまわりの行。"""

    def __init__(self, facts: Facts, programme: Programme, today: date, kind: str, number: int, home: int) -> None:
        self.programme, self.today, self.kind, self.number, self.home = programme, today, kind, number, home
        self.rows = _around(facts, programme, number, home if kind != layout.TAXPAYER else None)
        self.ward = WardRows(self.rows, programme, today)

    def after(self, changed: Iterable[Fact] = ()) -> Answered:
        """事実がこれだけ違ったときの答え。"""
        changed = tuple(changed)
        ward = WardRows(_with(self.rows, changed), self.programme, self.today) if changed else self.ward
        if self.kind == layout.TAXPAYER:
            return self._taxpayer(ward)
        if self.home not in ward.households:
            return Answered("行なし")
        found = judge_household(ward, self.home)
        if self.kind == layout.HOUSEHOLD:
            return Answered(found.verdict, found.reasons, found.benefit, found.amount_yen)
        if found.verdict == "対象外" or self.number not in children(ward, self.home):
            return Answered("行なし")
        verdict, reasons = judged(child_answers(ward, self.number, found))
        benefit = self.programme.benefit_for("child")
        assert benefit is not None
        return Answered(verdict, reasons, benefit.id, benefit.amount_yen or 0 if verdict == "対象" else 0)

    def _taxpayer(self, ward: WardRows) -> Answered:
        if self.programme.adjustment is not None:
            benefit = self.programme.benefit_for("taxpayer")
            assert benefit is not None
            answers, amount = adjustment(ward, ward.taxes[self.number])
            name = benefit.id
        else:
            answers, name, amount = shortfall(ward, ward.shortfalls[self.number])
        verdict, reasons = judged(answers)
        return Answered(verdict, reasons, name, amount if verdict == "対象" else 0)


def _around(facts: Facts, programme: Programme, number: int, home: int | None) -> Rows:
    def of(kind: str, where: pl.Expr) -> list[dict[str, Any]]:
        frame: pl.DataFrame = getattr(facts, kind)
        names = [*COLUMNS[kind], *(["line"] if "line" in SCHEMAS[kind] and "line" not in COLUMNS[kind] else [])]
        return frame.filter(where).select(names).rows(named=True)

    def among(numbers: set[int]) -> pl.Expr:
        return pl.col("person_number").is_in(list(numbers))

    people, last_year = {number}, list[dict[str, Any]]()
    if home is not None:
        people = {row["person_number"] for row in of("residents", pl.col("household_number") == home)}
        shared = {(row["benefit_name"], row["household_number"]) for row in of("prior", among(people))}
        last_year = [
            row
            for row in of("prior", pl.col("household_number").is_in([key[1] for key in shared]))
            if (row["benefit_name"], row["household_number"]) in shared
        ]
    supporters = {row["supporter_number"] for row in of("taxes", among(people))} - {None} if home is not None else set()
    everyone = people | supporters | {row["person_number"] for row in last_year}
    rows = {kind: of(kind, among(people | supporters)) for kind in _SEEN}
    rows["residents"] = of("residents", among(everyone))
    rows["prior"] = last_year
    rows["payee_changes"] = of("payee_changes", pl.col("subject_number").is_in([number, home or 0]))
    return rows


def _with(rows: Rows, changed: Iterable[Fact]) -> Rows:
    made = dict(rows)
    for fact in changed:
        if fact.line is None:
            made[fact.kind] = [*made[fact.kind], {**fact.values, "person_number": fact.person_number}]
            continue
        made[fact.kind] = [
            {**row, **fact.values}
            if row["person_number"] == fact.person_number and row.get("line", fact.line) == fact.line
            else row
            for row in made[fact.kind]
        ]
    return made
