"""図: 0 から始まり、名と数で読め、どんな文字が来ても印にならない。"""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree

import pytest

from api.charts import Series, bars, line, stacked

HOSTILE = "<script>alert('1')</script>&\"'"
SVG = "{http://www.w3.org/2000/svg}"


def widths(svg: str) -> list[int]:
    drawn = ElementTree.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    return [int(one.attrib["width"]) for one in drawn.iter(f"{SVG}rect") if "stroke-width" in one.attrib]


def test_a_bar_is_as_long_as_its_number_from_zero() -> None:
    made = bars("b", "給付ごと", ["非課税", "均等割"], [Series("件数", [100, 50])], unit="件", head="給付")
    long, short = widths(made.svg)
    assert long == 2 * short
    assert "100件" in made.svg
    assert "50件" in made.svg


def test_the_parts_of_a_stacked_bar_add_up_to_the_whole() -> None:
    made = stacked(
        "s", "段階", ["非課税", "均等割"], [Series("済", [30, 60]), Series("未", [30, 60])], unit="件", head="x"
    )
    # 初めの二つは凡例。
    parts = widths(made.svg)[2:]
    assert sum(parts[2:]) == 2 * sum(parts[:2])


@pytest.mark.parametrize("count", [0, 1, 2, 400])
def test_a_line_is_drawn_for_any_number_of_days(count: int) -> None:
    days = [date.fromordinal(738_000 + place) for place in range(count)]
    made = line("l", "日ごと", days, [Series("発送", [7] * count), Series("支給", [0] * count)], unit="件", head="日")
    ElementTree.fromstring(made.svg)
    assert [label for label, _values in made.rows] == [day.isoformat() for day in days]


def test_a_picture_of_nothing_says_so_and_a_picture_over_two_years_says_the_year() -> None:
    for made in (bars, stacked):
        assert "まだありません</text>" in made("e", "入金", [], [Series("届いた額", [])], unit="円", head="日").svg
    days = [date(2024, 12, 1), date(2025, 12, 1)]
    made = line("y", "日ごと", days, [Series("発送", [1, 2])], unit="件", head="日")
    assert ">2025/12/1</text>" in made.svg
    assert ">12/2</text>" in line("z", "", [date(2024, 12, 2)], [Series("発送", [1])], unit="件", head="日").svg


def test_every_word_is_only_words_in_the_picture() -> None:
    for made in (
        bars("b", HOSTILE, [HOSTILE], [Series(HOSTILE, [1]), Series("今", [2])], unit=HOSTILE, head=HOSTILE),
        stacked("s", HOSTILE, [HOSTILE], [Series(HOSTILE, [1])], unit=HOSTILE, head=HOSTILE),
        line("l", HOSTILE, [date(2024, 7, 1)], [Series(HOSTILE, [1])], unit=HOSTILE, head=HOSTILE),
    ):
        assert "<script" not in made.svg
        # CSP は style 属性も止める。
        assert not re.search(r"\sstyle=", made.svg)
        ElementTree.fromstring(made.svg)


def test_six_series_are_refused_because_nobody_can_tell_them_apart() -> None:
    with pytest.raises(ValueError, match="五つ"):
        bars("b", "多い", ["a"], [Series(f"{place}", [1]) for place in range(6)], unit="件", head="x")
