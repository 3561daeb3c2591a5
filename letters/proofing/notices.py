"""お知らせ（L6・L7・L9・L14）の読み返し: 紙に何が刷ってあるはずかを台帳から読み直し、一通ずつ比べる。

組んだ道（services.notices_due、letters.notice_run）は通らない。圧着はがきは表と裏の二頁で一通である。
宛名の場所は、A4 では窓の中、はがきでは宛名の面（letters/postcard.py）を見る。
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.errors import BenefitError
from benefit.domain.letter import AWARD_NOTICE, DUNNING_LETTER, LETTER_KINDS, REFUSAL_NOTICE
from benefit.domain.programme import Programme
from benefit.domain.wareki import wareki
from benefit.services import extracts
from benefit.services.failure_facts import day_of
from benefit.services.home import Home
from benefit.services.mailing_lots import LotState
from benefit.services.notices_due import FAILURE_REASONS, OTHER_FAILURE, REFUSAL_REASONS
from benefit.services.notices_made import base
from benefit.services.repayments import slip_number
from benefit.store import ward
from benefit.store.engine import reading
from letters import codes, postcard, sheet_code
from letters.address import HONORIFIC, postal_mark
from letters.geometry import Rectangle
from letters.proofing.compare import (
    ACCOUNT,
    AMOUNT,
    CUSTOMER,
    HIDDEN,
    NUMBER,
    OTHERS,
    QR,
    SHEET,
    SHEET_BARS,
    Mismatch,
)
from letters.proofing.ledger import people_of
from letters.proofing.reading import POINTS_PER_MM, PageRead, bars, read_pages

CONTENT = "紙の事柄"
ADDRESSEE = "宛名"


@dataclass(frozen=True)
class NoticeExpected:
    """一通に刷ってあるはずのこと。says: どこかの頁にあるはずの文。whole: 郵便番号から「様」まで、空白を除いたもの。"""

    case_number: str
    branch: int
    kind: str
    whole: str
    bars: str
    says: tuple[str, ...]
    yen: frozenset[str]
    digits: frozenset[str]
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class NoticeRead:
    """読み返した一通。codes は絵を読んだときだけ。"""

    first_page: int
    address: str
    pages: tuple[PageRead, ...]
    codes: frozenset[tuple[str, str]] | None
    customer: str | None


def expected_notices(home: Home, programme: Programme, lot: LotState) -> list[NoticeExpected]:
    """この組の、抜かれていない手紙（頁の順）。"""
    letter, entitlement, pull = ward.letter, ward.entitlement, ward.letter_pull
    query = (
        select(letter, entitlement)
        .join(entitlement, entitlement.c.id == letter.c.entitlement_id)
        .outerjoin(pull, pull.c.letter_id == letter.c.id)
        .where(letter.c.lot_id == lot.first_id, pull.c.letter_id.is_(None))
        .order_by(letter.c.id)
        .with_only_columns(
            letter.c.entitlement_id,
            letter.c.branch,
            letter.c.kind,
            letter.c.occasion,
            letter.c.account_flag,
            letter.c.issued_on,
            letter.c.due_on,
            entitlement.c.case_number,
            entitlement.c.benefit,
            entitlement.c.payee_number,
        )
    )
    inside = lot.place == "ward"
    terms = programme.letters
    found = []
    with reading(home.ward) as connection:
        rows = list(connection.execute(query))
        places = _places(home, programme, [row.payee_number for row in rows])
        for row in rows:
            postal_code, address, address2, name, payee = places[row.payee_number]
            shown2 = address2 if inside or terms.print_address2_outside else ""
            facts = _facts(connection, row)
            told = (payee + HONORIFIC,) if payee else ()
            carries = inside or terms.print_amount_outside
            found.append(
                NoticeExpected(
                    row.case_number,
                    row.branch,
                    row.kind,
                    _flat(postal_mark(postal_code) + address + shown2 + name + HONORIFIC),
                    codes.address_bars(postal_code, address, shown2),
                    tuple(
                        map(_flat, (programme.benefit_names[row.benefit], wareki(row.issued_on), *facts.says, *told))
                    ),
                    frozenset({f"{facts.yen:,}円"} if facts.yen and carries else ()),
                    frozenset({facts.digits} if facts.digits else ()),
                    (_flat(address2),) if len(address2) > 1 and not shown2 and address2 not in address else (),
                )
            )
    return found


def _places(home: Home, programme: Programme, numbers: list[int]) -> dict[int, tuple[str, str, str, str, str]]:
    """人の番号 → 郵便番号、住所、方書、宛名（法定代理人がいれば、その人の名）、宛名が代理人のときの受給者の名。"""
    sources = extracts.current_sources(home, programme.levy_year)
    people = pl.DataFrame({"person_number": sorted(set(numbers))}, {"person_number": pl.Int64})
    names, guardians, places = people_of(home, programme, sources, people)
    return {
        number: (
            *places.get(number, ("", "", "")),
            guardians.get(number) or names.get(number, ""),
            names.get(number, "") if number in guardians else "",
        )
        for number in numbers
    }


@dataclass(frozen=True)
class _Facts:
    says: tuple[str, ...]
    yen: int | None = None
    digits: str = ""


def _facts(connection: Connection, row: Any) -> _Facts:
    """出来事の行から、紙にあるはずの文・額・口座の下三桁。"""
    if row.kind == AWARD_NOTICE:
        payment, line, transfer, file = ward.payment, ward.transfer_line, ward.transfer, ward.planned_file
        paid = connection.execute(
            select(payment.c.amount_yen, payment.c.account_number, transfer.c.pay_date, file.c.judged_on)
            .join(line, line.c.payment_id == payment.c.id)
            .join(transfer, transfer.c.id == line.c.transfer_id)
            .join(file, file.c.id == payment.c.planned_file_id)
            .where(payment.c.entitlement_id == row.entitlement_id, payment.c.attempt == int(base(row.occasion)))
        ).one()
        says = (wareki(paid.pay_date, weekday=True), wareki(paid.judged_on))
        return _Facts(says, paid.amount_yen, paid.account_number[-3:] if row.account_flag == "2" else "")
    if row.kind == REFUSAL_NOTICE:
        ending, approval = ward.ending, ward.ending_approval
        ended = connection.execute(
            select(ending.c.kind, approval.c.approved_at)
            .join(approval, approval.c.release_id == ending.c.id)
            .where(ending.c.id == int(base(row.occasion)))
        ).one()
        return _Facts((REFUSAL_REASONS[ended.kind], wareki(day_of(ended.approved_at))))
    if row.kind == DUNNING_LETTER:
        number = int(base(row.occasion).split("-")[0])
        claim, receipt = ward.repayment, ward.repayment_receipt
        asked = connection.execute(select(claim.c.amount_yen, claim.c.due_on).where(claim.c.id == number)).one()
        back = connection.execute(
            select(func.coalesce(func.sum(receipt.c.amount_yen), 0)).where(receipt.c.repayment_id == number)
        ).scalar_one()
        dunned = (slip_number(number), wareki(asked.due_on, weekday=True), wareki(row.due_on, weekday=True))
        return _Facts(dunned, asked.amount_yen - int(back))
    failure, line = ward.failure, ward.bank_report_line
    told = connection.execute(
        select(line.c.reason_code)
        .join(
            failure, (failure.c.bank_report_id == line.c.bank_report_id) & (failure.c.line_number == line.c.line_number)
        )
        .where(failure.c.id == int(base(row.occasion)))
    ).one()
    return _Facts((FAILURE_REASONS.get(told.reason_code, OTHER_FAILURE), wareki(row.due_on, weekday=True)))


def _flat(text: str) -> str:
    return "".join(text.split())


def read_notices(path: Path, kind: str, rasters: frozenset[int]) -> Iterator[NoticeRead]:
    """PDF の手紙を、頁の順に。`rasters` の頁（0 から）のある手紙は、符号も読む。"""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        total = len(document)
        sheet = postcard.SHEETS.get(LETTER_KINDS[kind].form)
        each = postcard.pages_of(LETTER_KINDS[kind].form)
        for start in range(0, total, each):
            stop = min(start + each, total)
            raster = bool(rasters & frozenset(range(start, stop)))
            if sheet is None:
                (page,) = read_pages(path, start, stop, frozenset({start}) if raster else frozenset())
                found = None if page.codes is None else frozenset(page.codes)
                yield NoticeRead(start + 1, page.address, (page,), found, page.customer)
            else:
                pages = tuple(read_pages(path, start, stop, frozenset()))
                yield _card(document, start, sheet, pages, raster=raster)
    finally:
        document.close()


def _card(document: Any, start: int, sheet: postcard.Sheet, pages: tuple[PageRead, ...], *, raster: bool) -> NoticeRead:
    import zxingcpp

    face = sheet.face("address")
    page = document[start + face.page - 1]
    layer = page.get_textpage()
    height = page.get_height()
    area = Rectangle(face.x, postcard.ADDRESS.y - 1, postcard.FACE_WIDTH, postcard.ADDRESS.height + 2)
    address = layer.get_text_bounded(
        area.x * POINTS_PER_MM,
        height - area.bottom * POINTS_PER_MM,
        area.right * POINTS_PER_MM,
        height - area.y * POINTS_PER_MM,
    )
    layer.close()
    page.close()
    if not raster:
        return NoticeRead(start + 1, address, pages, None, None)
    found: set[tuple[str, str]] = set()
    customer = ""
    for index in range(start, start + len(pages)):
        page = document[index]
        picture = page.render(scale=300 / 72, grayscale=True).to_pil()
        page.close()
        found |= {(code.format.name, code.text) for code in zxingcpp.read_barcodes(picture)}
        if index == start + face.page - 1:
            dots, clear = 300 / 25.4, postcard.BARCODE_CLEAR
            left, top = face.x + postcard.BARCODE.x - clear, postcard.BARCODE.y - clear
            right, bottom = face.x + postcard.BARCODE.right + clear, postcard.BARCODE.bottom + clear
            box = (int(left * dots), int(top * dots), int(right * dots), int(bottom * dots))
            customer = bars(picture.crop(box))
    return NoticeRead(start + 1, address, pages, frozenset(found), customer)


def mismatches(read: NoticeRead, letter: NoticeExpected, file: str, key: bytes) -> Iterator[Mismatch]:
    """一通の食い違いのすべて。氏名や住所は入れない。"""

    def wrong(field: str, found: str = "") -> Mismatch:
        return Mismatch(file, read.first_page, letter.case_number, field, found)

    text = _flat("".join(page.text for page in read.pages))
    numbers = {number for page in read.pages for number in page.numbers}
    if letter.case_number not in numbers:
        yield wrong(NUMBER, "、".join(sorted(numbers)) or "なし")
    # 納付番号も 11 桁なので、紙にあるはずの文にある番号は除く。
    for number in sorted(numbers - {letter.case_number} - set(letter.says)):
        yield wrong(OTHERS, number)
    yield from _sheet(read, letter, key, wrong)
    if _flat(read.address) != letter.whole:
        yield wrong(ADDRESSEE)
    for wanted in letter.says:
        if wanted not in text:
            yield wrong(CONTENT)
    if {yen for page in read.pages for yen in page.yen} != letter.yen:
        yield wrong(AMOUNT)
    if {found.lstrip("*") for page in read.pages for found in page.masked} != letter.digits:
        yield wrong(ACCOUNT)
    if any(hidden in text for hidden in letter.hidden):
        yield wrong(HIDDEN)
    if read.codes is not None:
        if {text for kind, text in read.codes if kind == "QRCode"} != {letter.case_number}:
            yield wrong(QR)
        if read.customer not in {letter.bars, ""}:
            yield wrong(CUSTOMER, "違う宛先")


def _sheet(read: NoticeRead, letter: NoticeExpected, key: bytes, wrong: Any) -> Iterator[Mismatch]:
    sheets = [sheet for page in read.pages for sheet in page.sheets]
    if len(sheets) != 1:
        yield wrong(SHEET, f"{len(sheets)} 個")
        return
    try:
        code = sheet_code.read_text(key, sheets[0])
    except BenefitError:
        yield wrong(SHEET, "検査が合わない")
        return
    kind = int(LETTER_KINDS[letter.kind].number.removeprefix("L"))
    if (code.case_number, code.branch, code.kind_number, code.sheet) != (letter.case_number, letter.branch, kind, 1):
        yield wrong(SHEET, code.text)
    bars_read = {text for name, text in read.codes or () if name == "Code128" and len(text) == sheet_code.DIGITS}
    if read.codes is not None and bars_read != {code.digits}:
        yield wrong(SHEET_BARS, "読めない" if not bars_read else "違う符号")
