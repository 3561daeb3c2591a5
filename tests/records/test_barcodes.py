"""納付書の符号が守る約束: 公開の例と計算した例の検査数字、払えないわけ、別の機械が読める絵。"""

from __future__ import annotations

import io
from datetime import date

import polars as pl
import pypdfium2
import pytest
import segno
import typst
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.records import barcodes, code128, el_qr, ocr_bands, payment_slip
from benefit.records.barcodes import Barcode
from benefit.records.convenience_store import FreeSpace
from benefit.records.forms import FORMS, check_digit, is_barcode

#: formats §4.2（Pao の製品見本、DSK の試験データ、計算した架空の値）。
VECTORS = [
    ("91912345000000000000004520875004013100295004", "912345", 29_500, date(2004, 1, 31)),
    ("91929023252070000010123499900199999900106050", "929023", 10_605, None),
    ("91999999000000000000000012345026073100123008", "999999", 12_300, date(2026, 7, 31)),
]
UPPER = "170000000000000000012300213800000100000"
LOWER = "36000000000000000123456543210999990000000000"
EL_QR = (
    "0002010102122796000513800018317000000000000000001230021380000010000036000000000000000123456543210999990000000000"
    "5411000000123006226202620260120260630202607318085000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000630518850"
)
TODAY = date(2026, 7, 1)
GOOD = Barcode("999999", "2026" + "0" * 12 + "12345", 12_300, date(2026, 7, 31))


@pytest.mark.parametrize(("digits", "maker", "amount", "pay_by"), VECTORS)
def test_published_barcodes_read_and_write_back(digits, maker, amount, pay_by):
    assert check_digit(digits[:-1]) == int(digits[-1])
    read = barcodes.read_barcode(digits)
    assert (read.maker_code, read.amount_yen, read.pay_by) == (maker, amount, pay_by)
    assert read.digits == digits


@pytest.mark.parametrize("digits", [vector[0] for vector in VECTORS])
def test_one_wrong_digit_is_always_found(digits):
    for at in range(2, 44):
        for other in "0123456789":
            if other != digits[at]:
                assert not is_barcode(digits[:at] + other + digits[at + 1 :])


@given(
    st.lists(st.integers(0, 43).flatmap(lambda at: st.tuples(st.just(at), st.sampled_from("0123456789"))), max_size=3)
)
def test_the_check_of_a_column_and_of_one_value_agree(changes):
    digits = list(VECTORS[2][0])
    for at, digit in changes:
        digits[at] = digit
    value = "".join(digits)
    expr = FORMS["barcode"].expr
    assert expr is not None
    assert pl.DataFrame({"b": [value]}).select(expr(pl.col("b"))).item() is is_barcode(value)


def test_a_payment_slip_a_store_cannot_take_is_refused_with_every_reason():
    bad = Barcode("999999", "0" * 21, 300_001, date(2026, 6, 30), stamp=True)
    with pytest.raises(RefusedByRule) as refused:
        barcodes.issue(bad, today=TODAY)
    for reason in ("上限 300,000 円", "支払期限 2026-06-30", "収入印紙"):
        assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"amount_yen": 300_000}, True),
        ({"amount_yen": 300_001}, False),
        ({"amount_yen": 1}, True),
        ({"amount_yen": 0}, False),
        ({"pay_by": TODAY}, True),
        ({"pay_by": date(2026, 6, 30)}, False),
        ({"pay_by": None}, True),
        ({"stamp": True}, False),
    ],
)
def test_both_sides_of_each_limit(changes, taken):
    given_ = Barcode(**({"maker_code": "999999", "free_space": "0" * 21, "amount_yen": 100, "pay_by": None} | changes))
    assert (barcodes.convenience_refusals(given_, today=TODAY) == ()) is taken


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"maker_code": "99999"}, "メーカーコードの桁"),
        ({"maker_code": "199999"}, "GS1"),
        ({"free_space": "0" * 20}, "自由使用欄の桁"),
        ({"free_space": "０" * 21}, "自由使用欄の桁"),
        ({"amount_yen": 1_000_000}, "6 桁"),
        ({"reissue": 10}, "再発行区分"),
        ({"pay_by": date(1999, 12, 31)}, "下二桁"),
        ({"pay_by": date(2099, 12, 31)}, "下二桁"),
    ],
)
def test_values_that_do_not_fit_are_refused_not_cut(changes, says):
    values = {"maker_code": "999999", "free_space": "0" * 21, "amount_yen": 100, "pay_by": None} | changes
    with pytest.raises(RefusedInput, match=says):
        _ = Barcode(**values).digits


def test_the_free_space_is_a_setting():
    assert FreeSpace().pack("2026", "12345".zfill(17)) == GOOD.free_space
    assert FreeSpace(5, 4, 12).pack("2026", "1" * 12, "00007") == "00007" + "2026" + "1" * 12
    with pytest.raises(WrongUse, match="21"):
        FreeSpace(5, 4, 13)
    with pytest.raises(WrongUse, match="納付書番号の桁"):
        FreeSpace().pack("2026", "12345")


def draw(digits: str) -> Image.Image:
    """幅の並びから、線の絵を起こす（SVG とは別の道）。"""
    scale, widths = 3, code128.widths(digits)
    image = Image.new("L", ((sum(widths) + 2 * code128.QUIET) * scale, 120), 255)
    pen, at = ImageDraw.Draw(image), code128.QUIET * scale
    for place, width in enumerate(widths):
        if place % 2 == 0:
            pen.rectangle((at, 0, at + width * scale - 1, 119), fill=0)
        at += width * scale
    return image


@given(st.lists(st.sampled_from([f"{pair:02d}" for pair in range(100)]), min_size=2, max_size=22).map("".join))
def test_another_machine_reads_every_pattern(digits):
    (found,) = zxingcpp.read_barcodes(draw("91" + digits), formats=zxingcpp.BarcodeFormat.Code128)
    assert found.text.replace("(91)", "91", 1) == "91" + digits


def test_all_hundred_patterns_are_read():
    for start in range(0, 100, 20):
        digits = "91" + "".join(f"{pair:02d}" for pair in range(start, start + 20))
        (found,) = zxingcpp.read_barcodes(draw(digits), formats=zxingcpp.BarcodeFormat.Code128)
        assert found.text.replace("(91)", "91", 1) == digits


def render(svg: str) -> Image.Image:
    """SVG を紙に刷って、画像にする。"""
    page = '#set page(width: 80mm, height: 60mm, margin: 5mm)\n#image(bytes(sys.inputs.svg), format: "svg")'
    pdf = typst.compile(page.encode(), format="pdf", sys_inputs={"svg": svg})
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    try:
        return document[0].render(scale=10).to_pil().convert("L")
    finally:
        document.close()


def test_the_printed_barcode_is_read_and_fits_in_sixty_millimetres():
    svg = code128.svg(GOOD.digits)
    assert 'width="58.52mm" height="10.00mm"' in svg
    (found,) = zxingcpp.read_barcodes(render(svg), formats=zxingcpp.BarcodeFormat.Code128)
    assert found.text.replace("(91)", "91", 1) == GOOD.digits
    assert GOOD.printed.replace("-", "") == f"(91){GOOD.digits[2:]}"


def test_odd_or_foreign_digits_are_not_drawn():
    for bad in ("123", "12a4", "１２"):
        with pytest.raises(WrongUse):
            code128.values(bad)


def test_the_two_ocr_bands_of_the_reference():
    assert ocr_bands.upper(amount_yen=12_300, biller_number="13800", tax_item="001") == UPPER
    lower = ocr_bands.lower(payment_number="12345".zfill(20), confirmation_number="654321", agency_code="99999")
    assert lower == LOWER
    assert ocr_bands.read_band(UPPER)["払込金額"] == "00000012300"
    assert ocr_bands.read_band(LOWER)["確認番号"] == "654321"


@pytest.mark.parametrize("band", [UPPER, LOWER])
def test_a_wrong_digit_of_a_band_is_refused(band):
    for at in range(len(band)):
        changed = band[:at] + str((int(band[at]) + 1) % 10) + band[at + 1 :]
        with pytest.raises(RefusedInput, match="検査数字"):
            ocr_bands.read_band(changed)


def test_bands_refuse_widths_that_do_not_fit():
    with pytest.raises(RefusedInput, match="払込金額"):
        ocr_bands.upper(amount_yen=10**11, biller_number="13800", tax_item="001")
    with pytest.raises(RefusedInput, match="確認番号の桁"):
        ocr_bands.lower(payment_number="0" * 20, confirmation_number="1234567", agency_code="99999")
    with pytest.raises(RefusedInput, match="桁が合いません"):
        ocr_bands.read_band(UPPER[:-1])


CODE = el_qr.ElQr(UPPER, LOWER, 2026, 2026, 1, date(2026, 6, 30), date(2026, 7, 31))


def test_the_el_qr_string_of_the_reference():
    assert el_qr.crc16("123456789") == 10673
    assert len(EL_QR) == 255
    assert CODE.text == EL_QR
    assert el_qr.read(EL_QR) == CODE
    assert CODE.amount_yen == 12_300


def test_any_wrong_character_of_the_el_qr_is_refused():
    for at in range(255):
        with pytest.raises(RefusedInput):
            el_qr.read(EL_QR[:at] + str((int(EL_QR[at]) + 1) % 10) + EL_QR[at + 1 :])


def test_an_el_qr_whose_amount_differs_from_its_band_is_refused():
    body = EL_QR[:-5].replace("541100000012300", "541100000012301")
    with pytest.raises(RefusedInput, match="取引金額"):
        el_qr.read(body + f"{el_qr.crc16(body):05d}")


def test_the_el_qr_picture_is_read():
    made = segno.make_qr(CODE.text, error="m", boost_error=False)
    buffer = io.BytesIO()
    made.save(buffer, kind="png", scale=4)
    (found,) = zxingcpp.read_barcodes(Image.open(buffer))
    assert found.text == EL_QR
    assert CODE.svg().startswith("<svg")


KEY = payment_slip.InquiryKey("13800", "12345", "654321", "001")
SLIP = payment_slip.PaymentSlip(
    amount_yen=12_300,
    levy_year=2026,
    fiscal_year=2026,
    term=1,
    due_on=date(2026, 6, 30),
    payable_until=date(2026, 7, 31),
    maker_code="999999",
    free_space=GOOD.free_space,
    inquiry_key=KEY,
    agency_code="99999",
)


def changed(**changes):
    return payment_slip.PaymentSlip(**({name: getattr(SLIP, name) for name in SLIP.__dataclass_fields__} | changes))


def test_a_slip_carries_all_its_codes():
    codes = payment_slip.codes(SLIP, today=TODAY)
    assert (codes.barcode, codes.ocr_upper, codes.ocr_lower, codes.el_qr) == (GOOD.digits, UPPER, LOWER, EL_QR)
    assert [name for name, _ in codes.inquiry_key] == ["収納機関番号", "納付番号", "確認番号", "納付区分"]
    assert codes.refusals == {}


def test_a_slip_too_large_for_a_store_can_still_be_paid_elsewhere():
    codes = payment_slip.codes(changed(amount_yen=300_001), today=TODAY)
    assert codes.barcode == codes.barcode_svg == ""
    assert "上限" in codes.refusals["バーコード"][0]
    assert el_qr.read(codes.el_qr).amount_yen == 300_001


def test_a_ward_fee_has_no_el_qr_and_a_long_class_no_band():
    key = payment_slip.InquiryKey("99999", "12345", "654321", "0000000001")
    codes = payment_slip.codes(changed(inquiry_key=key), today=TODAY)
    assert set(codes.refusals) == {"OCR", "eL-QR"}
    assert (codes.ocr_upper, codes.el_qr) == ("", "")
    assert codes.barcode == GOOD.digits


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"amount_yen": 0}, "金額がありません"), ({"payable_until": date(2026, 6, 29)}, "納期限より前")],
)
def test_a_slip_that_makes_no_sense_is_refused(changes, says):
    with pytest.raises(RefusedInput, match=says):
        payment_slip.codes(changed(**changes), today=TODAY)


@pytest.mark.parametrize(
    "parts",
    [
        ("1380", "1", "654321", "1"),
        ("13800", "", "654321", "1"),
        ("13800", "1" * 21, "654321", "1"),
        ("13800", "1", "123", "1"),
        ("13800", "1", "1234567", "1"),
        ("13800", "1", "654321", "1" * 11),
    ],
)
def test_inquiry_keys_of_the_wrong_width_are_refused_without_their_numbers(parts):
    with pytest.raises(RefusedInput, match="桁が合いません"):
        payment_slip.InquiryKey(*parts)
    assert "12345" not in repr(KEY)
