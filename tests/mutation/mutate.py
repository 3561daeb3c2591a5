"""一つの誤り（変異）を、規則の文面に入れる: 比べる向き、境目、足し引き、かつ・または、三値、読み飛ばし。

変異は構文木の上で作る。型の注記、docstring、assert、検査の説明文（職員に見せる文）は変えない。
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
#: 名の取り替え。
_NAMES = {
    "any": "all",
    "all": "any",
    "any_horizontal": "all_horizontal",
    "max_horizontal": "min_horizontal",
    "is_null": "is_not_null",
    "is_not_null": "is_null",
    "first": "last",
    "starts_with": "ends_with",
}
_WORDS = {"left": "inner", "full": "left", "semi": "anti", "first": "last", "last": "first"}
#: 飛ばしてみる段。
_STEPS = {"unique", "filter", "fill_null", "drop_nulls", "strip_chars_end", "sort", "replace_all"}


@dataclass(frozen=True)
class Mutant:
    """一つの変異。`line` は行、`kind` は種類、`change` は前と後。"""

    file: str
    number: int
    line: int
    kind: str
    change: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def _skipped(tree: ast.Module) -> set[int]:
    """変えない節: docstring、注記、assert、取り込み、検査の説明文。"""
    found: set[int] = set()

    def skip(node: ast.AST | None) -> None:
        if node is not None:
            found.update(id(one) for one in ast.walk(node))

    for node in ast.walk(tree):
        match node:
            case ast.Module(body=body) | ast.FunctionDef(body=body) | ast.ClassDef(body=body):
                if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                    skip(body[0])
                if isinstance(node, ast.FunctionDef):
                    skip(node.args)
                    skip(node.returns)
                    for decorator in node.decorator_list:
                        skip(decorator)
                if isinstance(node, ast.ClassDef):
                    for decorator in node.decorator_list:
                        skip(decorator)
            case ast.AnnAssign():
                skip(node.annotation)
            case ast.Assert() | ast.Import() | ast.ImportFrom():
                skip(node)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                skip(node)
            case ast.Call(func=ast.Name(id="Check"), args=args):
                for text in args[1:]:
                    skip(text)
    return found


def _variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """この節の代わり: (種類, 新しい節)。"""
    match node:
        case ast.Compare(ops=[op]):
            for other in _COMPARE.get(type(op), ()):
                yield "比較", ast.Compare(node.left, [other()], node.comparators)
        case ast.BinOp(op=op) if type(op) in _BINARY:
            yield "演算", ast.BinOp(node.left, _BINARY[type(op)](), node.right)
        case ast.UnaryOp(op=ast.Invert() | ast.Not() | ast.USub()):
            yield "否定", node.operand
        case ast.BoolOp(op=op):
            yield "論理", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.IfExp():
            yield "条件", ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Constant(value=bool() as value):
            yield "真偽", ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield "数", ast.Constant(value + 1)
        case ast.Constant(value=str() as value):
            yield "言葉", ast.Constant(_WORDS.get(value, f"{value}X"))
        case ast.Call(func=ast.Attribute(attr=name)):
            if name == "when" and node.args:
                for answer in (True, False):
                    yield "場合", ast.Call(node.func, [ast.parse(f"pl.lit(value={answer})").body[0].value], [])  # type: ignore[attr-defined]
            if name in _NAMES:
                yield "名", ast.Call(ast.Attribute(node.func.value, _NAMES[name], ast.Load()), node.args, node.keywords)
            if name in _STEPS:
                yield "段", node.func.value
            if name == "coalesce" and len(node.args) > 1:
                yield "順", ast.Call(node.func, [*node.args[1:], node.args[0]], node.keywords)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, new: ast.AST) -> None:
        self.target, self.new = target, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            return ast.copy_location(self.new, node)
        return self.generic_visit(node)


def _sites(path: Path) -> Iterator[tuple[ast.Module, ast.AST, str, ast.AST]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = _skipped(tree)
    for node in ast.walk(tree):
        if id(node) not in skipped:
            for kind, new in _variants(node):
                yield tree, node, kind, new


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} … {text[-27:]}"


def mutants(path: Path) -> list[Mutant]:
    """このファイルの変異の全部。"""
    found = []
    for number, (_tree, node, kind, new) in enumerate(_sites(path)):
        line = getattr(node, "end_lineno" if kind in {"段", "名", "場合"} else "lineno", 0)
        if kind == "場合":
            assert isinstance(node, ast.Call)
            change = f"when({_shown(node.args[0])}) → when({_shown(new.args[0])})"  # type: ignore[attr-defined]
            line = node.args[0].lineno
        elif kind in {"段", "名"}:
            assert isinstance(node, ast.Call)
            assert isinstance(node.func, ast.Attribute)
            line = node.func.end_lineno or line
            name = node.func.attr
            change = f".{name}(…) → " + ("なし" if kind == "段" else f".{_NAMES[name]}(…)")
        else:
            change = f"{_shown(node)} → {_shown(new)}"
        found.append(Mutant(path.name, number, line, kind, change))
    return found


def mutated(path: Path, number: int) -> ast.Module:
    """その変異だけを入れた構文木。"""
    for place, (tree, node, _kind, new) in enumerate(_sites(path)):
        if place == number:
            made = _Replace(node, copy.deepcopy(new)).visit(tree)
            return ast.fix_missing_locations(made)
    raise IndexError(number)
