"""壊れた入力で倒れない: 変異させたレコード・ファイル・符号・表を読み手に渡し、落ちず、断ったものから一行も残らない。

全部の読み手に合わせて既定 100,000 個。BENEFIT_FUZZ=1000000 で増やす。種は BENEFIT_FUZZ_SEED（印字する）。
"""

from __future__ import annotations

import os
import random
import secrets

import pytest

from benefit.domain.errors import BenefitError
from benefit.records import barcodes, conversion_toml, el_qr, layout_toml, ocr_bands
from benefit.records.faults import RefusedFile
from benefit.records.file_reader import read
from benefit.records.layout_conversion import Converter
from benefit.records.layout_conversions import CONVERSIONS
from benefit.records.layout_registry import BUILT_IN
from tests.records.collection_samples import BARCODE, sample
from tests.records.test_barcodes import EL_QR, LOWER, UPPER
from tests.records.test_layout_toml import CONVERSION, SHEET

MUTATIONS = int(os.environ.get("BENEFIT_FUZZ", "100000"))
SEED = int(os.environ.get("BENEFIT_FUZZ_SEED", "0")) or secrets.randbits(32)
#: 全部の 80 % は明細のレコードに、残りはファイルの組み立てと符号と表に。
RECORDS = MUTATIONS * 8 // 10 // len(BUILT_IN)
FILES = MUTATIONS // 100 // len(BUILT_IN)
CODES = MUTATIONS // 20
SHEETS = MUTATIONS // 100
#: 壊し方に混ぜる、意地の悪いバイト。
NASTY = (
    b"\x00", b"\n", b"\r", b"\r\n", b"\x1a", b"\x80", b"\xa0", b"\xff", b"\x81", b"\x82\xa0", b"\xef\xbc\x91", b" ",
    b"9", b"-", b"+", b"\xb1", b"\xf0\x40", b"\xfc\xfc", b'"', b"%s", b"1e9", b"0", b"NaN", b"\x87\x40",
)  # fmt: skip


def dice(name: str) -> random.Random:
    """試験ごとの乱数（種は印字する）。"""
    print(f"BENEFIT_FUZZ_SEED={SEED}")
    return random.Random(f"{SEED}/{name}")


def mutate(content: bytes, roll: random.Random) -> bytes:
    """一か所か数か所を、替え、足し、削り、写す。"""
    made = bytearray(content)
    for _ in range(roll.choice((1, 1, 1, 2, 4))):
        at = roll.randrange(len(made) + 1)
        length = roll.choice((1, 1, 1, 2, 8))
        way = roll.randrange(6)
        if way < 3:
            made[at : at + length] = roll.choice(NASTY) if way else bytes([roll.randrange(256)])
        elif way == 3:
            del made[at : at + length]
        elif way == 4:
            made[at:at] = roll.choice(NASTY)
        else:
            other = roll.randrange(len(made) + 1)
            made[at : at + length] = made[other : other + length]
    return bytes(made)


def same_length(record: bytes, roll: random.Random) -> bytes:
    """長さも改行も変えずに壊したレコード（項目の検査に届かせる）。"""
    made = bytearray(record)
    for _ in range(roll.choice((1, 1, 2, 5))):
        at = roll.randrange(1, len(made))
        made[at] = roll.choice((roll.randrange(256), 0x20, 0x30, 0x39, 0x81, 0xB1, 0xFF))
    return bytes(made).replace(b"\n", b"\x0b")


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_the_fast_reader_and_the_field_by_field_reader_agree_on_every_record(layout_id):
    layout, roll = BUILT_IN[layout_id], dice(layout_id)
    frame, rows = [], []
    for raw in sample(layout_id).split(b"\r\n")[:-1]:
        (rows if layout.layout_of(raw) is layout.data else frame).append(raw)
    records = [same_length(roll.choice(rows), roll) for _ in range(RECORDS)]
    opening = frame[:1] if layout.header is not None else []
    closing = frame[len(opening) :]
    content = b"\n".join([*opening, *records, *closing, b""])
    reading = read(content, layout)
    good = [record for record in records if not layout.data.problems(record)]
    assert reading.good == len(good), f"種 {SEED}"
    assert reading.read == reading.good + reading.rejected + reading.framed
    first = len(opening) + 1
    kept = reading.data.select(layout.data.names).rows(named=True)
    for record, row in zip(good, kept, strict=True):
        assert layout.data.decode(record) == row
    assert {number - first for number in reading.data["record"]} == {
        at for at, record in enumerate(records) if not layout.data.problems(record)
    }
    if reading.good < len(records):
        with pytest.raises(RefusedFile):
            reading.require()


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_a_mutated_file_is_read_whole_or_refused_whole(layout_id):
    layout, roll = BUILT_IN[layout_id], dice(f"file/{layout_id}")
    content = sample(layout_id)
    for _ in range(FILES):
        broken = mutate(content, roll)
        try:
            reading = read(broken, layout)
            assert reading.read == reading.good + reading.rejected + reading.framed
            data = reading.require()
        except BenefitError:
            continue
        # 断られなかったものは、全部の明細が良く、合計が合っている。
        assert data.height == reading.read - reading.framed
        assert reading.rejected == 0


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_mutated_file_is_converted_whole_or_refused(name):
    one, roll = CONVERSIONS[name], dice(f"convert/{name}")
    made = Converter(one, BUILT_IN[one.source], BUILT_IN[one.target])
    content = sample(one.source)
    given = {"made_on": "20260712", "agent_code": "000001", "biller_code": "0000099999", "usage": "1"}
    for _ in range(max(1, FILES // 4)):
        broken = mutate(content, roll)
        try:
            done = made.convert(broken, given=given)
        except BenefitError:
            continue
        assert done.count == read(broken, made.source).require().height


def test_mutated_codes_are_refused_or_read_back_the_same():
    roll = dice("codes")
    readers = [
        (BARCODE, barcodes.read_barcode, lambda found: found.digits),
        (UPPER, ocr_bands.read_band, lambda found: "".join(found.values())),
        (LOWER, ocr_bands.read_band, lambda found: "".join(found.values())),
        (EL_QR, el_qr.read, lambda found: found.text),
    ]
    for text, reader, write in readers:
        for _ in range(CODES):
            broken = mutate(text.encode(), roll).decode("cp932", errors="replace")
            try:
                assert write(reader(broken)) in broken
            except BenefitError:
                continue


def test_mutated_sheets_are_refused_or_make_a_layout():
    roll = dice("sheets")
    for text, parser in ((SHEET, layout_toml.parse), (CONVERSION, conversion_toml.parse)):
        for _ in range(SHEETS):
            try:
                made = parser(mutate(text.encode(), roll), file="kakuu.toml")
            except BenefitError:
                continue
            assert made.id
