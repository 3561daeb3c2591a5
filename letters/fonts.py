"""手紙の書体。PyPI の Noto Sans CJK JP（OFL）だけを使い、機械に入っている書体は見ない。

書体が違えば、同じ手紙でも違う字が出る。版は依存の錠で止め、指紋を組の manifest に残す。
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benefit.domain.errors import BenefitError

FAMILY = "Noto Sans CJK JP"
_FILES = (
    ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
    ("noto_cjk_sans_jp_bold", "NotoSansCJKjp-Bold.otf"),
)


def is_variation_selector(character: str) -> bool:
    """異体字セレクタ（FVS を除く VS1–256）か。"""
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


@functools.cache
def font_files() -> tuple[Path, ...]:
    """標準と太字の書体ファイル。入っていなければ BenefitError。"""
    found = []
    for package, file in _FILES:
        spec = importlib.util.find_spec(package)
        path = Path(spec.origin).parent / file if spec and spec.origin else None
        if path is None or not path.is_file():
            raise BenefitError("手紙の書体が入っていません。make を一度実行してください", code="no-font", found=package)
        found.append(path)
    return tuple(found)


def font_folders() -> list[Path]:
    """書体のあるフォルダ。"""
    return [file.parent for file in font_files()]


@functools.cache
def font_digest() -> str:
    """書体の内容の SHA-256（組の証拠）。"""
    digest = hashlib.sha256()
    for file in font_files():
        digest.update(file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Coverage:
    """一つの書体が持つ字。

    characters: 一字の符号位置。variations: (字, 異体字セレクタ) の組（cmap 形式 14）。
    advances: 符号位置から送り幅（em に対する比）へ。
    """

    characters: frozenset[int]
    variations: frozenset[tuple[int, int]]
    advances: dict[int, float]


@functools.cache
def coverage(index: int) -> Coverage:
    """書体の表を読む。`index` は 0 が標準、1 が太字。"""
    from fontTools.ttLib import TTFont

    with TTFont(font_files()[index], lazy=True) as font:
        cmap: dict[int, str] = font.getBestCmap()
        variations: set[tuple[int, int]] = set()
        for table in font["cmap"].tables:
            if table.format == 14:
                pairs: dict[int, Any] = table.uvsDict
                variations.update((base, selector) for selector, bases in pairs.items() for base, _ in bases)
        units = font["head"].unitsPerEm
        metrics = font["hmtx"].metrics
        advances = {code: metrics[glyph][0] / units for code, glyph in cmap.items()}
    return Coverage(frozenset(cmap), frozenset(variations), advances)


def width_em(text: str, *, bold: bool = False) -> float:
    """文字列の送り幅（em）。異体字セレクタは幅を持たない。知らない字は全角とみなす。"""
    advances = coverage(1 if bold else 0).advances
    return sum(0.0 if is_variation_selector(c) or unicodedata.combining(c) else advances.get(ord(c), 1.0) for c in text)
