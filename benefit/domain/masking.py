"""伏せ方: 紙と見比べれば同じ人と分かり、それだけでは誰か分からない形（reliability §4.4、画面の指針 14）。"""

from __future__ import annotations

import re

#: 町名の後ろ: 算用数字か、漢数字の「丁目・番・号」から先。
_AFTER_TOWN = re.compile(r"(?:[0-9０-９]|[一二三四五六七八九十百]+(?:丁目|番|号)).*", re.DOTALL)


def masked_name(name: str) -> str:
    """氏名を一字おきに伏せる。「新宿　太郎」は「新○　太○」。一字の姓や名は伏せる。"""
    parts = re.split(r"([\s　]+)", name)
    return "".join(part if not part.strip("　 ") else _every_other(part) for part in parts)


def town_of(address: str) -> str:
    """町名まで。"""
    return _AFTER_TOWN.sub("", address)


def _every_other(part: str) -> str:
    if len(part) == 1:
        return "○"
    return "".join(letter if place % 2 == 0 else "○" for place, letter in enumerate(part))
