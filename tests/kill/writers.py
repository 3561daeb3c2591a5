"""ファイルの書き手: 本物（benefit.services.files）と、わざと誤った書き手。受け取る側の読み方も二つ。"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benefit.domain.errors import RefusedInput
from benefit.services.files import atomic_path, read_manifest, sha256_of, write_atomic, write_manifest

LINES = 4_000
NAMES = ("a.csv", "b.csv", "c.csv")


def body(version: int) -> bytes:
    """どの行にも版が書いてある。一部でも別の版や欠けがあれば分かる。"""
    return f"{version:010d}\n".encode() * LINES


def whole(data: bytes) -> bool:
    return len(data) == 11 * LINES and data == data[:11] * LINES


def plain(path: Path, data: bytes) -> str:
    """わざと入れた誤り: 本当の名に、そのまま書く。"""
    with path.open("wb", buffering=4096) as out:
        out.write(data[: len(data) // 2])
        out.write(data[len(data) // 2 :])
    return sha256_of(data)


def rename_before_sync(path: Path, data: bytes) -> str:
    """わざと入れた誤り: rename してから fsync する。"""
    beside = path.parent / f".{path.name}.part"
    beside.write_bytes(data)
    beside.replace(path)
    for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY)):
        descriptor = os.open(each, flags)
        os.fsync(descriptor)
        os.close(descriptor)
    return sha256_of(data)


def name_not_synced(path: Path, data: bytes) -> str:
    """わざと入れた誤り: フォルダを fsync しない。"""
    beside = path.parent / f".{path.name}.part"
    beside.write_bytes(data)
    with beside.open("rb") as written:
        os.fsync(written.fileno())
    beside.replace(path)
    return sha256_of(data)


Writer = Callable[[Path, bytes], str]
WRITERS: dict[str, Writer] = {"atomic": write_atomic, "plain": plain}


def hand_over(folder: Path, version: int, write: Writer = write_atomic) -> None:
    """受渡のフォルダ: 中身、最後に manifest.json。"""
    folder.mkdir(parents=True, exist_ok=True) if write is not write_atomic else None
    files = {name: write(folder / name, body(version)) for name in NAMES}
    write_manifest(folder, {"version": version, "files": files})


def hand_over_table(folder: Path, version: int) -> None:
    """表の写し（Parquet）の受渡。別の部品が書くファイルも、同じ約束で出す。"""
    with atomic_path(folder / "a.parquet") as beside:
        pl.DataFrame({"version": [version] * 100}).write_parquet(beside)
    write_manifest(folder, {"version": version, "files": {"a.parquet": sha256_of((folder / "a.parquet").read_bytes())}})


def receive(folder: Path) -> dict[str, bytes] | None:
    """受け取る側: manifest を先に読み、中身が合うときだけ受け取る（desk load と同じ順）。断れば None。"""
    try:
        manifest = read_manifest(folder)
    except RefusedInput:
        return None
    found: dict[str, bytes] = {}
    for name, fingerprint in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            return None
        found[name] = path.read_bytes()
        if sha256_of(found[name]) != fingerprint:
            return None
    return found


def receive_without_manifest(folder: Path) -> dict[str, bytes] | None:
    """わざと入れた誤り: 見えるファイルを、そのまま受け取る。"""
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")} or None


RECEIVERS = {"manifest": receive, "no manifest": receive_without_manifest}
