"""刷れない字は、刷る前に、一字ずつ見つかる。"""

from __future__ import annotations

import unicodedata

import pytest

from letters.glyphs import missing


@pytest.mark.parametrize(
    "name",
    [
        "髙﨑　美咲",
        "𠮷田　太郎",
        "葛\U000e0100城　花子",
        "渡邉　一",
        "神谷\ufa19",
        "ｶﾌﾞｼｷ ｶﾞｲｼｬ",
        "DELA CRUZ, MARÍA JOSÉ",
        "",
    ],
)
def test_a_name_the_font_can_draw_is_let_through(name: str) -> None:
    assert missing(name) == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("山\ue000太郎", ("U+E000",)),
        ("山\U00031350太郎", ("U+31350",)),
        # 邉の異体字のうち、書体が持つもの（U+E0100）の隣。
        ("渡邉\U000e01ef一", ("U+9089+U+E01EF",)),
        ("か\u3099く子", ("U+3099",)),
        ("Jose\u0301", ("U+0301",)),
        ("甲野\t太郎", ("U+0009",)),
        ("甲野\n太郎", ("U+000A",)),
        ("甲\u200b野", ("U+200B",)),
        ("甲\u202e野", ("U+202E",)),
        ("\U000e0100葛", ("U+E0100",)),
        ("葛\U000e0100\U000e0100", ("U+845B+U+E0100+U+E0100",)),
        ("\ue000甲\ue001\ue000", ("U+E000", "U+E001")),
        ("甲\ud800", ("U+D800",)),
        # 種類は文字でも、何も見えない字。
        ("甲\u3164野", ("U+3164",)),
        ("甲\uffa0野", ("U+FFA0",)),
    ],
)
def test_what_the_font_cannot_draw_is_named_by_code_point(name: str, found: tuple[str, ...]) -> None:
    assert missing(name) == found


def test_a_name_is_judged_as_it_came_and_not_after_normalising() -> None:
    decomposed = unicodedata.normalize("NFD", "が")
    assert missing("が") == ()
    assert missing(decomposed) == ("U+3099",)
