"""壊れた入力で倒れない: 変異させたレコード・ファイル・符号・表を読み手に渡し、落ちず、断ったものから一行も残らない。

全部の読み手に合わせて 10^6 個（BENEFIT_FUZZ で変える）。レコードは様式ごとに一つの大きなファイルにまとめて壊し、
その中の決まった割合（BENEFIT_FUZZ_CHECKED）を、一項目ずつの読み手と比べる。種は BENEFIT_FUZZ_SEED（印字する）。
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

MUTATIONS = int(os.environ.get("BENEFIT_FUZZ", "1000000"))
SEED = int(os.environ.get("BENEFIT_FUZZ_SEED", "0")) or secrets.randbits(32)
#: 89 % は明細のレコードに、残りは符号に。ファイルの組み立てと表は、それに加える（一つずつ読むので、数は少ない）。
RECORDS = MUTATIONS * 89 // 100 // len(BUILT_IN)
CODES = MUTATIONS * 11 // 400 + 1
FILES = MUTATIONS // 1000 // len(BUILT_IN)
SHEETS = MUTATIONS // 1000
#: 一項目ずつの読み手（一件 0.1 ミリ秒）とも比べるレコードの数。様式ごと。
CHECKED = int(os.environ.get("BENEFIT_FUZZ_CHECKED", "30000")) // len(BUILT_IN)
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


#: レコードの中に入れるバイト。改行のほかの全部で、意地の悪いものを多めに。
BYTES = bytes(byte for byte in range(256) if byte != 0x0A) + bytes((0x20, 0x30, 0x39, 0x81, 0xB1, 0xFF)) * 42


def mutated(rows: list[bytes], count: int, roll: random.Random) -> bytes:
    """長さも改行も変えずに壊した `count` 件（項目の検査に届かせる）。どの一件も、一か所は壊してある。"""
    length = len(rows[0]) + 1
    made = bytearray(b"".join(row + b"\n" for row in rows) * (count // len(rows) + 1))[: count * length]
    bytes_put = iter(roll.choices(BYTES, k=3 * count))
    # 一バイト目（データ区分）は残す。壊れた区分のファイルは、下の試験が見る。
    for at, offset in enumerate(roll.choices(range(1, length - 1), k=count)):
        made[at * length + offset] = next(bytes_put)
    for at in roll.choices(range(count), k=count):
        made[at * length + 1 + int(roll.random() * (length - 2))] = next(bytes_put)
    return bytes(made)


@pytest.mark.parametrize("layout_id", BUILT_IN)
def test_no_mutated_record_is_unhandled_and_the_two_readers_agree(layout_id):
    layout, roll = BUILT_IN[layout_id], dice(layout_id)
    frame, rows = [], []
    for raw in sample(layout_id).split(b"\r\n")[:-1]:
        (rows if layout.layout_of(raw) is layout.data else frame).append(raw)
    body = mutated(rows, RECORDS, roll)
    length = len(rows[0]) + 1
    opening = frame[:1] if layout.header is not None else []
    closing = frame[len(opening) :]
    content = b"".join((*(raw + b"\n" for raw in opening), body, *(raw + b"\n" for raw in closing)))
    reading = read(content, layout)
    assert reading.read == reading.good + reading.rejected + reading.framed, f"種 {SEED}"
    assert reading.good + reading.rejected >= RECORDS
    # 断ったファイルからは、一行も取り出せない。
    if reading.good < RECORDS:
        with pytest.raises(RefusedFile):
            reading.require()
    first = len(opening) + 1
    place_of = {number - first: place for place, number in enumerate(reading.data["record"].to_list())}
    for at in roll.sample(range(RECORDS), min(CHECKED, RECORDS)):
        record = body[at * length : (at + 1) * length - 1]
        good = not layout.data.problems(record)
        assert good == (at in place_of), f"種 {SEED}: {at} 件目"
        if good:
            row = reading.data.row(place_of[at], named=True)
            assert {name: row[name] for name in layout.data.names} == layout.data.decode(record)


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
