"""電源断のときにディスクに残りうる姿を、全部作る小さな模型（CrashFS）。

約束していないことは起こりうる: fsync していない書込みと、フォルダを fsync していない名前の変更は、起きた順に限らず、
どの組が残ってもよい。fsync は、そのファイルの中身（フォルダなら、名前）を残す。本物の道具（LazyFS など）の代わりであり、
模型にすぎない。だが「rename の前の fsync を忘れた」「フォルダの fsync を忘れた」は、どちらもここで見つかる。
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

MOST = 12  #: 一つの瞬間に、残るかどうか分からない仕事の数の上限（2 の 12 乗通り）


@dataclass(frozen=True)
class Deed:
    """仕事一つ。`write` は中身の一部、`name` と `forget` はフォルダの中の名前、`sync` は残す。"""

    kind: str
    path: str = ""
    node: int = 0
    start: int = 0
    data: bytes = b""


@dataclass
class Recorder:
    """本物の書き手を動かし、OS への仕事を順に書き取る。中身は、次の仕事の前に実物のファイルを見て知る。"""

    root: Path
    log: list[Deed] = field(default_factory=list)
    nodes: dict[int, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    seen: dict[int, bytes] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def look(self) -> None:
        """前に見てから、できた名前・書かれた中身を書き取る。"""
        for path in sorted(self.root.rglob("*")):
            name, real = str(path.relative_to(self.root)), path.stat().st_ino
            if name not in self.names:
                # 消えた後に同じ番号が使い回されることがあるので、名前の付いていない番号は新しいものとする。
                if self.nodes.get(real) not in set(self.names.values()):
                    self.nodes[real] = next(self.numbers)
                self.names[name] = self.nodes[real]
                self.log.append(Deed("name", name, self.names[name], data=b"/" if path.is_dir() else b""))
            node = self.names[name]
            if path.is_file() and (now := path.read_bytes()) != self.seen.get(node, b""):
                half = len(now) // 2  # 一度の書込みも、半分だけ残りうる
                self.log.append(Deed("write", node=node, data=now[:half]))
                self.log.append(Deed("write", node=node, start=half, data=now[half:]))
                self.seen[node] = now

    def fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def deed(descriptor: int) -> None:
            self.look()
            real(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path == self.root:
                self.log.append(Deed("sync folder"))
            elif path.is_relative_to(self.root):
                name = str(path.relative_to(self.root))
                kind = "sync folder" if path.is_dir() else "sync"
                self.log.append(Deed(kind, name, self.names[name]))

        return deed

    def replace(self, real: Callable[..., None]) -> Callable[..., None]:
        def deed(before: Any, after: Any, **more: Any) -> None:
            self.look()
            real(before, after, **more)
            old, new = (str(Path(path).relative_to(self.root)) for path in (before, after))
            node = self.names.pop(old)
            self.names[new] = node
            self.log.append(Deed("rename", f"{old}\0{new}", node))

        return deed

    def unlink(self, real: Callable[..., None]) -> Callable[..., None]:
        def deed(path: Any, **more: Any) -> None:
            self.look()
            real(path, **more)
            name = str(Path(path).relative_to(self.root))
            self.log.append(Deed("forget", name, self.names.pop(name)))

        return deed


@contextmanager
def recording(root: Path) -> Iterator[Recorder]:
    """この間の仕事を書き取る。始めにあったものは、もう残っているものとする。"""
    made = Recorder(root.resolve())
    made.look()
    made.log.append(Deed("all kept"))
    with pytest.MonkeyPatch.context() as patched:
        for name in ("fsync", "replace", "unlink"):
            patched.setattr(os, name, getattr(made, name)(getattr(os, name)))
        yield made
    made.look()


def _folder(deed: Deed) -> str:
    path = deed.path.split("\0")[-1]
    return str(Path(path).parent) if "/" in path else ""


def _after(log: list[Deed]) -> tuple[list[Deed], list[Deed]]:
    """（必ず残る仕事、残るか分からない仕事）。"""
    kept: list[Deed] = []
    unsure: list[Deed] = []
    for deed in log:
        if deed.kind == "all kept":
            kept, unsure = kept + unsure, []
        elif deed.kind == "sync":
            kept += [each for each in unsure if each.kind == "write" and each.node == deed.node]
            unsure = [each for each in unsure if not (each.kind == "write" and each.node == deed.node)]
        elif deed.kind == "sync folder":
            mine = [each for each in unsure if each.kind != "write" and _folder(each) == deed.path]
            kept, unsure = kept + mine, [each for each in unsure if not any(each is one for one in mine)]
        else:
            unsure.append(deed)
    return kept, unsure


def _applied(deeds: list[Deed]) -> dict[str, bytes | None]:
    """残った仕事だけを起きた順にして、ディスクの姿を作る。None はフォルダ。"""
    contents: dict[int, bytearray] = {}
    names: dict[str, tuple[int, bool]] = {}
    for deed in deeds:
        if deed.kind == "write":
            body = contents.setdefault(deed.node, bytearray())
            if deed.start == 0:
                body.clear()
            body.extend(bytes(max(deed.start - len(body), 0)))  # 前半が残らず後半だけ残れば、間は 0 になる
            body[deed.start :] = deed.data
        elif deed.kind == "name":
            names[deed.path] = (deed.node, deed.data == b"/")
        elif deed.kind == "rename":
            old, new = deed.path.split("\0")
            names.pop(old, None)
            names[new] = (deed.node, False)
        elif deed.kind == "forget":
            names.pop(deed.path, None)
    folders = {name for name, (_node, folder) in names.items() if folder} | {"."}
    return {
        name: None if folder else bytes(contents.get(node, b""))
        for name, (node, folder) in names.items()
        if all(str(parent) in folders for parent in Path(name).parents)
    }


def crash_states(log: list[Deed]) -> Iterator[tuple[bool, dict[str, bytes | None]]]:
    """どの瞬間に電源が落ちても残りうる姿の全部（同じ姿は一度）。初めの真偽は「書き手が終わった後か」。"""
    order = {id(deed): place for place, deed in enumerate(log)}
    start = next(place for place, deed in enumerate(log) if deed.kind == "all kept")
    seen: set[tuple[bool, tuple[tuple[str, bytes | None], ...]]] = set()
    for length in range(start + 1, len(log) + 1):
        kept, unsure = _after(log[:length])
        assert len(unsure) <= MOST, f"残るか分からない仕事が多すぎる（{len(unsure)}）"
        for many in range(len(unsure) + 1):
            for chosen in itertools.combinations(unsure, many):
                state = _applied(sorted([*kept, *chosen], key=lambda deed: order[id(deed)]))
                key = (length == len(log), tuple(sorted(state.items(), key=lambda item: item[0])))
                if key not in seen:
                    seen.add(key)
                    yield key[0], state
