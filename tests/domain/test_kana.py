"""名義と氏名を比べる鍵（契約 §2 Route）。同じとみなすものと、みなさないもの。"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benefit.domain.kana import KEPT_SIGNS, agreement_key, search_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダ　タロウ"),
        ("ｷﾞｬﾌﾟ", "ギヤプ"),
        ("ｧｨｩｪｫｯｬｭｮ", "アイウエオツヤユヨ"),
        ("ヮヵヶ", "ワカケ"),
        ("ヴ", "ｳﾞ"),
        ("ガ", "カ\u3099"),
        ("パ", "ハ\u309a"),
        ("Ｓｍｉｔｈ", "SMITH"),
        ("ｱｰｻｰ", "アーサー"),
        ("０１２", "012"),
        ("アン・ジョン", "アンジヨン"),
        ("ア．イ，ウ、エ。オ（カ）", "アイウエオカ"),
        ("ア\tイ\nウ\u00a0エ", "アイウエ"),
    ],
)
def test_these_are_the_same_name(one: str, other: str) -> None:
    assert agreement_key(one) == agreement_key(other)


@pytest.mark.parametrize("dash", "-‐‑‒–—―−－ーｰ─━﹘﹣")
def test_every_dash_is_one_sign_and_is_not_dropped(dash: str) -> None:
    assert agreement_key(f"ア{dash}") == "ア-" != agreement_key("ア")


@pytest.mark.parametrize(
    ("one", "other"),
    [("ヲ", "オ"), ("ヅ", "ズ"), ("ヂ", "ジ"), ("ハ", "バ"), ("バ", "パ"), ("ヱ", "エ"), ("ヰ", "イ"), ("ー", "イ"),
     ("山", "ヤマ"), ("タロウ ヤマダ", "ヤマダ タロウ"), ("オオノ", "オーノ"), ("あ", "ア")],
)  # fmt: skip
def test_these_are_different_names(one: str, other: str) -> None:
    assert agreement_key(one) != agreement_key(other)


def test_a_name_of_nothing_but_signs_is_empty() -> None:
    assert agreement_key(" ・、。（）") == ""


@settings(max_examples=300, deadline=None, database=None)
@given(st.text(max_size=30))
def test_the_key_is_settled_by_one_pass(text: str) -> None:
    key = agreement_key(text)
    assert agreement_key(key) == key == search_key(text)
    assert all(c in KEPT_SIGNS or unicodedata.category(c)[0] in "LN" for c in key)


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(max_size=15), st.text(max_size=15))
def test_the_key_of_a_whole_is_the_keys_of_its_parts(one: str, other: str) -> None:
    # 30 桁で切られた名義を先頭で比べられるのは、このため。
    assert agreement_key(one + other) == agreement_key(one) + agreement_key(other)
