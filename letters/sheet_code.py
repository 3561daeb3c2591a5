"""封入の符号: 一枚一枚の紙に、どの手紙の何枚目かと、それを確かめる数字を載せる。

24 桁の数字だけで、順に: 給付管理番号 11、枝番 2、種類の番号 2、何枚目 1、何枚か 1、版 3、検査 4。
数字だけなのは、Code 128 の CODE-C で一番細く刷れるからである。検査は区の鍵による HMAC なので、番号を一つ
ずらした符号や、ほかの区の紙の符号は、10,000 に一つしか通らない。印刷所は鍵を持たない（読めても作れない）。
版は割付と言葉の指紋で、古い版の紙が混ざったことに気づくためにある。
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from benefit.domain.errors import RefusedInput, WrongUse

#: 鍵の名（home.key）。
KEY = "sheet-code"
DIGITS = 24
_CHECK_DIGITS = 4
_SHAPE = re.compile(r"(\d{11})(\d{2})(\d{2})(\d)(\d)(\d{3})(\d{4})", re.ASCII)


def layout_number(digest: str) -> int:
    """版の 3 桁: 割付と言葉の指紋（16 進）から。"""
    return int(digest[:15], 16) % 1000


@dataclass(frozen=True)
class SheetCode:
    """一枚の紙の符号。`kind_number` は手紙の番号の数（L2 なら 2）、`layout` は版。"""

    case_number: str
    branch: int
    kind_number: int
    sheet: int
    sheets: int
    layout: int
    check: str

    @staticmethod
    def of(
        key: bytes, case_number: str, branch: int, kind_number: int, sheet: int, sheets: int, layout: int
    ) -> SheetCode:
        """検査の数字を付けて作る。範囲の外の値は WrongUse。"""
        body = _body(case_number, branch, kind_number, sheet, sheets, layout)
        return SheetCode(case_number, branch, kind_number, sheet, sheets, layout, _check(key, body))

    @property
    def digits(self) -> str:
        """Code 128 に載せる 24 桁。"""
        body = _body(self.case_number, self.branch, self.kind_number, self.sheet, self.sheets, self.layout)
        return body + self.check

    @property
    def text(self) -> str:
        """人の読む形: 「12345678901-00 L02 1/2 版123 検4567」。"""
        return plain_text(self.digits)


def _body(case_number: str, branch: int, kind_number: int, sheet: int, sheets: int, layout: int) -> str:
    if len(case_number) != 11 or not (case_number.isascii() and case_number.isdigit()):
        raise WrongUse("給付管理番号の形が違います", code="sheet-code", allowed="11 桁の数字")
    if not 1 <= sheet <= sheets <= 9:
        raise WrongUse("枚数が違います", code="sheet-code", found=f"{sheet}/{sheets}", allowed="1/1 から 9/9")
    for name, value, most in (("枝番", branch, 99), ("種類の番号", kind_number, 99), ("版", layout, 999)):
        if not 0 <= value <= most:
            raise WrongUse(f"封入の符号の{name}が桁に入りません", code="sheet-code", allowed=f"0 から {most}")
    return f"{case_number}{branch:02d}{kind_number:02d}{sheet}{sheets}{layout:03d}"


def _check(key: bytes, body: str) -> str:
    digest = hmac.digest(key, body.encode(), hashlib.sha256)
    return f"{int.from_bytes(digest[:8], 'big') % 10**_CHECK_DIGITS:0{_CHECK_DIGITS}d}"


def read(key: bytes, digits: str) -> SheetCode:
    """読み取った 24 桁をほどく。形か検査が合わなければ `RefusedInput`（断りに番号は入れない）。"""
    found = _SHAPE.fullmatch(digits)
    if found is None:
        raise RefusedInput(
            "封入の符号の形が違います", code="sheet-code", found=f"{len(digits)} 文字", allowed=f"{DIGITS} 桁の数字"
        )
    case_number, *numbers, check = found.groups()
    branch, kind_number, sheet, sheets, layout = map(int, numbers)
    if not 1 <= sheet <= sheets:
        raise RefusedInput("封入の符号の枚数が違います", code="sheet-code", found=f"{sheet}/{sheets}")
    if not hmac.compare_digest(check, _check(key, digits[:-_CHECK_DIGITS])):
        raise RefusedInput("封入の符号の検査が合いません", code="sheet-code-check")
    return SheetCode(case_number, branch, kind_number, sheet, sheets, layout, check)


def plain_text(digits: str) -> str:
    """24 桁を、人の読む形に（検査は見ない。鍵のない所で刷るとき）。"""
    found = _SHAPE.fullmatch(digits)
    if found is None:
        raise WrongUse("封入の符号の形が違います", code="sheet-code", allowed=f"{DIGITS} 桁の数字")
    number, branch, kind, sheet, sheets, layout, check = found.groups()
    return f"{number}-{branch} L{kind} {sheet}/{sheets} 版{layout} 検{check}"


_TEXT = re.compile(r"(\d{11})-(\d{2}) L(\d{2}) (\d)/(\d) 版(\d{3}) 検(\d{4})", re.ASCII)


def read_text(key: bytes, text: str) -> SheetCode:
    """人の読む形から（頁を文字として読み返すとき）。形か検査が合わなければ `RefusedInput`。"""
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise RefusedInput("封入の符号の形が違います", code="sheet-code", found=f"{len(text)} 文字")
    return read(key, "".join(found.groups()))
