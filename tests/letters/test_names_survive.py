"""T31 名は黙って変わらない: 十万の名を、CP932・UTF-8・印刷に通し、黙って変わったものが 0（reliability P31）。

どの名も、そのままの字で出るか、止めて、人と符号位置を名ざすかの、どちらかである。種は NAMES_SEED で変えられる。
"""

from __future__ import annotations

import csv
import io
import os
import random
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from fontTools.ttLib import TTFont

from benefit.records import print_data
from letters.fonts import font_files
from letters.glyphs import missing
from letters.holding import reasons_to_hold
from letters.stamp.faces import Used
from tests.letters.test_proof import coded, found, in_the_ledger

SEED = int(os.environ.get("NAMES_SEED", "31"))
NAMES = 100_000
KANJI = "山田佐藤鈴木高橋伊渡辺中村小林加藤吉東西南北太郎花子一二三美幸恵正和明"
#: 種類 → その種類の字（名の中に一字以上入る）。
KINDS: dict[str, str] = {
    "常用": KANJI,
    "旧字・人名": "髙﨑濵德邉邊齋齊瀨栁寬惠澤廣國眞緖渚祐禎穰亘凜",
    "互換漢字": "".join(map(chr, (*range(0xFA0E, 0xFA2A), *range(0xF900, 0xF930), *range(0x2F800, 0x2F830)))),
    "面の外の漢字": "".join(map(chr, (0x20BB7, 0x2000B, 0x20089, 0x29E3D, 0x2A6B2, 0x30729, 0x2B740))),
    "外字": "".join(map(chr, (*range(0xE000, 0xE020), 0xF8FF, 0xF0000, 0x10FFFD))),
    "CP932 の二重の字": "纊褜鍈銈蓜俉炻昱棈鋹∵ⅰⅱ∪￢№㈱～∥－",
    "波線と横線": "〜～−－—―‖∥¢￠£￡",
    "ハングル・簡体字": "김이박최王李张刘陈杨赵",
    "ほかの文字": "नेपालमြန်မာไทยعربيאבג",
    "ついた印": "éèüñçøåŁžşğİıßæŒ",
    "結合文字": "か\u3099は\u309ae\u0301a\u0308\u20dd",
    "見えない字": "\u200b\u200d\u2060\ufeff\u00ad\u3164\u202e\u00a0\u2003",
    "制御": "\x00\x07\x1b\x7f\x85\u2028",
    "代用": "\ud800\udfff\udb40",
    "部首": "⼀⼆⼈⺅⻌",
    "半角・全角": "ｶﾅＡＢａｂ１２AZaz09ﾞﾟ",
    "絵文字": "😀👨‍👩‍👧★♥",
}
VARIATIONS = [chr(code) for code in (0xE0100, 0xE0101, 0xE0102, 0xE0110, 0xE01EF, 0xFE00, 0xFE0F, 0x180B)]
BASES = "辻葛邉辺榊芦祇鯖餅逢樋蓮迦茨"


def names() -> list[str]:
    chance = random.Random(SEED)
    kinds = list(KINDS.values())
    made = []
    for _ in range(NAMES):
        letters = [chance.choice(KANJI) for _ in range(chance.randint(1, 4))]
        for _ in range(chance.randint(0, 2)):
            letters.insert(chance.randint(0, len(letters)), chance.choice(chance.choice(kinds)))
        if chance.random() < 0.3:
            letters.insert(chance.randint(0, len(letters)), chance.choice(BASES) + chance.choice(VARIATIONS))
        letters.insert(chance.randint(1, len(letters)), "　")
        made.append("".join(letters))
    return made


@pytest.fixture(scope="module")
def everyone() -> list[str]:
    return names()


def points(text: str) -> set[str]:
    return {f"U+{ord(character):04X}" for character in text}


class Font:
    """書体の表を、印刷の道とは別の道具で読んだもの。"""

    def __init__(self, index: int) -> None:
        with TTFont(font_files()[index], lazy=True) as font:
            order = font.getReverseGlyphMap()
            self.plain = {code: order[name] for code, name in font.getBestCmap().items()}
            self.variations: dict[tuple[int, int], int] = {}
            for table in font["cmap"].tables:
                if table.format == 14:
                    for selector, bases in table.uvsDict.items():
                        for base, name in bases:
                            self.variations[base, selector] = order[name] if name else self.plain[base]

    def glyphs(self, text: str) -> list[int]:
        found: list[int] = []
        for at, character in enumerate(text):
            following = ord(text[at + 1]) if at + 1 < len(text) else 0
            if (ord(character), following) in self.variations:
                found.append(self.variations[ord(character), following])
            elif not (at and (ord(text[at - 1]), ord(character)) in self.variations):
                found.append(self.plain[ord(character)])
        return found


_SHOWN = re.compile(r"/F(\d)(?:L(\d+))? [\d.]+ Tf<([0-9a-f]*)>Tj")


def test_t31_print_shows_every_name_with_its_own_glyphs_or_holds_it_by_code_point(everyone: list[str]) -> None:
    print(f"NAMES_SEED={SEED}")
    used, font = Used(bold=True), Font(1)
    shown: list[tuple[str, list[tuple[int, int]]]] = []
    changed: list[str] = []
    held = 0
    for name in everyone:
        if lacking := missing(name):
            held += 1
            # 止めたわけは、その名にある字の符号位置で言う。
            if not {point for each in lacking for point in re.findall(r"U\+[0-9A-F]+", each)} <= points(name):
                changed.append(name)
            continue
        drawn = [
            (int(layer or 0), int(glyphs[at : at + 4], 16))
            for _, layer, glyphs in _SHOWN.findall(used.show(name, 10))
            for at in range(0, len(glyphs), 4)
        ]
        if [glyph for _, glyph in drawn] != font.glyphs(name):
            changed.append(name)
        shown.append((name, drawn))
    layers = used.read_as()
    # 文字の層: 読み返しても、異体字セレクタまで同じ名になる。
    changed += [name for name, drawn in shown if "".join(layers[layer][glyph] for layer, glyph in drawn) != name]
    assert changed == []
    assert held + len(shown) == NAMES
    assert min(held, len(shown)) > NAMES // 5
    # 異体字を求めれば、元の字と違う字形が出る（書体が違う字形を持つもの）。
    asked = [(base, selector) for base, selector in font.variations if chr(base) in BASES]
    other = [pair for pair in asked if font.variations[pair] != font.plain[pair[0]]]
    assert len(other) > 20
    for base, selector in other:
        (_, _, glyph), *_ = _SHOWN.findall(Used(bold=True).show(chr(base) + chr(selector), 10))
        assert int(glyph, 16) == font.variations[base, selector] != font.plain[base]


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_t31_the_data_file_writes_every_name_as_it_is_or_holds_the_person(everyone: list[str], encoding: str) -> None:
    # 台帳の表（Polars、PostgreSQL）は、代用の符号だけの字を持てない。入口（厳しい復号）で断られる。
    written = [name for name in everyone if not any("\ud800" <= character <= "\udfff" for character in name)]
    frame = pl.DataFrame({"name": written}).with_row_index("n").select(
        "name", postal_code=pl.lit("1600022"), address=pl.lit("東京都新宿区"),
        case_number=pl.col("n").cast(pl.String).str.zfill(11), past_account=pl.lit(""), account_flag=pl.lit("0"),
    )  # fmt: skip
    done = print_data.write(frame, print_data.PRINTER, encoding=encoding)
    text = done.data.decode(print_data.ENCODINGS[encoding])
    back = {row["給付管理番号"]: row["氏名"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    held = dict(done.held.select("給付管理番号", "文字").iter_rows())
    assert len(back) + len(held) == len(written)
    assert not back.keys() & held.keys()
    silently = [
        name for n, name in enumerate(written) if (number := f"{n:011d}") not in held and back.get(number) != name
    ]
    assert silently == []
    assert all(set(said.split()) <= points(written[int(number)]) for number, said in held.items())
    # 似た字にすり替わりやすい字は、CP932 では必ず止まる。
    if encoding == "cp932":
        tricky = {f"{n:011d}" for n, name in enumerate(written) if any(c in name for c in "〜−—‖¢£髙" if c != "髙")}
        assert tricky <= held.keys()


def test_t31_a_sample_survives_the_paper_itself(everyone: list[str], notice, tmp_path: Path) -> None:
    """組にした PDF を読み返し、台帳の名と一字ずつ比べる。"""
    chance = random.Random(SEED)
    special = [name for name in everyone if any(0xFE00 <= ord(c) <= 0xFE0F or ord(c) > 0xFFFF for c in name)]
    chosen = [name for name in chance.sample(special, 400) + chance.sample(everyone, 300) if not missing(name)]
    printed = [coded(notice(case_number=f"{n:011d}", name=name)) for n, name in enumerate(chosen[:140])]
    printed = [each for each in printed if not reasons_to_hold(each)]
    assert len(printed) > 100
    assert found(tmp_path, printed, [in_the_ledger(each) for each in printed]) == []


def test_a_letter_with_a_character_the_font_lacks_is_held_with_its_person_and_code_point(notice) -> None:
    (held,) = reasons_to_hold(replace(notice(), name="山\ue000　\U00030729子"))
    assert (held.case_number, held.field, held.reason) == (notice().case_number, "氏名", "字形なし")
    assert "U+E000" in held.code_points
