"""まとめて書く道・まとめて読む道が、一行ずつの道と一バイトも違わない約束。"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benefit.domain.errors import RefusedInput
from benefit.records import zengin, zengin_reader_block, zengin_writer_block
from benefit.records.zengin import DATA, DATA_WITH_WO, build, build_columns, unwritable
from benefit.records.zengin_reader import _BANK, _LINE_PARTS, _PARTY, BLOCK, findings
from benefit.records.zengin_text import CONVERSIONS
from tests.records.zengin_samples import HEADER, LINES, expected_header, expected_lines, line

LETTERS = sorted({chr(code) for code in CONVERSIONS} | set("ABZ019 ()-.ｱﾝﾞﾟｦ?髙¶À\u00b6\uffff"))


def by_layout(layout: zengin.Layout, lines: list[zengin.TransferLine]) -> bytes | None:
    try:
        return zengin._encode_by_layout(layout, zengin._columns(lines, "7"), "", 2)
    except RefusedInput:
        return None


@given(
    st.lists(st.tuples(st.text(LETTERS, max_size=40), st.integers(0, 10**10)), min_size=1, max_size=4), st.booleans()
)
def test_writing_by_columns_is_writing_by_the_declaration(people, with_wo):
    """列で書けたものは様式の宣言どおりで、宣言が断るものを列で書くことはない。"""
    layout = DATA_WITH_WO if with_wo else DATA
    lines = [line(holder_kana=name, amount_yen=yen) for name, yen in people]
    written = zengin_writer_block.encode(layout, zengin._columns(lines, "7"))
    declared = by_layout(layout, lines)
    assert written in (None, declared)
    assert (written is None) == (declared is None) or any("\n" in name for name, _yen in people)


@given(st.text(LETTERS, max_size=40), st.integers(0, 29), st.integers(0, 255))
def test_reading_by_columns_never_accepts_what_reading_by_lines_refuses(name, at, byte):
    lines = [line(), line(holder_kana=name)]
    if unwritable(lines):
        return
    content = bytearray(build(HEADER, lines).content)
    content[2 * 122 + 50 + at] = byte
    told = expected_lines(lines)
    raw = bytes(content[122 : 3 * 122])
    assert zengin_reader_block.same(raw, told, _LINE_PARTS, _BANK, _PARTY) == (
        not findings(bytes(content), expected_header(), told)
    )


def test_files_around_the_size_of_a_block_are_written_and_read():
    for count in (1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 1):
        lines = [line(customer_code1=f"{at:010d}", amount_yen=at + 1) for at in range(count)]
        built = build(HEADER, lines)
        assert built.content[122:-244] == by_layout(DATA, lines)
        assert findings(built.content, expected_header(), expected_lines(lines)) == []
        broken = built.content.replace(b"%010d" % count, b"%010d" % (count + 1), 1)
        assert findings(broken, expected_header(), expected_lines(lines))


def test_columns_make_the_same_file_as_lines():
    columns = zengin._columns(LINES, "7")
    del columns["designation"]
    assert build_columns(HEADER, columns).content == build(HEADER, LINES).content
    for name in ("bank_name", "branch_name"):
        del columns[name]
    assert build_columns(HEADER, columns).count == len(LINES)


def test_the_lines_that_cannot_be_written_are_found_among_many():
    lines = [line(holder_kana="髙" if at in {0, 700, 701, 999} else "ｱ") for at in range(1_000)]
    assert [(one.number, one.refusal.place.record) for one in unwritable(lines)] == [
        (1, 2),
        (701, 702),
        (702, 703),
        (1000, 1001),
    ]
