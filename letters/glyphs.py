"""書体にない字を、刷る前に見つける。

組版の道具は、ない字を豆腐や別の書体で黙って出すことがあり、異体字は必ず黙って元の字にする
（実測: letters §4）。だから一字ずつ、書体の表（cmap と形式 14）に聞く。
氏名は NFC も NFKC も掛けない: U+FA19 が別の字 U+795E に変わる。
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator

from letters.fonts import coverage, is_variation_selector

#: 書体に字形があっても刷らない種類: 制御、書式（見えない字、書字方向）、私用（外字）、未割当、代用、行・段落区切り。
_UNPRINTABLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
#: 種類は「文字」でも、何も見えない字（ハングルの空き、点のない点字）。氏名に混ざっても、紙では見えない。
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def clusters(text: str) -> Iterator[str]:
    """字と、それに続く異体字セレクタを一つに束ねる。"""
    cluster = ""
    for character in text:
        if cluster and is_variation_selector(character):
            cluster += character
        else:
            if cluster:
                yield cluster
            cluster = character
    if cluster:
        yield cluster


def _is_printable(cluster: str) -> bool:
    base = cluster[0]
    # 結合文字は、書体に印だけの字形があるので、表に聞いても見つからない（か + U+3099）。
    if unicodedata.category(base) in _UNPRINTABLE or unicodedata.category(base).startswith("M"):
        return False
    if base in _INVISIBLE:
        return False
    if len(cluster) > 2:
        return False
    for font in (coverage(0), coverage(1)):
        if ord(base) not in font.characters:
            return False
        if len(cluster) == 2 and (ord(base), ord(cluster[1])) not in font.variations:
            return False
    return True


@functools.cache
def _plain() -> frozenset[str]:
    """一字だけで刷れる字のすべて。ほとんどの手紙は、これだけで済む。"""
    both = coverage(0).characters & coverage(1).characters
    return frozenset(character for character in map(chr, both) if _is_printable(character))


def missing(text: str) -> tuple[str, ...]:
    """刷れない字を、現れた順に一度ずつ、符号位置で。「U+E000」、異体字は「U+8FBB+U+E0105」。空なら全部刷れる。"""
    if _plain().issuperset(text):
        return ()
    seen = dict.fromkeys(cluster for cluster in clusters(text) if not _is_printable(cluster))
    return tuple("+".join(f"U+{ord(c):04X}" for c in cluster) for cluster in seen)
