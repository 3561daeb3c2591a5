"""職員が目を通す行: 黙って通さないもの（K4、K12、一件の額）。"""

from __future__ import annotations

from typing import Any

import pytest

from benefit.rules.attention import attention, render
from tests.rules.make import PROGRAMME, TODAY, Ward


def noted(**tax: Any) -> list[tuple[str, str]]:
    ward = Ward()
    ward.person(1, tax=tax)
    rows = attention(ward.decide(TODAY), PROGRAMME)
    return [(code, detail) for code, detail in rows.select("code", "detail").iter_rows()]


def test_an_ordinary_taxpayer_is_not_noted() -> None:
    assert noted(filed_income_tax_yen=13_500, income_levy_ward_yen=29_500, per_capita_levy_yen=4000) == []


def test_income_tax_without_any_levy_is_noted() -> None:
    assert noted(filed_income_tax_yen=27_500) == [("NON_LEVIED", "所得税 27500 円")]


@pytest.mark.parametrize(("tool", "said"), [(14_500, False), (14_501, True), (12_499, True), (12_500, False)])
def test_a_tool_answer_far_from_the_estimate_is_noted(tool: int, said: bool) -> None:
    found = noted(
        estimated_income_tax_yen=tool, taxable_income_yen=320_000, deduction_difference_yen=50_000,
        income_levy_ward_yen=29_500, per_capita_levy_yen=4000,
    )  # fmt: skip
    assert [code for code, _detail in found] == (["ESTIMATE"] if said else [])


def test_an_amount_above_the_holding_line_is_noted_and_exactly_on_it_is_not() -> None:
    heads = {"dependants_16_and_over": 12, "income_levy_ward_yen": 100, "per_capita_levy_yen": 4000}
    assert [code for code, _ in noted(filed_income_tax_yen=0, **heads)] == ["LARGE"]
    # 13 人: A = 390,000、B = 130,000 − 所得割。合わせて、ちょうど 400,000 円。
    exactly = heads | {"income_levy_ward_yen": 120_000}
    assert noted(filed_income_tax_yen=0, **exactly) == []


def test_the_list_names_the_row_and_the_reason() -> None:
    ward = Ward()
    number = ward.person(1, tax={"filed_income_tax_yen": 27_500})
    text = render(attention(ward.decide(TODAY), PROGRAMME)).decode()
    assert text.splitlines()[0] == "対象区分,対象番号,注意,内容"
    assert f"納税者,{number:010d},均等割も所得割もなく" in text
