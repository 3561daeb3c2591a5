"""圧着はがきの寸法: 折り、面、糊しろ。単位は mm、原点は開いた紙の、それぞれの側の左上。

折った大きさは、どちらも 100 × 148 mm の縦長（はがきの大きさ）である。

- V 折り（二つ折り、四面）: 開いて 200 × 148 mm。表に「外裏・宛名」、裏に「中一・中二」。
- Z 折り（三つ折り、六面）: 開いて 300 × 148 mm。表に「中三・中四・宛名」、裏に「中一・中二・外裏」。

両面は短い辺でとじる向きに刷る。だから、表の左から n 番目の面の裏は、裏の右から n 番目である。
宛名の面の左の辺が折り目で、本のように左へ開くと、中一・中二が横に並ぶ（Z 折りは、次に中三・中四）。

外から見える面（宛名と外裏）には、宛先と差出人と返送先のほか、何も刷らない。
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from benefit.domain.errors import WrongUse
from letters.geometry import ALWAYS_SEEN, Rectangle

FaceName = Literal["address", "outer_back", "inner_1", "inner_2", "inner_3", "inner_4"]

FACE_WIDTH, FACE_HEIGHT = 100.0, 148.0
#: 一通は紙一枚で、PDF では表と裏の二頁。
PAGES = 2
#: 中の面の糊しろ。はがすときに字が持っていかれるので、字はここに置かない。
GLUE = 6.0
#: 面の縁から字までの余白。折りと断ちのずれ（2 mm）を見ている。
INNER_MARGIN = 9.0
OUTER_MARGIN = 10.0

#: 宛名の面での場所（面の左上から）。左上の 35 × 70 mm は、切手・料金後納の表示と消印のために空ける。
STAMP = Rectangle(0.0, 0.0, 35.0, 70.0)
#: 宛名。窓あき封筒と同じ大きさの枠なので、同じ折り返しで収まる（letters/address.py）。
ADDRESS = Rectangle(15.0, 73.0, ALWAYS_SEEN.width, ALWAYS_SEEN.height)
#: カスタマバーコード。9 ポイントで 66 × 1.08 + 0.54 = 71.82 mm。四方に 2 mm の空きと、面の縁から 10 mm を取ってある。
BARCODE = Rectangle(14.0, 105.0, 71.82, 3.24)
BARCODE_CLEAR = 2.0
SENDER = Rectangle(14.0, 118.0, 72.0, 20.0)


@dataclass(frozen=True)
class Face:
    """一つの面。page は 1 が表、2 が裏。x は、その側の紙の左からの mm。outer は、開かなくても見えるか。"""

    name: FaceName
    page: int
    x: float

    @property
    def outer(self) -> bool:
        """開かなくても見える面か。"""
        return self.name in ("address", "outer_back")

    @property
    def rectangle(self) -> Rectangle:
        """紙の上の場所。"""
        return Rectangle(self.x, 0.0, FACE_WIDTH, FACE_HEIGHT)


@dataclass(frozen=True)
class Sheet:
    """開いた紙。folds は、左からの折り目の位置。"""

    form: str
    width: float
    height: float
    folds: tuple[float, ...]
    faces: tuple[Face, ...]

    def face(self, name: str) -> Face:
        """名の面。なければ WrongUse。"""
        for face in self.faces:
            if face.name == name:
                return face
        raise WrongUse("この折り方にない面です", code="no-face", found=name)

    @property
    def inner(self) -> tuple[Face, ...]:
        """読む順の、中の面。"""
        return tuple(sorted((face for face in self.faces if not face.outer), key=lambda face: face.name))


def _side(page: int, *names: FaceName) -> tuple[Face, ...]:
    return tuple(Face(name, page, place * FACE_WIDTH) for place, name in enumerate(names))


V_FOLD = Sheet(
    "V_FOLD",
    FACE_WIDTH * 2,
    FACE_HEIGHT,
    (FACE_WIDTH,),
    (*_side(1, "outer_back", "address"), *_side(2, "inner_1", "inner_2")),
)
Z_FOLD = Sheet(
    "Z_FOLD",
    FACE_WIDTH * 3,
    FACE_HEIGHT,
    (FACE_WIDTH, FACE_WIDTH * 2),
    (*_side(1, "inner_3", "inner_4", "address"), *_side(2, "inner_1", "inner_2", "outer_back")),
)
SHEETS = {sheet.form: sheet for sheet in (V_FOLD, Z_FOLD)}


def pages_of(form: str) -> int:
    """この形の紙の、一通の PDF の頁数（A4 は 1）。"""
    return PAGES if form in SHEETS else 1


def card_data(form: str) -> dict[str, Any] | None:
    """割付（templates/postcard.typ）が読む寸法。圧着はがきでなければ None。"""
    sheet = SHEETS.get(form)
    if sheet is None:
        return None
    return {
        "width": sheet.width,
        "height": sheet.height,
        "face": {"width": FACE_WIDTH, "height": FACE_HEIGHT},
        "faces": {face.name: {"page": face.page, "x": face.x} for face in sheet.faces},
        "inner_margin": INNER_MARGIN,
        "outer_margin": OUTER_MARGIN,
        "address": asdict(ADDRESS),
        "barcode": asdict(BARCODE),
        "sender": asdict(SENDER),
    }
