"""説明は事業によらない: 不足額給付も、昨年度の除外も調整給付もない事業も、同じ形で言う。"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from benefit.domain.programme import Programme
from benefit.rules.outcomes import checks_of
from benefit.services.explain import change_lines
from benefit.services.explain_certificate import of_household, of_person
from tests.letters.test_certificate import recorded
from tests.rules.make import TODAY, Ward
from tests.services_explain.invented import R7
from tests.services_explain.test_change import check_all, outcome

E3 = {
    "levy_year": 2025, "levy_kind": "住所", "income_tax_yen": 65_000, "income_tax_total_income_yen": 2_760_000,
    "resident_tax_total_income_yen": 2_760_000, "resident_tax_yen": 135_000, "n_income_tax": 5, "n_resident_tax": 4,
    "first_decided_by": "本区", "first_required_yen": 60_000, "family_worker": False, "dependant": False,
    "low_income_target": False, "abroad_on_levy_date": False,
}  # fmt: skip


def town() -> Programme:
    """昨年度の除外も調整給付もない、町の事業。"""
    text = Path(__file__).parents[2].joinpath("benefit/programmes/r6-2024.toml").read_text(encoding="utf-8")
    for table in ("adjustment", r"benefits\.R6-4", r"conditions\.ADJ"):
        text = re.sub(rf"(?ms)^\[{table}\]\n.*?(?=^\[)", "", text)
    return Programme.parse(text.replace('"EXCLUDE_TARGETS"', '"IGNORE"'), file="town.toml")


def test_a_shortfall_is_explained_with_each_of_its_numbers() -> None:
    ward = Ward()
    person = ward.person(1, tax=None)
    ward.add("shortfall", person_number=person, **E3)
    (found,) = of_person(recorded(ward.facts(), R7, date(2025, 8, 1)), person)
    told = [value.told for value in found.calculation]
    assert found.verdict == "対象"
    assert told == [
        "所得税（実績） 65,000 円、所得割 135,000 円 〔shortfall.csv 2 行目〕",
        "A' = max(0, 30,000 × 5 − 65,000) = 85,000 円",
        "B' = max(0, 10,000 × 4 − 135,000) = 0 円",
        "所要額 = A' + B' を 10,000 円単位に切り上げ = 90,000 円",
        "当初所要額 = 60,000 円（本区） 〔shortfall.csv 2 行目〕",
        "不足額 = 所要額 − 当初所要額 = 30,000 円",
    ]
    assert "・所得税額が 5,000 円多い（65,000 円 → 70,000 円） → 不足額給付（I） 対象 20,000 円" in change_lines(found)
    cap = next(one for one in found.checks if one.check.id == "CAP")
    assert cap.terms == (
        "shortfall.income_cap_yen = 18,050,000（出典: benefit-rules B.7（所得税と住民税の両方の所得で見る、W20））",
    )


def test_an_unknown_number_is_told_as_unknown_and_what_would_settle_it() -> None:
    ward = Ward()
    person = ward.person(1, tax=None)
    ward.add("shortfall", person_number=person, **E3 | {"first_decided_by": "他団体", "first_required_yen": None})
    (found,) = of_person(recorded(ward.facts(), R7, date(2025, 8, 1)), person)
    assert (found.verdict, found.reasons) == ("未確定", "FIRST;SHORTFALL")
    assert "当初所要額 = 不明（空白）（他団体） 〔shortfall.csv 2 行目〕" in [one.told for one in found.calculation]
    assert change_lines(found) == ["・当初の所要額が 0 円と分かる → 不足額給付（I） 対象 90,000 円"]


def test_a_programme_without_prior_and_adjustment_is_explained_by_its_own_checks() -> None:
    programme = town()
    ward = Ward()
    person = ward.person(1, tax={"income_levy_ward_yen": 300, "per_capita_levy_yen": 4_000})
    ward.add(
        "prior", benefit_name="昨年度", household_number=1, person_number=person, relation="世帯主", state="支給済"
    )
    record = recorded(ward.facts(), programme)
    (found,) = of_person(record, person)
    assert [one.check.id for one in found.checks] == [check.id for check in checks_of(programme)["世帯"]]
    assert "PRIOR" not in {one.check.id for one in found.checks}
    assert change_lines(found) == [
        f"・{person:010d} の減税前の所得割が 300 円少ない（0 円である） → 令和6年度均等割のみ課税化給付 対象 100,000 円"
    ]
    check_all(ward.facts(), programme, TODAY, _subjects(record))


def _subjects(record) -> pl.DataFrame:
    from benefit.rules.outcomes import decide

    return decide(record.facts, record.programme, record.today).outcomes


def test_two_unmet_checks_need_both_facts() -> None:
    ward = Ward()
    taxed = ward.person(1, tax={"income_levy_ward_yen": 300, "declaration": "未申告"})
    exempt = ward.person(1, relation="妻", tax={"treaty_exempt": True})
    (found,) = (one for one in of_household(recorded(ward.facts()), 1) if one.kind == "世帯")
    assert found.reasons == "TAX;TREATY"
    smallest, whole = found.changes
    # 二つだけでは、未申告が残って未確定である。対象になるには、申告もいる。
    assert {move.says for move in smallest.moves} == {
        f"{taxed:010d} の減税前の所得割が 300 円少ない（0 円である）",
        f"{exempt:010d} が租税条約の免除を受けていない",
    }
    assert smallest.result.verdict == "未確定"
    assert {move.says for move in whole.moves} - {move.says for move in smallest.moves} == {
        f"{taxed:010d} が申告をしている"
    }
    assert whole.result.verdict == "対象"


@pytest.mark.parametrize("income", [18_050_000, 18_050_001])
def test_the_cap_is_told_to_the_yen(income: int) -> None:
    ward = Ward()
    person = ward.person(1, tax={"total_income_yen": income, "income_levy_ward_yen": 5_000})
    (found,) = (one for one in of_person(recorded(ward.facts()), person) if one.kind == "納税者")
    (told,) = (line for line in change_lines(found) if "合計所得金額" in line)
    if income == 18_050_000:
        assert told == "・合計所得金額が 1 円多い（18,050,000 円 → 18,050,001 円） → 対象外（CAP）"
    else:
        assert told == "・合計所得金額が 1 円少ない（18,050,001 円 → 18,050,000 円） → 調整給付 対象 40,000 円"
    assert outcome(ward.facts(), found.record.programme, TODAY, "納税者", person).verdict == found.verdict
