"""様式の一覧と変換: 同梱のものに、作業場所の layouts/*.toml を重ねる。

TOML は、一覧を求められるたびに全部読んで確かめる。誤りのある様式が一つでもあれば、黙って外さずに断る。
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benefit.domain.errors import Place, RefusedInput, WrongUse
from benefit.records import conversion_toml, layout_toml
from benefit.records.file_layout import FileLayout
from benefit.records.layout_conversion import Conversion, Converter
from benefit.records.layout_conversions import CONVERSIONS
from benefit.records.layout_registry import BUILT_IN
from benefit.services.home import Home

_BLOCK = 1 << 22


def folder(home: Home) -> Path:
    """区の様式と対応表の置き場。"""
    return home.path / "layouts"


def _sheets(home: Home) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder(home).glob("*.toml"))]


def known(home: Home) -> dict[str, FileLayout]:
    """使える様式。区の TOML の id が同梱のものと同じなら、区のものを使う（同じ id の TOML が二つあれば断る）。"""
    own: dict[str, FileLayout] = {}
    for file, content in _sheets(home):
        if not conversion_toml.is_conversion(content, file=file):
            layout = layout_toml.parse(content, file=file)
            if layout.id in own:
                raise RefusedInput("同じ id の様式が二つあります", code="layout-id", place=Place(file), found=layout.id)
            own[layout.id] = layout
    return BUILT_IN | own


def find(home: Home, layout_id: str) -> FileLayout:
    """名前の様式。なければ、ある名前を言って断る。"""
    layouts = known(home)
    if layout_id not in layouts:
        raise WrongUse("その名前の様式はありません", code="layout-id", found=layout_id, allowed="、".join(layouts))
    return layouts[layout_id]


def conversions(home: Home) -> dict[str, Conversion]:
    """使える変換。"""
    own: dict[str, Conversion] = {}
    for file, content in _sheets(home):
        if conversion_toml.is_conversion(content, file=file):
            one = conversion_toml.parse(content, file=file)
            if one.id in own:
                raise RefusedInput("同じ id の変換が二つあります", code="layout-id", place=Place(file), found=one.id)
            own[one.id] = one
    return CONVERSIONS | own


def converter(home: Home, source: str, target: str, *, using: str = "") -> Converter:
    """二つの様式の間の変換。二つ以上あるときは `using` で名を言う。"""
    layouts = known(home)
    for layout_id in (source, target):
        find(home, layout_id)
    fitting = [one for one in conversions(home).values() if (one.source, one.target) == (source, target)]
    names = "、".join(one.id for one in fitting)
    if using:
        fitting = [one for one in fitting if one.id == using]
    if not fitting:
        raise WrongUse("その変換はありません", code="conversion", found=f"{source} → {target}", allowed=names or None)
    if len(fitting) > 1:
        raise WrongUse("変換が二つ以上あります。--using で選びます", code="conversion", allowed=names)
    return Converter(fitting[0], layouts[source], layouts[target])


def blocks_of(file: Path) -> Iterator[bytes]:
    """ファイルを塊ごとに読む（`file_reader.Reader.tables` に渡す）。"""
    if not file.is_file():
        raise RefusedInput("ファイルがありません", code="no-file", place=Place(file.name))
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block
