"""手紙の言葉。職員が直せるように、割付（templates/）から分けて TOML に置く。

言葉の中の `{ward}` などは、決まった名前だけが置き換わる。氏名や住所は、言葉にも割付の文面にも
混ぜない（いつも値として渡す）ので、氏名に何が書いてあっても文面は変わらない。
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from benefit.domain.errors import RefusedInput
from benefit.domain.letter import CONFIRMATION_LETTER, PUSH_NOTICE
from letters.glyphs import missing

#: 言葉の中で置き換わる名前。
PLACEHOLDERS = ("programme", "ward", "office", "phone", "due")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMMON = _names(
    "number_label branch_label number_note phone_label fraud_title fraud sheet_label write_here year month day"
    " account_title_bank account_title_branch account_title_type account_title_number account_title_holder"
    " account_holder_note account_number_note account_types bank_kinds branch_kinds due_note_postmark due_note_arrival"
)
_SHARED = _names(
    "title lead benefit_label amount_label due_label enclosures_title enclosures signature_date signature_name"
)
_OWN = {
    CONFIRMATION_LETTER: _names(
        "declarations_title declarations_note account_title account_note signature_title signature_lead refuse"
        " agent_title agent_note agent_name agent_address agent_relation agent_entrust agent_acts agent_sign"
        " return_title return_items"
    ),
    PUSH_NOTICE: _names(
        "transfer_label account_label account_1 account_2 account_3 account_note_1 account_note_2 account_note_3"
        " act_title act_note acts wrong_title wrong_note slip_title slip_to slip_choose"
        " slip_refuse slip_change cut"
    ),
}
_LISTS = frozenset({"account_types", "agent_acts", "acts"})


@dataclass(frozen=True)
class Words:
    """一種類の手紙の言葉。`table` は鍵から文（一つの文、文の並び）へ。"""

    kind: str
    table: Mapping[str, Any]

    @staticmethod
    def parse(kind: str, common: str, own: str, *, file: str) -> Words:
        """TOML の二つの文面から。項目の過不足、型、知らない置換え、書体にない字は RefusedInput。"""
        try:
            table = {**tomllib.loads(common), **tomllib.loads(own)}
        except tomllib.TOMLDecodeError as error:
            raise RefusedInput(f"{file}: TOML として読めません（{error}）", code="words-toml") from None
        wanted = _COMMON | _SHARED | _OWN[kind]
        lacking, extra = sorted(wanted - table.keys()), sorted(table.keys() - wanted)
        if lacking or extra:
            short, unknown = "、".join(lacking) or "なし", "、".join(extra) or "なし"
            raise RefusedInput(
                f"{file}: 言葉の項目が合いません（足りない: {short} / 知らない: {unknown}）", code="words-keys"
            )
        for key, value in table.items():
            for text in _texts(key, value, file):
                _check(key, text, file)
        return Words(kind, table)

    def filled(self, values: Mapping[str, str]) -> dict[str, Any]:
        """`{ward}` などを置き換えた言葉。`values` は PLACEHOLDERS のすべて。"""

        def fill(text: str) -> str:
            return _PLACEHOLDER.sub(lambda found: values[found.group(1)], text)

        def fill_all(value: object) -> object:
            return [fill(each) for each in value] if isinstance(value, list) else fill(str(value))

        return {key: fill_all(value) for key, value in self.table.items()}


def _texts(key: str, value: object, file: str) -> list[str]:
    """項目の文をすべて。型が違えば RefusedInput。"""
    if key in _LISTS:
        return _list_of_text(key, value, file)
    if isinstance(value, str) and value:
        return [value]
    raise RefusedInput(f"{file}: 項目「{key}」は空でない文です", code="words-type")


def _list_of_text(key: str, value: object, file: str) -> list[str]:
    if isinstance(value, list) and value and all(isinstance(text, str) and text for text in value):
        return value
    raise RefusedInput(f"{file}: 項目「{key}」は空でない文の並びです", code="words-type")


def _check(key: str, text: str, file: str) -> None:
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        raise RefusedInput(
            f"{file}: 項目「{key}」に知らない置換えがあります",
            code="words-placeholder",
            found="、".join(f"{{{name}}}" for name in unknown),
            allowed="、".join(f"{{{name}}}" for name in PLACEHOLDERS),
        )
    if lacking := missing(text):
        raise RefusedInput(
            f"{file}: 項目「{key}」に書体にない字があります", code="words-glyph", found="、".join(lacking)
        )


@functools.cache
def load_words(kind: str) -> Words:
    """同梱の言葉（letters/words/）を読む。断りは Words.parse と同じ。"""
    folder = resources.files("letters") / "words"
    common, own = ((folder / f"{name}.toml").read_text(encoding="utf-8") for name in ("common", kind))
    return Words.parse(kind, common, own, file=f"{kind}.toml")
