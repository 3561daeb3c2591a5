"""全銀の文字が守る約束: 表にある字だけを読み替え、ない字は符号位置を言って断り、濁点を離さずに切る。"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import Place, RefusedInput
from benefit.records.zengin_text import (
    ANY_JISX0201,
    BANK_NAME,
    CONVERSIONS,
    EDI,
    PARTY_NAME,
    PARTY_NAME_WITH_WO,
    PAYROLL_NAME,
    VOICING_MARKS,
    convert,
    convert_all,
    cut,
)

WARD = Path(__file__).parents[3] / "shared" / "cases" / "ward-3k"


@pytest.mark.parametrize(
    ("given_name", "written"),
    [
        ("ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
        ("キャッシュ", "ｷﾔﾂｼﾕ"),
        ("ｷｬｯｼｭ", "ｷﾔﾂｼﾕ"),
        ("ァィゥェォッャュョヮヵヶ", "ｱｲｳｴｵﾂﾔﾕﾖﾜｶｹ"),
        ("ｧｨｩｪｫｬｭｮｯ", "ｱｲｳｴｵﾔﾕﾖﾂ"),
        ("スーザン", "ｽ-ｻﾞﾝ"),
        ("ｽｰｻﾞﾝ", "ｽ-ｻﾞﾝ"),
        ("ー－‐‑‒–—―−-", "-" * 10),
        ("ガギグゲゴザジズゼゾダヂヅデド", "ｶﾞｷﾞｸﾞｹﾞｺﾞｻﾞｼﾞｽﾞｾﾞｿﾞﾀﾞﾁﾞﾂﾞﾃﾞﾄﾞ"),
        ("バビブベボパピプペポヴ", "ﾊﾞﾋﾞﾌﾞﾍﾞﾎﾞﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟｳﾞ"),
        ("カ\u3099ハ\u309a", "ｶﾞﾊﾟ"),
        ("カ゛ハ゜", "ｶﾞﾊﾟ"),
        ("Ｌｅｅ　Ｊ．", "LEE J."),
        ("lee", "LEE"),
        ("カ）カクウショウジ", "ｶ)ｶｸｳｼﾖｳｼﾞ"),
        ("０１２９", "0129"),
        ("　ヤマダ　", "ﾔﾏﾀﾞ"),
        ("", ""),
    ],
)
def test_names_are_written_by_the_table(given_name, written):
    assert convert(given_name) == written


@pytest.mark.parametrize(
    ("given_name", "found"),
    [
        ("ヲガワ", "U+30F2（1 文字目）"),
        ("アｦ", "U+FF66（2 文字目）"),
        ("ジャン・ミン", "U+30FB（4 文字目）"),
        ("髙橋", "U+9AD9（1 文字目）"),
        ("やまだ", "U+3084（1 文字目）"),
        ("ヰ", "U+30F0（1 文字目）"),
        ("ヷ", "U+30F7（1 文字目）"),
        ("ア一", "U+4E00（2 文字目）"),
        ("ア?", "U+003F（2 文字目）"),
        ("ア,", "U+002C（2 文字目）"),
        ("ア!", "U+0021（2 文字目）"),
        ("ア\t", "U+0009（2 文字目）"),
        ("ア\n", "U+000A（2 文字目）"),
        ("アé", "U+00E9（2 文字目）"),
        ("ア𠮷", "U+20BB7（2 文字目）"),
    ],
)
def test_what_is_not_in_the_table_is_refused_by_its_code_point(given_name, found):
    with pytest.raises(RefusedInput) as caught:
        convert(given_name, place=Place("a.txt", 3, "受取人名"))
    assert caught.value.found == found
    assert caught.value.place.record == 3
    assert given_name not in str(caught.value)


def test_wo_is_refused_by_default_and_allowed_by_the_banks_that_take_it():
    with pytest.raises(RefusedInput, match=r"U\+30F2"):
        convert("ヲガワ", PARTY_NAME)
    assert convert("ヲガワ", PARTY_NAME_WITH_WO) == "ｦｶﾞﾜ"


def test_each_class_allows_its_own_symbols():
    symbols = "()-./\\｢｣ｦ"
    kept = {
        kind.says: "".join(symbol for symbol in symbols if symbol in kind.characters)
        for kind in (BANK_NAME, PARTY_NAME, PAYROLL_NAME, EDI)
    }
    assert list(kept.values()) == ["-", "()-.", "", symbols]
    assert "A" not in PAYROLL_NAME.characters
    # どの組でも許されない: 小さいカナ、長音、読点、英小文字（formats §1.5）。
    for kind in (BANK_NAME, PARTY_NAME, PARTY_NAME_WITH_WO, PAYROLL_NAME, EDI):
        assert not kind.characters & set("ｧｨｩｪｫｬｭｮｯｰ,az､｡?")


def test_every_conversion_ends_in_one_byte_characters_and_symbols_stay_themselves():
    assert set("".join(CONVERSIONS.values())) <= ANY_JISX0201.characters
    assert not {chr(code) for code in CONVERSIONS} & set("!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~ ")


@given(st.text(sorted(PARTY_NAME.characters)))
def test_converting_twice_changes_nothing(name):
    once = convert(name)
    assert once == name.strip(" ")
    assert convert(once) == once


def written_or_refused(name: str) -> str | RefusedInput:
    try:
        return convert(name)
    except RefusedInput as refusal:
        return refusal


@given(st.text(max_size=12))
def test_any_text_is_either_written_in_its_class_or_refused(name):
    outcome = written_or_refused(name)
    if isinstance(outcome, RefusedInput):
        assert outcome.code == "unconvertible-character"
    else:
        assert set(outcome) <= PARTY_NAME.characters


def test_a_column_is_converted_as_its_values_one_by_one_and_refused_by_record():
    names = ["ヤマダ", "サトウ", "ヤマダ"]
    assert convert_all(names, PARTY_NAME) == [convert(name) for name in names]
    with pytest.raises(RefusedInput) as caught:
        convert_all(["ヤマダ", "サトウ", "髙"], PARTY_NAME, first_record=2)
    assert caught.value.place.record == 4


@pytest.mark.parametrize(
    ("name", "length", "kept"),
    [
        ("ｱｲｳｶﾞ", 5, "ｱｲｳｶﾞ"),
        ("ｱｲｳｶﾞ", 4, "ｱｲｳ"),
        ("ｱｲｳｶﾞ", 3, "ｱｲｳ"),
        ("ｱｲｳﾊﾟｴ", 5, "ｱｲｳﾊﾟ"),
        ("ｱｲｳﾊﾟｴ", 4, "ｱｲｳ"),
        ("ｱｲ ｳ", 3, "ｱｲ"),
        ("ｶﾞ", 1, ""),
        ("", 3, ""),
    ],
)
def test_a_cut_never_leaves_a_kana_without_its_mark(name, length, kept):
    assert cut(name, length) == kept


@given(st.text(sorted(PARTY_NAME.characters), max_size=60), st.integers(1, 40))
def test_a_cut_is_the_longest_beginning_that_keeps_the_marks(name, length):
    kept = cut(name, length)
    assert len(kept) <= length
    assert name.startswith(kept)
    rest = name[len(kept) :].lstrip(" ") if name[len(kept) : len(kept) + 1] == " " else name[len(kept) :]
    assert not (rest and name[len(kept)] in VOICING_MARKS and kept)


def test_every_account_holder_of_the_made_up_ward_is_written_or_refused_for_a_known_sign():
    text = (WARD / "accounts.csv").read_bytes().decode("cp932")
    names = [row["口座名義カナ"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    refusals = [outcome for outcome in map(written_or_refused, names) if isinstance(outcome, RefusedInput)]
    assert len(names) > 1000
    # 狭い字の組にない中黒の一件だけが止まる。ほかの名義は一字も失わない。
    assert [refusal.found for refusal in refusals] == ["U+FF65（5 文字目）"]
