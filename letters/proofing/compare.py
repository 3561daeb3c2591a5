"""読み返した頁と、台帳の言うことを、一項目ずつ比べる。氏名は異体字も一字ずつ。"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benefit.domain.errors import BenefitError
from benefit.domain.letter import LETTER_KINDS
from benefit.domain.wareki import wareki
from letters import codes, sheet_code
from letters.address import HONORIFIC, postal_mark
from letters.proofing.ledger import AmountExpected, Expected
from letters.proofing.reading import PageRead

NUMBER, OTHERS, ORDER = "給付管理番号", "ほかの人の番号", "頁の順"
SHEET, NAME, PAYEE, POSTAL, ADDRESS = "封入の符号", "氏名", "受給者の氏名", "郵便番号", "住所"
BENEFIT, AMOUNT, ACCOUNT, DUE, ISSUED, HIDDEN = "給付の名", "支給予定額", "口座", "期限", "発行日", "載せない言葉"
QR, CODE_128, SHEET_BARS, CUSTOMER = "QR", "番号のバーコード", "封入のバーコード", "カスタマバーコード"
#: 比べる項目。
FIELDS = (
    NUMBER, OTHERS, SHEET, POSTAL, ADDRESS, NAME, PAYEE, BENEFIT, AMOUNT, ACCOUNT, DUE, ISSUED, HIDDEN,
    QR, CODE_128, SHEET_BARS, CUSTOMER,
)  # fmt: skip


@dataclass(frozen=True)
class Mismatch:
    """食い違い一つ。`found` は台帳の番号か符号位置までで、氏名や住所は入れない。"""

    file: str
    page: int
    case_number: str
    field: str
    found: str = ""


class Comparing:
    """一つの組を比べる間の、ファイル名、鍵、番号の頁。"""

    def __init__(self, file: str, letters: Sequence[Expected], key: bytes) -> None:
        self.file, self.letters, self.key = file, letters, key
        self.pages_of = {each.case_number: index + 1 for index, each in enumerate(letters)}

    def page(self, read: PageRead, letter: Expected, sheet: int) -> Iterator[Mismatch]:
        """一頁の食い違いのすべて。"""
        flat = read.text.replace("\n", "")
        yield from self._numbers(read, letter)
        yield from self._sheet(read, letter, sheet)
        yield from self._address(read, letter)
        for field, wanted in (
            (BENEFIT, letter.benefit),
            (DUE, wareki(letter.due_on)),
            (ISSUED, wareki(letter.issued_on)),
        ):
            if wanted not in flat:
                yield self._wrong(read, letter, field)
        # 見出しの後か、一行の初めから（直に組んだ紙と台紙に刷った紙で違う）「様」まで、一字ずつ。
        payee = letter.payee_name + HONORIFIC
        if letter.payee_name and not any(f" {line}".endswith(f" {payee}") for line in read.text.split("\n")):
            yield self._wrong(read, letter, PAYEE)
        amounts = {f"{letter.amount_yen:,}円"} if letter.amount_yen is not None else set()
        if set(read.yen) != amounts:
            yield self._wrong(read, letter, AMOUNT, "、".join(sorted(read.yen)) or "なし")
        digits = {found.lstrip("*") for found in read.masked}
        if digits != ({letter.account_digits} if letter.account_digits else set()):
            yield self._wrong(read, letter, ACCOUNT)
        if any(text in flat for text in letter.hidden):
            yield self._wrong(read, letter, HIDDEN)
        if read.codes is not None:
            yield from self._codes(read, letter)

    def _numbers(self, read: PageRead, letter: Expected) -> Iterator[Mismatch]:
        if letter.case_number not in read.numbers:
            yield self._wrong(read, letter, NUMBER, "、".join(sorted(set(read.numbers))) or "なし")
        for number in sorted(set(read.numbers) - {letter.case_number}):
            at = self.pages_of.get(number)
            yield self._wrong(read, letter, OTHERS, number + (f"（{at} 通目の手紙の番号）" if at else ""))

    def _sheet(self, read: PageRead, letter: Expected, sheet: int) -> Iterator[Mismatch]:
        if len(read.sheets) != 1:
            yield self._wrong(read, letter, SHEET, f"{len(read.sheets)} 個")
            return
        try:
            code = sheet_code.read_text(self.key, read.sheets[0])
        except BenefitError:
            yield self._wrong(read, letter, SHEET, "検査が合わない")
            return
        kind = int(LETTER_KINDS[letter.kind].number.removeprefix("L"))
        found = (code.case_number, code.branch, code.kind_number, code.sheet)
        if found != (letter.case_number, letter.branch, kind, sheet):
            yield self._wrong(read, letter, SHEET, code.text)

    def _address(self, read: PageRead, letter: Expected) -> Iterator[Mismatch]:
        """宛名の場所の字: 郵便番号、住所、方書、氏名と様。折り返しの所の半角の空白だけは問わない。"""
        lines = read.address.split("\n")
        if lines[0] != postal_mark(letter.postal_code):
            yield self._wrong(read, letter, POSTAL)
        rest = "\n".join(lines[1:])
        whole = letter.address + letter.address2 + letter.name + HONORIFIC
        at = _differs(rest, whole)
        if at is not None:
            field = NAME if at >= len(letter.address) + len(letter.address2) else ADDRESS
            points = f"U+{ord(whole[at]):04X}" if at < len(whole) else "余る字"
            yield self._wrong(read, letter, field, f"{at + 1} 字目 {points}")

    def _codes(self, read: PageRead, letter: Expected) -> Iterator[Mismatch]:
        found = read.codes or ()
        qr = {text for kind, text in found if kind == "QRCode"}
        if qr != {letter.case_number}:
            yield self._wrong(read, letter, QR, "読めない" if not qr else "違う番号")
        bars = {text for kind, text in found if kind == "Code128"}
        # 読み取り器は、線の途中から読んだ偽の符号を添えることがある。区の鍵の検査が合うものだけを数える。
        sheet = {text for text in bars if len(text) == sheet_code.DIGITS and self._ours(text)}
        if sheet != {"".join(filter(str.isdigit, text)) for text in read.sheets}:
            yield self._wrong(read, letter, SHEET_BARS, "読めない" if not sheet else "違う符号")
        if {text for text in bars if len(text) == len(letter.case_number)} - {letter.case_number}:
            yield self._wrong(read, letter, CODE_128, "違う番号")
        wanted = codes.address_bars(letter.postal_code, letter.address, letter.address2)
        if read.customer not in {wanted, ""}:
            yield self._wrong(read, letter, CUSTOMER, "違う宛先")

    def _ours(self, digits: str) -> bool:
        try:
            sheet_code.read(self.key, digits)
        except BenefitError:
            return False
        return True

    def _wrong(self, read: PageRead, letter: Expected, field: str, found: str = "") -> Mismatch:
        return Mismatch(self.file, read.page, letter.case_number, field, found)


def amount_mismatches(read: PageRead, page: AmountExpected) -> list[str]:
    """額の頁の、食い違う項目。"""
    flat = read.text.replace("\n", "")
    digits = {"".join(filter(str.isdigit, text)) for text in read.sheets}
    checks = (
        (NUMBER, set(read.numbers) == {page.case_number}),
        (SHEET, digits == {page.code} and page.code[15:17] == "22"),
        (AMOUNT, set(read.yen) == {f"{page.amount_yen:,}円"}),
        (NAME, page.name + HONORIFIC in flat),
        ("子の氏名", page.child_name in flat),
    )
    return [field for field, right in checks if not right]


def _differs(got: str, wanted: str) -> int | None:
    """初めて違う字の位置（wanted の中）。折り返し（改行）の所では、半角の空白が落ちていてもよい。"""
    at = 0
    for character in got:
        if character == "\n":
            while at < len(wanted) and wanted[at] == " ":
                at += 1
            continue
        if at >= len(wanted) or wanted[at] != character:
            return at
        at += 1
    return None if at == len(wanted) else at
