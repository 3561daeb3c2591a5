"""まとめて読む読み手が守る約束: 全部のバイトを見る、全部の悪い所を挙げる、合計を証明する、一件も失わない。"""

from __future__ import annotations

from datetime import date

import pytest

from benefit.domain.errors import RefusedInput, WrongUse
from benefit.records import record_lines
from benefit.records.direct_debit import REQUEST, RESULT
from benefit.records.faults import RefusedFile
from benefit.records.file_layout import FileLayout, Part, Total
from benefit.records.file_reader import Reader, read
from benefit.records.file_writer import write
from benefit.records.layout import Layout, const, digits, filler, number, text, wide
from benefit.records.layout_registry import BUILT_IN
from benefit.records.zengin_text import ANY_JISX0201
from tests.records.collection_samples import SAMPLES, sample, table


def layout_of(*fields, name="見本", length=40):
    return Layout(name, length, fields, sources=("甲",), verified=False, read_on=date(2026, 11, 21))


SMALL = FileLayout(
    "small",
    "小さい様式",
    data=layout_of(
        const("2", "区分"),
        digits("paid_on", "納付日", 8, form="date"),
        number("amount_yen", "金額", 9, minimum=1),
        wide("payer", "納付者", 12, blank_ok=False, sensitive=True),
        text("note", "摘要", 5, ANY_JISX0201),
        filler(5),
    ),
    trailer=layout_of(const("8", "区分"), number("count", "件数", 6), number("total_yen", "金額", 12), filler(21)),
    totals=(Total("count", "total_yen", "amount_yen"),),
    newline="\n",
)
ROW = {"paid_on": "20260710", "amount_yen": 12300, "payer": "髙橋　花", "note": "ｱ1"}


def small(rows=(ROW,)):
    return write(SMALL, [({}, table(SMALL, list(rows)))])


def said(content, layout=SMALL):
    return [str(fault) for fault in read(content, layout).faults]


@pytest.mark.parametrize("newline", ["\r\n", "\n", ""])
@pytest.mark.parametrize("end", [b"", b"\x1a"])
@pytest.mark.parametrize("layout_id", sorted(set(BUILT_IN) - {"local-tax-99"}))
def test_any_newline_and_an_end_of_file_mark_read_the_same(layout_id, newline, end):
    layout = BUILT_IN[layout_id]
    plain, other = read(sample(layout_id), layout), read(sample(layout_id, newline=newline) + end, layout)
    assert other.faults == ()
    assert other.data.equals(plain.data)


def test_the_last_newline_may_be_missing():
    content = sample("payeasy-paid")
    assert read(content.removesuffix(b"\r\n"), BUILT_IN["payeasy-paid"]).faults == ()


def test_every_bad_record_is_listed_with_its_byte_and_field():
    good = small([ROW, ROW | {"amount_yen": 1}, ROW]).split(b"\n")
    good[0] = good[0].replace(b"20260710", b"20260732")
    good[2] = good[2].replace(b"000012300", b"00001230A")[:35] + b"X    "
    reading = read(b"\n".join(good), SMALL, file="a.dat")
    assert [(fault.record, fault.field, fault.says) for fault in reading.faults] == [
        (1, "納付日（2～9 バイト目）", "許されない値です"),
        (3, "金額（10～18 バイト目）", "数字ではありません"),
        (3, "ダミー（36～40 バイト目）", "決まった中身と違います"),
    ]
    assert (reading.read, reading.good, reading.rejected, reading.framed) == (4, 1, 2, 1)
    with pytest.raises(RefusedFile, match=r"a\.dat: 受け付けられないレコードがあります（3 か所）") as refused:
        reading.require()
    assert len(refused.value.faults) == 3
    assert isinstance(refused.value, RefusedInput)


def test_a_refused_file_keeps_no_row():
    content = small([ROW, ROW]).replace(b"000002", b"000003")
    reading = read(content, SMALL)
    assert reading.good == 2
    with pytest.raises(RefusedFile, match="数え直した数と合いません"):
        reading.require()


def test_totals_are_proven_by_count_and_by_yen():
    content = small([ROW, ROW])
    assert said(content.replace(b"8000002", b"8000001")) == [
        "3 行目「件数（2～7 バイト目）」: 数え直した数と合いません（見つかったもの: 1 件、許されるもの: 2 件）"
    ]
    assert "24,601 円" in said(content.replace(b"000000024600", b"000000024601"))[0]


def test_a_sensitive_value_never_appears_in_a_fault():
    content = small([ROW]).replace("髙橋　花".encode("cp932"), b"\x85\x40abcdef")
    told = "".join(said(content))
    assert "納付者（19～30 バイト目）" in told
    assert "abcdef" not in told


def test_half_a_double_byte_character_is_refused_not_cut():
    raw = small([ROW | {"payer": "架空区架空"}])
    cut = raw[:29] + "町".encode("cp932")[:1] + raw[30:]
    assert [fault.field for fault in read(cut, SMALL).faults] == ["納付者（19～30 バイト目）"]


def test_holes_of_the_code_page_are_not_characters():
    for hole in (b"\x80", b"\xa0", b"\xfd", b"\xff"):
        assert len(said(small().replace("花".encode("cp932"), hole + b" "))) == 1


def test_length_and_unknown_kind_are_listed_by_record():
    lines = small([ROW, ROW]).split(b"\n")
    assert "41 バイト目" in said(b"\n".join([lines[0] + b"A", *lines[1:]]))[0]
    assert "39 バイト目" in said(b"\n".join([lines[0][:38], *lines[1:]]))[0]
    reading = read(b"\n".join([lines[0], b"7" + lines[1][1:], *lines[2:]]), SMALL)
    assert "0x37" in str(reading.faults[0])
    assert (reading.good, reading.rejected, reading.framed) == (1, 1, 1)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ((1, 0, 2, 3), "レコードの順が違います"),
        ((0, 1, 3, 2), "レコードの順が違います"),
        ((0, 1, 2), "途中で終わっています"),
        ((0, 1), "途中で終わっています"),
        ((1, 2, 3), "レコードの順が違います"),
        ((0, 1, 2, 3, 1), "レコードの順が違います"),
        ((0, 1, 2, 2, 3), "レコードの順が違います"),
        ((0, 0, 1, 2, 3), "レコードの順が違います"),
    ],
)
def test_records_out_of_order_refuse_the_file(order, says):
    header, data, *rest = sample("electronic-money").split(b"\r\n")
    records = [header, data, *rest]
    reading = read(b"".join(records[at] + b"\r\n" for at in order), BUILT_IN["electronic-money"])
    assert any(says in str(fault) for fault in reading.faults)
    assert reading.read == reading.good + reading.rejected + reading.framed


def test_an_empty_file_is_refused():
    for content in (b"", b"\x1a"):
        with pytest.raises(RefusedInput, match="空です"):
            read(content, SMALL)


def test_a_file_of_no_payment_is_good():
    layout = BUILT_IN["payeasy-paid"]
    content = write(layout, [(SAMPLES["payeasy-paid"][0], table(layout, []))])
    reading = read(content, layout)
    assert reading.require().height == 0
    assert reading.require().columns == ["record", "group", *layout.columns]


def test_groups_have_their_own_header_and_totals():
    header, rows = SAMPLES["direct-debit-result"]
    groups = [(header, table(RESULT, rows)), (header | {"debit_month_day": "0930"}, table(RESULT, rows[:1]))]
    content = write(RESULT, groups)
    reading = read(content, RESULT)
    assert reading.require()["group"].to_list() == [1, 1, 1, 1, 2]
    assert [values["debit_month_day"] for values in reading.headers] == ["0831", "0930"]
    # 一つ目の組の合計を二つ目のものと取り違えれば、両方が合わない。
    records = content.split(b"\r\n")
    records[5], records[8] = records[8], records[5]
    assert {fault.record for fault in read(b"\r\n".join(records), RESULT).faults} == {6, 9}


def test_a_second_group_is_refused_where_one_is_agreed():
    content = sample("payeasy-paid")
    records = content.split(b"\r\n")[:-2]
    twice = b"\r\n".join([*records, *records, content.split(b"\r\n")[-2], b""])
    assert any(fault.code == "order" for fault in read(twice, BUILT_IN["payeasy-paid"]).faults)


def test_chunks_and_blocks_of_any_size_give_the_same_table(monkeypatch):
    rows = SAMPLES["payeasy-upload"][1] * 40
    layout = BUILT_IN["payeasy-upload"]
    content = write(layout, [(SAMPLES["payeasy-upload"][0], table(layout, rows))]) + b"\x1a"
    whole = read(content, layout)
    assert whole.faults == ()
    monkeypatch.setattr(record_lines, "CHUNK", 7)
    for size in (1, 199, 202, 1000, len(content)):
        reader = Reader(layout)
        tables = list(reader.tables(content[at : at + size] for at in range(0, len(content), size)))
        assert sum(one.height for one in tables) == len(rows)
        reading = reader.reading()
        assert (reading.faults, reading.good, reading.read) == ((), whole.good, whole.read)


def test_faults_beyond_the_list_are_counted(monkeypatch):
    monkeypatch.setattr("benefit.records.file_reader.FAULTS_MAX", 3)
    lines = small([ROW] * 10).split(b"\n")
    reading = read(b"\n".join(line[:1] + b"X" + line[2:] if line[:1] == b"2" else line for line in lines), SMALL)
    assert (len(reading.faults), reading.more_faults, reading.rejected) == (3, 7, 10)
    with pytest.raises(RefusedFile, match="10 か所"):
        reading.require()


def test_control_characters_and_lone_newlines_inside_a_record_are_refused():
    content = sample("electronic-money", newline="")
    for byte in (0x00, 0x0A, 0x0D, 0x1A, 0x7F):
        at = 120 + 65
        assert read(content[:at] + bytes([byte]) + content[at + 1 :], BUILT_IN["electronic-money"]).faults


def test_declarations_that_cannot_be_read_fail_at_once():
    data, trailer = SMALL.data, SMALL.trailer
    with pytest.raises(WrongUse, match="揃って"):
        FileLayout("a", "甲", data=data, end=layout_of(const("9", "区分"), filler(2), length=3))
    with pytest.raises(WrongUse, match="区分が重なり"):
        FileLayout("a", "甲", data=data, end=data)
    with pytest.raises(WrongUse, match="固定の区分で始まって"):
        FileLayout("a", "甲", data=layout_of(filler(40)))
    with pytest.raises(WrongUse, match="はみ出します"):
        FileLayout("a", "甲", data=data, parts=(Part("p", "部分", "paid_on", 7, 3),))
    with pytest.raises(WrongUse, match="合計の項目がありません"):
        FileLayout("a", "甲", data=data, trailer=trailer, totals=(Total("count", "total_yen", "nothing"),))
    with pytest.raises(WrongUse, match="合計のレコードがない"):
        FileLayout("a", "甲", data=data, totals=(Total("count", "total_yen", "amount_yen"),))


def test_what_cannot_be_written_is_listed_row_by_row_and_nothing_is_made():
    rows = [
        ROW,
        ROW | {"amount_yen": 0},
        ROW | {"payer": "架空区架空町一"},
        ROW | {"note": "漢"},
        ROW | {"payer": "😀"},
    ]
    with pytest.raises(RefusedFile) as refused:
        small(rows)
    assert [(fault.record, fault.says) for fault in refused.value.faults] == [
        (2, "数が範囲の外です"),
        (3, "長すぎます"),
        (4, "使えない文字があります"),
        (5, "使えない文字があります"),
    ]
    with pytest.raises(RefusedFile, match="使えない文字"):
        small([ROW | {"payer": "😀"}])
    with pytest.raises(RefusedFile, match="値がありません"):
        small([ROW | {"paid_on": None}])


def test_a_column_of_the_wrong_type_or_missing_is_wrong_use():
    rows = table(SMALL, [ROW])
    with pytest.raises(WrongUse, match="型が違います"):
        write(SMALL, [({}, rows.cast({"amount_yen": float}))])
    with pytest.raises(WrongUse, match="要る列がありません"):
        write(SMALL, [({}, rows.drop("note"))])
    with pytest.raises(WrongUse, match="読むだけ"):
        write(BUILT_IN["local-tax-99"], [({}, rows)])
    with pytest.raises(WrongUse, match="組の数"):
        write(SMALL, [({}, rows), ({}, rows)])


def test_the_request_never_carries_an_outcome():
    header, rows = SAMPLES["direct-debit-request"]
    content = write(REQUEST, [(header, table(REQUEST, rows))])
    assert {line[111:112] for line in content.split(b"\r\n") if line[:1] == b"2"} == {b"0"}


@pytest.mark.parametrize("value", ["0e1530", "09153", "２４１５３０", "-91530", "246060"])
def test_a_time_that_is_no_time_is_refused_by_the_writer_too(value):
    layout = BUILT_IN["payeasy-paid"]
    rows = [SAMPLES["payeasy-paid"][1][0] | {"paid_at": value}]
    with pytest.raises(RefusedFile, match="納付時刻"):
        write(layout, [(SAMPLES["payeasy-paid"][0], table(layout, rows))])


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_every_byte_of_a_filler_and_a_constant_is_looked_at(layout_id):
    layout = BUILT_IN[layout_id]
    records = sample(layout_id).split(b"\r\n")
    at = next(at for at, record in enumerate(records) if layout.layout_of(record) is layout.data)
    fixed = [placed for placed in layout.data.placed if not placed.field.holds_value]
    broken, wanted = [], []
    for placed in fixed:
        for byte in sorted({placed.start, placed.end} - {1}):
            broken.append(records[at][: byte - 1] + b"#" + records[at][byte:])
            wanted.append(placed.title)
    reading = read(b"\r\n".join([*records[:at], *broken, *records[at + 1 :]]), layout)
    listed = [(fault.record, fault.field) for fault in reading.faults if fault.code == "layout"]
    assert listed == [(at + 1 + place, title) for place, title in enumerate(wanted)]


@pytest.mark.parametrize("layout_id", [layout.id for layout in BUILT_IN.values() if layout.end_count])
def test_the_count_of_all_records_is_proven(layout_id):
    *records, end, last = sample(layout_id).split(b"\r\n")
    wrong = end[:8] + b"9" + end[9:]
    (fault,) = read(b"\r\n".join([*records, wrong, last]), BUILT_IN[layout_id]).faults
    assert (fault.record, fault.code) == (len(records) + 1, "total")
    assert "レコード総件数" in fault.field
