"""ほかの課の通知と納付書の紙: 全部の符号が紙から読め、文字の行が元の値に戻り、刷れないものは止まる（種文書 001）。"""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from benefit.domain.errors import RefusedByRule, RefusedInput, WrongUse
from benefit.records import barcodes, customer_barcode, el_qr, notice_data, ocr_bands
from benefit.records.slip_issuer import SlipIssuer
from letters import geometry, notices, sheet_code

KEY = b"k" * 32
ISSUED = date(2026, 7, 10)
DPI = 400
MM = 25.4 / 72
HEAD = ",".join(field.label for field in notice_data.NOTICE_DATA.fields)
#: 刷れる三行（普通、30 万円を超える、字の多い人）と、止まる三行（私用領域の字、期限切れ、長すぎる氏名）。
WHO = (
    "000000000123,1690075,みどり区高田３丁目１２番４号,コーポさくら２０３,見本　太郎",
    "000000000124,1600022,みどり区新町１丁目２番３号,,見本　花子",
    "000000000125,1600000,みどり区,,ヴァレンチナ　マリア　アレクサンドロヴナ　コンスタン",
)
GOOD = (
    f"{WHO[0]},011,2026,01,12300,0,20260630,20260731,0,20260110000000000123,654321",
    f"{WHO[1]},011,2026,02,295000,6200,20260630,20260731,1,20260110000000000124,123456",
    f"{WHO[2]},012,2025,00,1000,300,20260630,20270131,2,20260110000000000125,000001",
)
HELD = (
    "000000000201,1600022,みどり区新町1丁目,,見本　\ue000子,011,2026,01,100,0,20260630,20260731,0,1,1234",
    "000000000202,1600022,みどり区新町1丁目,,見本　次郎,011,2026,01,100,0,20260630,20260701,0,2,1234",
    f"000000000203,1600022,みどり区新町1丁目,,{'長い名' * 12},011,2026,01,100,0,20260630,20260731,0,3,1234",
)


def issuer(**changes: Any) -> SlipIssuer:
    text = (Path("benefit") / "slip_issuers" / "insurance.toml").read_text(encoding="utf-8")
    return dataclasses.replace(SlipIssuer.parse(text, file="insurance.toml"), **changes)


def rows(*lines: str) -> pl.DataFrame:
    return notice_data.read("\r\n".join([HEAD, *lines, ""]).encode(), file="tsuchi.csv")


def make(out: Path, *lines: str, kind: str = "督促状", **changes: Any) -> notices.NoticeReport:
    return notices.make(
        rows(*lines), notices.kind_of(kind), issuer(**changes), out=out, issued_on=ISSUED, key=KEY, file="tsuchi.csv"
    )


@dataclasses.dataclass(frozen=True)
class Sheet:
    """紙から読み返した一頁。"""

    text: str
    codes: dict[str, str]
    picture: Image.Image
    seen: str


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, notices.NoticeReport, list[Sheet]]:
    """地方税の納付書として組んだ六行（三行が止まる）を、画像と文字から読み返したもの。郵便番号の順。"""
    out = tmp_path_factory.mktemp("notices") / "out"
    report = make(out, *GOOD, *HELD, biller_number=el_qr.EL_BILLER)
    document = pypdfium2.PdfDocument((out / "dunning-0001.pdf").read_bytes())
    sheets = []
    for page in document:
        text = page.get_textpage()
        picture = page.render(scale=DPI / 72).to_pil().convert("L")
        found = zxingcpp.read_barcodes(picture)
        window = geometry.EVER_SEEN
        height = page.get_height()
        sheets.append(
            Sheet(
                text.get_text_range().replace("\r\n", "\n"),
                {
                    f"{one.format.name}{'-gs1' if one.text.startswith(('91', '(91)')) else ''}": one.text
                    for one in found
                },
                picture,
                text.get_text_bounded(0, height - window.bottom / MM, window.right / MM, height),
            )
        )
        text.close()
        page.close()
    document.close()
    return out, report, sheets


def test_the_store_barcode_is_read_back_from_the_page_or_its_refusal_is_printed(printed) -> None:
    """コンビニのバーコードは紙から元の額・期限・番号に戻る。払えない納付書には線がなく、わけが刷ってある。"""
    _out, report, (over, foreign, plain) = _by_postal(printed)
    digits = _gs1(plain)
    read = barcodes.read_barcode(digits)
    assert (read.maker_code, read.free_space) == ("999999", "2026" + "011" + "01" + "000000000123")
    assert (read.amount_yen, read.pay_by, read.reissue, read.stamp) == (12_300, date(2026, 7, 31), 0, False)
    assert read.printed.replace("-", "") in plain.text.replace("-", "").replace("\n", "").replace(" ", "")
    assert barcodes.read_barcode(_gs1(foreign)).amount_yen == 1_300
    assert not [text for name, text in over.codes.items() if "gs1" in name]
    assert "一枚の上限 300,000 円を超えています" in over.text.replace("\n", "")
    assert "コンビニエンスストアでは納付できません" in over.text.replace("\n", "")
    assert "コンビニエンスストアへお持ちください" not in over.text
    assert report.no_store == 1


def _by_postal(printed) -> tuple[Path, notices.NoticeReport, tuple[Sheet, Sheet, Sheet]]:
    out, report, sheets = printed
    foreign, over, plain = sheets
    return out, report, (over, foreign, plain)


def _gs1(sheet: Sheet) -> str:
    (text,) = [text for name, text in sheet.codes.items() if "gs1" in name]
    return "".join(each for each in text if each.isdigit())


def test_the_ocr_bands_and_the_inquiry_key_are_read_back_as_text(printed) -> None:
    """OCR の二行は検査数字が合い、額と納付番号に戻る。ペイジーの四つの番号が読める。"""
    _out, _report, (over, foreign, plain) = _by_postal(printed)
    for sheet, yen, number, key in (
        (plain, 12_300, "20260110000000000123", "654321"),
        (over, 301_200, "20260110000000000124", "123456"),
        (foreign, 1_300, "20260110000000000125", "000001"),
    ):
        text = "".join(sheet.text.split())
        upper, lower = _bands(text)
        assert int(ocr_bands.read_band(upper)["払込金額"]) == yen
        assert ocr_bands.read_band(lower)["案件特定キー"] == number
        assert ocr_bands.read_band(lower)["確認番号"] == key
        assert all(part in text for part in ("13800", number, key, f"{yen:,}円"))


def _bands(text: str) -> tuple[str, str]:
    """続く 83 桁（39 + 44）で、どちらの検査数字も合うもの。"""
    for at in range(len(text) - 82):
        piece = text[at : at + 83]
        if piece.isascii() and piece.isdigit():
            try:
                ocr_bands.read_band(piece[:39]), ocr_bands.read_band(piece[39:])
            except RefusedInput:
                continue
            return piece[:39], piece[39:]
    raise AssertionError("OCR の二行がない")


def test_the_tax_qr_is_read_back(printed) -> None:
    """地方税の納付書の QR は 255 桁で、額と期限に戻る。"""
    _out, _report, (over, _foreign, plain) = _by_postal(printed)
    for sheet, yen in ((plain, 12_300), (over, 301_200)):
        code = el_qr.read(sheet.codes["QRCode"])
        assert (code.amount_yen, code.due_on) == (yen, date(2026, 6, 30))


def test_the_sheet_code_names_the_line_of_the_file(printed) -> None:
    """封入の符号は、画像と文字のどちらからも読め、符号一覧の行と一致する。"""
    out, _report, sheets = printed
    listed = pl.read_csv(out / "sheets.csv", schema_overrides={"封入の符号": pl.String})
    for page, (sheet, row) in enumerate(zip(sheets, listed.iter_rows(named=True), strict=True), start=1):
        (digits,) = [text for name, text in sheet.codes.items() if name == "Code128" and len(text) == 24]
        code = sheet_code.read(KEY, digits)
        assert (row["頁"], row["封入の符号"]) == (page, digits)
        assert int(code.case_number[5:]) == row["行"]
        assert (code.kind_number, code.sheet, code.sheets) == (23, 1, 1)
        assert code.text in sheet.text


def test_the_customer_barcode_is_read_back_from_the_picture(printed) -> None:
    """窓の下の線は、画像から 67 本の形に読め、郵便番号と住所表示番号に戻る。町域のない番号には刷らない。"""
    _out, _report, (over, foreign, plain) = _by_postal(printed)
    assert customer_barcode.read_words(customer_barcode.read_bars(_bars(plain.picture))) == ("1690075", "3-12-4-203")
    assert customer_barcode.read_words(customer_barcode.read_bars(_bars(over.picture))) == ("1600022", "1-2-3")
    place = geometry.BARCODE
    box = [int(edge * DPI / 25.4) for edge in (place.x, place.y, place.right, place.bottom)]
    assert foreign.picture.crop(tuple(box)).getextrema()[0] > 200


def _bars(picture: Image.Image) -> str:
    """線の真ん中の列を見て、上・中・下の三つの高さが黒いかで形を決める。"""
    place, scale = geometry.BARCODE, DPI / 25.4
    unit = place.width / 133
    shapes = {(True, True, True): "L", (True, True, False): "U", (False, True, True): "D", (False, True, False): "T"}
    found = []
    for bar in range(67):
        x = int((place.x + (bar * 2 + 0.5) * unit) * scale)
        dark = [
            picture.getpixel((x, int((place.y + place.height * part) * scale))) < 128 for part in (1 / 6, 1 / 2, 5 / 6)
        ]
        found.append(shapes[tuple(dark)])
    return "".join(found)


def test_only_the_address_shows_through_the_window(printed) -> None:
    """窓から見えうる所には、宛名のほかの字がない（額も、科目も、督促状の語もない）。"""
    _out, _report, (_over, _foreign, plain) = _by_postal(printed)
    seen = "".join(plain.seen.split())
    assert seen == "〒169-0075みどり区高田３丁目１２番４号コーポさくら２０３見本太郎様"


def test_what_must_not_be_printed_is_held_and_counted(printed) -> None:
    """刷れない字・期限切れ・長すぎる氏名は、行と項目と字の番号を言って止まる。人の名は一覧に入らない。"""
    out, report, sheets = printed
    assert (report.read, report.printed, report.held) == (6, 3, 3)
    assert len(sheets) == 3
    held = pl.read_csv(out / "held.csv")
    assert [(row["行"], row["項目"], row["理由"], row["文字"]) for row in held.iter_rows(named=True)] == [
        (5, "氏名", "字形なし", "U+E000"),
        (6, "支払期限", notices.EXPIRED, ""),
        (7, "氏名", "枠に入らない", ""),
    ]
    assert "見本" not in (out / "held.csv").read_text(encoding="utf-8")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["読込"] == manifest["印刷"] + manifest["保留"] == 6


def test_the_same_data_gives_the_same_bytes_and_other_data_is_refused(printed, tmp_path: Path) -> None:
    """同じ元からは同じバイト列。同じフォルダに別の元では作らない。変えられた組は見つかる。"""
    out, report, _sheets = printed
    again = make(tmp_path / "two", *GOOD, *HELD, biller_number=el_qr.EL_BILLER)
    assert again == report
    for file in sorted(out.iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name
    assert make(tmp_path / "two", *GOOD, *HELD, biller_number=el_qr.EL_BILLER).already
    with pytest.raises(RefusedByRule, match="別の通知の組"):
        make(tmp_path / "two", GOOD[0], biller_number=el_qr.EL_BILLER)
    (tmp_path / "two" / "held.csv").write_text("", encoding="utf-8")
    with pytest.raises(RefusedByRule, match=r"held\.csv"):
        make(tmp_path / "two", *GOOD, *HELD, biller_number=el_qr.EL_BILLER)


@pytest.mark.parametrize(("kind", "says"), [("納入通知書", "審査請求"), ("納付書", "納め過ぎ"), ("催告書", "差押え")])
def test_each_kind_has_its_own_words(kind: str, says: str, tmp_path: Path) -> None:
    """四つの種類は、題と文だけが違う。国民健康保険料の納付書（地方税でない）には QR がない。"""
    make(tmp_path / "out", GOOD[0], kind=kind)
    (file,) = (tmp_path / "out").glob("*.pdf")
    document = pypdfium2.PdfDocument(file.read_bytes())
    text = "".join(document[0].get_textpage().get_text_range().split())
    document.close()
    assert says in text
    assert kind in text
    assert "統一QR" not in text


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (GOOD[0].replace("1690075", "169007"), "2 行目「郵便番号"),
        (GOOD[0].replace(",12300,0,", ",12300円,0,"), "2 行目「金額"),
        (GOOD[0].replace(",12300,0,", ",0,0,"), "2 行目「金額」"),
        (GOOD[0].replace("20260731", "20260601"), "2 行目「支払期限」"),
        (GOOD[0].replace("20260731", "20260732"), "2 行目「支払期限"),
        (GOOD[0].replace(",654321", ",65432x"), "2 行目「確認番号」"),
        (GOOD[0].replace(",654321", ""), "2 行目: 列の数"),
        (f"{GOOD[1]}\r\n{GOOD[1]}", "3 行目「通知書番号」"),
        (GOOD[0].replace(",011,", ",099,"), "2 行目「科目コード」"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_made(line: str, place: str, tmp_path: Path) -> None:
    """形の違う行は、行と項目を言ってファイルごと断る。値（氏名・番号）は断りに出ない。"""
    with pytest.raises(RefusedInput) as refused:
        make(tmp_path / "out", line)
    assert place in str(refused.value)
    assert "見本" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_both_encodings_are_read_and_a_rare_character_needs_utf8(tmp_path: Path) -> None:
    """CP932 でも UTF-8 でも同じ行になる。CP932 にない字（𠮷）も UTF-8 なら運べて、紙に載る。"""
    text = "\r\n".join([HEAD, GOOD[0], ""])
    assert notice_data.read(text.encode("cp932")).equals(notice_data.read(text.encode("utf-8-sig")))
    make(tmp_path / "out", GOOD[0].replace("見本　太郎", "𠮷田　太郎"))
    document = pypdfium2.PdfDocument((tmp_path / "out" / "dunning-0001.pdf").read_bytes())
    assert document[0].get_textpage().get_text_range().count("𠮷田　太郎　様") >= 3
    document.close()


def test_the_sample_is_readable() -> None:
    """見本は、自分の様式で読める。"""
    assert notice_data.read(notice_data.sample().encode("cp932")).height == 2


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('maker_code = "12345"', "maker_code"),
        ('maker_code = "123456"\nmore = "x"', "more"),
        ('limit_yen = 300001\nmaker_code = "999999"', "limit_yen"),
        ('maker_code = "999999', "TOML"),
    ],
)
def test_an_issuer_file_with_a_slip_is_refused_by_name(wrong: str, says: str) -> None:
    """課のファイルの書き間違いは、項目の名を言って断る。"""
    text = (Path("benefit") / "slip_issuers" / "insurance.toml").read_text(encoding="utf-8")
    with pytest.raises(RefusedInput, match=says):
        SlipIssuer.parse(text.replace('maker_code = "999999"', wrong), file="kokuho.toml")


def test_an_unknown_kind_is_refused() -> None:
    """知らない種類は、許されるものを言う。"""
    with pytest.raises(WrongUse, match="督促状"):
        notices.kind_of("お礼状")


def test_the_workers_make_the_same_lots_in_the_same_order(printed, tmp_path: Path) -> None:
    """組が多いときに働き手が組んでも、一通ずつ組んだものと同じ順・同じ符号になる。"""
    _out, _report, sheets = printed
    report = notices.make(
        rows(*GOOD), notices.kind_of("督促状"), issuer(biller_number=el_qr.EL_BILLER),
        out=tmp_path / "out", issued_on=ISSUED, key=KEY, lot_size=1,
    )  # fmt: skip
    assert report.lots == ("dunning-0001.pdf", "dunning-0002.pdf", "dunning-0003.pdf")
    for file, sheet in zip(report.lots, sheets, strict=True):
        document = pypdfium2.PdfDocument((tmp_path / "out" / file).read_bytes())
        text = document[0].get_textpage().get_text_range()
        document.close()
        assert _bands("".join(text.split())) == _bands("".join(sheet.text.split()))
