"""手紙の種類の表と、その紙: 抜けた項目は作る時に断り、どの頁も自分の番号だけを持ち、読める大きさで刷られる。"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from benefit.domain.clock import system_clock
from benefit.domain.errors import WrongUse
from benefit.domain.letter import FIELD_NAMES, LETTER_KINDS, LETTER_NAMES, PUSH_NOTICE, REGISTERED_KINDS
from benefit.domain.programme import Programme
from benefit.services.home import Home
from letters import enclosures
from letters.holding import reasons_to_hold
from letters.preview import preview
from letters.render import pages_of_kind, render
from letters.sample import BLANK, PERSON, sample, sample_values
from letters.words import known_words

PROGRAMME = Programme.load("r6-2024")
DAY = date(2024, 7, 16)
#: LetterContent で刷る種類（返還請求書と納付書は letters.repayment が刷る）。
PRINTED = [kind for kind in LETTER_KINDS if kind in known_words()]
WITH_FIELDS = [kind for kind in PRINTED if LETTER_KINDS[kind].fields]
NUMBERS = ("40718293645", "59764664810")
#: 行の初めに来てはならない字と、行の終わりに来てはならない字（禁則）。
NOT_FIRST = "、。，．）」』】〉》〕！？ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ"
NOT_LAST = "（「『【〈《〔"
SMALLEST = 8.0


@dataclass(frozen=True)
class Sheet:
    """読み返した一頁: 字、行、字の大きさ（pt）。"""

    text: str
    lines: tuple[str, ...]
    sizes: tuple[tuple[str, float], ...]


def _size(text: pypdfium2.PdfTextPage, index: int) -> float:
    """紙の上の字の大きさ: 書体の大きさと、字に掛かる縮尺から。"""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text, index, ctypes.byref(matrix))
    return float(pdfium.FPDFText_GetFontSize(text, index)) * abs(float(matrix.d) or 1.0)


def sheets_of(pdf: bytes) -> list[Sheet]:
    found = []
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        text = page.get_textpage()
        whole = text.get_text_range()
        sizes = [
            (character, _size(text, index))
            for index in range(text.count_chars())
            if (character := text.get_text_range(index, 1)).strip()
        ]
        found.append(Sheet(whole, tuple(line.strip() for line in whole.splitlines() if line.strip()), tuple(sizes)))
    document.close()
    return found


@pytest.fixture(scope="module")
def pages() -> dict[str, list[Sheet]]:
    """どの種類も二通ずつ刷って、読み返した頁。"""
    return {
        kind: sheets_of(
            render([sample(kind, PROGRAMME, DAY, person={**PERSON, "case_number": number}) for number in NUMBERS])
        )
        for kind in PRINTED
    }


def test_the_table_names_every_letter_of_the_rules_once() -> None:
    """L10（再送）と L16（再発行）は、枝番を進めた L1・L2 である。"""
    numbers = [int(kind.number.removeprefix("L")) for kind in LETTER_KINDS.values()]
    assert sorted(numbers) == [*range(1, 10), *range(11, 16), 17]
    assert all(kind.id == key and kind.routes and kind.envelope for key, kind in LETTER_KINDS.items())
    assert len(set(LETTER_NAMES.values())) == len(LETTER_KINDS)
    assert {field for kind in LETTER_KINDS.values() for field in kind.fields} == FIELD_NAMES.keys()
    assert set(REGISTERED_KINDS) < LETTER_KINDS.keys()


@pytest.mark.parametrize("kind", WITH_FIELDS)
def test_a_missing_an_unknown_or_an_empty_field_stops_the_letter_before_the_page(kind: str) -> None:
    values = sample_values(kind, PROGRAMME, DAY)
    first = LETTER_KINDS[kind].fields[0]
    without = {name: value for name, value in values.items() if name != first}
    for wrong in (without, values | {"extra": "x"}, values | {first: "　"}, values | {first: ()}):
        with pytest.raises(WrongUse) as refusal:
            sample(kind, PROGRAMME, DAY, values=wrong)
        assert refusal.value.code == "letter-fields"
        assert refusal.value.place is not None
        assert refusal.value.place.field in {first, "extra"}
        assert LETTER_KINDS[kind].name in str(refusal.value)


def test_the_values_cannot_be_changed_after_they_were_checked() -> None:
    values = dict(sample_values("heir_form", PROGRAMME, DAY))
    content = sample("heir_form", PROGRAMME, DAY, values=values)
    values["deceased_name"] = ""
    assert content.values["deceased_name"] == "見本　太郎"
    assert hash(content) == hash(sample("heir_form", PROGRAMME, DAY))


@pytest.mark.parametrize("left_out", ["due_on", "conditions", "benefit_names"])
def test_a_kind_refuses_to_be_made_without_the_common_fields_it_needs(left_out: str) -> None:
    empty: Any = None if left_out == "due_on" else ()
    with pytest.raises(WrongUse, match="ありません"):
        sample("claim_form", PROGRAMME, DAY, **{left_out: empty})


def test_only_a_form_for_the_counter_may_have_no_number_and_no_address() -> None:
    assert sample("claim_form", PROGRAMME, DAY, person=BLANK).is_blank
    for kind in ("confirmation_letter", "heir_form"):
        with pytest.raises(WrongUse, match="給付管理番号"):
            sample(kind, PROGRAMME, DAY, person=BLANK)
    with pytest.raises(WrongUse, match="給付管理番号"):
        sample("claim_form", PROGRAMME, DAY, person={**PERSON, "case_number": ""})


def test_a_value_the_font_cannot_print_is_held_by_its_japanese_name() -> None:
    held = reasons_to_hold(sample("heir_form", PROGRAMME, DAY, values={"deceased_name": "甲野\ue000"}))
    assert [(one.field, one.code_points) for one in held] == [("亡くなった方の氏名", ("U+E000",))]


@pytest.mark.parametrize("kind", PRINTED)
def test_every_page_carries_its_own_number_and_no_other(kind: str, pages: dict[str, list[Sheet]]) -> None:
    found = pages[kind]
    each = pages_of_kind(kind)
    assert len(found) == each * 2
    for index, page in enumerate(found):
        numbers = set(re.findall(r"\d{11}", page.text))
        assert numbers <= {NUMBERS[index // each]}, f"{index + 1} 頁"
    # 封筒の中の紙は、みな番号を持つ。圧着はがきは一枚の紙なので、どちらかの面に。
    card = LETTER_KINDS[kind].form != "A4"
    for number, letter in zip(NUMBERS, (found[:each], found[each:]), strict=True):
        having = [number in page.text for page in letter]
        assert any(having) if card else all(having)


@pytest.mark.parametrize("kind", PRINTED)
def test_nothing_on_a_page_is_smaller_than_eight_points(kind: str, pages: dict[str, list[Sheet]]) -> None:
    small = {(c, round(size, 2)) for page in pages[kind] for c, size in page.sizes if size < SMALLEST - 0.01}
    assert not small
    assert all(page.sizes for page in pages[kind])


@pytest.mark.parametrize("kind", PRINTED)
def test_no_line_begins_or_ends_with_a_character_that_must_not(kind: str, pages: dict[str, list[Sheet]]) -> None:
    lines = [line for page in pages[kind] for line in page.lines if len(line) > 1]
    assert not [line for line in lines if line[0] in NOT_FIRST or line[-1] in NOT_LAST]


@pytest.mark.parametrize("kind", PRINTED)
def test_every_letter_warns_of_fraud_and_names_the_phone(kind: str, pages: dict[str, list[Sheet]]) -> None:
    each = pages_of_kind(kind)
    text = "".join("".join(page.text.split()) for page in pages[kind][:each])
    assert ("手数料" in text, PROGRAMME.office.call_centre_phone in text) == (True, True)


@pytest.mark.parametrize("kind", [kind for kind in PRINTED if not LETTER_KINDS[kind].addressed])
def test_a_blank_form_for_the_counter_has_no_number_at_all(kind: str) -> None:
    found = sheets_of(render([sample(kind, PROGRAMME, DAY, person=BLANK)]))
    number = LETTER_KINDS[kind].number
    assert not [page for page in found if re.search(r"\d{7,}", page.text)]
    assert [f"{number} {n}/2" in page.text for n, page in enumerate(found, 1)] == [True, True]


def test_the_claim_for_a_child_prints_no_address_but_the_addressees() -> None:
    """別居しているこどもの住所は、申請する人が書く。紙には、宛名のほかに住所がない（F.3）。"""
    found = sheets_of(render([sample("child_claim_form", PROGRAMME, DAY)]))
    text = "".join("".join(page.text.split()) for page in found)
    towns = re.findall(r"東京都\S{0,12}", text)
    assert len(towns) == 2
    assert text.count("見本一丁目2番3号") == 1


def test_a_reissued_page_says_the_one_before_is_void(pages: dict[str, list[Sheet]]) -> None:
    for again, word in (("resent", "再送"), ("reissued", "再発行")):
        for kind in ("confirmation_letter", PUSH_NOTICE):
            (page,) = sheets_of(render([sample(kind, PROGRAMME, DAY, again=again)]))
            text = "".join(page.text.split())
            assert (word in text, "前の書類は無効" in text) == (True, True)
            assert not [plain for plain in pages[kind] if "無効" in plain.text]
    with pytest.raises(WrongUse, match="出し直し"):
        sample(PUSH_NOTICE, PROGRAMME, DAY, again="sent")


def test_the_form_and_the_slip_say_where_to_send_them_back(pages: dict[str, list[Sheet]]) -> None:
    for kind in ("confirmation_letter", PUSH_NOTICE, "claim_form", "heir_form"):
        text = "".join("".join(page.text.split()) for page in pages[kind])
        assert all("".join(line.split()) in text for line in PROGRAMME.office.return_to)


def test_the_mount_carries_the_number_and_nobodys_name() -> None:
    contents = [
        sample("confirmation_letter", PROGRAMME, DAY, person={**PERSON, "case_number": number}) for number in NUMBERS
    ]
    found = sheets_of(enclosures.mount(contents))
    assert [set(re.findall(r"\d{11}", page.text)) for page in found] == [{number} for number in NUMBERS]
    assert not [page for page in found if "花子" in page.text or "見本一丁目" in page.text]
    (blank,) = sheets_of(enclosures.blank_mount(PROGRAMME, DAY))
    assert not re.search(r"\d{7,}", blank.text)


def test_the_example_is_the_confirmation_letter_itself_with_answers() -> None:
    (example,) = sheets_of(enclosures.example(PROGRAMME, DAY))
    (letter,) = sheets_of(render([sample("confirmation_letter", PROGRAMME, DAY)]))
    text = "".join(example.text.split())
    assert ("記入例" in text, "ミホンハナコ" in text, "この紙は返送しません" in text) == (True, True, True)
    # 確認書の文は、みな記入例にもある。
    sentences = ["".join(line.split()) for line in letter.lines if line.endswith("。")]
    assert len(sentences) > 8
    assert not [sentence for sentence in sentences if sentence not in text]


def test_a_preview_is_marked_as_a_sample_and_never_looks_like_a_letter(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    found = sheets_of(preview(home, PROGRAMME, "heir_form", DAY, clock=system_clock))
    marked = sheets_of(render([sample("heir_form", PROGRAMME, DAY)]))
    assert ["".join(page.text.split()).count("見本") for page in found] == [
        "".join(page.text.split()).count("見本") + 1 for page in marked
    ]
    with pytest.raises(WrongUse, match="白紙で刷れるのは、申請書だけです"):
        preview(home, PROGRAMME, "heir_form", DAY, clock=system_clock, blank=True)
    with pytest.raises(WrongUse, match="--by"):
        preview(home, PROGRAMME, "heir_form", DAY, clock=system_clock, case_number=NUMBERS[0])
