"""目印（カナリア）: 区の人の字と番号を、どこにもない字に変え、出てきた所を探す。UTF-8、CP932、UTF-16、百分率、base64 で。"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import polars as pl

from batch.world import holder_text
from tests.support.worlds import Row, rewrite

_KANJI = "阿井宇江岡加木久介古佐志須瀬曽田千津手戸奈仁奴根野葉比布辺保"
_KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモ"


@dataclass
class Canaries:
    """目印の全部。`words` は字の目印、`digits` は数だけの目印（前後が数や十六進の字でない所だけを数える）。"""

    words: set[str] = field(default_factory=set)
    digits: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.words) + len(self.digits)


def _spelled(number: int, letters: str, length: int) -> str:
    """数を、この字で書く（同じ数は同じ字、違う数は違う字）。"""
    told = ""
    for _ in range(length):
        number, place = divmod(number, len(letters))
        told += letters[place]
    return told


def plant(folder: Path) -> Canaries:
    """抽出データに目印を置く。名義とカナの合い方、払えるかどうかは変えない。"""
    found = Canaries()
    kana_of: dict[str, tuple[str, str]] = {}
    count = iter(range(10**6))

    def resident(row: Row) -> None:
        place = next(count)
        name = "蒲" + _spelled(place * 7 + 3, _KANJI, 3) + "　" + _spelled(place * 11 + 5, _KANJI, 3)
        kana = "ヌ" + _spelled(place * 13 + 1, _KANA, 3) + "　" + _spelled(place * 17 + 2, _KANA, 4)
        kana_of[row["住民番号"]] = (row["カナ氏名"], kana)
        row["漢字氏名"], row["カナ氏名"] = name, kana
        town = re.match(r"^\D*?丁目|^\D+", row["漢字住所"])
        block = f"{1200 + place * 7}番{2100 + place * 3}号"
        row["漢字住所"] = (town[0] if town else row["漢字住所"]) + block
        row["漢字方書"] = f"ヴィラ{_spelled(place * 19 + 7, _KANA, 5)}{3300 + place}号室"
        found.words |= {name, kana, holder_text(kana), block, row["漢字方書"]}
        if row.get("在留カード番号"):
            row["在留カード番号"] = f"QX{place:08d}ZK"
            found.words.add(row["在留カード番号"])
        found.words.add(row["生年月日"]) if row["生年月日"] < "2004" else None

    def account(row: Row) -> None:
        place = next(count)
        row["口座番号"] = f"{7_100_003 + place * 101:07d}"
        found.digits.add(row["口座番号"])
        before, after = kana_of.get(row["宛名番号"], ("", ""))
        if before and holder_text(before) == row["口座名義カナ"]:
            row["口座名義カナ"] = holder_text(after)

    rewrite(folder / "residents.csv", resident)
    rewrite(folder / "accounts.csv", account)
    return found


def forms(word: str) -> set[bytes]:
    """この字の、出てきうる形の全部。"""
    kinds = {word, unicodedata.normalize("NFKC", word), word.replace("　", " "), word.replace("　", "")}
    told: set[bytes] = set()
    for each in kinds:
        for encoding in ("utf-8", "cp932", "utf-16-le", "utf-16-be"):
            try:
                data = each.encode(encoding)
            except UnicodeEncodeError:
                continue
            told |= {data, *_base64(data), quote(data, safe="").encode(), quote(data, safe="").lower().encode()}
        told |= {each.encode("unicode_escape"), each.encode("ascii", "xmlcharrefreplace")}
    return told


def _base64(data: bytes) -> Iterator[bytes]:
    """base64 は三バイトごと。どの位置から始まっても変わらない、中ほどの字。"""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data)
        inner = text[4 if shift else 0 : (shift + len(data)) // 3 * 4]
        if len(inner) >= 8:
            yield inner
            yield inner.replace(b"+", b"-").replace(b"/", b"_")


class Finder:
    """目印を探す。"""

    def __init__(self, canaries: Canaries) -> None:
        self.of = {form.decode("latin-1"): word for word in canaries.words for form in forms(word) if len(form) >= 6}
        for number in canaries.digits:
            wide = (number.encode("utf-16-le"), number.encode("utf-16-be"), *_base64(number.encode()))
            self.of |= {form.decode("latin-1"): number for form in wide}
        self.numbers = canaries.digits

    def scan(self, things: Iterable[tuple[str, bytes | str]]) -> dict[str, set[str]]:
        """名 → 出てきた目印（出てきた所だけ）。"""
        named = list(things)
        raw = [
            (data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data).decode("latin-1")
            for _name, data in named
        ]
        # 十万の字を一度に探す（Aho–Corasick）。
        hits = pl.Series(raw).str.extract_many(list(self.of))
        told: dict[str, set[str]] = {}
        for (name, _data), text, words in zip(named, raw, hits.to_list(), strict=True):
            found = {self.of[word] for word in words or ()}
            found |= self.numbers & set(_SEVEN.findall(text))
            if found:
                told[name] = told.get(name, set()) | found
        return told


#: 数の目印は、もっと長い数や指紋の中にあっても、それではない。
_SEVEN = re.compile(r"(?<![0-9A-Fa-f.])[0-9]{7}(?![0-9A-Fa-f])")
