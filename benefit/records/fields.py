"""項目: 様式を作る六種の部品。固定、番号（数字）、数、半角の文字、漢字を含む文字、空き。

値の検査は項目がする。断りに値を写してよいかも、項目が知っている（`sensitive`）。
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from benefit.records.forms import FORMS
from benefit.records.zengin_text import CharacterClass

#: 文字は半角の str、桁に意味のある番号は数字の str、数は int。
Value = str | int
# 見つからない値を読んだときに、断り文に写してよい長さ。
_SHOWN = 20
#: 漢字を含む文字に使えないもの: 制御文字と、Python の cp932 が文字のない単独のバイト（80・A0・FD・FE・FF）に当てる字。
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\xa0\uf8f0-\uf8f3]")
_WIDE_SAYS = "CP932（シフト JIS）で書ける字"


class Kind(StrEnum):
    """項目の種類。値は仕様書の「型」の列に出る日本語。"""

    CONST = "固定"
    DIGITS = "数字"
    NUMBER = "数"
    TEXT = "文字"
    WIDE = "漢字"
    FILLER = "空き"


@dataclass(frozen=True)
class Problem:
    """値が項目に合わないわけ。"""

    says: str
    found: str
    allowed: str


@dataclass(frozen=True)
class Field:
    """一つの項目。`const`・`digits`・`number`・`text`・`filler` で作る。

    value: 固定・空きの中身。choices: 許される値（空なら何でも）。valid: 桁のほかの決まり（例: 月日）。
    form: 桁のほかの決まりの名（`forms.FORMS`）。blank_ok: 全部が空白でもよい（値は空文字列）。
    sensitive: 画面・断り・記録に値を出さない。
    """

    name: str
    label: str
    length: int
    kind: Kind
    value: str = ""
    minimum: int = 0
    choices: tuple[str, ...] = ()
    valid: Callable[[str], bool] | None = None
    blank_ok: bool = False
    allowed: CharacterClass | None = None
    sensitive: bool = False
    note: str = ""
    form: str = ""

    @property
    def holds_value(self) -> bool:
        """値を渡す項目か（固定と空きは渡さない）。"""
        return self.kind not in {Kind.CONST, Kind.FILLER}

    def problem(self, value: Value) -> Problem | None:
        """値が項目に合わないわけ。合えば None。"""
        if self.kind is Kind.NUMBER:
            return self._number_problem(value)
        if not isinstance(value, str):
            return Problem("文字列ではありません", type(value).__name__, "文字列")
        if self.blank_ok and not value:
            return None
        if self.kind is Kind.WIDE:
            return self._wide_problem(value)
        return self._digits_problem(value) if self.kind is Kind.DIGITS else self._text_problem(value)

    def cell(self, value: Value) -> str:
        """検査の済んだ値を、項目の長さちょうどに置く。漢字は二バイトと数える。"""
        if isinstance(value, int):
            return f"{value:0{self.length}d}"
        if self.kind is Kind.WIDE:
            return value + " " * (self.length - width_of(value))
        return value.ljust(self.length)

    def well_formed(self, value: str) -> bool:
        """桁のほかの決まり（`valid` と `form`）に合うか。"""
        return (not self.valid or self.valid(value)) and (not self.form or FORMS[self.form].valid(value))

    def _number_problem(self, value: Value) -> Problem | None:
        highest = 10**self.length - 1
        # bool は int の仲間で、浮動小数は 1.0 == 1。どちらもお金に化けさせない。
        if type(value) is not int:
            return Problem("整数ではありません", type(value).__name__, "整数")
        if self.minimum <= value <= highest:
            return None
        return Problem("数が範囲の外です", self.show(str(value)), f"{self.minimum:,} から {highest:,} まで")

    def _digits_problem(self, value: str) -> Problem | None:
        if len(value) != self.length or not (value.isascii() and value.isdigit()):
            return Problem("数字の桁が合いません", self.show(value), f"{self.length} 桁の数字")
        if (self.choices and value not in self.choices) or not self.well_formed(value):
            return Problem("許されない値です", self.show(value), self._allowed_values())
        return None

    def _wide_problem(self, value: str) -> Problem | None:
        if not value:
            return Problem("空です", "空白", _WIDE_SAYS)
        try:
            width = width_of(value)
        except UnicodeEncodeError as fault:
            return Problem("使えない文字があります", self._foreign(value, fault.start), _WIDE_SAYS)
        if bad := UNWRITABLE.search(value):
            return Problem("使えない文字があります", self._foreign(value, bad.start()), _WIDE_SAYS)
        if width > self.length:
            return Problem("長すぎます", f"{width} バイト", f"{self.length} バイトまで")
        if value.endswith(" "):
            return Problem("末尾に空白があります", f"{width} バイト", "末尾に半角の空白のない文字列")
        return None

    @staticmethod
    def _foreign(value: str, at: int) -> str:
        return f"U+{ord(value[at]):04X}（{at + 1} 文字目）"

    def _text_problem(self, value: str) -> Problem | None:
        assert self.allowed is not None
        if not value:
            return Problem("空です", "空白", self.allowed.says)
        if (at := self.allowed.first_foreign(value)) is not None:
            found = f"U+{ord(value[at]):04X}（{at + 1} 文字目）"
            return Problem("使えない文字があります", found, self.allowed.says)
        if len(value) > self.length:
            return Problem("長すぎます", f"{len(value)} バイト", f"{self.length} バイトまで")
        # 末尾の空白は詰めの空白と区別できず、読み戻すと値が変わる。
        if value.endswith(" "):
            return Problem("末尾に空白があります", f"{len(value)} バイト", "末尾に空白のない文字列")
        if (self.choices and value not in self.choices) or not self.well_formed(value):
            return Problem("許されない値です", self.show(value), self._allowed_values())
        return None

    def _allowed_values(self) -> str:
        said = FORMS[self.form].says if self.form else self.note
        return "、".join(f"「{choice}」" for choice in self.choices) or said

    def show(self, value: str) -> str:
        """断りに書く「見つかったもの」。伏せる項目では文字数だけ。"""
        if self.sensitive:
            return f"{len(value)} 文字（値は伏せる）"
        return f"「{value[:_SHOWN]}」"


def width_of(value: str) -> int:
    """CP932 で書いたときのバイト数。書けない字があれば UnicodeEncodeError。"""
    return len(value.encode("cp932"))


def cut_wide(value: str, bytes_max: int) -> str:
    """漢字を含む文字列を `bytes_max` バイトまでに切る。二バイトの字を半分にしない。末尾の空白は落とす。"""
    return value.encode("cp932")[:bytes_max].decode("cp932", errors="ignore").rstrip(" ")


def const(value: str, label: str, note: str = "") -> Field:
    """いつも同じ中身。読むときに違えば断る。"""
    return Field("", label, len(value), Kind.CONST, value=value, note=note)


def filler(length: int, label: str = "ダミー") -> Field:
    """空白で埋める。読むときに空白でなければ断る。"""
    return Field("", label, length, Kind.FILLER, value=" " * length)


def digits(
    name: str,
    label: str,
    length: int,
    *,
    choices: tuple[str, ...] = (),
    valid: Callable[[str], bool] | None = None,
    blank_ok: bool = False,
    sensitive: bool = False,
    note: str = "",
    form: str = "",
) -> Field:
    """先頭の 0 に意味のある番号。値はちょうど `length` 桁の str。"""
    return Field(
        name,
        label,
        length,
        Kind.DIGITS,
        choices=choices,
        valid=valid,
        blank_ok=blank_ok,
        sensitive=sensitive,
        note=note,
        form=form,
    )


def number(name: str, label: str, length: int, *, minimum: int = 0, sensitive: bool = False, note: str = "") -> Field:
    """右に寄せ 0 を詰める数（円、件）。値は int。"""
    return Field(name, label, length, Kind.NUMBER, minimum=minimum, sensitive=sensitive, note=note)


def text(
    name: str,
    label: str,
    length: int,
    allowed: CharacterClass,
    *,
    choices: tuple[str, ...] = (),
    blank_ok: bool = True,
    sensitive: bool = False,
    note: str = "",
) -> Field:
    """左に寄せ空白を詰める半角の文字。値は末尾に空白のない str。"""
    return Field(
        name,
        label,
        length,
        Kind.TEXT,
        choices=choices,
        blank_ok=blank_ok,
        allowed=allowed,
        sensitive=sensitive,
        note=note,
    )


def wide(
    name: str, label: str, length: int, *, blank_ok: bool = True, sensitive: bool = False, note: str = ""
) -> Field:
    """左に寄せ半角の空白を詰める、漢字を含んでよい文字。`length` はバイト数（漢字は二バイト）。"""
    return Field(name, label, length, Kind.WIDE, blank_ok=blank_ok, sensitive=sensitive, note=note)
