"""説明に出す「見た値」: 検査ごとに、誰の、どの値を、どのファイルの何行目で見たか。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from benefit.records import certificates as layout
from benefit.services.certificates import Record

CLASS_NAMES = {
    "X": "租税条約免除",
    "2": "所得割課税",
    "1": "均等割のみ",
    "0": "非課税",
    "U": "未申告",
    "Q": "照会中",
    "N": "国外からの転入",
}
PRIOR_NAMES = {
    "P1": "昨年度と同じ世帯番号に、同じ人がいる（P1）",
    "P2": "昨年度の世帯主が、この世帯にいる（P2）",
    "P3": "昨年度の世帯主はもうおらず、残った全員がこの世帯にいる（P3）",
    "P5": "昨年度の対象世帯の人がいるが、P1〜P3 のどれでもない（P5）",
}


@dataclass(frozen=True)
class Value:
    """見た値の一つ。text: 全部。plain: 本人でない人に渡す紙に載せる文（税額と、世帯の外の人の番号を出さない）。

    place: 出どころ。whose: 誰の税か（その人に渡す紙には text を載せる）。None なら、いつでも text を載せる。
    """

    text: str
    place: str = ""
    plain: str = ""
    whose: int | None = None

    #: plain を載せるときの出どころ。言わなければ place と同じ。
    plain_place: str | None = None

    @property
    def told(self) -> str:
        """全部の文と、出どころ。"""
        return f"{self.text} {self.place}".rstrip()

    def told_to(self, person: int | None) -> str:
        """この人に渡す紙に載せる文と、出どころ。"""
        if self.whose is None or self.whose == person:
            return self.told
        return f"{self.plain} {self.place if self.plain_place is None else self.plain_place}".strip()


class Places:
    """元の行の言い方。"""

    def __init__(self, record: Record) -> None:
        self._files = record.files

    def __call__(self, kind: str, line: int | None) -> str:
        """「〔taxes.csv 12 行目〕」。申請から来た値は、行がない。"""
        name = self._files[kind][0] if kind in self._files else kind
        return f"〔{name} {line} 行目〕" if line else "〔受理した申請〕"


class Seen:
    """世帯員の行と、その元の行。"""

    def __init__(self, record: Record, members: list[dict[str, Any]]) -> None:
        self._record, self._place = record, Places(record)
        numbers = [member["number"] for member in members]
        facts = record.facts

        def rows(frame: pl.DataFrame, chosen: list[int]) -> dict[int, dict[str, Any]]:
            found = frame.filter(pl.col("person_number").is_in(chosen))
            return {row["person_number"]: row for row in found.iter_rows(named=True)}

        self._residents, self._taxes = rows(facts.residents, numbers), rows(facts.taxes, numbers)
        self._shortfalls = rows(facts.shortfall, numbers)
        supporters = [row["supporter_number"] for row in self._taxes.values() if row["supporter_number"] is not None]
        self._supporters = {number: row["line"] for number, row in rows(facts.taxes, supporters).items()}
        self._answers, self._protected = rows(facts.tax_answers, numbers), rows(facts.protected, numbers)
        self._prior = facts.prior.filter(pl.col("person_number").is_in(numbers)).rows(named=True)
        self._members = members
        self._corrected = set(facts.tax_corrections.filter(pl.col("person_number").is_in(numbers))["person_number"])

    @property
    def protected(self) -> bool:
        """区が直接扱う人がいるか。"""
        return bool(self._protected)

    def members(self) -> list[Value]:
        """世帯員の一覧: 続柄、生年月日、課税区分。"""
        values = []
        for member in self._members:
            resident = self._residents[member["number"]]
            values.append(
                Value(
                    f"{member['number']:010d} {resident['relation']} {resident['birth']}生 "
                    f"課税区分 {member['tax_class']}（{CLASS_NAMES[member['tax_class']]}）",
                    self._place("residents", resident["line"]),
                )
            )
        return values

    def household(self, row: dict[str, Any]) -> dict[str, list[Value]]:
        """世帯の検査ごとに見た値。"""
        return {
            "HEAD": [
                Value(f"{n:010d} 続柄 {r['relation']}", self._place("residents", r["line"]))
                for n, r in self._residents.items()
                if r["relation"] == "世帯主"
            ]
            or [Value("続柄が世帯主の人がいない")],
            "PAYEE": self._deaths() + self.replaced("世帯", row["number"]),
            "TAX": [self._tax(member) for member in self._members],
            "TREATY": [
                Value(f"{n:010d} 租税条約免除 {int(t['treaty_exempt'])}", self._place("taxes", t["line"]))
                for n, t in self._taxes.items()
                if t["treaty_exempt"]
            ]
            or [Value("租税条約免除の人はいない")],
            "ENTRANT": self._arrivals("N"),
            "INQUIRY": self._arrivals("Q") + self._answered(),
            "DECLARED": [self._tax(member) for member in self._members if member["tax_class"] == "U"],
            "PRIOR": [Value(PRIOR_NAMES[hit]) for hit in layout.prior_hits(row)]
            + [
                Value(
                    f"{p['person_number']:010d} {p['benefit_name']} 世帯 {p['household_number']:010d} "
                    f"{p['relation']} {p['state']}{'（数えない）' if p['state'] == '対象外' else ''}",
                    self._place("prior", p["line"]),
                )
                for p in self._prior
            ],
            "DEPENDANTS": [self._supporter(member) for member in self._members],
        }

    def child(self, row: dict[str, Any], born_from: date) -> dict[str, list[Value]]:
        """子どもの検査ごとに見た値。"""
        number = row["number"]
        resident = self._residents[number]
        place = self._place("residents", resident["line"])
        mine = (pl.col("person_number") == number) & (pl.col("kind") == "児童施設")
        marked = next(iter(self._record.facts.protected.filter(mine).rows(named=True)), None)
        return {
            "FACILITY": [Value(f"区分 {marked['kind']}", self._place("protected", marked["line"]))] if marked else [],
            "PARENT": [Value(f"世帯の給付: {row['household_verdict']}")],
            "CHILD_HEAD": [Value(f"続柄 {resident['relation']}", place)],
            "BIRTH": [Value(f"生年月日 {resident['birth']}（{born_from} 以後か）", place)],
        }

    def _tax(self, member: dict[str, Any]) -> Value:
        number = member["number"]
        tax = self._taxes.get(number)
        plain = f"{number:010d} 課税区分 {member['tax_class']}（{CLASS_NAMES[member['tax_class']]}）"
        if number in self._corrected:
            plain += "（税の更正の申請を受理）"
        if tax is None:
            arrived, place = self._arrival(number)
            return Value(f"{plain}: 住民税の行がない{arrived}", place)
        text = (
            f"{plain}: 均等割 {tax['per_capita_levy_yen']:,}、減税前所得割 区 {tax['income_levy_ward_yen']:,}"
            f" + 都 {tax['income_levy_metro_yen']:,}、条例減免 {tax['ordinance_relief']}、{tax['declaration']}"
        )
        return Value(text, self._place("taxes", tax["line"]), plain, number)

    def _arrival(self, number: int) -> tuple[str, str]:
        resident = self._residents[number]
        came = f"{resident['became_resident_on']}（{resident['became_resident_reason']}）"
        levy = resident["levy_date_municipality"] or "－"
        place = self._place("residents", resident["line"])
        return f"、{resident['birth']}生、住民となった日 {came}、1月1日住所地 {levy}", place

    def _arrivals(self, letter: str) -> list[Value]:
        return [
            Value(
                f"{m['number']:010d} 課税区分 {letter}" + self._arrival(m["number"])[0], self._arrival(m["number"])[1]
            )
            for m in self._members
            if m["tax_class"] == letter
        ]

    def _answered(self) -> list[Value]:
        return [
            Value(
                f"{number:010d} 照会 {answer['inquiry_number']} の回答: {answer['answer']}",
                self._place("tax_answers", answer["line"]),
                f"{number:010d} に照会の回答がある",
                number,
            )
            for number, answer in self._answers.items()
        ]

    def _deaths(self) -> list[Value]:
        values = []
        for member in self._members:
            number = member["number"]
            resident = self._residents[number]
            if resident["removed_reason"] == "死亡":
                place = self._place("residents", resident["line"])
                values.append(Value(f"{number:010d} 死亡 {resident['removed_on']}", place))
            for kind, rows in (("taxes", self._taxes), ("shortfall", self._shortfalls)):
                row = rows.get(number)
                if row is not None and row["died_on"]:
                    values.append(Value(f"{number:010d} 死亡日 {row['died_on']}", self._place(kind, row["line"])))
        return values or [Value("死亡の記録のある人はいない")]

    def replaced(self, kind: str, number: int) -> list[Value]:
        """受理した承継・相続の申請による、代わりの受給者。"""
        found = self._record.facts.payee_changes.filter(
            pl.col("subject_kind") == kind, pl.col("subject_number") == number
        )
        return [Value(f"代わりの受給者 {one:010d} 〔受理した申請〕") for one in found["new_payee"]]

    def _supporter(self, member: dict[str, Any]) -> Value:
        number = member["number"]
        tax = self._taxes.get(number)
        place = self._place("taxes", tax["line"]) if tax else ""
        if tax is None or (tax["supporter_number"] is None and not tax["supporter_outside"]):
            return Value(f"{number:010d} 誰の扶養でもない", place)
        if tax["supporter_outside"]:
            return Value(f"{number:010d} 区外の人の扶養", place)
        supporter, found = tax["supporter_number"], member["supporter_class"]
        told = f"課税区分 {found}（{CLASS_NAMES[found]}）" if found else "課税区分が分からない"
        line = self._supporters.get(supporter)
        theirs = self._place("taxes", line) if line else ""
        inside = any(one["number"] == supporter for one in self._members)
        # 世帯の外の人は、番号も課税区分も、紙には出さない。
        plain = f"{number:010d} {f'{supporter:010d} の扶養、その人は {told}' if inside else '世帯の外の人の扶養'}"
        text = f"{number:010d} {supporter:010d} の扶養{place}、その人は {told}"
        # だれの紙にも plain を載せる（whose はいない人）。出どころも、世帯の人の行だけである。
        return Value(text, theirs, plain, -1, theirs if inside else place)
