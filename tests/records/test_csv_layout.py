"""コンビニ収納の CSV が守る約束: 全部の行を確かめ、二重に書かれた値の食い違いを断り、一行も失わない。"""

from __future__ import annotations

import random
import secrets

import pytest

from benefit.domain.errors import BenefitError, RefusedInput
from benefit.records.convenience_store_csv import DSK
from benefit.records.csv_layout import read
from benefit.records.faults import RefusedFile
from tests.records.collection_samples import barcode
from tests.records.test_collection_fuzz import mutate

HEADER = ",".join(field.label for field in DSK.fields)
ROWS = [
    ["01", "20260710", "0915", "EAN" + barcode(12300, 1), "", "", "0", "12300", "010", "セブン-イレブン", "0012345", "0", "20260711"],
    ["02", "20260710", "0915", "EAN" + barcode(12300, 1), "", "", "0", "12300", "010", "セブン-イレブン", "0012345", "20260731", "20260712"],
    ["81", "20260710", "2359", "EAN" + barcode(500, 2), "123456", "12345678901", "0", "500", "820", "PayPay", "", "0", "20260711"],
]  # fmt: skip


def content(rows=ROWS, header=HEADER):
    return "\r\n".join([header, *(",".join(row) for row in rows), ""]).encode("cp932")


def changed(at, value):
    return [[*ROWS[0][:at], value, *ROWS[0][at + 1 :]], *ROWS[1:]]


def test_a_good_file_is_read_with_the_names_of_the_fixed_layout():
    data = read(content(), DSK).require()
    assert data["barcode"][0] == barcode(12300, 1)
    assert data["amount_yen"].to_list() == [12300, 12300, 500]
    assert data["settles_on"].to_list() == ["", "20260731", ""]
    assert data["record"].to_list() == [2, 3, 4]


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (0, "09", "種別（1 列目）"),
        (1, "20260732", "収納日（2 列目）"),
        (2, "2460", "収納時刻（3 列目）"),
        (3, "EAN" + barcode(12300, 1)[:-1] + "9", "バーコード情報（4 列目）"),
        (3, "JAN" + barcode(12300, 1), "バーコード情報（4 列目）"),
        (3, barcode(12300, 1), "バーコード情報（4 列目）"),
        (6, "1", "印紙フラグ（7 列目）"),
        (7, "12301", "金額（8 列目）"),
        (7, "12,300", "列の数が違います"),
        (7, "-12300", "数字ではありません"),
        (7, "", "数字ではありません"),
        (8, "10", "コンビニ本部コード（9 列目）"),
        (9, "あ" * 21, "長すぎます"),
        (11, "20260732", "振込日（12 列目）"),
        (12, "", "データ作成日（13 列目）"),
    ],
)
def test_each_bad_value_is_told_by_line_and_column(at, value, says):
    reading = read(content(changed(at, value)), DSK, file="dsk.csv")
    assert reading.read == reading.good + reading.rejected == 3
    assert reading.rejected == 1
    with pytest.raises(RefusedFile) as refused:
        reading.require()
    assert {fault.record for fault in refused.value.faults} == {2}
    assert says in str(refused.value)
    assert "9199999" not in str(refused.value)


def test_another_header_is_another_file():
    for header in (HEADER.replace("金額", "金額合計"), HEADER + ",備考", HEADER.split(",", 1)[1]):
        with pytest.raises(RefusedInput, match="見出しの列"):
            read(content(header=header), DSK)


def test_a_file_of_only_a_header_is_good():
    assert read(content([]), DSK).require().height == 0


def test_mutated_files_are_read_whole_or_refused():
    seed = secrets.randbits(32)
    print(f"種 {seed}")
    roll = random.Random(seed)
    for _ in range(300):
        broken = mutate(content(), roll)
        try:
            reading = read(broken, DSK)
            assert reading.read == reading.good + reading.rejected
            reading.require()
        except BenefitError:
            continue
        assert reading.rejected == 0
