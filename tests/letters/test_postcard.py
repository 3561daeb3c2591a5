"""圧着はがき: 外から見える面に用件は一字もなく、中の面の字は糊しろを避け、枠に入らない文は刷る前に止まる。"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pypdfium2
import pytest
import zxingcpp

from benefit.domain.errors import BenefitError, RefusedByRule, RefusedInput, WrongUse
from benefit.domain.letter import LETTER_KINDS
from letters import postcard, stamp
from letters.content import LetterContent
from letters.render import render
from letters.words import Words, load_words, shipped_text
from tests.letters.conftest import Page

BASE: dict[str, Any] = {
    "case_number": "40718293645",
    "branch": 1,
    "postal_code": "1600022",
    "address": "東京都新宿区新宿一丁目6番地の26",
    "address2": "コーポ新宿御苑210号室",
    "name": "甲野　乙子",
    "programme_name": "新宿区物価高騰対策臨時給付金",
    "ward_name": "新宿区",
    "office_name": "総務部総務課",
    "phone": "0120-000-000",
    "issued_on": date(2024, 8, 20),
    "return_to": ("〒160-8484 東京都新宿区歌舞伎町1-4-1", "新宿区 総務部総務課"),
    "sheet_codes": ("40718293645" + "0106" + "11" + "123" + "4567",),
}
KINDS: dict[str, dict[str, Any]] = {
    "award_notice": {
        "benefit_names": ("令和6年度非課税化給付",),
        "planned_transfer_on": date(2024, 8, 28),
        "account_flag": "2",
        "masked_account": "架空銀行 本店 普通 ****123",
        "amount_yen": 100_000,
        "values": {"decided_on": "令和6年8月19日", "payer_kana": "シンジユククキユウフキン"},
    },
    "refusal_notice": {
        "benefit_names": ("令和6年度非課税化給付",),
        "values": {"decided_on": "令和6年8月19日", "reason": "支給の要件に当てはまらないことが確認されたため"},
    },
    "reminder": {"due_on": date(2024, 10, 31)},
}
#: 外の面に、あってはならない言葉。
TELLING = ("給付", "支給", "非課税", "生活保護", "口座", "円", "決定", "確認書", "40718293645", "0120", "期限", "物価")


def card(kind: str, **changes: Any) -> LetterContent:
    return LetterContent(kind=kind, **(BASE | KINDS[kind] | changes))


def sheet(kind: str) -> postcard.Sheet:
    return postcard.SHEETS[LETTER_KINDS[kind].form]


def on_face(pages: list[Page], kind: str, name: str) -> str:
    """その面の四角の中に、左の端のある字（読む順ではなく、ある順）。"""
    face = sheet(kind).face(name)
    glyphs = pages[face.page - 1].glyphs
    return "".join(g.character for g in glyphs if face.x <= g.left < face.x + postcard.FACE_WIDTH)


def outer_codes(pdf: bytes, kind: str) -> list[str]:
    """外の面の画像から機械に読める符号（宛先のバーコードは zxing が読まない種類）。"""
    scale = 200 / 25.4
    found: list[str] = []
    document = pypdfium2.PdfDocument(pdf)
    for face in (face for face in sheet(kind).faces if face.outer):
        page = document[face.page - 1]
        image = page.render(scale=200 / 72).to_pil()
        page.close()
        box = (face.x * scale, 0, (face.x + postcard.FACE_WIDTH) * scale, postcard.FACE_HEIGHT * scale)
        found += [code.text for code in zxingcpp.read_barcodes(image.crop(tuple(map(int, box))))]
    document.close()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_outer_faces_say_who_and_from_where_and_nothing_else(
    kind: str, read_back: Callable[..., list[Page]]
) -> None:
    for made in (render([card(kind)]), stamp.stamp([card(kind)])):
        pages = read_back(made, glyphs=True, codes=True)
        assert len(pages) == postcard.PAGES
        outside = on_face(pages, kind, "address") + on_face(pages, kind, "outer_back")
        assert [word for word in TELLING if word in outside] == []
        address = on_face(pages, kind, "address")
        for part in (
            "〒160-0022",
            "東京都新宿区新宿一丁目6番地の26",
            "コーポ新宿御苑210号室",
            "甲野乙子様",
            "〒160-8484",
        ):
            assert part in address
        # 番号の QR と封入の符号は、中の面にだけある。
        assert {text for page in pages for _, text in page.codes} == {"40718293645", BASE["sheet_codes"][0]}
        assert outer_codes(made, kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_letter_stays_on_its_face_clear_of_the_glue_and_the_stamp(
    kind: str, read_back: Callable[..., list[Page]]
) -> None:
    pages = read_back(render([card(kind)]), glyphs=True)
    for face in sheet(kind).faces:
        margin = postcard.OUTER_MARGIN - 1 if face.outer else postcard.GLUE
        here = [g for g in pages[face.page - 1].glyphs if face.x <= g.left < face.x + postcard.FACE_WIDTH]
        assert here, face.name
        for g in here:
            assert face.x + margin <= g.left, (face.name, g)
            assert g.right <= face.x + postcard.FACE_WIDTH - margin, (face.name, g)
            assert g.bottom <= postcard.FACE_HEIGHT - margin, (face.name, g)
            if face.name == "address":
                assert g.left - face.x >= postcard.STAMP.right or g.top >= postcard.STAMP.bottom


def test_the_two_foldings_put_the_address_where_a_card_opens_like_a_book() -> None:
    v, z = postcard.V_FOLD, postcard.Z_FOLD
    assert (v.width, v.height, len(v.faces)) == (200, 148, 4)
    assert (z.width, z.height, len(z.faces)) == (300, 148, 6)
    for one in (v, z):
        last = one.width - postcard.FACE_WIDTH
        assert (one.face("address").page, one.face("address").x) == (1, last)
        # 裏は左右が逆になる。宛名の面の裏が、初めに開く左の面である。
        assert (one.face("inner_1").page, one.face("inner_1").x) == (2, 0)
        assert {face.name for face in one.faces if face.outer} == {"address", "outer_back"}
    # 二つ折りでは、外の裏は表に、中二の裏にある。三つ折りでは裏の右の端で、中三の裏にある。
    assert (v.face("outer_back").page, v.face("outer_back").x) == (1, 0)
    assert (z.face("outer_back").page, z.face("outer_back").x) == (2, 200)
    # カスタマバーコード: 縁から 10 mm、四方に 2 mm。
    bars, clear = postcard.BARCODE, postcard.BARCODE_CLEAR
    assert bars.x >= 10
    assert bars.right <= postcard.FACE_WIDTH - 10
    assert postcard.ADDRESS.bottom + clear <= bars.y
    assert bars.bottom + clear <= postcard.SENDER.y
    with pytest.raises(WrongUse, match="この折り方"):
        v.face("inner_3")


def test_what_is_inside_depends_on_the_flag_and_the_amount(read_back: Callable[..., list[Page]]) -> None:
    inside = on_face(read_back(render([card("award_notice")]), glyphs=True), "award_notice", "inner_2")
    assert "****123" in inside
    assert "シンジユククキユウフキン" in inside
    plain = card("award_notice", account_flag="3", masked_account=None, amount_yen=None)
    text = "".join(page.text for page in read_back(render([plain])))
    assert "公金受取口座" in text
    assert "****" not in text
    assert "円" not in text
    with pytest.raises(RefusedByRule, match="口座を紙に刷れません"):
        card("award_notice", account_flag="3")


@pytest.mark.parametrize("kind", ["award_notice", "refusal_notice", "deficiency_notice", "dunning_letter"])
def test_a_missing_field_is_refused_before_there_is_a_letter(kind: str) -> None:
    values = dict.fromkeys(LETTER_KINDS[kind].fields, "何か")
    given = {**BASE, "benefit_names": ("令和6年度非課税化給付",), "due_on": date(2024, 9, 1)}
    LetterContent(kind=kind, values=values, **given)
    for name in values:
        with pytest.raises(WrongUse, match="項目が合いません"):
            LetterContent(kind=kind, values={k: v for k, v in values.items() if k != name}, **given)


def test_words_too_long_for_a_face_stop_the_press() -> None:
    words = load_words("refusal_notice")
    long = Words("refusal_notice", {**words.table, "appeal": ["とても長い文です。" * 120]}, words.used)
    with pytest.raises(BenefitError, match="収まらない"):
        render([card("refusal_notice")], words=long)


def test_the_longest_names_keep_their_place(read_back: Callable[..., list[Page]]) -> None:
    long = replace(
        card("reminder"),
        name="アレクサンドリア・マリア・フェルナンダ・デ・ソウザ",
        address2="グランドヒルズ歌舞伎町壱番館1234号室",
    )
    pages = read_back(render([long]), glyphs=True)
    address = on_face(pages, "reminder", "address")
    assert "アレクサンドリア・マリア・フェルナンダ・デ・ソウザ様" in address
    with pytest.raises(WrongUse, match="止めるべき手紙"):
        render([replace(long, address2="とても長い名のたてもの" * 12)])


@pytest.mark.parametrize("kind", KINDS)
def test_a_card_to_a_guardian_names_the_payee_only_inside(kind: str, read_back: Callable[..., list[Page]]) -> None:
    to_guardian = card(kind, name="後見　太郎", payee_name="甲野　乙子")
    for made in (render([to_guardian]), stamp.stamp([to_guardian])):
        pages = read_back(made, glyphs=True)
        outside = on_face(pages, kind, "address") + on_face(pages, kind, "outer_back")
        assert "後見太郎様" in outside
        assert "乙子" not in outside
        assert "甲野乙子様" in on_face(pages, kind, "inner_1")


@pytest.mark.parametrize("said", ["給付金のお知らせ", "{{ programme }}", "{{ phone }}へ", "口座をご確認ください"])
def test_a_clerk_cannot_write_the_matter_on_the_outside(said: str) -> None:
    own, common = shipped_text("reminder"), shipped_text("common")
    Words.parse("reminder", common, own.replace("中を開けてご覧ください", "{{ ward }}から"), file="words/reminder.toml")
    with pytest.raises(RefusedInput, match="外の面") as refusal:
        Words.parse("reminder", common, own.replace("中を開けてご覧ください", said), file="words/reminder.toml")
    assert refusal.value.place is not None
    assert refusal.value.place.field == "card_open_title"
