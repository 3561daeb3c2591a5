"""職員が直す言葉は、直し間違えても、黙って紙に出ない。"""

from __future__ import annotations

from importlib import resources

import pytest

from benefit.domain.errors import RefusedInput
from letters.words import Words, load_words

FOLDER = resources.files("letters") / "words"


def parse(change: tuple[str, str]) -> Words:
    common, own = ((FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in ("common", "push_notice"))
    assert change[0] in own
    return Words.parse("push_notice", common, own.replace(*change), file="push_notice.toml")


@pytest.mark.parametrize("kind", ["confirmation_letter", "push_notice"])
def test_the_words_that_come_with_the_system_are_whole(kind: str) -> None:
    assert load_words(kind).kind == kind


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("title = ", "titel = "), "words-keys"),
        (("{{ programme }}", "{{ name }}"), "words-placeholder"),
        (('"支給のお知らせ"', '"支給\ue000"'), "words-glyph"),
        (('title = "支給のお知らせ"', "title = 3"), "words-type"),
        (('title = "支給のお知らせ"', 'title = ""'), "words-type"),
        (('title = "支給のお知らせ"', "title = 支給のお知らせ"), "words-toml"),
    ],
)
def test_a_slip_in_the_words_is_refused_by_name(change: tuple[str, str], code: str) -> None:
    with pytest.raises(RefusedInput) as refusal:
        parse(change)
    assert refusal.value.code == code


def test_only_the_named_values_are_put_in() -> None:
    values = {"programme": "事業{{ ward }}", "ward": "区", "office": "課", "phone": "1", "due": "日"}
    filled = load_words("push_notice").filled(values)
    assert filled["lead"].startswith("事業{{ ward }}を、")
    assert filled["slip_to"] == "区長　宛て"
