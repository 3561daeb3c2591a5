"""不足額給付: 算定基礎の行ごとに一回（benefit-rules B.7、様式は benefit/programmes/r7-shortfall.md）。

I は足りなかった額、II は定額。所得税も所得割もない人が II で、II のない事業ではみな I である。
"""

from __future__ import annotations

from benefit.second.judged import Answers
from benefit.second.taxpayer import rounded_up
from benefit.second.ward_rows import Row, WardRows

I_ONLY = ("FIRST", "TAXPAYER", "SHORTFALL")
II_ONLY = ("NOT_DEPENDANT", "OUTSIDE", "NOT_TARGET")


def shortfall(ward: WardRows, row: Row) -> tuple[Answers, str, int]:
    """検査の答え（様式の文書の順）、給付種別、対象のときの額。"""
    terms = ward.programme.shortfall
    computed, fixed = ward.programme.benefit_for("shortfall"), ward.programme.benefit_for("shortfall_fixed")
    assert terms is not None
    assert computed is not None
    number = row["person_number"]
    income_tax, resident_tax = row["income_tax_yen"], row["resident_tax_yen"]
    is_fixed = fixed is not None and income_tax == 0 and not resident_tax
    more = None if is_fixed else _more_yen(ward, row)
    incomes = [row["income_tax_total_income_yen"], row["resident_tax_total_income_yen"]]
    incomes = [income for income in incomes if income is not None]
    answers: dict[str, bool | None] = {
        "LEVIED": row["levy_kind"] != "家屋敷",
        "ALIVE": not ward.is_dead(number, ward.programme.base_date),
        "CAP": all(income <= terms.income_cap_yen for income in incomes),
        "ACTUAL": None if income_tax is None else True,
        "FIRST": True if _first_yen(row) is not None else None,
        "TAXPAYER": _taxpayer(income_tax, resident_tax),
        "SHORTFALL": None if more is None else more > 0,
        "NOT_DEPENDANT": not row["dependant"],
        "OUTSIDE": bool(row["family_worker"]) or max(incomes) > terms.dependant_income_yen,
        "NOT_TARGET": not row["low_income_target"],
        "PAYEE": not ward.is_dead(number, ward.today) or ("納税者", number) in ward.new_payees,
    }
    for check in I_ONLY if is_fixed else II_ONLY:
        answers[check] = True
    if is_fixed:
        assert fixed is not None
        assert fixed.amount_yen is not None
        amount = terms.abroad_amount_yen if row["abroad_on_levy_date"] else fixed.amount_yen
        return answers, fixed.id, amount
    return answers, computed.id, more or 0


def _taxpayer(income_tax: int | None, resident_tax: int | None) -> bool | None:
    """定額減税の前の所得税か所得割があるか。所得割があれば、所得税が分からなくても、ある。"""
    if resident_tax is not None and resident_tax > 0:
        return True
    return None if income_tax is None else income_tax > 0


def _first_yen(row: Row) -> int | None:
    """当初調整給付の所要額。計算していなければ 0、他団体から分からなければ不明。"""
    if row["first_decided_by"] == "なし":
        return 0
    found: int | None = row["first_required_yen"]
    return found


def _more_yen(ward: WardRows, row: Row) -> int | None:
    """計算し直した所要額と当初の差。実績か当初が分からなければ不明。"""
    terms = ward.programme.shortfall
    assert terms is not None
    first = _first_yen(row)
    if row["income_tax_yen"] is None or first is None:
        return None
    a = max(0, terms.income_tax_unit_yen * row["n_income_tax"] - row["income_tax_yen"])
    b = 0
    # 令和6年度の賦課がない人（海外からの転入など）の住民税分は 0（船橋市の事例）。
    if row["resident_tax_yen"] is not None:
        b = max(0, terms.resident_tax_unit_yen * row["n_resident_tax"] - row["resident_tax_yen"])
    return rounded_up(a + b, terms.rounding_yen) - first
