"""二人目の読み手: 送り出す前の総合振込ファイルを、別に書いたコードで読み直す。

`layout`・`zengin`・`zengin_text` とは一行も共有しない。たくさんの行をまとめて比べる所は `zengin_reader_block`。
位置はここに数字で書き、氏名の読み替えも別の道（Unicode の正規化）で行う。
作り手と読み手が同じ思い違いをしないためである（reliability P8、T08）。
改行、空き、レコードの順、文字、件数と合計の足し直し、台帳から渡された期待との一件ずつの比較をする。
答えは所見の一覧で、空ならよい。所見に氏名や口座の値は書かない。
出典: formats §1.1–1.3、1.5、1.6（2026-11-21 に読んだ）。
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from benefit.records import zengin_reader_block

#: 所見はここまで。壊れたファイルで何万行も並べない。
FINDINGS_MAX = 100
#: 一度に比べる行の数（主記憶の手前に収まる大きさ）。
BLOCK = 4096


class ExpectedHeader(NamedTuple):
    """台帳と設定から言える見出し。名は全角でも半角でもよい。month_day は MMDD。"""

    client_code: str
    client_name: str
    month_day: str
    bank_code: str
    bank_name: str
    branch_code: str
    branch_name: str
    account_type: str
    account_number: str


class ExpectedLine(NamedTuple):
    """台帳から言える一件。`holder_kana` は台帳のまま。金額は円。"""

    bank_code: str
    bank_name: str
    branch_code: str
    branch_name: str
    account_type: str
    account_number: str
    holder_kana: str
    amount_yen: int
    new_code: str
    customer_code1: str
    customer_code2: str
    designation: str = "7"


@dataclass(frozen=True)
class Finding:
    """所見。record はファイルの行（1 から）、byte はその行のバイト（1 から、0 は行全体・ファイル全体）。"""

    code: str
    record: int
    byte: int
    says: str

    def __str__(self) -> str:
        """「3 行目 81 バイト目: 振込金額が台帳と違います」のように読む。"""
        where = f"{self.record} 行目" if self.record else "ファイル全体"
        return f"{where}{f' {self.byte} バイト目' if self.byte else ''}: {self.says}"


_KANA = frozenset(range(0xB1, 0xE0))
_LATIN = frozenset(range(0x41, 0x5B)) | frozenset(range(0x30, 0x3A)) | {0x20}
_BANK = bytes(sorted(_KANA | _LATIN | {0x2D}))
_PARTY = bytes(sorted(_KANA | _LATIN | {0x28, 0x29, 0x2D, 0x2E}))
_PARTY_WO = bytes(sorted({*_PARTY, 0xA6}))
_DIGITS = b"0123456789"
_LARGE = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
_DASHES = str.maketrans(dict.fromkeys("ー－‐‑‒–—―−", "-"))
_MARKS = "\u3099\u309a"

# 見出しと振込の項目。(始まり, 終わり, 名前)。位置は 0 から、終わりは含まない。
_HEADER_PARTS = (
    (4, 14, "振込依頼人コード"),
    (14, 54, "振込依頼人名"),
    (54, 58, "取組日"),
    (58, 62, "仕向銀行番号"),
    (62, 77, "仕向銀行名"),
    (77, 80, "仕向支店番号"),
    (80, 95, "仕向支店名"),
    (95, 96, "預金種目"),
    (96, 103, "口座番号"),
)
_LINE_PARTS = (
    (1, 5, "被仕向銀行番号"),
    (5, 20, "被仕向銀行名"),
    (20, 23, "被仕向支店番号"),
    (23, 38, "被仕向支店名"),
    (42, 43, "預金種目"),
    (43, 50, "口座番号"),
    (50, 80, "受取人名"),
    (80, 90, "振込金額"),
    (90, 91, "新規コード"),
    (91, 101, "顧客コード1"),
    (101, 111, "顧客コード2"),
    (111, 112, "振込指定区分"),
)


def findings(
    content: bytes, header: Sequence[str], lines: Sequence[Sequence[str | int]], *, with_wo: bool = False
) -> list[Finding]:
    """ディスクから読んだバイト列を、期待と比べる。空の一覧なら、ファイルは台帳の言うとおりである。

    header は `ExpectedHeader`、lines は `ExpectedLine` の順の組（ただの tuple でよい）。with_wo は受取人名の ｦ を許す。
    """
    reading = _Reading(content, _PARTY_WO if with_wo else _PARTY)
    reading.check_shape(len(lines))
    if reading.found:
        return reading.found
    reading.check_header(header)
    for start in range(0, len(lines), BLOCK):
        reading.check_block(start + 1, lines[start : start + BLOCK])
        if len(reading.found) >= FINDINGS_MAX:
            return reading.found[:FINDINGS_MAX]
    reading.check_end(len(lines), sum(int(line[7]) for line in lines))
    return reading.found[:FINDINGS_MAX]


class _Reading:
    def __init__(self, content: bytes, party: bytes) -> None:
        self.content = content
        self.party = party
        self.found: list[Finding] = []
        self.count = 0
        self.total_yen = 0

    def record(self, at: int) -> bytes:
        return self.content[at * 122 : at * 122 + 120]

    def say(self, code: str, at: int, byte: int, says: str) -> None:
        self.found.append(Finding(code, at + 1, byte, says))

    def check_shape(self, line_count: int) -> None:
        """長さ、改行、データ区分の順。ここが崩れていれば、位置で読むことに意味がない。"""
        length, expected = len(self.content), (line_count + 3) * 122
        if length != expected:
            self.found.append(
                Finding("length", 0, 0, f"ファイルの長さが違います（{length} バイト、正しくは {expected} バイト）")
            )
        kinds = b"1" + b"2" * line_count + b"89"
        if length == expected and self._has_shape(kinds):
            return
        for at in range(-(-length // 122)):
            raw = self.content[at * 122 : at * 122 + 122]
            if raw[120:] != b"\r\n":
                self.say("newline", at, 121, "レコードの後が CRLF ではありません")
            if raw[:1] != kinds[at : at + 1]:
                self.say("order", at, 1, "データ区分の順が違います")
            if b"\r" in raw[:120] or b"\n" in raw[:120]:
                self.say("newline", at, 0, "レコードの途中に改行があります")
            if len(self.found) >= FINDINGS_MAX:
                return

    def _has_shape(self, kinds: bytes) -> bool:
        """改行と区分が正しい位置にあり、ほかの所に改行がないか（飛び飛びのバイトをまとめて見る）。"""
        count = len(kinds)
        return (
            self.content[120::122] == b"\r" * count
            and self.content[121::122] == b"\n" * count
            and self.content[::122] == kinds
            and self.content.count(b"\r") == count
            and self.content.count(b"\n") == count
        )

    def check_header(self, header: Sequence[str]) -> None:
        raw = self.record(0)
        if raw[:4] != b"1210":
            self.say("constant", 0, 1, "総合振込（JIS）の見出しではありません")
        self.check_characters(0, raw, (4, 14), (54, 62), (77, 80), (95, 103))
        self.check_text(0, raw, 14, 54, _PARTY)
        self.check_text(0, raw, 62, 77, _BANK)
        self.check_text(0, raw, 80, 95, _BANK)
        if raw[103:] != b" " * 17:
            self.say("filler", 0, 104, "空きが空白ではありません")
        self.compare(0, raw, _HEADER_PARTS, header)

    def check_block(self, at: int, lines: Sequence[Sequence[str | int]]) -> None:
        """何行かをまとめて比べる。違えば、一行ずつ読んで、どこが違うかを言う。"""
        raw = self.content[at * 122 : (at + len(lines)) * 122]
        if zengin_reader_block.same(raw, lines, _LINE_PARTS, _BANK, self.party):
            self.count += len(lines)
            self.total_yen += zengin_reader_block.total_yen(raw)
            return
        for number, line in enumerate(lines, start=at):
            self.check_line(number, line)
            if len(self.found) >= FINDINGS_MAX:
                return

    def check_line(self, at: int, line: Sequence[str | int]) -> None:
        raw = self.record(at)
        self.check_characters(at, raw, (1, 5), (20, 23), (38, 50), (80, 111))
        self.check_text(at, raw, 5, 20, _BANK)
        self.check_text(at, raw, 23, 38, _BANK)
        self.check_text(at, raw, 50, 80, self.party)
        if raw[38:42] != b"0000":
            self.say("constant", at, 39, "手形交換所番号が 0 ではありません")
        if raw[112:] != b" " * 8:
            self.say("filler", at, 113, "識別表示か空きが空白ではありません")
        if raw[50:51] == b" ":
            self.say("blank-name", at, 51, "受取人名が空か、空白で始まります")
        self.compare(at, raw, _LINE_PARTS, line)
        amount = raw[80:90]
        if amount.isdigit():
            self.count += 1
            self.total_yen += int(amount)
            if amount == b"0" * 10:
                self.say("amount", at, 81, "振込金額が 0 円です")

    def check_end(self, line_count: int, total_yen: int) -> None:
        """合計は、書かれた金額の足し直しと、台帳の合計の両方に合わなければならない。"""
        at = line_count + 1
        raw = self.record(at)
        if raw[1:7] != b"%06d" % self.count or self.count != line_count:
            self.say("count", at, 2, f"合計件数が違います（足し直すと {self.count:,} 件、台帳は {line_count:,} 件）")
        if raw[7:19] != b"%012d" % self.total_yen or self.total_yen != total_yen:
            self.say("total", at, 8, f"合計金額が違います（足し直すと {self.total_yen:,} 円、台帳は {total_yen:,} 円）")
        if raw[19:] != b" " * 101:
            self.say("filler", at, 20, "空きが空白ではありません")
        if self.record(at + 1) != b"9" + b" " * 119:
            self.say("filler", at + 1, 2, "エンドの空きが空白ではありません")

    def check_characters(self, at: int, raw: bytes, *spans: tuple[int, int]) -> None:
        for start, end in spans:
            # bytes.isdigit は ASCII の数字だけを数字と見る。
            if not raw[start:end].isdigit():
                bad = next(here for here in range(start, end) if raw[here] not in _DIGITS)
                self.say("digits", at, bad + 1, "数字の項目に数字でないバイトがあります")

    def check_text(self, at: int, raw: bytes, start: int, end: int, allowed: bytes) -> None:
        # 許されるバイトをすべて消して、何も残らなければよい。
        if raw[start:end].translate(None, allowed):
            bad = next(here for here in range(start, end) if raw[here] not in allowed)
            self.say("character", at, bad + 1, f"使えない文字 0x{raw[bad]:02X} があります")

    def compare(
        self, at: int, raw: bytes, parts: Sequence[tuple[int, int, str]], expected: Sequence[str | int]
    ) -> None:
        if len(parts) - len(expected) > 1:
            self.say("expectation", at, 0, "期待の項目が足りません")
            return
        values = [*expected, "7"] if len(expected) < len(parts) else expected
        for (start, end, name), value in zip(parts, values, strict=True):
            width = end - start
            if isinstance(value, int):
                same = raw[start:end] == b"%0*d" % (width, value)
            elif name.endswith("名"):
                same = _seen(raw[start:end]) == _meant(value, width)
            else:
                same = raw[start:end] == value.encode("ascii", errors="replace").ljust(width)
            if not same:
                self.say("ledger", at, start + 1, f"{name}が台帳と違います")


def _seen(raw: bytes) -> str:
    """ファイルの名を、濁点を分けた全角に直す。一バイトが一字になり、違うバイトは必ず違う字になる。"""
    if any(0x80 <= byte < 0xA1 or byte > 0xDF for byte in raw):
        return "\ufffd"
    text = "".join(chr(byte + 0xFEC0) if byte > 0x7F else chr(byte) for byte in raw)
    return unicodedata.normalize("NFKD", text)


def _meant(name: str, width: int) -> str:
    """台帳の名を同じ形にし、切り、空白で埋める。半角の小さい字と長音は、正規化の後でまとめて読み替える。"""
    wide = unicodedata.normalize("NFKC", name.replace("゛", "\u3099").replace("゜", "\u309a"))
    text = unicodedata.normalize("NFKD", wide.translate(_LARGE).translate(_DASHES).upper()).strip(" ")
    end = width
    while 0 < end < len(text) and text[end] in _MARKS:
        end -= 1
    return text[:end].rstrip(" ").ljust(width)
