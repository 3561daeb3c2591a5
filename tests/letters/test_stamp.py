"""台紙に刷った紙は、直接組んだ紙と、目にも読み返しても同じである。"""

from __future__ import annotations

import io
import re
from collections import Counter
from datetime import date

import pikepdf
import pytest

from benefit.domain.errors import BenefitError, RefusedByRule, WrongUse
from letters.fonts import coverage
from letters.glyphs import missing
from letters.render import render
from letters.sheet_code import SheetCode
from letters.stamp import can, compare, stamp, worth
from letters.stamp.compare import fields_missing

NAMES = (
    "甲野　乙子",
    "髙﨑　𠮷子",
    "葛\U000e0100城　葛太郎",
    "神\ufa19　⼀一",
    "ｶﾌﾞｼｷ 次郎",
    "SOFIA Fiorini, MARÍA",
    "長" * 30,
    "辻\U000e0100　辻",
)


def coded(make, number: int, **changes):
    """封入の符号のある一通。"""
    case = f"{number:011d}"
    code = SheetCode.of(b"k" * 32, case, 1, 2, 1, 1, 123)
    return make(case_number=case, sheet_codes=(code.digits,), **changes)


def notices(notice) -> list:
    """お知らせの、口座と金額の組合せのすべて。"""
    flags = [("1", None), ("2", "架空銀行 本店 普通 ****123"), ("3", None)]
    return [
        coded(notice, 10**9 + 7 * place, account_flag=flag, masked_account=masked, amount_yen=amount)
        for place, ((flag, masked), amount) in enumerate((each, yen) for each in flags for yen in (None, 100_000))
    ]


def test_a_stamped_page_is_the_page_typst_makes(letter, notice) -> None:
    letters = [coded(letter, n, name=name, amount_yen=n or None) for n, name in enumerate(NAMES)]
    for contents in (letters, notices(notice)):
        assert compare(contents, stamp(contents)) == []


def test_a_stamped_postcard_is_the_postcard_typst_makes_on_both_sides(letter) -> None:
    award = {"decided_on": "令和6年8月1日", "payer_kana": "ｼﾝｼﾞｭｸｸ"}
    refusal = {"decided_on": "令和6年8月1日", "reason": "世帯に課税されている方がいるため"}
    masked = {"account_flag": "2", "masked_account": "架空銀行 本店 普通 ****123"}
    for changes in (
        {"kind": "award_notice", "values": award, "amount_yen": 100_000, "due_on": None, **masked},
        {"kind": "refusal_notice", "values": refusal, "due_on": None},
        {"kind": "reminder"},
    ):
        contents = [coded(letter, n, name=NAMES[n], conditions=(), **changes) for n in (1, 2)]
        assert compare(contents, stamp(contents)) == []


def test_letters_whose_words_all_differ_are_not_worth_stamping(letter) -> None:
    same = [letter(case_number=f"{n:011d}") for n in range(100)]
    assert worth(same)
    assert not worth([letter(case_number=f"{n:011d}", benefit_names=(f"給付{n}",)) for n in range(100)])


def test_the_longest_address_stands_where_typst_puts_it(letter) -> None:
    long = {"address": "東京都新宿区西新宿二丁目八番一号" * 3, "address2": "西新宿高層集合住宅南棟1234号室"}
    contents = [letter(**long), letter(case_number="00000000001", postal_code="1600000")]
    assert compare(contents, stamp(contents)) == []


def test_every_stamped_page_carries_its_own_person_in_text_and_codes_and_no_other(letter, notice, read_back) -> None:
    for make, codes in ((letter, 1), (notice, 2)):
        contents = [coded(make, 7 * 10**9 + 13 * n, name=f"甲野　{n}子", address=f"{n}丁目") for n in range(4)]
        pages = read_back(stamp(contents), codes=True)
        assert len(pages) == len(contents)
        for content, page in zip(contents, pages, strict=True):
            assert fields_missing(content, page.text) == ()
            assert set(re.findall(r"(?<!\d)\d{11}(?!\d)", page.text)) == {content.case_number}
            assert not any(other.name in page.text for other in contents if other is not content)
            wanted = [("Code128", content.case_number), ("Code128", content.sheet_codes[0])]
            assert sorted(page.codes) == wanted + [("QRCode", content.case_number)] * codes


def test_each_account_gets_the_words_of_its_own_account(notice, read_back) -> None:
    contents = notices(notice)
    says = {"1": "生活保護費の口座", "2": "過去の給付金の口座", "3": "公金受取口座"}
    for content, page in zip(contents, read_back(stamp(contents)), strict=True):
        assert {flag for flag, words in says.items() if words in page.text} == {content.account_flag}
        assert ("****123" in page.text) is (content.account_flag == "2")
        assert ("支給予定額" in page.text) is (content.amount_yen is not None)


#: 読む道具（pdfium）が、書いてあるとおりの「ﬁ」をほどいて「fi」と読む合字。
UNDONE_BY_THE_READER = frozenset("\ufb00\ufb01\ufb02\ufb03\ufb04")


def test_characters_that_share_a_glyph_are_each_read_back_as_themselves(letter, read_back) -> None:
    """同じ字形を分け合う字（⼀ と 一、U+FA19 と U+795E）も異体字も、読み返して別の字にならない。"""
    glyphs = coverage(0).glyphs
    shared = Counter(glyphs.values())
    wanted = [chr(code) for place, code in enumerate(sorted(glyphs)) if shared[glyphs[code]] > 1 or place % 16 == 0]
    ivs = [chr(base) + chr(mark) for base, mark in sorted(coverage(0).variations)[::40]]
    printed = [each for each in wanted + ivs if not (missing(each) or each.isspace() or each in UNDONE_BY_THE_READER)]
    # 読む道具は、行の終わりのハイフンを改行の印とみなす。両端に別の字を置く。
    rows = ["國" + "".join(printed[start : start + 15]) + "國" for start in range(0, len(printed), 15)]
    contents = [
        letter(case_number=f"{n:011d}", address=first, address2=second)
        for n, (first, second) in enumerate(zip(rows[::2], rows[1::2], strict=False))
    ]
    for content, page in zip(contents, read_back(stamp(contents)), strict=True):
        assert content.address in page.text
        assert content.address2 in page.text


def test_the_same_letters_give_the_same_bytes(letter) -> None:
    contents = [coded(letter, n, name=name) for n, name in enumerate(NAMES)]
    assert stamp(contents) == stamp(contents)
    assert stamp(contents) != stamp(contents[::-1])
    later = [letter(case_number=f"{n:011d}", issued_on=date(2024, 7, 17)) for n in range(2)]
    assert b"2024-07-16" not in stamp(later)


def test_the_file_is_sound_archival_and_names_nobody(letter, notice) -> None:
    contents = [coded(notice, n, name=name) for n, name in enumerate((*NAMES, "SOFIA"))]
    pdf = stamp(contents)
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>U</pdfaid:conformance>" in pdf
    assert b"SOFIA" not in pdf
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.check_pdf_syntax() == []
        assert "/OutputIntents" in opened.Root
        for page in opened.pages:
            for font in page.Resources.Font.values():
                (inner,) = font.DescendantFonts
                assert len(inner.FontDescriptor.FontFile3.read_bytes()) > 0
                assert b"beginbfchar" in font.ToUnicode.read_bytes()
            form = page.Resources.XObject.B
            # 誰の値も、分け合う台紙には入らない。台紙は別の物で、頁より少ない。
            assert form.Subtype == "/Form"
        forms = {page.Resources.XObject.B.objgen for page in opened.pages}
        assert len(forms) == 1


def test_a_thousand_letters_cost_little_more_than_their_own_values(letter) -> None:
    contents = [coded(letter, 13 * n) for n in range(400)]
    few, many = len(stamp(contents[:200])), len(stamp(contents))
    assert (many - few) / 200 < 1800


def test_a_text_too_wide_is_condensed_and_beyond_seventy_percent_refused(notice, monkeypatch) -> None:
    monkeypatch.setattr("letters.holding._ACCOUNT_EM", 100)
    condensed = [notice(masked_account="架空銀行 " + "本" * 40)]
    assert compare(condensed, stamp(condensed)) == []
    wide = [notice(masked_account="架" * 60)]
    with pytest.raises(RefusedByRule) as refusal:
        stamp(wide)
    assert refusal.value.code == "field-too-wide"
    assert "架" not in str(refusal.value)
    with pytest.raises(BenefitError, match="手紙を組めませんでした"):
        render(wide)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([], "no-letters"),
        ([{}, {"kind": "push_notice", "account_flag": "3"}], "mixed-letters"),
        ([{}, {"issued_on": date(2024, 7, 17)}], "mixed-letters"),
        ([{"name": "山\ue000"}], "held-letter"),
    ],
)
def test_what_must_not_be_in_one_pdf_is_refused(letter, changes, code: str) -> None:
    with pytest.raises(WrongUse) as refusal:
        stamp([letter(**each) for each in changes])
    assert refusal.value.code == code


def test_a_page_that_prints_a_person_outside_the_slots_is_never_shared(letter, tmp_path, monkeypatch) -> None:
    """割付が `fld` を通さずに番号を刷ると、その番号が全員の台紙に載る。組む前に止める。"""
    from letters import render as rendering

    for file in rendering._templates().iterdir():
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text.replace("words.lead", "letter.number"), encoding="utf-8")
    monkeypatch.setattr("letters.render._templates", lambda: tmp_path)
    with pytest.raises(BenefitError) as refusal:
        stamp([letter(phone="0120-111-111")])
    assert refusal.value.code == "slot-leak"
    monkeypatch.undo()
    assert can("confirmation_letter")
    assert render([letter()])
