"""職員が直す言葉は、直し間違えても、黙って紙に出ない。直せば、次の紙に出る。"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.domain.letter import LETTER_KINDS
from benefit.domain.programme import Programme
from letters.content import LetterContent
from letters.render import engine_digest, render, template_source
from letters.sample import sample
from letters.words import COMMON, ENCLOSURES, Words, known_words, load_words, read_toml, shipped_text
from tests.letters.conftest import Page

COMMON_TEXT = shipped_text(COMMON)
OWN = shipped_text("push_notice")
VALUES = {
    "programme": "事業{{ ward }}",
    "ward": "区",
    "office": "課",
    "phone": "1",
    "due": "日",
    "issued_on": "発",
    "benefits": "給",
}
#: 組み立てる名前で読む項目（account_1、again_resent など）。
DYNAMIC = re.compile(r"(account|account_note)_[0-3]|again_(resent|reissued)|due_note_(postmark|arrival)")


def parse(*change: str) -> Words:
    old, new = change
    assert old in OWN
    return Words.parse("push_notice", COMMON_TEXT, OWN.replace(old, new, 1), file="push_notice.toml")


def ours(folder: Path, name: str, *change: str) -> Path:
    """区の写しを直す。"""
    folder.mkdir(exist_ok=True)
    text = shipped_text(name)
    old, new = change
    assert old in text
    (folder / f"{name}.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", [name for name in known_words() if name in LETTER_KINDS])
def test_the_pages_and_the_words_know_the_same_keys(kind: str) -> None:
    """割付が読む項目は言葉にあり、言葉の項目は割付で使われる（直しても紙に出ない項目を置かない）。"""
    words = load_words(kind)
    source = template_source(kind).decode()
    read = set(re.findall(r"words\.([a-z][a-z_0-9]*)", source)) - {"at", "split", "map", "pairs"}
    own = set(read_toml(shipped_text(kind), kind))
    optional = set(re.findall(r'words\.at\("([a-z_0-9]+)", default', source))
    shared = template_source("confirmation_letter").decode() + template_source("award_notice").decode()
    mine = {key for key in read if f"words.{key}" not in shared}
    assert mine - optional <= words.table.keys()
    assert {key for key in own - read - optional if not DYNAMIC.fullmatch(key)} == set()


@pytest.mark.parametrize("name", ENCLOSURES)
def test_the_enclosures_have_words_too(name: str) -> None:
    assert load_words(name).table["title"]


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        (('title = "支', 'titel = "支'), "words-keys", "titel"),
        (("{{ programme }}", "{{ name }}"), "words-placeholder", "lead"),
        (("{{ programme }}", "{programme}"), "words-placeholder", "lead"),
        (("{{ programme }}", "{{ values.secret }}"), "words-placeholder", "lead"),
        (("{{ programme }}", "{{ ward.__class__ }}"), "words-placeholder", "lead"),
        (("{{ programme }}", "{{ programme"), "words-syntax", "lead"),
        (("{{ programme }}", "{% if due %}期限"), "words-syntax", "lead"),
        (("{{ programme }}", "{% for each in ward %}{{ each }}{% endfor %}"), "words-syntax", "lead"),
        (("{{ programme }}", "{{ ward|upper }}"), "words-syntax", "lead"),
        (("{{ programme }}", "{{ 'あ' * 999999999 }}"), "words-syntax", "lead"),
        (("{{ programme }}", "{{ ruby('支給') }}"), "words-syntax", "lead"),
        (("{{ programme }}", "{{ range(9) }}"), "words-syntax", "lead"),
        (("{{ programme }}", "{{ ruby('支\ue000', 'し') }}"), "words-glyph", "lead"),
        (('"支給のお知らせ"', '"支給\ue000"'), "words-glyph", "title"),
        (('"支給のお知らせ"', "3"), "words-type", "title"),
        (('"支給のお知らせ"', '""'), "words-type", "title"),
        (('title = "支給のお知らせ"', "title = 支給のお知らせ"), "words-toml", ""),
    ],
)
def test_a_slip_in_the_words_is_refused_with_file_line_and_key(change: tuple[str, str], code: str, key: str) -> None:
    with pytest.raises(RefusedInput) as refusal:
        parse(*change)
    place = refusal.value.place
    assert place is not None
    line = next(number for number, text in enumerate(OWN.splitlines(), 1) if change[0] in text)
    assert (refusal.value.code, place.file, place.record, place.field) == (code, "push_notice.toml", line, key)


def test_a_key_left_out_of_a_copy_is_named() -> None:
    with pytest.raises(RefusedInput, match="足りない: acts ") as refusal:
        Words.parse("push_notice", COMMON_TEXT, re.sub(r"(?m)^acts = .*\n", "", OWN), file="push_notice.toml")
    assert refusal.value.code == "words-keys"


def test_only_the_named_values_are_put_in_and_only_once() -> None:
    filled = load_words("push_notice").filled(VALUES)
    assert filled["lead"].startswith("事業{{ ward }}を、")
    assert filled["slip_to"] == "区長　宛て"
    short = {name: value for name, value in VALUES.items() if name != "ward"}
    with pytest.raises(WrongUse, match="値がありません"):
        load_words("push_notice").filled(short)


def test_a_choice_can_be_written() -> None:
    words = parse("{{ programme }}を、", "{% if due == '日' %}期限のある{% else %}期限のない{% endif %}")
    assert words.filled(VALUES)["lead"].startswith("期限のある次のとおり")
    assert words.used >= {"due"}


def test_what_a_clerk_wrote_is_on_the_page_and_changes_the_digest(
    tmp_path: Path, notice: Callable[..., LetterContent], read_back: Callable[..., list[Page]]
) -> None:
    folder = ours(tmp_path / "words", "push_notice", "でよい方は、", "でよい方は、{{ office }}への")
    (page,) = read_back(render([notice()], words=load_words("push_notice", folder)))
    assert "でよい方は、総務部総務課への手続きは" in "".join(page.text.split())
    digests = {engine_digest(), engine_digest(tmp_path / "nothing"), engine_digest(folder)}
    assert len(digests) == 2
    assert load_words("push_notice", folder).digest != load_words("push_notice").digest


def test_furigana_is_printed_only_where_a_clerk_asks_for_it_and_still_fits(
    tmp_path: Path, letter: Callable[..., LetterContent], read_back: Callable[..., list[Page]]
) -> None:
    """一番字の多い確認書（額、再発行の印、返送先）でも、振り仮名を付けて一頁に入る。"""
    full = letter(amount_yen=100_000, again="reissued", return_to=Programme.load("r6-2024").office.return_to)
    (plain,) = read_back(render([full]))
    assert ("がいとうする" in plain.text, "該当する" in plain.text) == (False, True)
    folder = ours(tmp_path / "words", COMMON, "furigana = false", "furigana = true")
    (ruby,) = read_back(render([full], words=load_words("confirmation_letter", folder)))
    assert ("がいとう" in ruby.text, "該当" in ruby.text, "\ufff9" in ruby.text) == (True, True, False)


def test_markup_in_a_name_stays_as_it_is(read_back: Callable[..., list[Page]]) -> None:
    """氏名に組版や言葉の記号があっても、その字が刷られるだけで、文面は変わらない。"""
    odd = "甲{{ ward }}#let$x*乙_{%if%}"

    def text(name: str) -> str:
        content = sample("heir_form", Programme.load("r6-2024"), date(2024, 7, 16), values={"deceased_name": name})
        return "".join("".join(page.text.split()) for page in read_back(render([content])))

    bare = "".join(odd.split())
    assert text(odd).count(bare) == 4
    assert text(odd).replace(bare, "丙川") == text("丙川")
