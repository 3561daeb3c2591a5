"""支給判定の検査（benefit-rules D の表）。一行を一つだけ変えて、その検査だけが、その重さで引っかかることを見る。"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.programme import Programme
from benefit.rules.payment_check import COARSE, Severity
from benefit.rules.payment_verdicts import coarse_reasons, judge_rows, payment_checks
from tests.support.judged_row import SCHEMA, clean_row, frame

PROGRAMME = Programme.load("r6-2024")
CHECKS = payment_checks(PROGRAMME)
CHILD = {"slot_kind": "CHILD", "benefit": "R6-3", "planned_yen": 50_000, "amount_yen": 50_000, "amount_now_yen": 50_000}
TAX = {"slot_kind": "ADJ", "benefit": "R6-4"}


def closed(verdict: str, reasons: str, **more: Any) -> dict[str, Any]:
    """いまの判定では対象でない行。"""
    return {"eligible_now": False, "verdict_now": verdict, "reasons_now": reasons, "payee_now": None} | more


def judged(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return judge_rows(frame(*rows), PROGRAMME).to_dicts()


def one(**changed: Any) -> tuple[str, set[str], str]:
    """一つだけ変えた行の、判定、検査、粗い理由。"""
    row = judged(clean_row(**changed))[0]
    return row["verdict"], {check for check in row["checks"].split(";") if check}, row["coarse"]


def test_the_clean_row_is_payable_and_hits_nothing() -> None:
    assert one() == ("支給可", set(), "")


#: 検査 → (変えるところ, 判定, 粗い理由)。表の順。一つの検査に二つの重さがあれば、二行ある。
TABLE: list[tuple[str, dict[str, Any], str, str]] = [
    ("CHK11", {"person_number": 1_000_000_002}, "不可", "区確認"),
    ("CHK11", {"kana_name": "ヨツヤ　タロウ"}, "不可", "区確認"),
    ("CHK11", {"birth": "1950-04-03"}, "不可", "区確認"),
    ("CHK12", {"branch_now": 2}, "不可", "不備"),
    ("CHK13", {"older_paid": True}, "不可", "区確認"),
    ("CHK13", {"older_received": True}, "保留", "区確認"),
    ("CHK23", {"has_twin": True}, "保留", "区確認"),
    ("CHK30", {"paid": True}, "不可", "支給済"),
    ("CHK31", {"in_flight": True}, "不可", "支給済"),
    ("CHK32", {"failed_attempts": 1}, "不可", "区確認"),
    ("CHK33", {"recall_open": True}, "不可", "区確認"),
    ("CHK34", {"repayment_open": True}, "不可", "区確認"),
    ("CHK34", {"repaid": True}, "保留", "区確認"),
    ("CHK40", closed("対象外", "PRIOR"), "不可", "対象外"),
    ("CHK41", closed("未確定", "PRIOR"), "保留", "区確認"),
    ("CHK41", {"person_in_another": True}, "保留", "区確認"),
    ("CHK42", {"person_paid_in_another": True}, "不可", "区確認"),
    ("CHK42", {"person_judged_in_another": True}, "保留", "区確認"),
    ("CHK43", {**CHILD, "child_counted": True}, "不可", "区確認"),
    ("CHK44", {**CHILD, **closed("対象外", "FACILITY")}, "不可", "対象外"),
    ("CHK45", {**CHILD, "parent_decided": False}, "不可", "区確認"),
    ("CHK47", {"counted_at_origin": True}, "保留", "区確認"),
    ("CHK50", {"ready": False}, "不可", "不備"),
    ("CHK51", {"refused": True}, "不可", "対象外"),
    ("CHK51", {"refusal_told": True}, "不可", "対象外"),
    ("CHK52", {"not_paid_for_good": True}, "不可", "対象外"),
    ("CHK53", {"open_defect": True}, "不可", "不備"),
    ("CHK54", {"undelivered": True}, "不可", "不備"),
    ("CHK60", {"death_told": True}, "保留", "区確認"),
    ("CHK55", {"late": True}, "保留", "不備"),
    ("CHK56", {"ward_only": True}, "不可", "区確認"),
    ("CHK60", {"payee_dead": True}, "不可", "区確認"),
    ("CHK61", closed("対象外", "HEAD"), "不可", "対象外"),
    ("CHK62", closed("対象外", "TAX"), "不可", "対象外"),
    ("CHK62", closed("対象外", "TREATY"), "不可", "対象外"),
    ("CHK63", closed("未確定", "DECLARED"), "保留", "区確認"),
    ("CHK64", closed("未確定", "INQUIRY"), "不可", "区確認"),
    ("CHK65", {"payee_now": 1_000_000_009}, "不可", "区確認"),
    ("CHK66", {**TAX, **closed("対象外", "LEVIED")}, "不可", "対象外"),
    ("CHK67", {**TAX, **closed("対象外", "CAP")}, "不可", "対象外"),
    ("CHK68", {"removed_by_office": True}, "保留", "区確認"),
    ("CHK68", {"moved_out": True}, "支給可", ""),
    ("CHK73", {"amount_now_yen": 90_000}, "不可", "区確認"),
    ("CHK80", {"account_bad": True}, "不可", "不備"),
    ("CHK81", {"holder_agrees": False, "holder_weak": False}, "保留", "不備"),
    ("CHK81", {"holder_agrees": False}, "支給可", ""),
    ("CHK82", {"households_on_account": 2, "recipients_on_account": 2}, "保留", "区確認"),
    ("CHK82", {"recipients_on_account": 2}, "支給可", ""),
    ("CHK83", {"holder_corporate": True}, "保留", "区確認"),
    ("CHK84", {"account_changed_after_review": True}, "不可", "不備"),
    ("CHK85", {"account_flag_now": "3", "received_on": None, "reviewed_on": None}, "不可", "区確認"),
    ("CHK86", {"ward_only": True, "from_ward": True, "account_of_origin": True}, "不可", "区確認"),
    (
        "CHK87",
        {"account_flag_now": "2", "received_on": None, "reviewed_on": None, "account_differs": True},
        "保留",
        "区確認",
    ),
    ("CHK90", {"kana_name": "ｼﾝｼﾞﾕｸ ﾊﾅｺ"}, "保留", "不備"),
    ("CHK91", {"address_changed": True}, "支給可", ""),
    ("CHK92", {"minor_payee": True, "payee_on_record": False}, "保留", "区確認"),
    ("CHK93", {"reviewed_on": date(2024, 7, 19)}, "不可", "不備"),
    ("CHK93", {"received_on": date(2024, 6, 23)}, "不可", "不備"),
    ("CHK93", {"reviewed_on": date(2024, 7, 27)}, "不可", "不備"),
    ("CHK95", {"sampled": True}, "支給可", ""),
    ("CHK95", {**TAX, "planned_yen": 210_000, "amount_yen": 210_000, "amount_now_yen": 210_000}, "支給可", ""),
]


@pytest.mark.parametrize(("check", "change", "verdict", "coarse"), TABLE)
def test_one_change_hits_one_check_with_its_weight(
    check: str, change: dict[str, Any], verdict: str, coarse: str
) -> None:
    assert one(**change) == (verdict, {check}, coarse)


@pytest.mark.parametrize(
    "near",
    [
        {"failed_attempts": 1, "returned_attempts": 1},
        {"holder_corporate": True, "guardian_on_record": True},
        {"minor_payee": True},
        {"ward_only": True, "from_ward": True},
        {"account_of_origin": True},
        {"account_flag_now": "3"},
        {"account_flag_now": "2", "account_differs": True},
        {"reviewed_on": date(2024, 7, 20)},
        {"received_on": date(2024, 6, 24)},
        {"reviewed_on": date(2024, 7, 26)},
        {**TAX, "planned_yen": 200_000, "amount_yen": 200_000, "amount_now_yen": 200_000},
        {**CHILD, "payee_number": 1_000_000_001},
        {"parent_decided": False},
    ],
)
def test_the_other_side_of_each_line_is_payable(near: dict[str, Any]) -> None:
    """境目の、引っかからない側。"""
    assert one(**near) == ("支給可", set(), "")


def test_an_unknown_number_and_another_programmes_number() -> None:
    nothing = dict.fromkeys(
        ("entitlement_id", "payee_number", "branch_now", "amount_yen", "slot_kind", "benefit", "account_flag_now")
    ) | {"eligible_now": False, "ready": False}
    verdict, checks, coarse = one(**nothing)
    assert (verdict, "CHK10" in checks, "CHK14" in checks, coarse) == ("不可", True, False, "区確認")
    verdict, checks, coarse = one(**nothing, other_programme=True)
    assert (verdict, "CHK10" in checks, "CHK14" in checks, coarse) == ("不可", False, True, "区確認")


def test_duplicates_in_the_file_stop_every_copy() -> None:
    other = {"case_number": "22222222222", "entitlement_id": 2}
    same_number = judged(clean_row(), clean_row())
    assert [row["verdict"] for row in same_number] == ["不可", "不可"]
    assert all({"CHK20", "CHK21", "CHK22"} <= set(row["checks"].split(";")) for row in same_number)
    # 同じ人の二行、同じ世帯の二行。別の番号でも、どちらも払わない。
    person = judged(clean_row(**TAX), clean_row(**TAX, **other, household_number=9))
    assert [row["checks"] for row in person] == ["CHK21", "CHK21"]
    head = {"person_number": 7, "payee_number": 7, "payee_now": 7}
    home = judged(clean_row(), clean_row(**other, **head, benefit="R6-2"))
    assert [row["checks"] for row in home] == ["CHK22", "CHK22"]
    # 一人の受給者に、子どもは何人いてもよい。
    kids = judged(clean_row(**CHILD), clean_row(**CHILD, **other))
    assert [row["verdict"] for row in kids] == ["支給可", "支給可"]


@pytest.mark.parametrize(
    ("yen", "verdict", "check"),
    [
        (400_000, "支給可", None),
        (410_000, "保留", "CHK72"),
        (1_000_000, "保留", "CHK72"),
        (1_010_000, "不可", "CHK72"),
        (15_000, "不可", "CHK71"),
        (0, "不可", "CHK71"),
    ],
)
def test_the_amount_has_a_shape_and_two_ceilings(yen: int, verdict: str, check: str | None) -> None:
    found = one(**TAX, planned_yen=yen, amount_yen=yen, amount_now_yen=yen)
    assert found[0] == verdict
    assert check is None or check in found[1]


def test_an_amount_that_differs_from_the_database_is_blocked() -> None:
    assert one(planned_yen=50_000)[1] == {"CHK70", "CHK71"}
    verdict, checks, _ = one(planned_yen=46_300_000)
    assert (verdict, "CHK72" in checks) == ("不可", True)


@pytest.mark.parametrize("check", CHECKS, ids=[check.id for check in CHECKS])
def test_what_is_not_known_counts_as_a_hit(check: Any) -> None:
    """null = 引っかかった。検査の見る真偽の列が分からなければ、通さない。"""
    names = [name for name in check.hit.meta.root_names() if SCHEMA[name] == pl.Boolean]
    for name in names:
        rows = frame(clean_row(**{name: None}, **(CHILD if check.number in {"CHK44", "CHK45"} else {})))
        hit = rows.select(check.hit.fill_null(value=True)).item()
        lone = rows.select(check.hit).item()
        # ほかの列だけで引っかからないと決まるときは、分からなくてよい（例: 名義が合えば、弱い一致は見ない）。
        assert hit or lone is False
    result = judge_rows(frame(clean_row(**dict.fromkeys(names))), PROGRAMME)
    if names and any(frame(clean_row(**{name: None})).select(check.hit).item() is None for name in names):
        assert check.number in result["checks"][0].split(";")


def test_a_released_hold_passes_and_a_block_never_does() -> None:
    """二人が解除できるのは保留だけ。不可の番号を解除の並びに入れても、何も変わらない。"""
    seen: set[str] = set()
    for number, change, verdict, _coarse in TABLE:
        row = judged(clean_row(**change, released=[number]))[0]
        if verdict == "保留":
            assert (row["verdict"], row["checks"]) == ("支給可", ""), number
        else:
            assert row["verdict"] == verdict, number
        seen.add(number)
    in_file = {"CHK10", "CHK14", "CHK20", "CHK21", "CHK22", "CHK70", "CHK71", "CHK72"}
    assert seen | in_file == {check.number for check in CHECKS}, "表にない検査がある"


def test_every_check_has_words_a_weight_and_a_coarse_reason() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.says
        assert check.coarse in COARSE
        assert check.severity in {Severity.BLOCK, Severity.HOLD, Severity.WARN}
    # 一つの番号は、粗い理由を一つだけ持つ（どちらの重さで当たったかは、外に言わない）。
    for number, coarse in coarse_reasons(PROGRAMME).items():
        assert {c.coarse for c in CHECKS if c.number == number and c.severity is not Severity.WARN} == {coarse}


CHANGES = [(number, change) for number, change, _verdict, _coarse in TABLE if "slot_kind" not in change]


@given(st.lists(st.sampled_from(range(len(CHANGES))), max_size=4))
def test_the_heaviest_hit_decides(picked: list[int]) -> None:
    """不可 > 保留 > 注意。どの組み合わせでも、判定は当たった検査の重さだけで決まる。"""
    change: dict[str, Any] = {}
    for place in picked:
        change |= CHANGES[place][1]
    rows = frame(clean_row(**change))
    row = judge_rows(rows, PROGRAMME).to_dicts()[0]
    hits = [check for check in CHECKS if rows.select(check.hit.fill_null(value=True)).item()]
    weights = {check.severity for check in hits}
    expected = "不可" if Severity.BLOCK in weights else "保留" if Severity.HOLD in weights else "支給可"
    assert row["verdict"] == expected
    assert row["checks"].split(";") == (sorted({check.number for check in hits}) or [""])
