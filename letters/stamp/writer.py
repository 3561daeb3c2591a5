"""台紙の上に一通ずつ描いた頁を、一つの PDF に書く。

台紙は form XObject として一度だけ入り、一通は、圧縮した描き方一つと頁一つを足すだけである。
日付も ID も中身から決まるので、同じ手紙からは同じバイト列ができる。
"""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pikepdf

from letters.stamp import faces
from letters.stamp.background import Background

#: 描き方の圧縮の強さ。数字の並びなので、強くしてもほとんど縮まない。
_LEVEL = 6
_TABLE = re.compile(rb"(\d{10}) (\d{5}) ([fn])")


@dataclass(frozen=True)
class _Skeleton:
    """台紙だけの PDF。body は表の前まで、offsets は番号から位置（空きは None）。"""

    body: bytes
    offsets: list[int | None]
    forms: dict[tuple[Hashable, int], int]
    pages: int
    root: int
    info: int | None


def _skeleton(backgrounds: Mapping[Hashable, Background]) -> _Skeleton:
    """台紙の頁を form XObject にして、一つの PDF に集める。"""
    names: list[tuple[Hashable, int]] = []
    first = next(iter(backgrounds.values()))
    with pikepdf.open(io.BytesIO(first.pdf)) as base:
        opened = [pikepdf.open(io.BytesIO(each.pdf)) for each in backgrounds.values()]
        try:
            forms = []
            for (key, background), source in zip(backgrounds.items(), opened, strict=True):
                for index, page in enumerate(source.pages):
                    names.append((key, index))
                    forms.append(base.copy_foreign(_form(source, page)))
                    assert index < len(background.pages)
            del base.pages[:]
            for form in forms:
                base.add_blank_page(page_size=(10, 10))
                base.pages[-1].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(B=form))
            out = io.BytesIO()
            base.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
        finally:
            for source in opened:
                source.close()
    data = out.getvalue()
    return _parsed(data, names)


def _form(pdf: pikepdf.Pdf, page: pikepdf.Page) -> pikepdf.Object:
    content = page.Contents.read_bytes()
    form = pikepdf.Stream(pdf, content)
    form.Type = pikepdf.Name.XObject
    form.Subtype = pikepdf.Name.Form
    form.BBox = page.mediabox
    form.Resources = page.Resources
    if "/Group" in page:
        form.Group = page.Group
    return pdf.make_indirect(form)


def _parsed(data: bytes, names: list[tuple[Hashable, int]]) -> _Skeleton:
    with pikepdf.open(io.BytesIO(data)) as saved:
        forms = {name: page.Resources.XObject.B.objgen[0] for name, page in zip(names, saved.pages, strict=True)}
        dropped = [page.obj.objgen[0] for page in saved.pages]
        pages = saved.Root.Pages.objgen[0]
        root = saved.Root.objgen[0]
        info = saved.trailer["/Info"].objgen[0] if "/Info" in saved.trailer else None
    start = int(data[data.rindex(b"startxref") + 9 :].split()[0])
    offsets: list[int | None] = [
        int(at) if kind == b"n" else None for at, _, kind in _TABLE.findall(data[start : data.index(b"trailer", start)])
    ]
    for number in (*dropped, pages):
        offsets[number] = None
    return _Skeleton(data[:start], offsets, forms, pages, root, info)


class Writer:
    """一つの PDF。`letter` を頁の順に呼び、最後に `finish`。"""

    def __init__(self) -> None:
        self.used = (faces.Used(bold=False), faces.Used(bold=True))
        self._backgrounds: dict[Hashable, Background] = {}
        self._pages: list[tuple[Hashable, int, bytes]] = []

    def page(self, key: Hashable, background: Background, index: int, drawing: str) -> None:
        """一頁。drawing は台紙の上に描くもの。"""
        self._backgrounds.setdefault(key, background)
        content = zlib.compress(f"q /B Do Q\n{drawing}".encode("ascii"), _LEVEL)
        self._pages.append((key, index, content))

    def finish(self) -> bytes:
        """PDF のバイト列。"""
        skeleton = _skeleton(self._backgrounds)
        out = _Objects(skeleton.body, skeleton.offsets)
        fonts = "".join(_fonts(out, used) for used in self.used)
        resources = {
            name: out.add(f"<</Font<<{fonts}>>/XObject<</B {form} 0 R>>>>") for name, form in skeleton.forms.items()
        }
        boxes = {
            (key, index): f"{page.width:.5f} {page.height:.5f}"
            for key, background in self._backgrounds.items()
            for index, page in enumerate(background.pages)
        }
        kids = []
        for key, index, content in self._pages:
            stream = out.stream("/Filter/FlateDecode", content)
            kids.append(
                out.add(
                    f"<</Type/Page/Parent {skeleton.pages} 0 R/MediaBox[0 0 {boxes[key, index]}]"
                    f"/Resources {resources[key, index]} 0 R/Contents {stream} 0 R>>"
                )
            )
        kids_text = " ".join(f"{kid} 0 R" for kid in kids)
        out.put(skeleton.pages, f"<</Type/Pages/Count {len(kids)}/Kids[{kids_text}]>>")
        return out.close(skeleton.root, skeleton.info)


def _fonts(out: _Objects, used: faces.Used) -> str:
    """資源に書く書体。層は、字形の入ったファイルを分け合い、読み方の表だけが違う。"""
    layers = used.read_as()
    if not layers:
        return ""
    glyphs = frozenset().union(*layers)
    name = faces.base_name(used.bold, glyphs)
    file = out.stream("/Subtype/CIDFontType0C/Filter/FlateDecode", zlib.compress(faces.subset(used.bold, glyphs), 9))
    describes = out.add(faces.descriptor(name, used.bold, file))
    descendant = out.add(
        f"<</Type/Font/Subtype/CIDFontType0/BaseFont/{name}/DW 1000/W[{faces.widths_array(used.bold, glyphs)}]"
        f"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor {describes} 0 R>>"
    )
    entries = []
    for number, letters in enumerate(layers):
        unicode = out.stream("/Filter/FlateDecode", zlib.compress(faces.to_unicode(letters), 9))
        font = out.add(
            f"<</Type/Font/Subtype/Type0/BaseFont/{name}-Identity-H/Encoding/Identity-H"
            f"/DescendantFonts[{descendant} 0 R]/ToUnicode {unicode} 0 R>>"
        )
        entries.append(f"/{used.name(number)} {font} 0 R")
    return "".join(entries)


class _Objects:
    """物を足していき、最後に表を書く。"""

    def __init__(self, body: bytes, offsets: list[int | None]) -> None:
        self._parts = [body]
        self._length = len(body)
        self._offsets = list(offsets)

    def _write(self, number: int, body: bytes) -> None:
        self._offsets[number] = self._length
        whole = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        self._parts.append(whole)
        self._length += len(whole)

    def put(self, number: int, body: str) -> None:
        """決まった番号の物。"""
        self._write(number, body.encode("ascii"))

    def add(self, body: str) -> int:
        """新しい物の番号。"""
        self._offsets.append(None)
        self.put(len(self._offsets) - 1, body)
        return len(self._offsets) - 1

    def stream(self, entries: str, data: bytes) -> int:
        """新しい流れの番号。"""
        self._offsets.append(None)
        number = len(self._offsets) - 1
        self._write(number, b"<<%b/Length %d>>stream\n%b\nendstream" % (entries.encode(), len(data), data))
        return number

    def close(self, root: int, info: int | None) -> bytes:
        """表と終わりを書いて、全部のバイト列。"""
        table = [b"xref\n0 %d\n" % len(self._offsets)]
        for number, at in enumerate(self._offsets):
            if at is None:
                table.append(b"0000000000 %05d f \n" % (65535 if number == 0 else 0))
            else:
                table.append(b"%010d 00000 n \n" % at)
        digest = hashlib.sha256()
        for part in self._parts:
            digest.update(part)
        name = digest.hexdigest()[:32]
        about = f"/Info {info} 0 R" if info is not None else ""
        trailer = (
            f"trailer\n<</Size {len(self._offsets)}/Root {root} 0 R{about}/ID[<{name}><{name}>]>>\n"
            f"startxref\n{self._length}\n%%EOF\n"
        )
        return b"".join([*self._parts, *table, trailer.encode()])
