"""刷りの見本の比べは、一字・一通・一点の取り違えに気づく。"""

from __future__ import annotations

from dataclasses import replace

import pytest

from letters.stamp import compare, run_samples, sample_compare, stamp


@pytest.fixture
def letters(letter) -> list:
    return [
        letter(case_number=f"{5 * 10**9 + 17 * n:011d}", name=f"甲野　{name}", amount_yen=30_000 + n)
        for n, name in enumerate(("一子", "二子", "三子", "四子"))
    ]


def test_letters_printed_one_place_off_are_all_found(letters) -> None:
    """隣の人の値を刷った紙（一つずつのずれ）は、頁の数も字の数も合っている。"""
    off = stamp(letters[1:] + letters[:1])
    found = compare(letters, off)
    assert {each.page for each in found} == {1, 2, 3, 4}
    assert {each.what for each in found} == {"見た目", "字"}


def test_two_letters_that_swap_one_field_are_found(letters) -> None:
    first, second, *rest = letters
    swapped = [replace(first, amount_yen=second.amount_yen), replace(second, amount_yen=first.amount_yen), *rest]
    found = compare(letters, stamp(swapped))
    assert {each.page for each in found if each.what == "字"} == {1, 2}


def test_a_look_alike_character_is_found(letters) -> None:
    """⼀（部首）と一は、字形が同じで、目では見えない。"""
    other = [replace(letters[0], name="甲野　⼀子"), *letters[1:]]
    found = compare(letters, stamp(other))
    assert [(each.page, each.what) for each in found] == [(1, "字")]
    assert found[0].found == "U+2F00 U+4E00"


def test_a_missing_page_is_found(letters) -> None:
    assert [each.what for each in compare(letters, stamp(letters[:3]))] == ["頁数"]


def test_the_report_names_the_number_and_not_the_person(letters) -> None:
    (found, *_) = compare(letters, stamp(letters[1:] + letters[:1]))
    assert found.case_number == letters[0].case_number
    assert "子" not in found.found


def test_the_sample_has_every_background_and_the_longest_address(letters, notice) -> None:
    kinds = [replace(each, benefit_names=("こども加算",)) for each in letters[:2]]
    long = replace(letters[3], case_number="00000000099", address="東京都新宿区" * 6)
    contents = [*letters[:3], *kinds, long]
    first, second = run_samples([contents[:3], contents[3:]])
    assert 0 in first
    assert {0, 2} <= set(second)
    assert run_samples([contents[:3], contents[3:]]) == [first, second]
    assert sample_compare(contents, stamp(contents)) == []
