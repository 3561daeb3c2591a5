"""口座名義の見方: 弱い一致（CHK81 の注意）と、人の名でない名義（CHK83）。benefit-rules D.2。

経路を決める一致（`name_agreement`、契約 §2）はゆるめない。ここの弱い一致は、払ってから一覧に残すためだけに使う。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.kana import TABLE
from benefit.rules.name_agreement import agrees, key

#: 同じ音を書く二通りの仮名。どちらでも、こちらに寄せて比べる。
_SAME_SOUND = {"ヲ": "オ", "ヅ": "ズ", "ヂ": "ジ", "ｦ": "ｵ", "ﾂﾞ": "ｽﾞ", "ﾁﾞ": "ｼﾞ"}
#: 全銀の法人・事業の略語には、必ずかっこが付く。かっこは、人の名には現れない。
_BRACKETS = "[()（）]"
#: 略さない書き方と、代理人。
_NOT_A_PERSON = (
    "カブシキガイシヤ", "ユウゲンガイシヤ", "ゴウドウガイシヤ", "ゴウシガイシヤ", "ゴウメイガイシヤ", "ホウジン",
    "クミアイ", "ジムシヨ", "コウケンニン", "ホサニン", "ホジヨニン", "ダイリニン", "ロウジンホーム", "ビヨウイン",
)  # fmt: skip


def _one_sound(text: pl.Expr) -> pl.Expr:
    return text.str.replace_many(list(_SAME_SOUND), list(_SAME_SOUND.values()))


def weakly_agrees(holder: pl.Expr, kana_name: pl.Expr) -> pl.Expr:
    """弱い一致なら真: 音の同じ仮名の書き分けか、ローマ字の名の並びと、間の名の有無だけの違い。"""
    latin = key(kana_name).str.contains("^[A-Z]") & key(holder).str.contains("^[A-Z]")
    given, whole = _words(holder), _words(kana_name)
    some = (given.list.len() >= 2) & (given.list.set_difference(whole).list.len() == 0)
    return agrees(_one_sound(holder), _one_sound(kana_name)) | (latin & some).fill_null(value=False)


def _words(name: pl.Expr) -> pl.Expr:
    """空白・中点・句読点で分けた、比べる形の並び。"""
    spaced = name.str.replace_all(r"[\s　・･,.，．]+", " ").str.strip_chars(" ")
    return spaced.str.split(" ").list.eval(key(pl.element())).list.unique()


def not_a_person(holder: pl.Expr) -> pl.Expr:
    """法人・施設・代理人の名義か。名義がなければ偽（CHK80 が言う）。"""
    # かっこは鍵で落ちるので、もとの字で見る。言葉は、名義と同じ鍵にして探す。
    words = ["".join(TABLE.get(character, character) for character in word) for word in _NOT_A_PERSON]
    found = holder.str.contains(_BRACKETS) | key(holder).str.contains_any(words)
    return found.fill_null(value=False)
