"""手紙の書体。PyPI の Noto Sans（OFL）だけを使い、機械に入っている書体は見ない。

手紙は Noto Sans CJK JP だけで刷る。デーバナーガリーとビルマの字は、多言語のご案内（letters/insert.py）だけが使う。

書体が違えば、同じ手紙でも違う字が出る。版は依存の錠で止め、指紋を組の manifest に残す。
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import uharfbuzz

from benefit.domain.errors import BenefitError

FAMILY = "Noto Sans CJK JP"
_FILES = (
    ("noto_cjk_sans_jp_regular", "NotoSansCJKjp-Regular.otf"),
    ("noto_cjk_sans_jp_bold", "NotoSansCJKjp-Bold.otf"),
)

#: 言語 → その字の書体の名と、入っている所。
SCRIPT_FAMILIES = {"ne": "Noto Sans Devanagari", "my": "Noto Sans Myanmar"}
_SCRIPT_FILES = {
    "ne": ("justmytype_intl_south_asia", "fonts/ofl/notosansdevanagari/NotoSansDevanagari[wdth,wght].ttf"),
    "my": ("justmytype_intl_sea", "fonts/ofl/notosansmyanmar/NotoSansMyanmar[wdth,wght].ttf"),
}


def is_variation_selector(character: str) -> bool:
    """異体字セレクタ（FVS を除く VS1–256）か。"""
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


@functools.cache
def font_files() -> tuple[Path, ...]:
    """標準と太字の書体ファイル。入っていなければ BenefitError。"""
    return tuple(_installed(package, file) for package, file in _FILES)


@functools.cache
def script_font(language: str) -> Path:
    """この言語（SCRIPT_FAMILIES）の字の書体ファイル。"""
    return _installed(*_SCRIPT_FILES[language])


def _installed(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    if path is None or not path.is_file():
        raise BenefitError("手紙の書体が入っていません。make を一度実行してください", code="no-font", found=package)
    return path


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


class _Advances(dict[str, float]):
    """字から送り幅（em）へ。異体字セレクタと結合文字は幅を持たず、知らない字は全角とみなす。"""

    def __missing__(self, character: str) -> float:
        return 0.0 if is_variation_selector(character) or unicodedata.combining(character) else 1.0


@dataclass(frozen=True)
class Coverage:
    """一つの書体が持つ字。

    characters: 一字の符号位置。variations: (字, 異体字セレクタ) の組（cmap 形式 14）。
    advances: 字から送り幅（em に対する比）へ。glyphs: 符号位置から字形の番号へ。
    """

    characters: frozenset[int]
    variations: frozenset[tuple[int, int]]
    advances: dict[str, float]
    glyphs: dict[int, int]


@functools.cache
def font_face(index: int) -> uharfbuzz.Face:
    """書体の表。`index` は 0 が標準、1 が太字。"""
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(font_files()[index])))


@functools.cache
def coverage(index: int) -> Coverage:
    """書体が持つ字を、書体の表に聞く。`index` は 0 が標準、1 が太字。"""
    face = font_face(index)
    font = uharfbuzz.Font(face)
    glyphs: dict[int, int] = {code: font.get_nominal_glyph(code) for code in sorted(face.unicodes)}
    variations = frozenset(
        (base, selector) for selector in face.variation_selectors for base in face.variation_unicodes(selector)
    )
    advances = _Advances()
    for code, glyph in glyphs.items():
        if not (is_variation_selector(chr(code)) or unicodedata.combining(chr(code))):
            advances[chr(code)] = font.get_glyph_h_advance(glyph) / face.upem
    return Coverage(frozenset(glyphs), variations, advances, glyphs)


def width_em(text: str, *, bold: bool = False) -> float:
    """文字列の送り幅（em）。"""
    return sum(map(coverage(1 if bold else 0).advances.__getitem__, text))
