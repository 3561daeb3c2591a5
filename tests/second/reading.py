"""抽出データのフォルダを、判定の事実に読む。"""

from __future__ import annotations

from pathlib import Path

from benefit.records import extracts as layouts
from benefit.rules.facts import Facts, empty


def facts_of(folder: Path) -> Facts:
    """フォルダの CSV の全部。一行も断られない。"""
    frames = {kind: empty(kind) for kind in layouts.TABLES}
    for kind, table in layouts.TABLES.items():
        path = folder / f"{kind}.csv"
        if path.exists():
            read = layouts.read(table, path.read_bytes(), file_name=path.name)
            assert read.rows_rejected == 0
            frames[kind] = read.frame
    return Facts(**frames)
