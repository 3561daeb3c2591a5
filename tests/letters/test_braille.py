"""点字の手紙: 仮名は日本点字表記法の一マスずつ、BRF は 32 マス × 22 行。名は一字も変えない。"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benefit.domain.letter import LETTER_KINDS
from letters import braille
from letters.braille_cells import ASCII, NoReading, cells, to_brf

#: (文, 点字)。日本点字表記法 2018 年版と、点字の教本に載るつづり。
KNOWN = (
    ("アイウエオ", "⠁⠃⠉⠋⠊"),
    ("カキクケコ", "⠡⠣⠩⠫⠪"),
    ("サシスセソ", "⠱⠳⠹⠻⠺"),
    ("タチツテト", "⠕⠗⠝⠟⠞"),
    ("ナニヌネノ", "⠅⠇⠍⠏⠎"),
    ("ハヒフヘホ", "⠥⠧⠭⠯⠮"),
    ("マミムメモ", "⠵⠷⠽⠿⠾"),
    ("ヤユヨ", "⠌⠬⠜"),
    ("ラリルレロ", "⠑⠓⠙⠛⠚"),
    ("ワヲン", "⠄⠔⠴"),
    ("ガ", "⠐⠡"),
    ("パ", "⠠⠥"),
    ("キャ", "⠈⠡"),
    ("ジョ", "⠘⠺"),
    ("ピュ", "⠨⠭"),
    ("とーきょー", "⠞⠒⠈⠪⠒"),
    ("がっこー", "⠐⠡⠂⠪⠒"),
    ("ファイル", "⠢⠥⠃⠙"),
    ("ティー", "⠈⠗⠒"),
    ("ヴァイオリン", "⠲⠥⠃⠊⠓⠴"),
    ("ウェブ", "⠢⠋⠐⠭"),
    ("2024ねん", "⠼⠃⠚⠃⠙⠏⠴"),
    ("1えん", "⠼⠁⠤⠋⠴"),  # ア行の前は、つなぎ符
    ("6ろ", "⠼⠋⠤⠚"),  # ラ行の前も
    ("3がつ", "⠼⠉⠐⠡⠝"),  # 濁音の前は要らない
    ("120,000", "⠼⠁⠃⠚⠄⠚⠚⠚"),
    ("1.5", "⠼⠁⠂⠑"),
    ("0120-000", "⠼⠚⠁⠃⠚⠤⠼⠚⠚⠚"),
    ("ATM", "⠰⠠⠠⠁⠞⠍"),
    ("ATMの", "⠰⠠⠠⠁⠞⠍⠤⠎"),
    ("Kim", "⠰⠠⠅⠊⠍"),
    ("abc", "⠰⠁⠃⠉"),
    ("です。", "⠐⠟⠹⠲"),
    ("はい、 そーです", "⠥⠃⠰⠀⠺⠒⠐⠟⠹"),
    ("（え）", "⠶⠋⠶"),
    ("サトウ　ハナコ", "⠱⠞⠉⠀⠥⠅⠪"),  # 名の「ウ」は長音に直さない
)


@pytest.mark.parametrize(("text", "expected"), KNOWN, ids=[text for text, _ in KNOWN])
def test_a_text_becomes_the_known_cells(text: str, expected: str) -> None:
    assert cells(text) == expected


def test_the_ascii_of_the_brf_has_one_letter_for_each_of_the_64_cells() -> None:
    assert len(ASCII) == len(set(ASCII)) == 64
    assert to_brf("⠀⠁⠃⠿⠼⠴") == " AB=#0"
    assert to_brf(cells("とーきょー")) == "T3@[3"


@pytest.mark.parametrize("text", ["山田", "か😀", "김", "\u3042\u0000"])
def test_what_has_no_reading_is_never_dropped_in_silence(text: str) -> None:
    with pytest.raises(NoReading):
        cells(text)


def test_lines_fold_between_words_and_pages_hold_22_lines() -> None:
    pages = braille.pages(["アイウ カキクケコ サシスセソ タチツテト ナニヌネノ ハヒフヘホ"] * 20)
    assert all(len(page) <= braille.LINES for page in pages)
    lines = [line for page in pages for line in page]
    assert max(map(len, lines)) <= braille.WIDTH
    first, second = lines[:2]
    assert first.startswith("⠀⠀")  # 段落の初めは二マスあける
    assert f"{first.strip('⠀')}⠀{second}" == cells("アイウ カキクケコ サシスセソ タチツテト ナニヌネノ ハヒフヘホ")
    # 一行より長い語は、仕方なく切る。
    assert [len(line) for line in braille.pages(["ア" * 70])[0]] == [32, 32, 8]


def test_a_letter_says_the_same_as_its_paper(notice, letter, tmp_path: Path) -> None:
    table = braille.words()
    given = replace(notice(), amount_yen=120_000)
    text = " ".join(braille.letter_text(given, "コウノ　オトコ", table))
    assert "コウノ　オトコ さま" in text
    assert given.case_number in text
    assert "120,000えん" in text
    assert "しも 3けた 123" in text
    assert "れいわ 6ねん 8がつ 19にちまでに" in text
    for content in (given, letter()):
        data, count = braille.brf(content, "コウノ　オトコ", table)
        pages = data.decode("ascii").split("\f")
        assert len(pages) == count
        assert all(len(line) <= 32 for page in pages for line in page.split("\r\n"))
        assert all(page.count("\r\n") <= 22 for page in pages)
        assert to_brf(cells("コウノ　オトコ")) in data.decode("ascii")


def test_a_reader_whose_name_has_no_reading_is_listed_with_the_reason(notice, tmp_path: Path) -> None:
    known, unknown = notice(case_number="10000000011"), notice(case_number="10000000022")
    strange = replace(notice(case_number="10000000033"), programme_name="読みのない事業")
    kana = {"10000000011": "ヤマダ　ハナコ", "10000000022": None, "10000000033": "ヤマダ　ハナコ"}
    braille.write_run([known, unknown, strange], kana, tmp_path, tmp_path / "words")
    listed = (tmp_path / "tenji" / "tenji.csv").read_text(encoding="utf-8-sig").splitlines()
    assert listed[1].endswith("10000000011-01.brf,")
    assert "読みがない" in listed[2]
    assert "読みがない（U+8AAD" in listed[3]
    assert sorted(path.name for path in (tmp_path / "tenji").glob("*.brf")) == ["10000000011-01.brf"]


def test_every_name_in_the_shipped_programmes_has_a_reading() -> None:
    from benefit.domain.programme import Programme

    readings = braille.words()["readings"]
    for programme_id in Programme.known():
        programme = Programme.load(programme_id)
        for name in (programme.name, *(benefit.name for benefit in programme.benefits.values())):
            cells(readings[name])


def test_every_kind_that_is_sent_in_a_run_has_a_text_and_another_kind_is_listed(notice, tmp_path: Path) -> None:
    table = braille.words()
    runs = {kind for kind in LETTER_KINDS if kind in table}
    assert runs == {
        "push_notice", "confirmation_letter", "deficiency_notice", "award_notice", "refusal_notice", "reminder",
        "failed_transfer_notice", "dunning_letter",
    }  # fmt: skip
    plain = replace(notice(), masked_account=None, account_flag="1")
    for kind in sorted(runs):
        assert braille.brf(_OfKind(plain, kind), "サトウ　ハナコ", table)[1] >= 1
    other = _OfKind(plain, "correction_letter")
    braille.write_run([other], {other.case_number: "サトウ　ハナコ"}, tmp_path, tmp_path / "words")
    listed = (tmp_path / "tenji" / "tenji.csv").read_text(encoding="utf-8-sig")
    assert "この種類の点字の文がない" in listed
    assert not list((tmp_path / "tenji").glob("*.brf"))


class _OfKind:
    """種類だけを替えた手紙（種類ごとの値は、点字の文には要らない）。"""

    def __init__(self, content, kind: str) -> None:
        self._content, self.kind = content, kind

    def __getattr__(self, name: str):
        return getattr(self._content, name)
