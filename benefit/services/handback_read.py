"""届いた進捗情報のフォルダを読み、それ自身で確かめられることを全部確かめる。台帳は見ない。"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import desk_progress
from benefit.services.files import MANIFEST, read_input, read_manifest, sha256_of

_KEYS = {"種類", "事業", "連番", "起点", "受渡連番", "件数", "sha256", "作成日時", "指紋"}


def read(folder: Path, programme_id: str) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """(manifest, ファイル名 → 表)。種類・事業・数・指紋・列・値のどれかが合わなければ RefusedInput。"""
    manifest = read_manifest(folder)
    place = Place(file=f"{folder.name}/{MANIFEST}")
    if manifest.get("種類") != desk_progress.KIND:
        raise RefusedInput("進捗情報の受渡ではありません", code="handover-kind", place=place)
    if set(manifest) != _KEYS:
        raise RefusedInput("manifest の項目が決まりと違います", code="handover-keys", place=place)
    if manifest["指紋"] != desk_progress.fingerprint(manifest):
        raise RefusedInput("manifest の中身が、指紋と違います", code="handover-digest", place=place)
    if manifest["事業"] != programme_id:
        raise RefusedInput("ほかの給付事業の受渡です", code="handover-programme", place=place, allowed=programme_id)
    _check_numbers(manifest, place)
    frames = {}
    for name in desk_progress.FILES:
        data = read_input(folder / name)
        here = Place(file=f"{folder.name}/{name}")
        if manifest["sha256"].get(name) != sha256_of(data):
            raise RefusedInput("中身の指紋が manifest と違います", code="handover-digest", place=here)
        frames[name] = desk_progress.read(name, data, file_name=f"{folder.name}/{name}")
        if manifest["件数"].get(name) != frames[name].height:
            raise RefusedInput(
                "件数が manifest と違います", code="handover-count", place=here, found=str(frames[name].height),
                allowed=str(manifest["件数"].get(name)),
            )  # fmt: skip
    return manifest, frames


def _check_numbers(manifest: dict[str, Any], place: Place) -> None:
    numbers = [manifest[name] for name in ("起点", "受渡連番", "連番")]
    if any(type(number) is not int or not 0 <= number < 10**9 for number in numbers) or numbers[0] >= numbers[2]:
        raise RefusedInput("manifest の連番が読めません", code="handover-sequence", place=place)
    for name in ("件数", "sha256"):
        if not isinstance(manifest[name], dict) or set(manifest[name]) != set(desk_progress.FILES):
            raise RefusedInput(
                f"manifest の「{name}」が、四つのファイルの分になっていません", code="handover-keys", place=place
            )
    made = manifest["作成日時"]
    if not isinstance(made, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", made):
        raise RefusedInput("manifest の「作成日時」が読めません", code="handover-made", place=place)
    try:
        datetime.fromisoformat(made)
    except ValueError:
        raise RefusedInput("manifest の「作成日時」が読めません", code="handover-made", place=place) from None
