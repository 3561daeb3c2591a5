"""見本帳の指紋: 割付・言葉・書体・符号・事業のどれが変わっても変わる。署名は、この指紋に付く。"""

from __future__ import annotations

from pathlib import Path

import pytest

from benefit.domain.programme import Programme
from benefit.services.home import Home
from letters.holding import reasons_to_hold
from letters.proof_set import EDGES, contents_of
from letters.release import proof_digest

PROGRAMME = Programme.load("r6-2024")
WORDS = Path(__file__).parents[2] / "letters" / "words"


def test_the_digest_changes_with_the_words_and_with_the_programme(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    before = proof_digest(home, PROGRAMME)
    assert proof_digest(home, PROGRAMME) == before
    other = Programme.load("r6-2024", changes={"office.call_centre_phone": "0120-111-111"})
    assert proof_digest(home, other) != before
    home.words.mkdir(parents=True)
    for name in ("common", "push_notice"):
        copied = home.words / f"{name}.toml"
        copied.write_text((WORDS / f"{name}.toml").read_text(encoding="utf-8") + "# 一字\n", encoding="utf-8")
        assert proof_digest(home, PROGRAMME) != before
        copied.unlink()
    assert proof_digest(home, PROGRAMME) == before


@pytest.mark.parametrize("kind", ["push_notice", "confirmation_letter", "award_notice"])
def test_every_edge_can_be_printed_so_the_ward_sees_each_of_them(kind: str) -> None:
    made = contents_of(kind, PROGRAMME, b"k" * 32)
    assert [says for says, _ in made][: len(EDGES)] == [edge.says for edge in EDGES]
    assert {says: reasons_to_hold(content) for says, content in made if reasons_to_hold(content)} == {}
    numbers = [content.case_number for _, content in made]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("9") for number in numbers)
