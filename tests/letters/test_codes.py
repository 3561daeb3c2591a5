"""紙の三つの符号: 速い道で作った QR が segno の升目と同じで、どれも別の読み取り機で元に戻る。"""

from __future__ import annotations

import os
import random

import pytest
import segno
import zxingcpp
from PIL import Image

from benefit.domain.errors import WrongUse
from benefit.records import customer_barcode
from letters import codes

SEED = int(os.environ.get("BENEFIT_TEST_SEED", random.SystemRandom().randrange(10**6)))
EDGES = ("00000000000", "99999999999", "00000000001", "10000000000", "00000000099", "51251251264")


def _numbers(count: int) -> list[str]:
    print(f"BENEFIT_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    return [*EDGES, *(f"{chance.randrange(10**11):011d}" for _ in range(count))]


def _picture(rows: list[list[int]], *, scale: int, height: int = 1, quiet: int = 4) -> Image.Image:
    width, tall = len(rows[0]) + quiet * 2, len(rows) * height + quiet * 2
    image = Image.new("L", (width, tall), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            for each in range(height):
                image.putpixel((x + quiet, y * height + each + quiet), 0 if dark else 255)
    return image.resize((width * scale, tall * scale), Image.Resampling.NEAREST)


def test_fast_qr_equals_segno_with_the_fixed_mask() -> None:
    """表の排他的論理和で作った升目は、同じマスクの segno の升目と一つ残らず同じ。"""
    for number in _numbers(300):
        code = segno.make_qr(number, version=1, error="m", mask=codes.QR_MASK, mode="numeric", boost_error=False)
        assert codes.qr_matrix(number) == tuple(tuple(row) for row in code.matrix), number


def test_fast_qr_is_read_back() -> None:
    """決まったマスクでも、読み取り機は読む。"""
    for number in _numbers(20):
        picture = _picture([list(row) for row in codes.qr_matrix(number)], scale=4)
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        assert [each.text for each in found] == [number]


def test_plain_code128_is_read_back_for_even_and_odd_lengths() -> None:
    """奇数桁（11 桁の番号）も偶数桁（24 桁の封入の符号）も、FNC1 なしの Code 128 として読める。"""
    for number in _numbers(8):
        for digits in (number, number + number[:13], number[:1]):
            row = [1 - at % 2 for at, width in enumerate(codes.code128_bars(digits)) for _ in range(width)]
            found = zxingcpp.read_barcodes(_picture([row], scale=3, height=30, quiet=12))
            assert [(each.text, each.format) for each in found] == [(digits, zxingcpp.BarcodeFormat.Code128)]


def test_customer_bars_come_back_as_the_address() -> None:
    """宛先の線は 67 本で、郵便番号と住所表示番号に戻る。刷らない宛先では空。"""
    drawn = codes.address_bars("1690075", "東京都新宿区高田馬場３丁目１２番４号", "コーポさくら２０３号")
    assert customer_barcode.read_words(customer_barcode.read_bars(drawn)) == ("1690075", "3-12-4-203")
    assert len(drawn) == 67
    assert codes.address_bars("1600000", "東京都新宿区", "") == ""


@pytest.mark.parametrize("bad", ["", "1234567890", "123456789012", "1234567890a", "１２３４５６７８９０１"])
def test_qr_takes_only_eleven_digits(bad: str) -> None:
    """11 桁の数字のほかは載せない。"""
    with pytest.raises(WrongUse):
        codes.qr_rows(bad)


@pytest.mark.parametrize("bad", ["", "12a", "１２"])
def test_code128_takes_only_digits(bad: str) -> None:
    """数字のほかは載せない。"""
    with pytest.raises(WrongUse):
        codes.code128_bars(bad)
