"""契約 §2 を、一人ずつ・一世帯ずつ、素の Python で書き下したもの。速い方（Polars）の答え合わせに使う。

本体の部品は一つも使わない（名義の鍵だけは、`test_route` が別に確かめている）。文の順は契約の文の順。
"""

from __future__ import annotations

from datetime import date
from typing import Any

from benefit.domain.kana import agreement_key

Row = dict[str, Any]
Outcome = tuple[str, int, str, str, str, int, int | None, str | None, str | None]

BASE, ENTERED, CHILD, UNDER_16 = date(2024, 6, 3), date(2024, 1, 2), date(2006, 4, 2), date(2008, 1, 2)
NULL = None


def is_member(row: Row) -> bool:
    return row["became_resident_on"] <= BASE and (row["removed_on"] is None or row["removed_on"] > BASE)


class PlainWard:
    def __init__(self, rows: dict[str, list[Row]], today: date) -> None:
        self.rows, self.today = rows, today
        self.resident = {row["person_number"]: row for row in rows["residents"]}
        self.tax = {row["person_number"]: row for row in rows["taxes"]}
        self.answer = {row["person_number"]: row for row in rows["tax_answers"]}
        self.protected = {row["person_number"] for row in rows["protected"]}
        self.homes: dict[int, list[Row]] = {}
        for row in rows["residents"]:
            if is_member(row):
                self.homes.setdefault(row["household_number"], []).append(row)
        self.home_of = {row["person_number"]: number for number, rows in self.homes.items() for row in rows}

    def tax_class(self, person: int) -> str | None:
        tax = self.tax.get(person)
        if tax is not None:
            relieved = tax["ordinance_relief"] == "全部"
            if tax["treaty_exempt"]:
                return "X"
            if tax["income_levy_ward_yen"] + tax["income_levy_metro_yen"] > 0 and not relieved:
                return "2"
            if tax["per_capita_levy_yen"] > 0 and not relieved:
                return "1"
            return "U" if tax["declaration"] == "未申告" else "0"
        resident = self.resident.get(person)
        if resident is None:
            return None
        if resident["birth_earliest"] >= UNDER_16:
            return "0"
        if resident["became_resident_on"] < ENTERED:
            return "U"
        reason = resident["became_resident_reason"]
        return {"出生": "0", "国外転入": "N"}.get(reason) or self._asked(person)

    def _asked(self, person: int) -> str:
        answer = self.answer.get(person)
        if answer is None:
            return "Q"
        if answer["treaty_exempt"]:
            return "X"
        before, after = answer["income_levy_before_cut_yen"], answer["income_levy_after_cut_yen"]
        if answer["answer"] == "課税":
            if before is None:
                return "2" if (after or 0) > 0 else "Q"
            if before > 0:
                return "2"
            return "1" if (answer["per_capita_levy_yen"] or 0) > 0 else "Q"
        return {"非課税": "0", "未申告": "U"}.get(answer["answer"], "Q")

    def is_dead(self, person: int, day: date) -> bool:
        resident, tax = self.resident.get(person), self.tax.get(person)
        days = [
            resident["removed_on"] if resident and resident["removed_reason"] == "死亡" else None,
            tax["died_on"] if tax else None,
        ]
        return any(died is not None and died <= day for died in days)

    def prior(self, home: int) -> bool | None:
        here = {row["person_number"] for row in self.homes[home]}
        groups: dict[tuple[str, int], list[Row]] = {}
        for row in self.rows["prior"]:
            if row["state"] != "対象外":
                groups.setdefault((row["benefit_name"], row["household_number"]), []).append(row)
        shared_anywhere = False
        for (_, number), rows in groups.items():
            people = {row["person_number"] for row in rows}
            heads = {row["person_number"] for row in rows if row["relation"] == "世帯主"}
            remaining = {person for person in people if person in self.home_of}
            shared_anywhere |= bool(people & here)
            p1 = number == home and bool(people & here)
            p2 = bool(heads & here)
            p3 = bool(heads) and not (heads & set(self.home_of)) and bool(remaining) and remaining <= here
            if p1 or p2 or p3:
                return False
        return NULL if shared_anywhere else True

    def dependants(self, home: int) -> bool | None:
        supporters: list[str | None] = []
        for row in self.homes[home]:
            tax = self.tax.get(row["person_number"])
            if tax is None or (tax["supporter_number"] is None and not tax["supporter_outside"]):
                return True
            supporters.append("区外" if tax["supporter_outside"] else self.tax_class(tax["supporter_number"]))
        if all(one in {"1", "2"} for one in supporters):
            return False
        if any(one in {"0", "X", "N"} for one in supporters):
            return True
        return NULL

    def household(self, home: int) -> tuple[dict[str, bool | None], int | None, list[str | None]]:
        members = self.homes[home]
        classes = {row["person_number"]: self.tax_class(row["person_number"]) for row in members}
        heads = [row["person_number"] for row in members if row["relation"] == "世帯主"]
        head = heads[0] if len(heads) == 1 else None
        living = [p for p in classes if not self.is_dead(p, self.today)]
        payee: bool | None = True
        if head is not None and head not in living:
            payee = NULL if living else False
        adults = [classes[row["person_number"]] for row in members if row["birth_earliest"] < UNDER_16]
        entrant: bool | None = NULL if "N" in classes.values() else True
        if (head is not None and classes[head] == "N") or (adults and set(adults) == {"N"}):
            entrant = False
        return (
            {
                "HEAD": True if head is not None else NULL,
                "PAYEE": payee,
                "TAX": "2" not in classes.values(),
                "TREATY": "X" not in classes.values(),
                "ENTRANT": entrant,
                "INQUIRY": NULL if "Q" in classes.values() else True,
                "DECLARED": NULL if "U" in classes.values() else True,
                "PRIOR": self.prior(home),
                "DEPENDANTS": self.dependants(home),
            },
            head,
            list(classes.values()),
        )

    def account(self, person: int) -> tuple[str, bool]:
        accounts = {row["account_kind"]: row for row in self.rows["accounts"] if row["person_number"] == person}
        for answer in self.rows["account_answers"]:
            if answer["person_number"] == person:
                accounts.pop("公金受取", None)
                if answer["registered"] == "有":
                    accounts["公金受取"] = answer
        for flag, kind in (("1", "生活保護"), ("2", "過去給付"), ("3", "公金受取")):
            if kind in accounts:
                kana = (self.resident.get(person) or {}).get("kana_name")
                if kana is None:
                    written = [r["kana_name"] for r in self.rows["addresses"] if r["person_number"] == person]
                    kana = written[0] if written else None
                same = kana is not None and agreement_key(kana) == agreement_key(accounts[kind]["holder_kana"])
                return flag, same
        return "0", False

    def _row(
        self, kind: str, number: int, benefit: str, checks: dict[str, bool | None], yen: int, payee: int | None,
        near: set[int],
    ) -> Outcome:  # fmt: skip
        unmet = [name for name, answer in checks.items() if answer is False]
        unknown = [name for name, answer in checks.items() if answer is None]
        if unmet or unknown:
            shown = "R6-H" if kind == "世帯" else benefit
            return (
                kind, number, shown, "対象外" if unmet else "未確定", ";".join(unmet or unknown), 0, payee, None, None,
            )  # fmt: skip
        assert payee is not None
        flag, same = self.account(payee)
        route = "WARD" if near & self.protected else "PUSH" if same else "CONFIRM"
        return kind, number, benefit, "対象", "", yen, payee, route, flag

    def taxpayer(self, tax: Row) -> Outcome:
        person = tax["person_number"]
        levy = tax["income_levy_ward_yen"] + tax["income_levy_metro_yen"]
        given = [tax[f"{source}_income_tax_yen"] for source in ("estimated", "filed")]
        income_tax = next((yen for yen in given if yen is not None), None)
        if income_tax is None:
            base = max(0, tax["taxable_income_yen"] - tax["deduction_difference_yen"]) // 1000 * 1000
            income_tax = 0
            if tax["housing_credit_resident_yen"] <= 0:
                whole = progressive(base) + tax["separate_income_tax_yen"]
                income_tax = max(0, whole - (tax["housing_credit_available_yen"] or 0))
        others = tax["dependants_16_and_over"] + tax["dependants_under_16"] - tax["dependants_overseas"]
        here = not tax["spouse_overseas"]
        a = max(0, 30_000 * (1 + others + (tax["same_living_spouse"] and here)) - income_tax)
        b = max(0, 10_000 * (1 + others + (tax["deductible_spouse"] and here)) - levy)
        checks: dict[str, bool | None] = {
            "LEVIED": tax["levy_kind"] != "家屋敷",
            "ALIVE": not self.is_dead(person, BASE),
            "CAP": tax["total_income_yen"] <= 18_050_000,
            "TAXPAYER": income_tax > 0 or levy > 0,
            "SHORTFALL": a + b > 0,
            "PAYEE": not self.is_dead(person, self.today),
        }
        near = {person} | {row["person_number"] for row in self.homes.get(self.home_of.get(person, -1), [])}
        return self._row("納税者", person, "R6-4", checks, -(-(a + b) // 10_000) * 10_000, person, near)

    def outcomes(self) -> set[Outcome]:
        found: set[Outcome] = {self.taxpayer(tax) for tax in self.rows["taxes"]}
        facility = {row["person_number"] for row in self.rows["protected"] if row["kind"] == "児童施設"}
        for home, members in self.homes.items():
            checks, head, classes = self.household(home)
            near = {row["person_number"] for row in members}
            benefit = "R6-1" if set(classes) == {"0"} else "R6-2"
            row = self._row("世帯", home, benefit, checks, 100_000, head, near)
            found.add(row)
            if row[3] == "対象外":
                continue
            for child in members:
                if child["birth_latest"] >= CHILD:
                    answers: dict[str, bool | None] = {
                        "FACILITY": child["person_number"] not in facility,
                        "PARENT": True if row[3] == "対象" else NULL,
                        "CHILD_HEAD": NULL if child["person_number"] == head else True,
                        "BIRTH": True if child["birth_earliest"] >= CHILD else NULL,
                    }
                    found.add(self._row("児童", child["person_number"], "R6-3", answers, 50_000, head, near))
        return found


def progressive(base: int) -> int:
    """所得税を、段ごとの率で積み上げる（速算表の控除額を使わない、別の道）。"""
    steps = [0, 1_950_000, 3_300_000, 6_950_000, 9_000_000, 18_000_000, 40_000_000, 10**12]
    rates = [5, 10, 20, 23, 33, 40, 45]
    return sum(
        max(0, min(base, upper) - lower) * rate // 100
        for lower, upper, rate in zip(steps, steps[1:], rates, strict=False)
    )
