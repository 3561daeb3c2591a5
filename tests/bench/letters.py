"""手紙の速さ（子の過程で一つの道を測る）: 素の書き出し、台紙に刷る、Typst で直に組む、WeasyPrint、校正。

    python -m tests.bench.letters raw|stamped|direct|weasyprint|proof 通数

どれも同じ確認書（宛名、番号、金額、QR、Code 128、カスタマバーコード、封入の符号）で、値（LetterContent）ができた後から、
PDF をファイルに書き終わるまで。起動と部品の読み込みは含めない。CPU 秒は、子の過程も含めた利用者と系の和。
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from letters.content import LetterContent
from letters.sheet_code import SheetCode

KEY = b"bench" * 8
LOT = 1_000
DIRECT_LOT = 100
_SURNAMES = [
    "甲野",
    "佐藤",
    "髙橋",
    "﨑山",
    "濵田",
    "德永",
    "渡邉",
    "渡邊",
    "纐纈",
    "釼持",
    "長谷川",
    "五十嵐",
    "勅使河原",
    "神神",
    "葛󠄀城",
    "𠮷田",
    "山﨑",
    "廣瀨",
    "齋藤",
    "櫻井",
]
_GIVEN = ["乙子", "太郎", "花子", "一郎", "美咲", "健", "さくら", "翔太郎", "結衣", "ケンジ"]
_TOWNS = ["新宿", "西新宿", "大久保", "百人町", "高田馬場", "早稲田鶴巻町", "神楽坂", "四谷", "内藤町", "箪笥町"]
_BUILDINGS = ("", "コーポ新宿御苑210号室", "第二北新宿マンションＢ棟1203", "", "都営住宅4号棟502", "")


def contents(count: int, first: int = 0) -> Iterator[LetterContent]:
    """いろいろな氏名と宛先の確認書。種を使わず、番号から決まる。"""
    for number in range(first, first + count):
        case = f"{(number * 7_919_317 + 10_000_000_019) % 10**11:011d}"
        yield LetterContent(
            kind="confirmation_letter",
            case_number=case,
            branch=0,
            postal_code=f"160{number % 90 + 1:04d}",
            address=f"東京都新宿区{_TOWNS[number % 10]}{number % 7 + 1}丁目{number % 29 + 1}番{number % 17 + 1}号",
            address2=_BUILDINGS[number % 6],
            name=f"{_SURNAMES[number % 20]}　{_GIVEN[number // 20 % 10]}",
            programme_name="新宿区物価高騰対策臨時給付金",
            ward_name="新宿区",
            office_name="総務部総務課",
            phone="0120-000-000",
            issued_on=date(2024, 7, 16),
            due_on=date(2024, 10, 31),
            conditions=(
                "世帯の全員が、令和6年度の住民税が課税されていないか、均等割だけが課税されている。",
                "住民税が課税されている人に扶養されている人だけの世帯ではない。",
                "令和5年度の給付金の対象であった世帯の世帯主がいない（ほかの市区町村で対象であった場合を含みます）。",
            ),
            benefit_names=("令和6年度非課税化給付",),
            amount_yen=100_000,
            sheet_codes=(SheetCode.of(KEY, case, 0, 2, 1, 1, 123).digits,),
        )


def _parts(count: int, size: int) -> Iterator[list[LetterContent]]:
    for start in range(0, count, size):
        yield list(contents(min(size, count - start), start))


def raw(letters: list[LetterContent]) -> bytes:
    """限界: 何も確かめず、同じ文の穴に字形の番号を入れて圧縮し、頁を足すだけ。符号は描かない。"""
    from letters.stamp.faces import face

    table = dict(face(False).hex)
    parts = [b"%PDF-1.7\n"]
    at, offsets = len(parts[0]), []
    for place, letter in enumerate(letters):
        fields = (
            letter.postal_code, letter.address, letter.address2, letter.name, letter.case_number, "00",
            f"{letter.amount_yen}", letter.sheet_codes[0],
        )  # fmt: skip
        holes = tuple(text.translate(table) for text in fields)
        content = zlib.compress((_HOLES % holes).encode("ascii", "replace"), 6)
        for body in (
            b"%d 0 obj\n<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream\nendobj\n"
            % (place * 2 + 9, len(content), content),
            b"%d 0 obj\n<</Type/Page/Parent 2 0 R/Resources 3 0 R/Contents %d 0 R>>\nendobj\n"
            % (place * 2 + 10, place * 2 + 9),
        ):
            offsets.append(at)
            at += len(body)
            parts.append(body)
    parts.append(b"xref\n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets) + b"trailer<<>>\n%%EOF")
    return b"".join(parts)


_HOLES = "q /B Do Q BT " + " ".join(f"/F0 10.5 Tf 1 0 0 1 60 {700 - 40 * n} Tm<%s>Tj" for n in range(8)) + " ET"


def stamped(letters: list[LetterContent]) -> bytes:
    """台紙に刷る。"""
    from letters.stamp import stamp

    return stamp(letters)


def direct(letters: list[LetterContent]) -> bytes:
    """Typst で直に組む。"""
    from letters.render import render

    return render(letters)


def weasyprint(letters: list[LetterContent]) -> bytes:
    """WeasyPrint で、同じ頁の HTML から。"""
    from weasyprint import HTML

    from tests.bench.letters_html import html, shared_fonts

    fonts, style = shared_fonts()
    written: bytes = HTML(string=html(letters)).write_pdf(stylesheets=[style], font_config=fonts)
    return written


WAYS: dict[str, tuple[Callable[[list[LetterContent]], bytes], int]] = {
    "raw": (raw, LOT),
    "stamped": (stamped, LOT),
    "direct": (direct, DIRECT_LOT),
    "weasyprint": (weasyprint, 50),
}


def _cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def measure(way: str, count: int) -> dict[str, float]:
    """一つの道を測る。値を作る時間は除く。"""
    make, size = WAYS[way]
    make(list(contents(2, 10**6)))
    cpu = wall = 0.0
    written = 0
    with tempfile.TemporaryDirectory() as place:
        for letters in _parts(count, size):
            began, clock = _cpu(), time.perf_counter()
            pdf = make(letters)
            with (Path(place) / "lot.pdf").open("wb") as out:
                out.write(pdf)
                os.fsync(out.fileno())
            wall += time.perf_counter() - clock
            cpu += _cpu() - began
            written += len(pdf)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"letters": count, "cpu": cpu, "wall": wall, "bytes": written, "peak_mib": peak}


def proof(count: int) -> dict[str, float]:
    """刷った組を読み返して、刷ってあるはずのことと比べる（働き手 2）。食い違いが一つでもあれば、測らずに落ちる。"""
    from types import SimpleNamespace
    from typing import Any

    from letters.proof import prove_file, readers
    from letters.proofing.ledger import Expected
    from letters.stamp import stamp

    letters = list(contents(count))
    cpu = wall = 0.0
    # 働き手は、組を出す時と同じに、いくつもの組で分け合う。
    with tempfile.TemporaryDirectory() as place, readers(count) as pool:
        for start in range(0, count, 2 * LOT):
            part = letters[start : start + 2 * LOT]
            path = Path(place) / "lot.pdf"
            path.write_bytes(stamp(part))
            lot: Any = SimpleNamespace(
                id=1, kind=part[0].kind, file_name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest()
            )
            began, clock = _cpu(), time.perf_counter()
            ledger = [_expected(place, each, Expected) for place, each in enumerate(part)]
            found = prove_file(path, lot, ledger, KEY, pool=pool)
            wall += time.perf_counter() - clock
            cpu += _cpu() - began
            if not found.right:
                raise AssertionError(found.mismatches[:3])
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
    return {"letters": count, "cpu": cpu, "wall": wall, "bytes": 0, "peak_mib": peak}


def _expected(place: int, content: LetterContent, make: Callable[..., object]) -> object:
    return make(
        letter_id=place,
        case_number=content.case_number,
        branch=content.branch,
        kind=content.kind,
        postal_code=content.postal_code,
        address=content.address,
        address2=content.address2,
        name=content.name,
        benefit=content.benefit_names[0],
        amount_yen=content.amount_yen,
        account_digits="",
        issued_on=content.issued_on,
        due_on=content.due_on,
        hidden=(),
    )


if __name__ == "__main__":
    way, number = sys.argv[1], int(sys.argv[2])
    sys.stdout.write(json.dumps(proof(number) if way == "proof" else measure(way, number)) + "\n")
