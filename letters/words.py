"""手紙の言葉。職員が直せるように、割付（templates/）から分けて TOML に置く。

一つの文は Jinja2 の書き方（letters.wording）。
同梱の言葉は letters/words/、区が直した言葉は作業場所の words/ にあり、同じ名なら区のものを先に使う。
区の写しには、同梱のものと同じ項目がすべて要る。抜けや書き間違いは、読む時に、ファイル・行・項目を言って断る。
氏名や住所は、言葉にも割付の文面にも混ぜない（いつも値として渡す）ので、氏名に何が書いてあっても文面は変わらない。
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from benefit.domain.errors import Place, RefusedInput, WrongUse
from benefit.domain.letter import LETTER_KINDS
from letters import wording
from letters.wording import Slip

#: どの手紙にも刷る言葉のファイル。
COMMON = "common"
#: 封筒に入れる、手紙でない紙: 台紙、記入例。
RETURN_MOUNT, EXAMPLE = "return_mount", "example"
ENCLOSURES = (RETURN_MOUNT, EXAMPLE)
#: 返還請求書と納付書（letters.repayment。二枚で一組なので、種類ごとではなく一つのファイル）。
REPAYMENT = "repayment"
#: 振り仮名を刷るか（common.toml）。この項目だけが真偽である。
FURIGANA = "furigana"
#: ほかの課の通知（letters.notices）と、納付書の言葉。
NOTICES = ("slip", "notice_levy", "notice_slip", "notice_dunning", "notice_demand")
#: 圧着はがきの外の面に刷る項目の名の頭（templates/postcard.typ）と、そこに書けない言葉。
OUTER_FACE = "card_"
TELLING = ("給付", "支給", "非課税", "生活保護", "口座", "振込", "決定", "確認書", "円", "税")
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True)
class Words:
    """一種類の手紙の言葉。

    table: 項目から、文・文の並び・文の表へ。used: 文の中で使っている名前（`due`、`values.reason` など）。
    """

    kind: str
    table: Mapping[str, Any]
    used: frozenset[str] = frozenset()
    furigana: bool = False

    @staticmethod
    def parse(kind: str, common: str, own: str, *, file: str, common_file: str = "common.toml") -> Words:
        """TOML の二つの文面から。項目の過不足、型、書き方の誤り、知らない名前、書体にない字は RefusedInput。"""
        table: dict[str, Any] = {}
        used: set[str] = set()
        for name, text, where in ((COMMON, common, common_file), (kind, own, file)):
            part = read_toml(text, where)
            _same_keys(_shipped_table(name), part, text, where)
            fields = LETTER_KINDS[kind].fields if kind in LETTER_KINDS else ()
            used |= _check(part, text, where, fields if name == kind else ())
            table |= part
        furigana = table.pop(FURIGANA)
        return Words(kind, table, frozenset(used), furigana)

    def filled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """値を入れた言葉。`values` の鍵は wording.NAMES と、種類ごとの `values.◯◯`。"""

        def fill(value: object) -> object:
            if isinstance(value, list):
                return [fill(each) for each in value]
            if isinstance(value, dict):
                return {key: fill(each) for key, each in value.items()}
            return wording.fill(str(value), values, furigana=self.furigana)

        return {key: fill(value) for key, value in self.table.items()}

    def inserted(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """この言葉に実際に入る値。これが同じ手紙は、同じ言葉になる。"""
        return tuple(str(values.get(name, "")) for name in sorted(self.used))

    @property
    def digest(self) -> str:
        """言葉の指紋。一字でも変われば変わる（組と校正の証拠）。"""
        content = json.dumps([self.kind, self.furigana, self.table], ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def shipped_text(name: str) -> str:
    """同梱の言葉の文面（common か手紙の種類）。なければ WrongUse。"""
    file = resources.files("letters") / "words" / f"{name}.toml"
    if name not in known_words() or not file.is_file():
        raise WrongUse("この手紙の言葉はありません", code="no-words", found=name, allowed="、".join(known_words()))
    return file.read_text(encoding="utf-8")


@functools.cache
def known_words() -> tuple[str, ...]:
    """言葉のある名: common と、手紙の種類（手紙の番号の順）と、同封する紙と、ほかの課の通知。"""
    folder = resources.files("letters") / "words"
    there = {file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")}
    return (COMMON, *(name for name in (*LETTER_KINDS, REPAYMENT, *ENCLOSURES, *NOTICES) if name in there))


def load_words(kind: str, folder: Path | None = None) -> Words:
    """一種類の言葉。`folder`（作業場所の words/）に写しがあれば、そちらを使う。断りは Words.parse と同じ。"""
    common, common_file = _text(COMMON, folder)
    own, file = _text(kind, folder)
    return _parsed(kind, common, own, file, common_file)


@functools.lru_cache(maxsize=64)
def _parsed(kind: str, common: str, own: str, file: str, common_file: str) -> Words:
    return Words.parse(kind, common, own, file=file, common_file=common_file)


def words_digest(folder: Path | None = None) -> str:
    """すべての言葉の指紋: 同梱のものと、区の写し（`folder`）。"""
    digest = hashlib.sha256()
    for name in known_words():
        digest.update(name.encode() + b"\0" + _text(name, folder)[0].encode() + b"\0")
    return digest.hexdigest()


def _text(name: str, folder: Path | None) -> tuple[str, str]:
    """文面と、断りに言うファイルの名。"""
    if folder is not None and (own := folder / f"{name}.toml").is_file():
        shipped_text(name)
        try:
            return own.read_text(encoding="utf-8"), f"words/{name}.toml"
        except UnicodeDecodeError:
            raise RefusedInput(
                "UTF-8 で読めません", code="words-toml", place=Place(f"words/{name}.toml"), allowed="UTF-8"
            ) from None
    return shipped_text(name), f"{name}.toml"


def read_toml(text: str, file: str) -> dict[str, Any]:
    """TOML を読む。読めなければ、行を言って断る。"""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        raise RefusedInput(
            'TOML として読めません。項目 = "文" の形か、引用符の閉じ忘れを見てください',
            code="words-toml",
            place=Place(file, line),
        ) from None


@functools.cache
def _shipped_table(name: str) -> dict[str, Any]:
    return read_toml(shipped_text(name), f"{name}.toml")


def _same_keys(shipped: Mapping[str, Any], table: Mapping[str, Any], text: str, file: str) -> None:
    """同梱のものと同じ項目で、同じ形（文・並び・表・真偽）か。"""
    lacking = [key for key in shipped if key not in table]
    extra = [key for key in table if key not in shipped]
    if lacking or extra:
        first = (extra or lacking)[0]
        short, unknown = "、".join(lacking) or "なし", "、".join(extra) or "なし"
        raise RefusedInput(
            f"言葉の項目が合いません（足りない: {short} / 知らない: {unknown}）",
            code="words-keys",
            place=Place(file, _line_of(first, text) if extra else None, first),
        )
    for key, value in table.items():
        wanted = shipped[key]
        if type(value) is not type(wanted):
            names = {str: "文", list: "文の並び", dict: "文の表", bool: "true か false"}
            raise RefusedInput(
                "項目の形が違います",
                code="words-type",
                place=Place(file, _line_of(key, text), key),
                allowed=names[type(wanted)],
            )
        if isinstance(value, dict) and value.keys() != wanted.keys():
            raise RefusedInput(
                "表の項目が合いません",
                code="words-keys",
                place=Place(file, _line_of(key, text), key),
                allowed="、".join(wanted),
            )


def _check(table: Mapping[str, Any], text: str, file: str, fields: tuple[str, ...]) -> set[str]:
    used: set[str] = set()
    for key, value in table.items():
        if key == FURIGANA:
            continue
        line = _line_of(key, text)
        for each in _texts(value):
            if not isinstance(each, str) or not each:
                raise RefusedInput("空でない文を書いてください", code="words-type", place=Place(file, line, key))
            try:
                names = wording.check(each, fields)
                used |= names
            except Slip as slip:
                place = Place(file, line + slip.line - 1 if line else None, key)
                raise RefusedInput(
                    slip.says, code=slip.code, place=place, found=slip.found, allowed=slip.allowed
                ) from None
            if key.startswith(OUTER_FACE) and (telling := _telling(each, names)):
                raise RefusedInput(
                    "はがきの外の面に、用件の分かる言葉は書けません",
                    code="words-outside",
                    place=Place(file, line, key),
                    found="、".join(telling),
                )
    return used


def _telling(text: str, names: frozenset[str]) -> list[str]:
    """外の面に書けない言葉と名前。"""
    return [word for word in TELLING if word in text] + sorted(names - {"ward"})


def _texts(value: object) -> Iterator[object]:
    """項目の文をすべて。空の並びは、空の文として断る。"""
    if isinstance(value, list | dict):
        yield from (value.values() if isinstance(value, dict) else value) or [""]
    else:
        yield value


def _line_of(key: str, text: str) -> int | None:
    """項目のある行（1 から）。"""
    pattern = re.compile(rf"^\s*(?:\[{re.escape(key)}\]|[\"']?{re.escape(key)}[\"']?\s*=)")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)
