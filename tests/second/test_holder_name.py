"""名義の一致: 別々に書いた二つ（本体は一字ずつの表、第二は Unicode の性質）が、どの字でも同じ鍵になる。"""

from __future__ import annotations

import random

import polars as pl
import pytest

from benefit.rules.name_agreement import agrees, key
from benefit.second import holder_name
from tests.second.names import NAMES, holder_of

#: 氏名と名義に現れうる字: ラテン文字、句読点、かな、小さい仮名の拡張、全角・半角、漢字の一部。
_RANGES = ((0x20, 0x250), (0x1E00, 0x1F00), (0x2010, 0x2060), (0x3000, 0x3250), (0x4E00, 0x4F00), (0xFF01, 0xFFA0))


def test_every_character_gets_the_same_key() -> None:
    characters = [chr(code) for low, high in _RANGES for code in range(low, high)]
    keys = pl.DataFrame({"c": characters}).select(key(pl.col("c"))).to_series().to_list()
    marks = str.maketrans({holder_name.VOICED: "゛", holder_name.SEMI_VOICED: "゜"})
    unlike = [(one, theirs) for one, theirs in zip(characters, keys, strict=True) if theirs != holder_name.key(one).translate(marks)]  # fmt: skip
    assert unlike == []


@pytest.mark.parametrize("seed", [1, 20240603])
def test_every_way_of_writing_a_holder_gets_the_same_answer(seed: int) -> None:
    print("種", seed)
    dice = random.Random(seed)
    pairs = [(holder_of(dice, dice.choice(NAMES)), dice.choice(NAMES)) for _ in range(4_000)]
    pairs += [(holder_of(dice, name), name) for name in dice.choices(NAMES, k=8_000)]
    table = pl.DataFrame(pairs, schema=["holder", "kana"], orient="row")
    ours = table.select(agrees(pl.col("holder"), pl.col("kana"))).to_series().to_list()
    assert [pair for pair, same in zip(pairs, ours, strict=True) if same != holder_name.names_agree(*pair)] == []
    assert 2_000 < sum(ours) < 9_000


@pytest.mark.parametrize(
    ("holder", "kana", "same"),
    [
        ("ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダ　ハナコ", True),
        ("ﾔﾏﾀﾞﾊﾅｺ", "ヤマダ・ハナコ", True),
        ("ﾔﾏﾀ ﾊﾅｺ", "ヤマダ　ハナコ", False),
        ("ﾅｶｼﾞﾏ ｷﾖｳｺ", "ナカジマ　キョウコ", True),
        ("ﾅｶﾂﾞｶ", "ナカズカ", False),
        ("ｦｶﾞﾜ", "オガワ", False),
        ("ｻﾄ-", "サトー", True),
        ("ｻﾄ〜", "サトー", True),
        ("SMITH JOHN", "Ｓｍｉｔｈ　Ｊｏｈｎ", True),
        ("JOHN SMITH", "Ｓｍｉｔｈ　Ｊｏｈｎ", False),
        ("ZOË", "Zoë", True),
        ("ﾄｲﾀｸｼ", "トイタㇰㇱ", True),
        ("ｱ" * 30, "ア" * 31, True),
        ("ｱ" * 29, "ア" * 31, False),
        ("ｱ" * 29, "ア" * 29 + "　イ", True),
        ("ｱ" * 28, "ア" * 28 + "　イ", False),
        ("ｱ" * 29 + "ｶ", "ア" * 29 + "ガ", True),
        ("ｲ" * 30, "ア" * 31, False),
        ("・", "・", False),
        ("", "ア", False),
        ("ｱ", "ア", True),
        ("ア" * 14 + "　" + "ア" * 14, "ア" * 14 + "　" + "ア" * 15, False),
        ("A" * 29 + "X", "A" * 29 + "XB", True),
    ],
)
def test_the_contract_sentence_by_sentence(holder: str, kana: str, same: bool) -> None:
    table = pl.DataFrame({"holder": [holder], "kana": [kana]})
    assert table.select(agrees(pl.col("holder"), pl.col("kana"))).item() is same
    assert holder_name.names_agree(holder, kana) is same


def test_without_a_name_nothing_agrees() -> None:
    assert not holder_name.names_agree("ｱ", None)
    assert not holder_name.names_agree(None, "ア")
    table = pl.DataFrame({"holder": ["ｱ", None], "kana": [None, "ア"]}, schema={"holder": pl.String, "kana": pl.String})
    assert table.select(agrees(pl.col("holder"), pl.col("kana"))).to_series().to_list() == [False, False]
