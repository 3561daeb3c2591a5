"""刷りの字: 文を字形の番号にし、使った字だけの書体を PDF に入れる（CID、Identity-H、ToUnicode）。

字形の番号は CID と同じである（Noto Sans CJK は番号順の Adobe-Identity-0）。同じ字形を分け合う字（⼀ と 一、異体字
など）は、読み返したときに別の字にならないよう、同じ字形で読み方の表（ToUnicode）だけが違う「層」の書体で書く。
（ActualText も試したが、読む道具が BMP の外の字と異体字セレクタを落とした。）
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, groupby
from operator import itemgetter

import uharfbuzz

from benefit.domain.errors import BenefitError
from letters.fonts import coverage, font_face
from letters.glyphs import clusters

#: 部首や互換の字。同じ字形を分け合うとき、ふつうの字の方を字形の持ち主にする。
_SECOND_RATE = ((0x2E80, 0x2FDF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
_NAMES = ("NotoSansCJKjp-Regular", "NotoSansCJKjp-Bold")
_ASCENT, _DESCENT, _CAP_HEIGHT = 880, -120, 733


class _Hex(dict[int, str]):
    """字から字形の番号（16 進 4 桁）へ。ない字は、黙って別のものを出さずに止める。"""

    def __missing__(self, code: int) -> str:
        # LookupError を投げると、str.translate は元の字をそのまま残してしまう。
        raise BenefitError("書体にない字があります", code="no-glyph", found=f"U+{code:04X}")


@dataclass(frozen=True)
class Face:
    """一つの書体の、刷りに要る表。owners は字形の持ち主の字。special は、そのままでは読み返せない字。"""

    hex: dict[int, str]
    advances: dict[str, float]
    owners: dict[int, str]
    special: frozenset[str]
    font: uharfbuzz.Font


def _rank(code: int) -> tuple[bool, bool, int]:
    """字形の持ち主になる順: 部首や互換でない字、日本語で普通に使う字、番号の若い字。"""
    try:
        common = bool(chr(code).encode("cp932"))
    except UnicodeEncodeError:
        common = False
    return any(first <= code <= last for first, last in _SECOND_RATE), not common, code


@functools.cache
def face(bold: bool) -> Face:
    """標準か太字の書体。"""
    found = coverage(int(bold))
    owners: dict[int, str] = {}
    special = set()
    for code in sorted(found.glyphs, key=_rank):
        if owners.setdefault(found.glyphs[code], chr(code)) != chr(code):
            special.add(chr(code))
    special |= {chr(selector) for _, selector in found.variations}
    table = _Hex((code, f"{glyph:04x}") for code, glyph in found.glyphs.items())
    return Face(table, found.advances, owners, frozenset(special), uharfbuzz.Font(font_face(int(bold))))


@dataclass
class Used:
    """一つの PDF が使った字。plain は字形の持ち主の字（層 0）、layers は層ごとの、字形の番号から字へ。"""

    bold: bool
    plain: set[str] = field(default_factory=set)
    layers: list[dict[int, str]] = field(default_factory=lambda: [{}])

    def name(self, layer: int = 0) -> str:
        """頁の資源での書体の名。"""
        return f"F{int(self.bold)}" if layer == 0 else f"F{int(self.bold)}L{layer}"

    def show(self, text: str, size: float) -> str:
        """書体を選んで文を描く演算子。"""
        known = face(self.bold)
        if known.special.isdisjoint(text):
            self.plain.update(text)
            return f"/F{int(self.bold)} {size:g} Tf<{text.translate(known.hex)}>Tj"
        return "".join(
            f"/{self.name(layer)} {size:g} Tf<{''.join(glyph for _, glyph in run)}>Tj"
            for layer, run in groupby(self._glyphs(known, text), key=itemgetter(0))
        )

    def _glyphs(self, known: Face, text: str) -> Iterator[tuple[int, str]]:
        """字ごとの、層と字形の番号。"""
        layer = 0
        for cluster in clusters(text):
            glyph = self._glyph(known, cluster)
            # 空きだけの文は、読む道具が半角の空きと読むので、前の字と同じ層で書く。
            if cluster == "\u3000" and layer and self.layers[layer].setdefault(glyph, cluster) == cluster:
                yield layer, f"{glyph:04x}"
            elif known.owners.get(glyph) == cluster:
                layer = 0
                self.plain.add(cluster)
                yield 0, f"{glyph:04x}"
            else:
                layer = self._layer(known, glyph, cluster)
                yield layer, f"{glyph:04x}"

    def _layer(self, known: Face, glyph: int, cluster: str) -> int:
        """この字形をこの字と読む、一番浅い層。持ち主のある字形の層 0 は、持ち主だけのもの。"""
        for layer in count(1 if glyph in known.owners else 0):
            if layer == len(self.layers):
                self.layers.append({})
            if self.layers[layer].setdefault(glyph, cluster) == cluster:
                return layer
        raise AssertionError

    @staticmethod
    def _glyph(known: Face, cluster: str) -> int:
        if len(cluster) == 1:
            return int(known.hex[ord(cluster)], 16)
        glyph = known.font.get_variation_glyph(ord(cluster[0]), ord(cluster[1])) if len(cluster) == 2 else None
        if not glyph:
            raise BenefitError(
                "書体にない異体字があります", code="no-glyph", found="+".join(f"U+{ord(c):04X}" for c in cluster)
            )
        return int(glyph)

    def read_as(self) -> list[dict[int, str]]:
        """層ごとの、字形の番号から読み返す字へ（番号の順）。何も使っていなければ空。"""
        known = face(self.bold)
        plain = {int(known.hex[ord(character)], 16): character for character in self.plain}
        first, *rest = self.layers
        found = [dict(sorted({**plain, **first}.items())), *(dict(sorted(layer.items())) for layer in rest)]
        return found if any(found) else []


def width_of(text: str, *, bold: bool) -> float:
    """送り幅（em）。"""
    return sum(map(face(bold).advances.__getitem__, text))


def subset(bold: bool, glyphs: frozenset[int]) -> bytes:
    """使った字形だけの CFF。CID は元のまま。"""
    wanted = uharfbuzz.SubsetInput()
    wanted.glyph_set.update(glyphs)
    wanted.flags = uharfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE | uharfbuzz.SubsetFlags.NO_HINTING
    small = uharfbuzz.subset(font_face(int(bold)), wanted)
    table: bytes = small.reference_table("CFF ").data
    return table


def base_name(bold: bool, glyphs: frozenset[int]) -> str:
    """「ABCDEF+NotoSansCJKjp-Regular」。六文字は使った字形で決まる。"""
    digest = hashlib.sha256(",".join(map(str, sorted(glyphs))).encode()).digest()
    return "".join(chr(65 + byte % 26) for byte in digest[:6]) + "+" + _NAMES[bold]


def widths_array(bold: bool, glyphs: frozenset[int]) -> str:
    """/W の中身。全角（1000）は書かない。"""
    known = face(bold)
    parts = []
    for glyph in sorted(glyphs):
        width = round(known.font.get_glyph_h_advance(glyph) * 1000 / known.font.face.upem)
        if width != 1000:
            parts.append(f"{glyph}[{width}]")
    return "".join(parts)


def to_unicode(letters: dict[int, str]) -> bytes:
    """字形の番号から字への表。"""
    lines = [
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def",
        "/CMapName/Adobe-Identity-UCS def/CMapType 2 def",
        "1 begincodespacerange<0000><ffff>endcodespacerange",
    ]
    pairs = [f"<{glyph:04x}><{text.encode('utf-16-be').hex()}>" for glyph, text in letters.items()]
    for start in range(0, len(pairs), 100):
        part = pairs[start : start + 100]
        lines += [f"{len(part)} beginbfchar", *part, "endbfchar"]
    lines.append("endcmap CMapName currentdict/CMap defineresource pop end end")
    return "\n".join(lines).encode()


def descriptor(name: str, bold: bool, file: int) -> str:
    """書体の性質の辞書。"""
    return (
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[-1013 -1046 2990 1808]/ItalicAngle 0"
        f"/Ascent {_ASCENT}/Descent {_DESCENT}/CapHeight {_CAP_HEIGHT}/StemV {140 if bold else 80}"
        f"/FontFile3 {file} 0 R>>"
    )
