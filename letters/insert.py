"""多言語のご案内: どの封筒にも入れる、同じ一枚（A4 両面、七つの言葉）。

誰が何語を読むかは、渡してよい項目にない（seed 002）。だから選ばずに、全員に同じ紙を入れる（benefit-rules H）。
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import uharfbuzz

from benefit.domain.errors import BenefitError, Place, RefusedInput
from benefit.domain.programme_parts import OfficeTerms
from letters import wording
from letters.fonts import FAMILY, SCRIPT_FAMILIES, font_files, font_folders, script_font
from letters.render import PDF_STANDARD, Standard, page_count
from letters.words import read_toml

KIND = "insert"
TITLE = "ご案内（多言語）"
#: 言葉の印（BCP 47）と地域。
REGIONS = {"ja": "JP", "en": "", "zh": "CN", "ko": "KR", "ne": "NP", "vi": "VN", "my": "MM"}
#: 字の大きさ（pt）と、行の間（em）。上下に印の付く言葉は、行の間を広くする。
SIZES = {"ja": 10.0, "en": 10.0, "zh": 10.0, "ne": 9.4, "my": 9.3}
LEADING = {"ja": 0.2, "ne": 0.06, "my": 0.12}
_SIZE, _LEADING = 9.2, 0.5
#: 文の中で使える名前。
NAMES = ("ward", "phone")
_KEYS = ("name", "title", "what", "todo_title", "todo", "when", "many", "ask", "tongue", "fraud_title", "fraud")


def load_words(folder: Path | None = None) -> dict[str, Any]:
    """言葉を読む。`folder`（作業場所の words/）に写しがあれば、それを使う。

    断り: 七つの言葉のどれかがない、項目の過不足、書体にない字（RefusedInput）。
    """
    own = folder / f"{KIND}.toml" if folder is not None else None
    if own is not None and own.is_file():
        return _checked(own.read_text(encoding="utf-8"), f"words/{KIND}.toml")
    return _checked((resources.files("letters") / "words" / f"{KIND}.toml").read_text(encoding="utf-8"), f"{KIND}.toml")


def _checked(text: str, file: str) -> dict[str, Any]:
    table = read_toml(text, file)

    def refuse(says: str, key: str, found: str | None = None, allowed: str | None = None) -> RefusedInput:
        return RefusedInput(says, code="insert-words", place=Place(file, field=key), found=found, allowed=allowed)

    sides = [*table.get("front", ()), *table.get("back", ())]
    if sorted(sides) != sorted(REGIONS):
        raise refuse(
            "表（front）と裏（back）に、七つの言葉が一度ずつ要ります", "front", "、".join(sides), "、".join(REGIONS)
        )
    for language in REGIONS:
        block = table.get(language, {})
        if sorted(block) != sorted(_KEYS):
            wrong = sorted(set(block) ^ set(_KEYS))
            raise refuse("言葉の項目が合いません", language, "、".join(wrong), "、".join(_KEYS))
        for key, value in block.items():
            for each in _texts(value):
                if not each:
                    raise refuse("空でない文を書いてください", f"{language}.{key}")
                if lacking := missing(each, language):
                    raise refuse("書体にない字があります", f"{language}.{key}", "、".join(lacking))
    return table


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield value if isinstance(value, str) else ""


@functools.cache
def _characters(language: str) -> frozenset[int]:
    paths = [font_files()[0], *([script_font(language)] if language in SCRIPT_FAMILIES else [])]
    faces = [uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))) for path in paths]
    return frozenset().union(*(face.unicodes for face in faces))


def missing(text: str, language: str) -> tuple[str, ...]:
    """この言葉の書体にない字（符号位置）。結合文字は、その書体が組み合わせるので許す。"""
    known = _characters(language)
    return tuple(dict.fromkeys(f"U+{ord(c):04X}" for c in text if ord(c) not in known))


def _kept_together(text: str) -> str:
    """ビルマ語の句点（။ ၊）を行の頭に出さない: 組版の道具は、この言葉の禁則を知らない。"""
    return re.sub(r"(?=[\u104a\u104b])", "\u2060", text)


def render(
    office: OfficeTerms, *, made_on: date, words: Mapping[str, Any] | None = None, standard: Standard = PDF_STANDARD
) -> bytes:
    """A4 の表と裏、二頁の PDF。断り: 収まらない言葉（BenefitError）。"""
    import typst

    table = words if words is not None else load_words()
    values = {"ward": office.ward_name, "phone": office.call_centre_phone}

    def fill(value: object) -> object:
        if isinstance(value, list):
            return [fill(each) for each in value]
        return _kept_together(wording.fill(str(value), values, furigana=True))

    def part(language: str) -> dict[str, Any]:
        return {key: fill(value) for key, value in table[language].items()} | {
            "lang": language,
            "region": REGIONS[language],
            "font": SCRIPT_FAMILIES.get(language, ""),
            "size": SIZES.get(language, _SIZE),
            "leading": LEADING.get(language, _LEADING),
        }

    data = {
        "title": TITLE,
        "head": fill(table["head"]),
        "font": FAMILY,
        "date": [made_on.year, made_on.month, made_on.day],
        "sides": [[part(language) for language in table[side]] for side in ("front", "back")],
    }
    templates = Path(str(resources.files("letters") / "templates"))
    folders = [*font_folders(), *(script_font(language).parent for language in SCRIPT_FAMILIES)]
    try:
        pdf: bytes = typst.compile(
            templates / f"{KIND}.typ",
            root=templates,
            font_paths=folders,
            ignore_system_fonts=True,
            pdf_standards=standard,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
    except typst.TypstError as error:
        # 同じ紙を全員に入れるので、言葉に人の名はない。
        raise BenefitError("多言語のご案内を組めませんでした", code="typesetting", found=str(error)[:120]) from None
    if page_count(pdf) != 2:
        raise BenefitError("多言語のご案内が、表と裏に収まりません", code="page-count", found=f"{page_count(pdf)} 頁")
    return pdf
