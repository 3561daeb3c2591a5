"""出すファイルは、全部あるか、まったく無いか。

同じフォルダに仮の名で書き、fsync し、rename し、フォルダを fsync する。フォルダで渡すものは
manifest.json を最後に書く。受け取る側は manifest のない・合わないフォルダを断る
（reliability.md P9、architecture.md「どこでも守る決まり」）。
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benefit.domain.errors import Place, RefusedInput

MANIFEST = "manifest.json"


def sha256_of(data: bytes) -> str:
    """内容の指紋（SHA-256、16 進 64 文字）。"""
    return hashlib.sha256(data).hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_folder(folder: Path) -> None:
    """フォルダを作る。作ったフォルダの名前も、親に残す（中身だけ残っても、たどり着けなければ無いのと同じ）。"""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """仮の名を渡し、ブロックが終わったら本当の名にする。途中で止まれば本当の名は現れない。"""
    _make_folder(path.parent)
    beside = path.parent / f".{path.name}.{os.getpid()}.part"
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
        _sync_folder(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def write_atomic(path: Path, data: bytes, *, mode: int = 0o600) -> str:
    """丸ごと書き、指紋を返す。個人の情報を含みうるので、持ち主だけが読める。"""
    with (
        atomic_path(path) as beside,
        os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out,
    ):
        out.write(data)
    return sha256_of(data)


def write_json(path: Path, content: Mapping[str, Any]) -> str:
    """日本語のまま、鍵の順を保って書く。"""
    return write_atomic(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode())


def write_manifest(folder: Path, content: Mapping[str, Any]) -> str:
    """manifest.json を書く。フォルダの最後のファイルである。"""
    return write_json(folder / MANIFEST, content)


def read_manifest(folder: Path) -> dict[str, Any]:
    """受け取ったフォルダの manifest.json。無い・読めないときは RefusedInput。"""
    path = folder / MANIFEST
    place = Place(file=f"{folder.name}/{MANIFEST}")
    if not path.is_file():
        raise RefusedInput("manifest.json がありません。書きかけの受渡しは受け取れません", code="manifest", place=place)
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise RefusedInput("manifest.json が壊れています", code="manifest", place=place) from None
    if not isinstance(content, dict):
        raise RefusedInput("manifest.json の形が違います", code="manifest", place=place)
    return content


def read_input(path: Path) -> bytes:
    """渡されたファイルの中身。無いときは、どのファイルかを言って断る。"""
    if not path.is_file():
        raise RefusedInput("ファイルがありません", code="no-file", place=Place(file=path.name))
    return path.read_bytes()
