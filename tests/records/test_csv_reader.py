"""CSV の読み手: 文字コード、行の終わり、行の番号、断りの場所。当て推量も、直しも、黙って捨てることもしない。"""

from __future__ import annotations

import pytest

from benefit.domain.errors import RefusedInput
from benefit.records import csv_reader

WHO = "氏名,住所\n山田　太郎,新宿\n髙橋　①,〜\n"


def read(data: bytes | str, encoding: str | None = None) -> csv_reader.RawTable:
    return csv_reader.read(data if isinstance(data, bytes) else data.encode(), file_name="x.csv", encoding=encoding)


def rows(raw: csv_reader.RawTable) -> list[tuple[object, ...]]:
    return raw.frame.select(*(str(n) for n in range(len(raw.header))), "line").rows()


def refused(data: bytes | str, encoding: str | None = None) -> RefusedInput:
    with pytest.raises(RefusedInput) as caught:
        read(data, encoding)
    return caught.value


@pytest.mark.parametrize(
    ("data", "used"),
    [
        (WHO.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + WHO.encode(), "utf-8（BOM つき）"),
        (WHO.replace("〜", "～").encode("cp932"), "cp932"),
    ],
)
def test_the_encoding_is_found_by_strict_decoding_and_told(data: bytes, used: str) -> None:
    raw = read(data)
    assert raw.encoding == used
    assert raw.header == ("氏名", "住所")
    assert rows(raw)[0] == ("山田　太郎", "新宿", 2)
    assert rows(raw)[1][0] == "髙橋　①"


def test_a_file_that_reads_both_ways_is_utf8_unless_the_clerk_says_otherwise() -> None:
    """半角カナ「ﾃｽ」の CP932 の二バイトは、UTF-8 の「ý」でもある。"""
    both = b"a,b\n\xc3\xbd,1\n"
    assert rows(read(both))[0][0] == "ý"
    assert rows(read(both, "cp932"))[0][0] == "ﾃｽ"
    assert read(both, "Shift_JIS").encoding == "cp932"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "latin-1", ""])
def test_an_encoding_outside_the_contract_is_refused_by_name(encoding: str) -> None:
    assert refused(WHO, encoding).allowed == "utf-8、cp932"


@pytest.mark.parametrize("hole", [b"\x80", b"\xa0", b"\xfd", b"\xfe", b"\xff"])
def test_a_cp932_byte_without_a_character_is_refused_with_its_line(hole: bytes) -> None:
    """Python の cp932 は、これらのバイトを断らずに私用領域の字にしてしまう。"""
    error = refused("氏名,住所\n山田,新宿\n".encode("cp932") + "佐藤".encode("cp932") + hole + b",x\n")
    assert error.code == "encoding"
    assert error.place is not None
    assert error.place.record == 3
    assert str(error.found).startswith(f"バイト列 {hole.hex()}")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf16_is_refused(codec: str) -> None:
    bom = b"\xfe\xff" if codec == "utf-16-be" else b""
    assert refused(bom + WHO.encode(codec)).code in {"encoding", "header"}


def test_after_a_utf8_mark_cp932_is_not_tried() -> None:
    error = refused(b"\xef\xbb\xbfa,b\n" + "山,1\n".encode("cp932"))
    assert (error.code, error.place and error.place.record) == ("encoding", 2)


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n\r\n", b"\xef\xbb\xbf"])
def test_a_file_with_nothing_in_it_is_refused(data: bytes) -> None:
    assert refused(data).code == "empty"


@pytest.mark.parametrize(
    "body", ["a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", 'a,b\n"1","2"\n"3","4"\n', 'a,b\n1,"2"\n3,4\n']
)
def test_line_ends_and_needless_quotes_change_nothing(body: str) -> None:
    assert rows(read(body)) == [("1", "2", 2), ("3", "4", 3)]


def test_a_header_without_rows_is_an_empty_table() -> None:
    for body in ("a,b", "a,b\n", '"a","b"\r\n'):
        assert (read(body).header, read(body).rows_read) == (("a", "b"), 0)


def test_a_record_is_numbered_by_the_line_where_it_starts() -> None:
    assert rows(read('a,b\n"1\n\n",2\n3,"4\r\n4"\n5,6\n')) == [("1\n\n", "2", 2), ("3", "4\r\n4", 5), ("5", "6", 7)]
    assert rows(read('a,b\n"1\n1","2"\n"3","4"\n')) == [("1\n1", "2", 2), ("3", "4", 4)]
    assert rows(read('a,b\r\n"1\r\n1","2"\r\n"3","4"')) == [("1\r\n1", "2", 2), ("3", "4", 4)]


@pytest.mark.parametrize(
    "body", ['a,b\n"1"x,"2"\n"3","4"\n', 'a,b\n"1","2","3"\n"4"\n', 'a,b\n"1""","2"\n', 'a,b\n"1","2"\n"3",4"\n']
)
def test_quotes_that_only_add_up_are_left_to_the_strict_reader(body: str) -> None:
    assert csv_reader._fast(body.encode(), ("a", "b")) is None


def test_records_keep_their_order_and_lines_across_the_batches_of_the_strict_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(csv_reader, "_BATCH", 3)
    body = 'a,b\n"0,",x\n' + "".join(f"{n},x\n" for n in range(1, 10))
    assert [(row[0], row[2]) for row in rows(read(body))] == [("0,", 2)] + [(str(n), n + 2) for n in range(1, 10)]


@pytest.mark.parametrize(
    ("body", "misfits"),
    [
        ("a,b\n1,2\n3\n4,5\n", ((3, 1),)),
        ("a,b\n1,2,3\n4,5\n", ((2, 3),)),
        ("a,b\n1\n2,3,4\n", ((2, 1), (3, 3))),
        ("a,b\n1,2\n\n3,4\n", ((3, 0),)),
        ("a,b\n1,2\n\x1a", ((3, 1),)),
    ],
)
def test_a_row_of_another_width_is_set_aside_with_its_line_and_width(
    body: str, misfits: tuple[tuple[int, int], ...]
) -> None:
    raw = read(body)
    assert raw.misfits == misfits
    assert raw.rows_read == body.count("\n") - (not body.endswith("\x1a"))


@pytest.mark.parametrize(
    "body", ["a,b\r1,2\r3,4\r", "a,b\n1,2\r3,4\n", "a,b\n1,2\r\r\n", "a,b\n1,2\r", "a,b\n1\r1,2\n"]
)
def test_a_lone_cr_never_becomes_the_end_of_a_row(body: str) -> None:
    assert refused(body).found == "単独の CR"


def test_a_lone_cr_inside_quotes_is_text() -> None:
    assert rows(read('a,b\n"1\r1",2\n3,4\n')) == [("1\r1", "2", 2), ("3", "4", 3)]


@pytest.mark.parametrize("body", ["a,b\n\ufeff1,2\n", 'a,b\n"\ufeff1","2"\n', 'a,b\n\ufeff1,"2"\n'])
def test_a_mark_at_the_start_of_a_field_is_kept_as_it_came(body: str) -> None:
    """Polars は見出しを飛ばした後の BOM を捨てる。欄の字は、見えない字でも黙って失わない。"""
    assert rows(read(body)) == [("\ufeff1", "2", 2)]


def test_any_heading_may_come_even_our_own_names() -> None:
    raw = read("line,0,line\n1,2,3\n")
    assert (raw.header, rows(raw)) == (("line", "0", "line"), [("1", "2", "3", 2)])


@pytest.mark.parametrize(
    ("body", "line", "found"),
    [
        ('a,b\n1,2\n"3,4\n5,6\n', 3, "閉じていない引用符"),
        ('a,b\n1,2\n"3"x,4\n', 3, "引用符の後の余分な文字"),
        ("a,b\n1,2\n" + "x" * 131_073 + ',"4"\n', 3, "131,072 文字より長い欄"),
    ],
)
def test_broken_quoting_is_refused_at_the_record_where_it_began(body: str, line: int, found: str) -> None:
    error = refused(body)
    assert (error.place and error.place.record, error.found) == (line, found)


def test_invalid_bytes_split_over_two_fields_do_not_become_a_character() -> None:
    """列ごとに続けて見ると正しい UTF-8 になる壊れ方（あ の三バイトを、上下の行に分けた）。"""
    assert refused(b"a,b\n1,x\xe3\x81\n2,\x82x\n", "utf-8").code == "encoding"
