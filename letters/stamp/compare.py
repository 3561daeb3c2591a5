"""刷った紙を、Typst で直接組んだ紙と比べる: 150 dpi の見た目と、読み返した字。

二つの道は同じ割付から出るが、字の位置を決めるのは別々の手である。だから毎回、見本の頁を両方で作って突き合わせる。
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
from PIL import Image, ImageChops, ImageFilter

from letters.content import LetterContent
from letters.page import address_block, personal
from letters.render import render
from letters.stamp.background import shape_of
from letters.words import Words

DPI = 150
#: 灰色の差がこれを超えた点を「違う」とする（輪郭のぼけ方の差は、これより小さい）。
GRAY = 96
#: 違う点が固まって一つの字ほどになったら、違う紙である。線一本の輪郭のずれは数えない。
SPOTS = 12
#: 見本の数（種類・組合せごとの一通のほかに）。
SAMPLE = 2


@dataclass(frozen=True)
class Difference:
    """一つの違い。page は PDF の何頁目か（1 から）、what は「見た目」「字」「番号」「頁数」。"""

    case_number: str
    branch: int
    page: int
    what: str
    found: str


@contextmanager
def _opened(pdf: bytes) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        yield document
    finally:
        document.close()


def _gray(page: pypdfium2.PdfPage) -> Image.Image:
    drawn: Image.Image = page.render(scale=DPI / 72).to_pil()
    return drawn.convert("L")


def _spots(one: Image.Image, other: Image.Image) -> int:
    """はっきり違う点の数。一点だけの違い（輪郭）は、隣を含めて違うときだけ数える。"""
    if one.size != other.size:
        return one.size[0] * one.size[1]
    apart = ImageChops.difference(one, other).point(lambda value: 255 if value > GRAY else 0)
    if apart.histogram()[255] <= SPOTS:
        return 0
    return apart.filter(ImageFilter.MedianFilter(3)).histogram()[255]


def _letters_of(page: pypdfium2.PdfPage) -> Counter[str]:
    return Counter("".join(page.get_textpage().get_text_range().split()))


def compare(
    contents: Sequence[LetterContent], pdf: bytes, at: Sequence[int] | None = None, *, words: Words | None = None
) -> list[Difference]:
    """手紙の組と、それを刷った PDF の違い。`at` は比べる手紙（0 から。なければ全部）。空なら同じ紙である。"""
    wanted = range(len(contents)) if at is None else at
    if not wanted:
        return []
    first = contents[0]
    with _opened(pdf) as stamped:
        sheets, rest = divmod(len(stamped), len(contents))
        if rest or not sheets:
            return [Difference(first.case_number, first.branch, 0, "頁数", f"{len(stamped)} 頁")]
        found: list[Difference] = []
        with _opened(render([contents[index] for index in wanted], words=words)) as direct:
            if len(direct) != len(wanted) * sheets:
                return [Difference(first.case_number, first.branch, 0, "頁数", f"{len(direct)} 頁")]
            for place, index in enumerate(wanted):
                for sheet in range(sheets):
                    number = index * sheets + sheet
                    found += _one(contents[index], number + 1, stamped[number], direct[place * sheets + sheet])
    return found


def _one(
    content: LetterContent, number: int, page: pypdfium2.PdfPage, direct: pypdfium2.PdfPage
) -> Iterator[Difference]:
    def differs(what: str, found: str) -> Difference:
        return Difference(content.case_number, content.branch, number, what, found)

    spots = _spots(_gray(page), _gray(direct))
    if spots > SPOTS:
        yield differs("見た目", f"{spots} 点")
    has, wants = _letters_of(page), _letters_of(direct)
    if has != wants:
        apart = (has - wants) + (wants - has)
        yield differs("字", " ".join(f"U+{ord(c):04X}" for c in sorted(apart)[:8]))


def fields_missing(content: LetterContent, text: str) -> tuple[str, ...]:
    """読み返した字に、あるべき値がない項目。"""
    lines = set(text.replace("\r\n", "\n").split("\n"))
    wanted = {f"宛名{place}": line.text for place, line in enumerate(address_block(content)[0])}
    missing = [name for name, line in wanted.items() if line not in lines]
    missing += [name for name, value in personal(content).items() if value and value not in text]
    return tuple(missing)


def run_samples(lots: Sequence[Sequence[LetterContent]]) -> list[list[int]]:
    """一回の刷りで比べる見本を、組ごとに: 台紙ごとに初めの一通と、宛名の一番長い一通と、籤で選んだ数通。"""
    places = [(lot, index, content) for lot, contents in enumerate(lots) for index, content in enumerate(contents)]
    if not places:
        return [[] for _ in lots]
    chosen = {(content.kind, shape_of(content)): (lot, index) for lot, index, content in reversed(places)}
    longest = max(places, key=lambda place: len(place[2].name) + len(place[2].address))
    # 籤は手紙の番号で決まる。同じ手紙からは、いつも同じ見本になる。
    drawn = sorted(places, key=lambda place: hashlib.sha256(repr(place[2].key).encode()).digest())[:SAMPLE]
    wanted = {*chosen.values(), *((lot, index) for lot, index, _ in (longest, *drawn))}
    return [sorted(index for where, index in wanted if where == lot) for lot in range(len(lots))]


def sample_compare(contents: Sequence[LetterContent], pdf: bytes, *, words: Words | None = None) -> list[Difference]:
    """組の見本だけを比べる。"""
    return compare(contents, pdf, run_samples([contents])[0], words=words)
