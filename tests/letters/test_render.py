"""一通一頁。読み返した紙が、渡した値と同じである。"""

from __future__ import annotations

import hashlib
import re
from datetime import date

import pytest

from benefit.domain.errors import BenefitError, WrongUse
from letters import words as words_module
from letters.geometry import ALWAYS_SEEN, EVER_SEEN
from letters.holding import TOO_LONG, reasons_to_hold
from letters.render import page_count, render
from letters.stamp import compare, stamp

NAMES = ["髙﨑　𠮷子", "葛\U000e0100城　太郎", "神\ufa19　花子", "ｶﾌﾞｼｷ 次郎", "SOFIA Fiorini, MARÍA"]
TRICKS = ["#panic()", "*x*", "_x_", "\\", "$x$", "<x>", "@x", "`x`", '"', "//x", "{ward}", "[x]#import", "~--...'"]


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"(?<!\d)\d{11}(?!\d)", text))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_printed_exactly_as_it_came(letter, read_back, name: str) -> None:
    (page,) = read_back(render([letter(name=name)]))
    assert f"{name}　様" in page.text


@pytest.mark.parametrize("trick", TRICKS)
def test_a_name_or_address_is_never_read_as_markup(letter, notice, read_back, trick: str) -> None:
    for content in (letter(name=trick, address=trick, address2=trick), notice(name=trick, address=trick)):
        (page,) = read_back(render([content]))
        lines = page.text.splitlines()
        assert f"{trick}　様" in lines
        assert trick in lines


def test_every_page_carries_its_own_number_in_text_and_qr_and_no_other(letter, notice, read_back) -> None:
    cases = [f"{7 * 10**9 + 13 * n:011d}" for n in range(5)]
    for make, times in ((letter, 1), (notice, 2)):
        pages = read_back(render([make(case_number=case) for case in cases]), codes=True)
        assert len(pages) == len(cases)
        for case, page in zip(cases, pages, strict=True):
            assert numbers_in(page.text) == {case}
            assert sorted(page.codes) == [("Code128", case)] + [("QRCode", case)] * times


def test_the_branch_and_the_sheet_stand_beside_the_number_for_matching(letter, read_back) -> None:
    (page,) = read_back(render([letter(branch=2, sheet=1, sheets=2)]))
    assert "枝番02" in page.text.replace(" ", "")
    assert "40718293645-02 1/2" in page.text


def test_the_address_and_nothing_else_is_seen_through_the_window(letter, notice, read_back) -> None:
    widest = {"address": "東京都新宿区西新宿二丁目八番一号" * 3, "address2": "西新宿高層集合住宅南棟1234号室"}
    for content in (letter(), letter(**widest), notice(**widest), letter(name="長" * 30)):
        (page,) = read_back(render([content]), glyphs=True)
        seen = [
            glyph
            for glyph in page.glyphs
            if glyph.left < EVER_SEEN.right and glyph.top < EVER_SEEN.bottom and glyph.right > EVER_SEEN.x
        ]
        printed = "".join(glyph.character for glyph in seen)
        wanted = f"〒160-0022{content.address}{content.address2}{content.name}様".replace("　", "")
        assert printed == wanted
        assert min(glyph.left for glyph in seen) >= ALWAYS_SEEN.x
        assert max(glyph.right for glyph in seen) <= ALWAYS_SEEN.right
        assert min(glyph.top for glyph in seen) >= ALWAYS_SEEN.y
        assert max(glyph.bottom for glyph in seen) <= ALWAYS_SEEN.bottom


@pytest.mark.parametrize("make_pages", [render, stamp])
def test_a_letter_to_a_guardian_names_who_receives_the_benefit_but_not_in_the_window(
    letter, notice, read_back, make_pages
) -> None:
    for make in (letter, notice):
        own = make(case_number="40718293646")
        given = make(name="後見　太郎", payee_name="辻\U000e0101　葛\U000e0100子")
        pages = read_back(make_pages([given, own]), glyphs=True)
        seen = "".join(g.character for g in pages[0].glyphs if g.left < EVER_SEEN.right and g.top < EVER_SEEN.bottom)
        assert seen.endswith("後見太郎様")
        assert "辻" not in seen
        assert "辻\U000e0101　葛\U000e0100子　様" in pages[0].text.replace("受給される方 ", "").split("\n")
        assert "受給される方" in pages[0].text
        # 本人あての手紙には、その行がない。
        assert "受給される方" not in pages[1].text
        assert "葛" not in pages[1].text


def test_a_payees_name_that_cannot_be_printed_beside_the_number_is_held(letter) -> None:
    assert reasons_to_hold(letter(name="後見　太郎", payee_name="長" * 22)) == []
    (held,) = reasons_to_hold(letter(name="後見　太郎", payee_name="長" * 23))
    assert (held.field, held.reason) == ("受給者の氏名", TOO_LONG)
    (held,) = reasons_to_hold(letter(name="後見　太郎", payee_name="\ue000野　花子"))
    assert held.code_points == ("U+E000",)
    render([letter(name="後見　太郎", payee_name="長" * 22)])
    assert compare([given := letter(name="後見　太郎", payee_name="長" * 22)], stamp([given])) == []


@pytest.mark.parametrize("amount_yen", [None, 100_000])
def test_an_amount_is_printed_only_when_it_is_handed_over(letter, notice, read_back, amount_yen: int | None) -> None:
    for make in (letter, notice):
        (page,) = read_back(render([make(amount_yen=amount_yen)]))
        assert ("100,000円" in page.text) is (amount_yen is not None)
        assert ("支給予定額" in page.text) is (amount_yen is not None)


def test_a_past_account_shows_its_last_three_digits_and_no_more(notice, read_back) -> None:
    (page,) = read_back(render([notice(masked_account="架空銀行 本店 普通 ****123")]))
    assert "架空銀行 本店 普通 ****123" in page.text
    assert "過去の給付金の口座" in page.text


@pytest.mark.parametrize(("flag", "says"), [("1", "生活保護費の口座"), ("3", "公金受取口座")])
def test_a_ward_only_account_is_named_without_a_digit(notice, read_back, flag: str, says: str) -> None:
    (page,) = read_back(render([notice(account_flag=flag, masked_account=None)]))
    assert says in page.text
    assert "****" not in page.text
    others = {"生活保護費の口座", "過去の給付金の口座", "公金受取口座"} - {says}
    assert not any(other in page.text for other in others)


def test_a_confirmation_letter_never_shows_an_account(letter, read_back) -> None:
    (page,) = read_back(render([letter(account_flag="2", masked_account="架空銀行 本店 普通 ****123")]))
    assert "****" not in page.text
    assert "架空銀行" not in page.text


def test_dates_are_written_in_the_japanese_era_with_the_weekday(letter, notice, read_back) -> None:
    (confirmation,) = read_back(render([letter()]))
    (push,) = read_back(render([notice()]))
    assert "令和6年10月31日（木）" in confirmation.text
    assert "令和6年7月16日" in confirmation.text
    assert "令和6年8月28日（水）" in push.text
    assert "令和6年8月19日（月）" in push.text


@pytest.mark.parametrize(
    ("benefit", "says", "not_says"),
    [
        ("R6-1", "扶養されている人だけの世帯", "児童福祉施設"),
        ("R6-3", "児童福祉施設", "扶養されている人だけの世帯"),
        ("R6-4", "同じ給付金（調整給付）", "扶養されている人だけの世帯"),
    ],
)
def test_what_is_asked_depends_on_the_benefit(letter, notice, read_back, benefit, says, not_says) -> None:
    for make in (letter, notice):
        (page,) = read_back(render([make(benefit=benefit)]))
        text = page.text.replace("\n", "")
        assert says in text
        assert not_says not in text


def test_every_letter_warns_of_fraud_and_gives_the_phone(letter, notice, read_back) -> None:
    for content in (letter(), notice()):
        (page,) = read_back(render([content]))
        text = page.text.replace("\n", "")
        assert "ATM（現金自動預払機）の操作" in text
        assert "手数料を求めることは、絶対にありません" in text
        assert "0120-000-000" in text


def test_the_form_asks_for_nothing_outside_the_approved_items(letter, notice, read_back) -> None:
    """電話番号、生年月日、個人番号、メールの欄を置かない（承認された情報項目にない）。"""
    for content in (letter(), notice()):
        (page,) = read_back(render([content]))
        for item in ("電話番号", "生年月日", "個人番号", "マイナンバー", "メール", "性別", "国籍"):
            assert item not in page.text


def test_the_pdf_declares_itself_archival_level_2u(letter) -> None:
    pdf = render([letter()])
    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>U</pdfaid:conformance>" in pdf


def test_the_same_letters_give_the_same_bytes_and_another_day_gives_others(letter) -> None:
    contents = [letter(case_number=f"{n:011d}") for n in range(3)]
    once, again = render(contents), render(contents)
    assert hashlib.sha256(once).hexdigest() == hashlib.sha256(again).hexdigest()
    later = render([letter(case_number=f"{n:011d}", issued_on=date(2024, 7, 17)) for n in range(3)])
    assert later != once
    assert b"2024-07-16" in once
    assert b"2024-07-16" not in later


def test_the_document_itself_names_nobody(letter) -> None:
    pdf = render([letter(name="SOFIA FIORINI")])
    assert b"SOFIA" not in pdf


@pytest.mark.parametrize("benefit", ["R6-1", "R6-3", "R6-4"])
def test_the_fullest_letter_still_fits_one_page(letter, notice, benefit: str) -> None:
    names = ("令和6年度均等割のみ課税化給付", "令和6年度こども加算給付金", "令和6年度調整給付金（定額減税補足給付金）")
    full = {"benefit": benefit, "amount_yen": 12_345_678, "benefit_names": names}
    long_account = "架空信用金庫連合会 架空新宿西口第二支店 普通 ****123"
    assert page_count(render([letter(**full), letter(**full, branch=2)])) == 2
    assert page_count(render([notice(**full, masked_account=long_account)])) == 1


def test_words_that_overflow_the_page_stop_the_run(letter, monkeypatch) -> None:
    words = words_module.load_words("confirmation_letter")
    long = words_module.Words(words.kind, {**words.table, "lead": "長い前文です。" * 100})
    monkeypatch.setattr("letters.render.load_words", lambda kind: long)
    with pytest.raises(BenefitError, match="一頁に収まらない手紙"):
        render([letter()])


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
        render([letter(**each) for each in changes])
    assert refusal.value.code == code


@pytest.mark.parametrize(("postmark", "says"), [(True, "（当日消印有効）"), (False, "（必着）")])
def test_how_the_deadline_is_counted_is_said_beside_it(letter, read_back, postmark: bool, says: str) -> None:
    (page,) = read_back(render([letter(postmark=postmark)]))
    others = {"（当日消印有効）", "（必着）"} - {says}
    assert says in page.text
    assert not any(other in page.text for other in others)
