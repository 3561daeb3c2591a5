"""説明に出す「見た値」: 検査ごとに、誰の、どの値を、どのファイルの何行目で見たか。"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from benefit.services.standing import Inputs

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


class Seen:
    """世帯員の行と、その元の行。"""

    def __init__(self, inputs: Inputs, members: pl.DataFrame) -> None:
        self._inputs = inputs
        self._members = members.rows(named=True)
        numbers = members["person_number"].to_list()
        facts = inputs.facts

        def rows(frame: pl.DataFrame) -> dict[int, dict[str, Any]]:
            chosen = frame.filter(pl.col("person_number").is_in(numbers))
            return {row["person_number"]: row for row in chosen.iter_rows(named=True)}

        self._residents, self._taxes = rows(facts.residents), rows(facts.taxes)
        supporters = facts.taxes.filter(
            pl.col("person_number").is_in(members["supporter_number"].drop_nulls().implode())
        )
        self._supporters = {row["person_number"]: row["line"] for row in supporters.iter_rows(named=True)}
        self._answers, self._protected = rows(facts.tax_answers), rows(facts.protected)
        self._prior = facts.prior.filter(pl.col("person_number").is_in(numbers)).rows(named=True)

    def _child_born_from(self) -> date:
        terms = self._inputs.programme.child
        assert terms is not None
        return terms.born_from

    def _income_cap_yen(self) -> int:
        terms = self._inputs.programme.adjustment
        assert terms is not None
        return terms.income_cap_yen

    def _place(self, kind: str, line: int) -> str:
        source = self._inputs.sources.get(kind)
        name = (
            source.file_name
            if source
            else next((one.file_name for one in reversed(self._inputs.answers) if one.kind == kind), kind)
        )
        return f"〔{name} {line} 行目〕"

    def members(self) -> list[str]:
        """世帯員の一覧: 続柄、生年月日、課税区分。"""
        lines = []
        for member in self._members:
            resident = self._residents[member["person_number"]]
            lines.append(
                f"{member['person_number']:010d} {resident['relation']} {resident['birth']}生 "
                f"課税区分 {member['tax_class']}（{CLASS_NAMES[member['tax_class']]}） "
                f"{self._place('residents', resident['line'])}"
            )
        return lines

    def household(self, row: dict[str, Any]) -> dict[str, list[str]]:
        """世帯の検査ごとに見た値。"""
        return {
            "HEAD": [
                f"{n:010d} 続柄 {r['relation']} {self._place('residents', r['line'])}"
                for n, r in self._residents.items()
                if r["relation"] == "世帯主"
            ]
            or ["続柄が世帯主の人がいない"],
            "PAYEE": self._deaths(),
            "TAX": [self._tax(member) for member in self._members],
            "TREATY": [
                f"{n:010d} 租税条約免除 {int(t['treaty_exempt'])} {self._place('taxes', t['line'])}"
                for n, t in self._taxes.items()
                if t["treaty_exempt"]
            ]
            or ["租税条約免除の人はいない"],
            "ENTRANT": self._arrivals("N"),
            "INQUIRY": self._arrivals("Q") + self._answered(),
            "DECLARED": [self._tax(member) for member in self._members if member["tax_class"] == "U"],
            "PRIOR": [name for hit, name in PRIOR_NAMES.items() if row[hit]]
            + [
                f"{p['person_number']:010d} {p['benefit_name']} 世帯 {p['household_number']:010d} "
                f"{p['relation']} {p['state']}{'（数えない）' if p['state'] == '対象外' else ''} "
                f"{self._place('prior', p['line'])}"
                for p in self._prior
            ],
            "DEPENDANTS": [self._supporter(member) for member in self._members],
        }

    def child(self, row: dict[str, Any]) -> dict[str, list[str]]:
        """子どもの検査ごとに見た値。"""
        number = row["person_number"]
        resident = self._residents[number]
        place = self._place("residents", resident["line"])
        marked = self._protected.get(number)
        return {
            "FACILITY": [f"区分 {marked['kind']} {self._place('protected', marked['line'])}"] if marked else [],
            "PARENT": [f"世帯の給付: {row['household_verdict']}"],
            "CHILD_HEAD": [f"続柄 {resident['relation']} {place}"],
            "BIRTH": [f"生年月日 {resident['birth']}（{self._child_born_from()} 以後か）{place}"],
        }

    def taxpayer(self, row: dict[str, Any]) -> dict[str, list[str]]:
        """納税者の検査ごとに見た値。"""
        place = self._place("taxes", row["line"])
        dates = [died for died in (row["died_here"], row["died_on"]) if died]
        died = min(dates, default=None)
        resident = self._residents.get(row["person_number"])
        # 住民記録の死亡と住民税の死亡日のうち、早い方で決まる。言うのも、その方の行。
        where = self._place("residents", resident["line"]) if resident and row["died_here"] == died and died else place
        cap = self._income_cap_yen()
        return {
            "LEVIED": [f"賦課区分 {row['levy_kind']} {place}"],
            "ALIVE": [f"死亡日 {died or 'なし'}（基準日 {self._inputs.programme.base_date}）{where}"],
            "CAP": [f"合計所得金額 {row['total_income_yen']:,} 円（上限 {cap:,} 円）{place}"],
            "TAXPAYER": [f"所得税 {row['income_tax_yen']:,} 円、所得割 {row['resident_tax_yen']:,} 円 {place}"],
            "SHORTFALL": [f"A + B = {row['shortfall_yen']:,} 円"],
            "PAYEE": [f"死亡日 {died or 'なし'}（判定の日 {self._inputs.today}）{where}"],
        }

    def _tax(self, member: dict[str, Any]) -> str:
        number = member["person_number"]
        tax = self._taxes.get(number)
        told = f"{number:010d} 課税区分 {member['tax_class']}（{CLASS_NAMES[member['tax_class']]}）: "
        if tax is None:
            return told + "住民税の行がない" + self._arrival(number)
        return told + (
            f"均等割 {tax['per_capita_levy_yen']:,}、減税前所得割 区 {tax['income_levy_ward_yen']:,}"
            f" + 都 {tax['income_levy_metro_yen']:,}、条例減免 {tax['ordinance_relief']}、{tax['declaration']} "
            f"{self._place('taxes', tax['line'])}"
        )

    def _arrival(self, number: int) -> str:
        resident = self._residents[number]
        came = f"{resident['became_resident_on']}（{resident['became_resident_reason']}）"
        levy = resident["levy_date_municipality"] or "－"
        place = self._place("residents", resident["line"])
        return f"、{resident['birth']}生、住民となった日 {came}、1月1日住所地 {levy} {place}"

    def _arrivals(self, letter: str) -> list[str]:
        return [
            f"{m['person_number']:010d} 課税区分 {letter}" + self._arrival(m["person_number"])
            for m in self._members
            if m["tax_class"] == letter
        ]

    def _answered(self) -> list[str]:
        lines = []
        for number, answer in self._answers.items():
            place = self._place("tax_answers", answer["line"])
            lines.append(f"{number:010d} 照会 {answer['inquiry_number']} の回答: {answer['answer']} {place}")
        return lines

    def _deaths(self) -> list[str]:
        lines = []
        for member in self._members:
            number = member["person_number"]
            resident, tax = self._residents[number], self._taxes.get(number)
            if resident["removed_reason"] == "死亡":
                lines.append(
                    f"{number:010d} 死亡 {resident['removed_on']} {self._place('residents', resident['line'])}"
                )
            if tax and tax["died_on"]:
                lines.append(f"{number:010d} 死亡日 {tax['died_on']} {self._place('taxes', tax['line'])}")
        return lines or ["死亡の記録のある人はいない"]

    def _supporter(self, member: dict[str, Any]) -> str:
        number = member["person_number"]
        tax = self._taxes.get(number)
        place = f" {self._place('taxes', tax['line'])}" if tax else ""
        if member["supporter_outside"]:
            return f"{number:010d} 区外の人の扶養{place}"
        if member["supporter_number"] is None:
            return f"{number:010d} 誰の扶養でもない{place}"
        found = member["supporter_class"]
        told = f"課税区分 {found}（{CLASS_NAMES[found]}）" if found else "課税区分が分からない"
        line = self._supporters.get(member["supporter_number"])
        theirs = f" {self._place('taxes', line)}" if line else ""
        return f"{number:010d} {member['supporter_number']:010d} の扶養{place}、その人は {told}{theirs}"
