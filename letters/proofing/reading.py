"""一頁を読み返す: 文字は PDF の文字の層から、符号は頁を絵にして読み取り器で。組んだ側の値は見ない。"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letters.geometry import BARCODE, EVER_SEEN, PAGE_HEIGHT, Rectangle

POINTS_PER_MM = 72 / 25.4
#: 絵にする所と細かさ（mm、dpi）: 番号の箱、切り取る届、封入の符号、カスタマバーコード。
_UPPER = (Rectangle(112, 18, 90, 48), 250)
_LOWER = (Rectangle(100, 198, 105, 85), 250)
_FOOT = (Rectangle(16, PAGE_HEIGHT - 12.5, 52, 9.5), 200)
_ADDRESS_BARS = (Rectangle(BARCODE.x - 2, BARCODE.y - 2, BARCODE.width + 4, BARCODE.height + 4), 200)
#: 宛名の場所。ここにあるのは宛名だけである（割付の約束）。
_ADDRESS = Rectangle(0, 0, EVER_SEEN.right, EVER_SEEN.bottom)
_NUMBER = re.compile(r"(?<!\d)\d{11}(?!\d)", re.ASCII)
_SHEET = re.compile(r"\d{11}-\d{2} L\d{2} \d/\d 版\d{3} 検\d{4}", re.ASCII)
_YEN = re.compile(r"[0-9０-９][0-9０-９,，]*円")
_MASKED = re.compile(r"\*{2,}\d+")


@dataclass(frozen=True)
class PageRead:
    """読み返した一頁。numbers: 11 桁の番号のすべて。codes: 絵から読めた (種類, 中身)。None は絵を読んでいない頁。"""

    page: int
    address: str
    numbers: tuple[str, ...]
    sheets: tuple[str, ...]
    yen: tuple[str, ...]
    masked: tuple[str, ...]
    text: str
    codes: tuple[tuple[str, str], ...] | None = None
    customer: str | None = None


def read_pages(path: Path, start: int, stop: int, rasters: frozenset[int]) -> list[PageRead]:
    """`start` から `stop` の手前までの頁（0 から）。`rasters` の頁は、符号も読む。"""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return [_read(document, index, raster=index in rasters) for index in range(start, stop)]
    finally:
        document.close()


def page_total(path: Path) -> int:
    """頁の数。"""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return len(document)
    finally:
        document.close()


def metadata(path: Path) -> dict[str, str]:
    """PDF の書類の情報（題、作った道具、日付など）。"""
    import pypdfium2

    document = pypdfium2.PdfDocument(path)
    try:
        return dict(document.get_metadata_dict())
    finally:
        document.close()


def _read(document: Any, index: int, *, raster: bool) -> PageRead:
    page = document[index]
    try:
        layer = page.get_textpage()
        height = page.get_height()
        text = layer.get_text_range().replace("\r\n", "\n")
        right, bottom = _ADDRESS.right * POINTS_PER_MM, height - _ADDRESS.bottom * POINTS_PER_MM
        address = layer.get_text_bounded(0, bottom, right, height).replace("\r\n", "\n")
        layer.close()
        codes = tuple(_codes(page)) if raster else None
        customer = bars(_picture(page, *_ADDRESS_BARS)) if raster else None
    finally:
        page.close()
    return PageRead(
        index + 1,
        address,
        tuple(_NUMBER.findall(text)),
        tuple(_SHEET.findall(text)),
        tuple(_YEN.findall(text)),
        tuple(_MASKED.findall(text)),
        text,
        codes,
        customer,
    )


def _picture(page: Any, area: Rectangle, dpi: int) -> Any:
    width, height = page.get_size()
    left, top = area.x * POINTS_PER_MM, area.y * POINTS_PER_MM
    right = max(0.0, width - area.right * POINTS_PER_MM)
    bottom = max(0.0, height - area.bottom * POINTS_PER_MM)
    return page.render(scale=dpi / 72, crop=(left, bottom, right, top), grayscale=True).to_pil()


def _codes(page: Any) -> Iterator[tuple[str, str]]:
    import zxingcpp

    for area, dpi in (_UPPER, _LOWER, _FOOT):
        for found in zxingcpp.read_barcodes(_picture(page, area, dpi)):
            yield found.format.name, found.text


def bars(picture: Any) -> str:
    """カスタマバーコードの絵を、線の並び（L 長い、U 上、D 下、T 短い）に。線がなければ空。"""
    picture = picture.convert("L")
    width, height = picture.size
    dark = [value < 128 for value in picture.tobytes()]
    rows = [y for y in range(height) if any(dark[y * width : (y + 1) * width])]
    if not rows:
        return ""
    top, bottom = rows[0], rows[-1]
    third = (bottom - top + 1) / 3
    upper, middle, lower = (round(top + third * part) for part in (0.5, 1.5, 2.5))

    states = {(True, True, True): "L", (True, True, False): "U", (False, True, True): "D", (False, True, False): "T"}
    found: list[str] = []
    run: list[int] = []
    for x in range(width + 1):
        if x < width and dark[middle * width + x]:
            run.append(x)
        elif run:
            at = run[len(run) // 2]
            key = (dark[upper * width + at], True, dark[lower * width + at])
            found.append(states[key])
            run = []
    return "".join(found)
