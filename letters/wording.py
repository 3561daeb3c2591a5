"""手紙の言葉の書き方（Jinja2 の小さな部分）。

職員が直す文なので、使えるのは、決まった名前を入れること、`{% if due %}` の場合分け、振り仮名の
`{{ ruby('支給', 'しきゅう') }}` だけである。繰返し、ほかの呼出し、属性をたどる書き方は、読む時に断る
（砂場の Jinja2 の中でも動かさない）。氏名などの値は一度だけ入れ、その中の `{{` は字のまま残る。
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import SandboxedEnvironment

from benefit.domain.errors import WrongUse
from letters.glyphs import missing

#: 言葉の中で使える名前。ほかに、その種類の値 `values.◯◯`。
NAMES = ("programme", "ward", "office", "phone", "due", "issued_on", "benefits")
#: 行間の注釈の印（U+FFF9–FFFB）: 本文、区切り、振り仮名、終わり。割付（common.typ）が振り仮名にする。
ANCHOR, SEPARATOR, END = "\ufff9", "\ufffa", "\ufffb"

_PLAIN = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.If)
_LOGIC = (nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not)


class Slip(Exception):
    """言葉の書き間違い。`line` は文の中の行（1 から）。職員への断りは letters.words が作る。"""

    def __init__(
        self, code: str, says: str, *, line: int = 1, found: str | None = None, allowed: str | None = None
    ) -> None:
        super().__init__(says)
        self.code, self.says, self.line, self.found, self.allowed = code, says, line, found, allowed


def _ruby(base: str, reading: str) -> str:
    return f"{ANCHOR}{base}{SEPARATOR}{reading}{END}"


def _bare(base: str, reading: str) -> str:
    return base


@functools.cache
def _environment(furigana: bool) -> SandboxedEnvironment:
    # 紙は HTML ではないので、字を &amp; などに変えない。
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.globals = {"ruby": _ruby if furigana else _bare}
    environment.filters = {}
    environment.tests = {}
    return environment


@functools.lru_cache(maxsize=4096)
def _compiled(text: str, furigana: bool) -> Template:
    return _environment(furigana).from_string(text)


def fill(text: str, values: Mapping[str, Any], *, furigana: bool = False) -> str:
    """名前に値を入れた文。鍵は `due` や `values.reason`。値の足りない名前は WrongUse（黙って空にしない）。"""
    if "{" not in text:
        return text
    given: dict[str, Any] = {"values": {}}
    for name, value in values.items():
        own = name.removeprefix("values.")
        (given if own == name else given["values"])[own] = value
    try:
        return _compiled(text, furigana).render(given)
    except UndefinedError as lacking:
        raise WrongUse("手紙の言葉に入れる値がありません", code="words-value", found=str(lacking)) from None


def check(text: str, fields: Collection[str]) -> frozenset[str]:
    """文を確かめ、使っている名前（`due`、`values.reason` など）を返す。`fields` はこの種類の値の名。断りは Slip。"""
    try:
        tree = _environment(furigana=False).parse(text)
    except TemplateSyntaxError as error:
        raise Slip("words-syntax", f"書き方の誤り（{_in_japanese(error)}）", line=error.lineno) from None
    used = set()
    for node in _walk(tree):
        used |= _names_in(node, fields)
    printed = "".join(_printed(tree))
    if lacking := missing(printed):
        raise Slip("words-glyph", "書体にない字があります", found="、".join(lacking))
    return frozenset(used)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """値（`values.x`）と `ruby(…)` は、一つの節として見る。"""
    yield node
    if isinstance(node, nodes.Getattr | nodes.Call):
        return
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _names_in(node: nodes.Node, fields: Collection[str]) -> set[str]:
    if isinstance(node, nodes.TemplateData):
        if "{" in node.data or "}" in node.data:
            raise Slip("words-placeholder", "値は「{{ 名前 }}」と二重の波かっこで書きます", line=node.lineno)
        return set()
    if isinstance(node, nodes.Name):
        if node.name not in NAMES:
            raise _unknown(node.name, fields, node.lineno)
        return {node.name}
    if isinstance(node, nodes.Getattr):
        plain = isinstance(node.node, nodes.Name) and node.node.name == "values"
        if not plain or node.attr not in fields:
            raise _unknown(f"values.{node.attr}" if plain else f"….{node.attr}", fields, node.lineno)
        return {f"values.{node.attr}"}
    if isinstance(node, nodes.Call):
        texts = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
        ruby = isinstance(node.node, nodes.Name) and node.node.name == "ruby"
        if not ruby or len(texts) != 2 or len(node.args) != 2 or node.kwargs or not all(texts):
            raise Slip(
                "words-syntax",
                "使えない書き方です",
                line=node.lineno,
                allowed="{{ ruby('支給', 'しきゅう') }}",
            )
        return set()
    if not isinstance(node, (*_PLAIN, *_LOGIC)):
        raise Slip(
            "words-syntax",
            "使えない書き方です",
            line=node.lineno,
            found=type(node).__name__,
            allowed="{{ 名前 }}、{% if 名前 %}…{% endif %}、{{ ruby('支給', 'しきゅう') }}",
        )
    return set()


def _unknown(name: str, fields: Collection[str], line: int) -> Slip:
    allowed = "、".join([*NAMES, *(f"values.{field}" for field in fields)])
    return Slip("words-placeholder", "知らない名前があります", line=line, found=name, allowed=allowed)


def _printed(tree: nodes.Template) -> Iterator[str]:
    """紙に出うる字: 地の文と、書き込まれた文字列。"""
    for data in tree.find_all(nodes.TemplateData):
        yield data.data
    for const in tree.find_all(nodes.Const):
        if isinstance(const.value, str):
            yield const.value


def _in_japanese(error: TemplateSyntaxError) -> str:
    """よくある書き間違いを、職員の言葉に。"""
    said = error.message or ""
    if "unexpected end of template" in said or "Unexpected end" in said:
        return "{% if %} に対する {% endif %} がありません"
    if "end of print statement" in said or "unexpected '}'" in said:
        return "「{{」と「}}」の間の書き方が違います"
    if "Encountered unknown tag" in said:
        return "知らない命令です"
    return "「{{ }}」「{% %}」の対応が違います"
