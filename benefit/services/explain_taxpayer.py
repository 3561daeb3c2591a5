"""納税者の計算と、検査ごとに見た値（調整給付・不足額給付）。"""

from __future__ import annotations

from typing import Any

import polars as pl

from benefit.services.certificates import Record
from benefit.services.explain_facts import Places, Value

TAXES, SHORTFALL = "taxes", "shortfall"


class TaxpayerSeen:
    """一人の納税者の行。row は写しの行、base は元の行。"""

    def __init__(self, record: Record, row: dict[str, Any]) -> None:
        self._record, self._row = record, row
        self._kind = TAXES if record.programme.adjustment is not None else SHORTFALL
        mine = pl.col("person_number") == row["number"]
        self._base = getattr(record.facts, self._kind).filter(mine).row(0, named=True)
        found = record.facts.residents.filter(mine, pl.col("removed_reason") == "死亡").rows(named=True)
        self._resident = found[0] if found else None
        place = Places(record)
        self._at = place(self._kind, self._base["line"])
        self._at_resident = place("residents", self._resident["line"]) if self._resident else ""
        self.protected = not record.facts.protected.filter(mine).is_empty()

    def calculation(self) -> list[Value]:
        """計算の一行ずつ。"""
        return self._adjusted() if self._kind == TAXES else self._recomputed()

    def _mine(self, text: str, *, place: bool = False) -> Value:
        return Value(text, self._at if place else "", "（税額は、本人に渡す紙にだけ載せます）", self._row["number"], "")

    def _adjusted(self) -> list[Value]:
        row, base, unit = self._row, self._base, self._record.programme.adjustment
        assert unit is not None
        income, resident = unit.income_tax_unit_yen, unit.resident_tax_unit_yen
        levies = f"区 {base['income_levy_ward_yen']:,} + 都 {base['income_levy_metro_yen']:,}"
        young = f"16歳以上 {base['dependants_16_and_over']}、16歳未満 {base['dependants_under_16']}"
        rounded = f"{row['amount_yen']:,} 円" if row["verdict"] == "対象" else "対象でないので 0 円"
        heads = f"所得税分 {row['n_income_tax']}、住民税分 {row['n_resident_tax']}"
        a_yen, b_yen = row["shortfall_income_tax_yen"], row["shortfall_resident_tax_yen"]
        step = f"{unit.rounding_yen:,} 円単位に一度だけ切り上げ"
        n_it, n_rt = row["n_income_tax"], row["n_resident_tax"]
        return [
            self._mine(f"所得税 IT = {row['income_tax_yen']:,} 円（{row['income_tax_engine']}）", place=True),
            self._mine(f"所得割 RT = {levies} = {row['resident_tax_yen']:,} 円", place=True),
            self._mine(f"人数 {heads}（{young}、うち国外 {base['dependants_overseas']}）"),
            self._mine(f"A = max(0, {income:,} × {n_it} − {row['income_tax_yen']:,}) = {a_yen:,} 円"),
            self._mine(f"B = max(0, {resident:,} × {n_rt} − {row['resident_tax_yen']:,}) = {b_yen:,} 円"),
            self._mine(f"A + B = {row['shortfall_yen']:,} 円、{step} → {rounded}"),
        ]

    def _recomputed(self) -> list[Value]:
        row, base, unit = self._row, self._base, self._record.programme.shortfall
        assert unit is not None
        first = f"{_yen(row['first_yen'])}（{base['first_decided_by']}）"
        if row["fixed"]:
            where = "賦課期日に国外にいた" if base["abroad_on_levy_date"] else "賦課期日に国内にいた"
            amount = f"{row['amount_yen']:,} 円" if row["verdict"] == "対象" else "対象でないので 0 円"
            return [
                self._mine("所得税も所得割もない人: II（定額）", place=True),
                self._mine(f"{where} → {amount}"),
            ]
        income_tax, resident_tax = base["income_tax_yen"], base["resident_tax_yen"]
        a_yen, b_yen = row["shortfall_income_tax_yen"], row["shortfall_resident_tax_yen"]
        income, resident = unit.income_tax_unit_yen, unit.resident_tax_unit_yen
        rt_told = (
            "住民税の賦課がない → B' = 0 円"
            if resident_tax is None
            else f"B' = max(0, {resident:,} × {base['n_resident_tax']} − {resident_tax:,}) = {_yen(b_yen)}"
        )
        it_told = "不明" if income_tax is None else f"{income_tax:,}"
        return [
            self._mine(f"所得税（実績） {_yen(income_tax)}、所得割 {_yen(resident_tax)}", place=True),
            self._mine(f"A' = max(0, {income:,} × {base['n_income_tax']} − {it_told}) = {_yen(a_yen)}"),
            self._mine(rt_told),
            self._mine(f"所要額 = A' + B' を {unit.rounding_yen:,} 円単位に切り上げ = {_yen(row['required_yen'])}"),
            self._mine(f"当初所要額 = {first}", place=True),
            self._mine(f"不足額 = 所要額 − 当初所要額 = {_yen(row['more_yen'])}"),
        ]

    def values(self) -> dict[str, list[Value]]:
        """検査ごとに見た値。"""
        row, base, programme = self._row, self._base, self._record.programme
        died_here = self._resident["removed_on"] if self._resident else None
        died = min((day for day in (died_here, base["died_on"]) if day), default=None)
        # 住民記録の死亡と税の行の死亡日のうち、早い方で決まる。言うのも、その方の行。
        where = self._at_resident if died is not None and died_here == died else self._at
        found = {
            "LEVIED": [Value(f"賦課区分 {base['levy_kind']}", self._at)],
            "ALIVE": [Value(f"死亡日 {died or 'なし'}（基準日 {programme.base_date}）", where)],
            "PAYEE": [Value(f"死亡日 {died or 'なし'}（判定の日 {self._record.today}）", where)],
        }
        if self._kind == TAXES:
            terms = programme.adjustment
            assert terms is not None
            cap = f"上限 {terms.income_cap_yen:,} 円"
            taxes = f"所得税 {row['income_tax_yen']:,} 円、所得割 {row['resident_tax_yen']:,} 円"
            return found | {
                "CAP": [self._mine(f"合計所得金額 {base['total_income_yen']:,} 円（{cap}）", place=True)],
                "TAXPAYER": [self._mine(taxes, place=True)],
                "SHORTFALL": [self._mine(f"A + B = {row['shortfall_yen']:,} 円")],
            }
        rules = programme.shortfall
        assert rules is not None
        incomes = (
            f"所得税 {_yen(base['income_tax_total_income_yen'])}、住民税 {_yen(base['resident_tax_total_income_yen'])}"
        )
        return found | {
            "CAP": [self._mine(f"合計所得 {incomes}（上限 {rules.income_cap_yen:,} 円）", place=True)],
            "ACTUAL": [self._mine(f"所得税（実績） {_yen(base['income_tax_yen'])}", place=True)],
            "FIRST": [self._mine(f"当初所要額 {_yen(row['first_yen'])}（{base['first_decided_by']}）", place=True)],
            "TAXPAYER": [
                self._mine(
                    f"所得税 {_yen(base['income_tax_yen'])}、所得割 {_yen(base['resident_tax_yen'])}", place=True
                )
            ],
            "SHORTFALL": [self._mine(f"不足額 {_yen(row['more_yen'])}")],
            "NOT_DEPENDANT": [Value(f"扶養親族 {_flag(base['dependant'])}", self._at)],
            "OUTSIDE": [
                self._mine(f"専従者 {_flag(base['family_worker'])}、合計所得 {incomes}", place=True),
            ],
            "NOT_TARGET": [Value(f"低所得世帯向け給付の対象世帯の人 {_flag(base['low_income_target'])}", self._at)],
        }


def _yen(value: int | None) -> str:
    return "不明（空白）" if value is None else f"{value:,} 円"


def _flag(value: bool | None) -> str:  # 表の値そのもの
    return "該当" if value else "非該当"
