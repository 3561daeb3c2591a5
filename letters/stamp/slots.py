"""台紙の上の、一人ずつ違う所。割付（common.typ の fld と area）が link の宛先に書いて残したものを読む。"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from benefit.domain.errors import BenefitError

_TEXT = "slot:text?"
_AREA = "slot:area?"


@dataclass(frozen=True)
class TextSlot:
    """文の置き場所。単位は pt、原点は頁の左下。baseline は字の並ぶ線。"""

    key: str
    side: str
    size: float
    bold: bool
    tracking: float
    left: float
    right: float
    bottom: float
    #: 字の枠の下の端（common.typ の bottom-edge）から字の並ぶ線まで。Noto Sans CJK では 0.12 em。
    DESCENT = 0.12

    @property
    def baseline(self) -> float:
        """字の並ぶ線の高さ。"""
        return self.bottom + self.size * self.DESCENT


@dataclass(frozen=True)
class AreaSlot:
    """符号や宛名の置き場所。単位は pt、原点は頁の左下。"""

    key: str
    left: float
    bottom: float
    width: float
    height: float

    @property
    def top(self) -> float:
        """上の辺。"""
        return self.bottom + self.height


def parse(address: str, rectangle: tuple[float, float, float, float]) -> TextSlot | AreaSlot | None:
    """link の宛先と四角（左、下、右、上）から。置き場所でない link は None。"""
    left, bottom, right, top = rectangle
    if address.startswith(_AREA):
        return AreaSlot(unquote(address[len(_AREA) :]), left, bottom, right - left, top - bottom)
    if not address.startswith(_TEXT):
        return None
    try:
        key, side, size, weight, tracking = unquote(address[len(_TEXT) :]).split("&")
        bold = {"bold": True, "regular": False, "700": True, "400": False}[weight]
        return TextSlot(key, side, float(size), bold, float(tracking), left, right, bottom)
    except (ValueError, KeyError):
        raise BenefitError("割付の置き場所の書き方が違います", code="slot-shape", found=address) from None
