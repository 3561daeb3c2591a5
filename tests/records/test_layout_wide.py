"""漢字の項目が守る約束: 長さはバイトで数え、一字を半分にせず、読み書きで変わらず、伏せるときは幅も崩さない。"""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records.fields import cut_wide, width_of
from benefit.records.forms import FORMS
from benefit.records.layout import Layout, const, digits, filler, wide
from benefit.records.layout_view import masked_record, render, specification

RECORD = Layout(
    "漢字の見本",
    20,
    (
        const("2", "区分"),
        wide("payer", "氏名", 12, blank_ok=False, sensitive=True),
        digits("code", "番号", 4),
        filler(3),
    ),
    sources=("甲",),
    verified=False,
    read_on=date(2026, 11, 21),
    own_convention=True,
)
CP932 = st.text(st.sampled_from("髙橋﨑花子架空一二　①㈱ﾔﾏA1-～－弌"), max_size=20)


@given(CP932.filter(lambda text: 0 < width_of(text) <= 12))
def test_what_is_written_reads_back(name):
    content = RECORD.encode({"payer": name, "code": "0001"})
    assert len(content) == 20
    assert RECORD.decode(content) == {"payer": name, "code": "0001"}


@given(CP932, st.integers(1, 20))
def test_a_cut_never_halves_a_character_and_keeps_all_that_fits(text, most):
    cut = cut_wide(text, most)
    assert text.startswith(cut)
    assert width_of(cut) <= most
    rest = text[len(cut) :]
    assert not rest or width_of(cut) + width_of(rest[0]) > most or not rest.strip(" ")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("架空区架空町一", "長すぎます（見つかったもの: 14 バイト"),
        ("", "空です"),
        ("髙橋 ", "末尾に空白"),
        ("吉野家\U00020bb7", r"U\+20BB7"),
        ("高\u0300", r"U\+0300（2 文字目）"),
        ("a\tb", r"U\+0009"),
        ("\uf8f1", r"U\+F8F1"),
    ],
)
def test_what_cannot_be_written_is_refused(value, says):
    with pytest.raises(RefusedInput, match=says):
        RECORD.encode({"payer": value, "code": "0001"})


def test_a_halved_character_is_refused_and_its_neighbours_are_read():
    half = RECORD.encode({"payer": "架空区架空", "code": "0001"})
    broken = half[:12] + b"\x92" + half[13:]
    with pytest.raises(RefusedInput, match="CP932 で読めないバイト"):
        RECORD.decode(broken)
    assert [placed.field.name for placed, _ in RECORD.problems(broken)] == ["payer"]


def test_masking_keeps_the_columns_in_place():
    content = RECORD.encode({"payer": "髙橋花子", "code": "0001"})
    assert masked_record(RECORD, content) == "2" + "*" * 12 + "0001" + "   "
    assert "髙橋" not in render(RECORD, content)
    assert "氏名 2～13 髙橋花子····" in render(RECORD, content, show_sensitive=True)


def test_the_sheet_says_it_is_our_own_convention():
    assert "OWN CONVENTION" in specification(RECORD)
    with pytest.raises(WrongUse, match="自分たちで決めた"):
        Layout("見本", 1, (const("2", "区分"),), ("甲", "乙"), True, date(2026, 11, 21), own_convention=True)


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("date", ["20260228", "20240229"], ["20260229", "20261301", "00000000", "2026022", "２０２６０２２８"]),
        ("short_date", ["260731", "240229"], ["260732", "250229"]),
        ("month_day", ["0229", "1231"], ["0230", "0000", "1301", "0431"]),
        ("era_date", ["080710", "310430"], ["000710", "081301"]),
        ("era_month", ["0806"], ["0006", "0813", "0800"]),
        ("time", ["0000", "2359", "235959"], ["2400", "2360", "235960", "0e15"]),
        ("deadline", ["999999", "260731"], ["999998", "260732"]),
    ],
)
def test_both_sides_of_each_form(form, good, bad):
    assert all(FORMS[form].valid(value) for value in good)
    assert not any(FORMS[form].valid(value) for value in bad)
