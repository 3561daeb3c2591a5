"""多言語のご案内: 七つの言葉が一枚の表と裏に収まり、言葉ごとに印が付き、その書体で刷られ、詐欺に注意と言う。"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from benefit.domain.errors import BenefitError, RefusedInput
from benefit.domain.programme import Programme
from letters import insert

OFFICE = Programme.load("r6-2024").office
#: その言葉にしか出てこない、見分けの文。
SAYS = {
    "ja": "うその",
    "en": "Beware of fraud",
    "zh": "请注意诈骗",
    "ko": "사기에 주의하십시오",
    "ne": "ठगीबाट",
    "vi": "Hãy cẩn thận với lừa đảo",
    "my": "လိမ်လည်",
}


@pytest.fixture(scope="module")
def made() -> bytes:
    return insert.render(OFFICE, made_on=date(2024, 6, 24))


def pages(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    found = []
    for page in document:
        text = page.get_textpage()
        found.append(text.get_text_range())
        text.close()
        page.close()
    document.close()
    return found


def test_seven_languages_are_on_two_sides_with_the_phone_and_the_fraud_warning(made: bytes) -> None:
    words = insert.load_words()
    front, back = pages(made)
    for side, text in (("front", front), ("back", back)):
        plain = "".join(text.split())
        for language in words[side]:
            assert "".join(SAYS[language].split()) in plain, language
        assert plain.count(OFFICE.call_centre_phone) == len(words[side])
        assert plain.count("110") >= len(words[side])
    assert sorted([*words["front"], *words["back"]]) == sorted(insert.REGIONS) == sorted(SAYS)
    assert insert.render(OFFICE, made_on=date(2024, 6, 24)) == made


def test_each_block_carries_its_language_and_its_script(made: bytes) -> None:
    with pikepdf.open(io.BytesIO(made)) as document:
        languages = {
            str(one["/Lang"]) for one in document.objects if isinstance(one, pikepdf.Dictionary) and "/Lang" in one
        }
        fonts = {
            str(one["/BaseFont"])
            for one in document.objects
            if isinstance(one, pikepdf.Dictionary) and "/BaseFont" in one
        }
    assert {tag.split("-")[0] for tag in languages} == set(insert.REGIONS)
    for family in ("NotoSansDevanagari", "NotoSansMyanmar", "NotoSansCJKjp"):
        assert any(family in font for font in fonts), fonts


def test_conjuncts_are_shaped_not_laid_side_by_side() -> None:
    """क्ष は一つの字形、မြန်မာ の ြ は前の字を囲む。字の数より、字形の数が少ない。"""
    import uharfbuzz

    for language, text in (("ne", "क्ष्म"), ("ne", "त्त्व"), ("my", "ကြ")):
        face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(insert.script_font(language))))
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        uharfbuzz.shape(uharfbuzz.Font(face), buffer)
        glyphs = [info.codepoint for info in buffer.glyph_infos]
        assert 0 not in glyphs
        assert len(glyphs) < len(text) or language == "my"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("[my]", "[th]"), "項目が合いません"),
        (lambda text: text.replace('back = ["ko", "ne", "vi", "my"]', 'back = ["ko", "ne", "vi"]'), "七つの言葉"),
        (lambda text: text.replace('name = "English"', 'name = ""'), "空でない文"),
        (lambda text: text.replace('name = "English"', 'name = "\U00013000"'), "書体にない字"),
        (lambda text: text + 'x = "', "TOML として"),
    ],
)
def test_a_slip_in_the_wards_own_copy_is_refused(change, says: str, tmp_path: Path) -> None:
    shipped = (Path(insert.__file__).parent / "words" / "insert.toml").read_text(encoding="utf-8")
    (tmp_path / "insert.toml").write_text(change(shipped), encoding="utf-8")
    with pytest.raises(RefusedInput, match=says):
        insert.load_words(tmp_path)


def test_words_that_do_not_fit_two_sides_are_not_printed() -> None:
    words = insert.load_words()
    long = {**words, "en": {**words["en"], "fraud": "Very long. " * 400}}
    with pytest.raises(BenefitError, match="ご案内"):
        insert.render(OFFICE, made_on=date(2024, 6, 24), words=long)
