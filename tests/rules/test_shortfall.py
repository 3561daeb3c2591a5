"""不足額給付（benefit-rules B.7 の F1〜F7、境目、分からない値）。"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from benefit.domain.programme import Programme
from benefit.rules.outcomes import Decisions, decide
from tests.rules.make import Ward

PROGRAMME = Programme.load("r7-shortfall")
TODAY = date(2025, 8, 1)
#: 親二人と子二人（E3）、当初は 4 人で所要額 60,000 円。
E3: dict[str, Any] = {
    "levy_year": 2025,
    "levy_kind": "住所",
    "income_tax_yen": 65_000,
    "income_tax_total_income_yen": 2_760_000,
    "resident_tax_total_income_yen": 2_760_000,
    "resident_tax_yen": 135_000,
    "n_income_tax": 4,
    "n_resident_tax": 4,
    "first_decided_by": "本区",
    "first_required_yen": 60_000,
    "family_worker": False,
    "dependant": False,
    "low_income_target": False,
    "abroad_on_levy_date": False,
    "died_on": None,
}
#: 専従者: 税はなく、誰の扶養でもない（F6）。
WORKER: dict[str, Any] = E3 | {
    "income_tax_yen": 0,
    "resident_tax_yen": 0,
    "income_tax_total_income_yen": 300_000,
    "resident_tax_total_income_yen": 300_000,
    "n_income_tax": 1,
    "n_resident_tax": 1,
    "first_decided_by": "なし",
    "first_required_yen": None,
    "family_worker": True,
}


def decided(**row: Any) -> Decisions:
    ward = Ward()
    person = ward.person(1, tax=None)
    ward.add("shortfall", person_number=person, **row)
    return decide(ward.facts(), PROGRAMME, TODAY)


def judged(**row: Any) -> dict[str, Any]:
    return decided(**row).taxpayers.row(0, named=True)


@pytest.mark.parametrize(
    ("case", "row", "benefit", "yen"),
    [
        ("F1 子が生まれた", {"n_income_tax": 5}, "R7-1", 30_000),
        (
            "F2 学生が就職した",
            {
                "income_tax_yen": 24_000,
                "resident_tax_yen": 0,
                "n_income_tax": 1,
                "n_resident_tax": 1,
                "first_decided_by": "なし",
                "first_required_yen": None,
            },
            "R7-1",
            20_000,
        ),
        ("F3 計算し直すと減った", {"n_income_tax": 3, "first_required_yen": 40_000}, "R7-1", 0),
        ("F4 初回を申請しなかった", {"income_tax_yen": 55_000, "first_required_yen": 60_000}, "R7-1", 10_000),
        (
            "F5 海外から来た",
            {
                "income_tax_yen": 12_000,
                "resident_tax_yen": None,
                "resident_tax_total_income_yen": None,
                "n_income_tax": 1,
                "n_resident_tax": None,
                "first_decided_by": "なし",
                "first_required_yen": None,
                "abroad_on_levy_date": True,
            },
            "R7-1",
            20_000,
        ),
        ("F6 青色専従者", WORKER, "R7-2", 40_000),
        ("F7 専従者の世帯が給付を受けた", WORKER | {"low_income_target": True}, "R7-2", 0),
        ("II 国外にいた専従者", WORKER | {"abroad_on_levy_date": True}, "R7-2", 30_000),
        ("II 合計所得が 48 万円を超える人", WORKER | {"family_worker": False, "income_tax_total_income_yen": 480_001}, "R7-2", 40_000),
        ("II 合計所得がちょうど 48 万円", WORKER | {"family_worker": False, "income_tax_total_income_yen": 480_000}, "R7-2", 0),
        ("II 誰かの扶養", WORKER | {"dependant": True}, "R7-2", 0),
        ("I 一円でも足りなければ一万円", {"income_tax_yen": 59_999}, "R7-1", 10_000),
        ("I ちょうど当初と同じ", {"income_tax_yen": 60_000}, "R7-1", 0),
        ("上限ちょうど", {"n_income_tax": 5, "income_tax_total_income_yen": 18_050_000}, "R7-1", 30_000),
        ("上限を一円超える", {"n_income_tax": 5, "income_tax_total_income_yen": 18_050_001}, "R7-1", 0),
        ("住民税の所得だけが上限を超える", {"n_income_tax": 5, "resident_tax_total_income_yen": 18_050_001}, "R7-1", 0),
        ("住登外", {"n_income_tax": 5, "levy_kind": "住登外"}, "R7-1", 30_000),
        ("家屋敷", {"n_income_tax": 5, "levy_kind": "家屋敷"}, "R7-1", 0),
        ("基準日に亡くなった", {"n_income_tax": 5, "died_on": date(2025, 6, 2)}, "R7-1", 0),
        ("判定の日までに亡くなった", {"n_income_tax": 5, "died_on": TODAY}, "R7-1", 0),
    ],
)  # fmt: skip
def test_the_worked_examples_and_their_edges(case: str, row: dict[str, Any], benefit: str, yen: int) -> None:
    if case.startswith("F4"):
        # 当初 60,000 円、計算し直すと 65,000 円 → 70,000 円。差の 10,000 円だけで、初回の分はよみがえらない。
        assert judged(**(E3 | row))["required_yen"] == 70_000
    found = judged(**(E3 | row))
    assert (found["benefit"], found["amount_yen"]) == (benefit, yen), case
    assert (found["verdict"] == "対象") == (yen > 0)


@pytest.mark.parametrize(
    ("row", "reasons"),
    [
        ({"income_tax_yen": None}, "ACTUAL"),
        ({"first_decided_by": "他団体", "first_required_yen": None}, "FIRST"),
        ({"income_tax_yen": None, "resident_tax_yen": 0}, "ACTUAL"),
    ],
)
def test_what_is_not_known_is_never_zero(row: dict[str, Any], reasons: str) -> None:
    found = judged(**(E3 | row))
    assert (found["verdict"], found["amount_yen"]) == ("未確定", 0)
    assert reasons in found["reasons"].split(";")
    # 分からない人は II（税のない人）にもならない。
    assert found["benefit"] == "R7-1"


def test_the_first_amount_of_another_office_counts_when_it_is_known() -> None:
    assert judged(**(E3 | {"n_income_tax": 5, "first_decided_by": "他団体"}))["amount_yen"] == 30_000


def test_the_programme_without_household_benefits_makes_only_taxpayer_rows() -> None:
    found = decided(**(E3 | {"n_income_tax": 5}))
    assert found.outcomes["subject_kind"].to_list() == ["納税者"]
    assert found.outcomes["route"].to_list() == ["CONFIRM"]
    assert found.households.is_empty()


def test_a_protected_member_of_the_household_makes_the_row_the_wards_own() -> None:
    ward = Ward()
    person, child = ward.person(1, tax=None), ward.person(1, tax=None, relation="子")
    ward.add("shortfall", person_number=person, **(E3 | {"n_income_tax": 5}))
    ward.add("protected", person_number=child, kind="DV")
    outcomes = decide(ward.facts(), PROGRAMME, TODAY).outcomes
    assert outcomes.filter(pl.col("subject_number") == person)["route"].item() == "WARD"
