"""人の課税区分（契約 §2 Tax class of a person）。文のとおりの順で、最初に当たったもの。"""

from __future__ import annotations

from benefit.second.ward_rows import Row, WardRows


def of_row(tax: Row) -> str:
    """住民税の行がある人。"""
    levy = tax["income_levy_ward_yen"] + tax["income_levy_metro_yen"]
    wholly_relieved = tax["ordinance_relief"] == "全部"
    if tax["treaty_exempt"]:
        return "X"
    if levy > 0 and not wholly_relieved:
        return "2"
    if tax["per_capita_levy_yen"] > 0 and not wholly_relieved:
        return "1"
    if tax["declaration"] == "未申告":
        return "U"
    return "0"


def of_answer(answer: Row) -> str:
    """照会の回答が Q を何に置き換えるか。役に立たない答えと、矛盾した答えは Q のまま。"""
    if answer["treaty_exempt"]:
        return "X"
    if answer["answer"] == "課税":
        before, after = answer["income_levy_before_cut_yen"], answer["income_levy_after_cut_yen"]
        if before is None:
            return "2" if after is not None and after > 0 else "Q"
        if before > 0:
            return "2"
        per_capita = answer["per_capita_levy_yen"]
        return "1" if per_capita is not None and per_capita > 0 else "Q"
    if answer["answer"] == "非課税":
        return "0"
    if answer["answer"] == "未申告":
        return "U"
    return "Q"


def _of_resident(ward: WardRows, number: int, resident: Row) -> str:
    """住民税の行がない住民。"""
    terms = ward.programme
    if surely_under_16(ward, number):
        return "0"
    if resident["became_resident_on"] < terms.entered_from:
        return "U"
    if resident["became_resident_reason"] == "出生":
        return "0"
    if resident["became_resident_reason"] == "国外転入":
        return "N"
    return "Q"


def surely_under_16(ward: WardRows, number: int) -> bool:
    """16 歳未満であることが確か。不詳の誕生日がどちらともとれるなら、16 歳未満ではない。"""
    return ward.births[number][0] >= ward.programme.under_16_born_from


def tax_class(ward: WardRows, number: int) -> str | None:
    """住民でなくても、住民税の行があれば区分がある。どこにもいない人は None。"""
    tax, resident = ward.taxes.get(number), ward.residents.get(number)
    if tax is not None:
        found = of_row(tax)
    elif resident is not None:
        found = _of_resident(ward, number, resident)
    else:
        return None
    if found == "Q" and number in ward.tax_answers:
        found = of_answer(ward.tax_answers[number])
    correction = ward.corrections.get(number)
    # 更正の申請は、抽出データの区分が申請のときのままの人にだけ効く。
    if correction is not None and correction["seen_class"] == found:
        found = correction["corrected_class"]
    return found
