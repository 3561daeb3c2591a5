"""事業のファイルの書き誤り: 型は合っていても害になる値は、置く前の確かめで断られる。"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.programme import Programme

SHIPPED = resources.files("benefit") / "programmes"
R6 = (SHIPPED / "r6-2024.toml").read_text(encoding="utf-8")
R7 = (SHIPPED / "r7-shortfall.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (R6, "base_date = { value = 2024-06-03,", "base_date = { value = 2024-06-03T00:00:00,", "base_date.*型が違います"),
        (R6, "income_tax_unit_yen = { value = 30000,", "income_tax_unit_yen = { value = -30000,", "一人あたりの額"),
        (R6, "resident_tax_unit_yen = { value = 10000,", "resident_tax_unit_yen = { value = 0,", "一人あたりの額"),
        (R6, "income_tax_unit_yen = { value = 30000,", f"income_tax_unit_yen = {{ value = {10**22},", "数が大きすぎます"),
        (R6, "rounding_yen = { value = 10000,", "rounding_yen = { value = 5000000,", "切り上げの単位"),
        (R6, "[40000000, 45, 4796000]", "[40000000, 450, 4796000]", "40,000,000 円の境で跳んで"),
        (R6, "[3300000, 20, 427500]", "[3300000, 20, 42750]", "境で跳んで"),
        (R6, "  [1000, 5, 0],\n", "", "最後の行の下限"),
        (R6, 'ineligible_id = { value = "R6-H"', 'ineligible_id = { value = "R6-1"', "ineligible_id"),
        (R6, "under_16_born_from = { value = 2008-01-02,", "under_16_born_from = { value = 2018-01-02,", "16 年前"),
        (R6, "levy_year = { value = 2024,", "levy_year = { value = 2025,", "賦課年度"),
        (R6, "entered_from = { value = 2024-01-02,", "entered_from = { value = 2024-10-02,", "entered_from"),
        (R6, "born_from = { value = 2006-04-02,", "born_from = { value = 2026-04-02,", "born_from"),
        (R6, "newborn_until = { value = 2024-10-31,", "newborn_until = { value = 2004-10-31,", "newborn_until"),
        (R6, "fresh_business_days = { value = 1,", "fresh_business_days = { value = 365,", "fresh_business_days"),
        (R6, '"公金受取"]', '"公金受取", "生活保護"]', "並べ替え"),
        (R6, "{ward}が住民基本台帳", "{ku}が住民基本台帳", "{ward} だけ"),
        (R6, "print_amount_outside = { value = false", 'print_amount_outside = { value = "OFF"', "true か false"),
        (R6, "print_address2_outside = { value = false", "print_address2_outside = { value = 0", "true か false"),
        (R6, "〒160-8484 東京都", "東京都", "neutral_sender は"),
        (R6, "新宿区歌舞伎町1-4-1", "新宿区総務部総務課", "課の名と給付の名は書けません"),
        (R6, 'id = { value = "r6-2024"', 'id = { value = "r6/2024"', "^x.toml: id は"),
        (R6, "[benefits.R6-4]", '[benefits."R6 4"]', "給付種別「R6 4」"),
        (R6, '"9000000001"', '"90000"', "consignor_code.*10 桁"),
        (R6, 'sending_bank_code = { value = "9999"', 'sending_bank_code = { value = "99"', "sending_bank_code.*4 桁"),
        (R6, '"ｶｸｳｷﾞﾝｺｳ"', '"架空銀行"', "sending_bank_name_kana"),
        (R7, "abroad_amount_yen = { value = 30000,", "abroad_amount_yen = { value = 0,", "abroad_amount_yen"),
        (R7, 'who = { value = "shortfall",', 'who = { value = "taxpayer",', "（shortfall）への給付を書きます"),
    ],
)  # fmt: skip
def test_a_mistake_that_would_do_harm_is_refused_before_it_is_used(text: str, old: str, new: str, says: str) -> None:
    assert old in text
    with pytest.raises(RefusedInput, match=says) as refused:
        Programme.parse(text.replace(old, new), file="x.toml")
    assert refused.value.code.startswith("programme-")


@pytest.mark.parametrize("broken", ["levy_year = {{", "[letters", "base_date = 2024-06-31"])
def test_what_is_not_toml_is_said_without_english(broken: str) -> None:
    with pytest.raises(RefusedInput) as refused:
        Programme.parse(f"{R6}\n{broken}", file="x.toml")
    said = str(refused.value)
    assert "TOML として読めません" in said
    assert re.search(r"[0-9]+ 行目|ファイルの終わり", said)
    assert set(re.findall(r"[A-Za-z]+", said)) <= {"x", "toml", "TOML"}


def test_a_byte_order_mark_is_not_content() -> None:
    assert Programme.parse("\ufeff" + R6, file="x.toml") == Programme.parse(R6, file="x.toml")


def test_two_programmes_never_share_a_benefit(tmp_path: Path) -> None:
    """写して直した事業が給付種別を直し忘れると、委託先で元の事業の件と混ざる。"""
    copied = R6.replace('value = "r6-2024"', 'value = "town"')
    (tmp_path / "town.toml").write_text(copied, encoding="utf-8")
    with pytest.raises(RefusedInput, match=r"給付種別「R6-1、R6-2、R6-3、R6-4」は、事業 r6-2024 も使っています"):
        Programme.load("town", folder=tmp_path)
    for number in "1234":
        copied = copied.replace(f"R6-{number}]", f"T-{number}]")
    (tmp_path / "town.toml").write_text(copied, encoding="utf-8")
    assert set(Programme.load("town", folder=tmp_path).benefits) == {"T-1", "T-2", "T-3", "T-4"}
    # 書きかけの隣のファイルは、使う事業を止めない。
    (tmp_path / "draft.toml").write_text("名前", encoding="utf-8")
    assert Programme.load("r6-2024", folder=tmp_path).id == "r6-2024"


def test_the_switches_of_the_papers_that_leave_are_off_until_the_ward_says_so() -> None:
    """額と方書は、印刷事業者に渡す項目にない（benefit-rules F.2-2、F.2-5）。"""
    for text in (R6, R7):
        letters = Programme.parse(text, file="x.toml").letters
        assert (letters.print_amount_outside, letters.print_address2_outside) == (False, False)
    tried = Programme.parse(R6, file="x.toml", changes={"letters.print_amount_outside": "true"})
    assert tried.letters.print_amount_outside is True
    with pytest.raises(WrongUse, match="true か false"):
        Programme.parse(R6, file="x.toml", changes={"letters.print_amount_outside": "ON"})
