"""判定の再現: 残してある入力から判定し直し、outcomes.csv が一字も違わないことを確かめる。

入力は指紋で残っている。抽出データは取り込んだ時の写し、事業は TOML の文面、回答と申請は、その判定で使った表である。
別の計算機では、フォルダにまとめたもの（`pack`）だけで再現でき、台帳はいらない。
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benefit import __version__
from benefit.domain.errors import Place, RefusedInput
from benefit.domain.programme import Programme
from benefit.records import outcomes as outcome_file
from benefit.rules import facts as rule_facts
from benefit.rules.outcomes import decide
from benefit.services import extracts, runs
from benefit.services.files import (
    atomic_path,
    read_input,
    read_manifest,
    sha256_of,
    write_atomic,
    write_json,
    write_manifest,
)
from benefit.services.home import Home
from benefit.services.standing import Inputs

PROGRAMME, KEPT = "programme.toml", "inputs.json"
#: まとめたフォルダの manifest の「種類」。
PACKED = "判定の再現"


@dataclass(frozen=True)
class Replayed:
    """再現一回。`same` は、登録された結果と一字も違わなかったか。`versions` は、違っている版（記録、いま）。"""

    expected: str
    found: str
    rows: int
    versions: dict[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        """一字も違わなかったか。"""
        return self.expected == self.found


def keep(home: Home, inputs: Inputs) -> None:
    """判定の入力のうち、写しにないもの（事業の文面、回答と申請の表）を、判定のフォルダに残す。"""
    place = runs.folder(home, inputs.digest)
    for kind, frame in inputs.derived.items():
        with atomic_path(place / f"{kind}.parquet") as beside:
            frame.write_parquet(beside, compression="zstd")
            beside.chmod(0o600)
    write_atomic(place / PROGRAMME, inputs.programme.text.encode())
    write_json(
        place / KEPT,
        {
            "入力": inputs.described,
            "写し": {kind: source.sha256 for kind, source in inputs.sources.items() if kind not in inputs.derived},
            "表": sorted(inputs.derived),
        },
    )


def _files(home: Home, run: runs.Run) -> tuple[dict[str, Any], dict[str, Path]]:
    """(残した記録, 種類 → 表のファイル)。"""
    place = runs.folder(home, run.input_digest)
    kept = json.loads(read_input(place / KEPT))
    files = {kind: extracts.snapshot_path(home, kind, sha256) for kind, sha256 in kept["写し"].items()}
    files |= {kind: place / f"{kind}.parquet" for kind in kept["表"]}
    return kept, files


def replay(home: Home, run: runs.Run, *, out: Path | None = None) -> Replayed:
    """登録された判定を、残してある入力から判定し直す。`out` があれば、そこに outcomes.csv を書く。"""
    kept, files = _files(home, run)
    text = read_input(runs.folder(home, run.input_digest) / PROGRAMME).decode()
    return _decide_again(text, kept["入力"], files, run.outcomes_sha256, out)


def pack(home: Home, run: runs.Run, out: Path) -> int:
    """別の計算機で再現するためのフォルダを作る。個人の情報を含むので、区の中だけで扱う。ファイルの数を返す。"""
    kept, files = _files(home, run)
    listed: dict[str, str] = {}
    sources = {f"{kind}.parquet": path for kind, path in files.items()}
    sources[PROGRAMME] = runs.folder(home, run.input_digest) / PROGRAMME
    for name, path in sorted(sources.items()):
        read_input(path)
        with atomic_path(out / name) as beside:
            shutil.copyfile(path, beside)
            beside.chmod(0o600)
        listed[name] = sha256_of((out / name).read_bytes())
    write_manifest(
        out,
        {
            "種類": PACKED,
            "判定": run.id,
            "outcomes_sha256": run.outcomes_sha256,
            "入力": kept["入力"],
            "ファイル": listed,
        },
    )
    return len(listed)


def replay_folder(folder: Path, *, out: Path | None = None) -> Replayed:
    """まとめたフォルダから判定し直す。台帳はいらない。欠けた・書き換わったファイルは RefusedInput。"""
    manifest = read_manifest(folder)
    place = Place(file=folder.name)
    if manifest.get("種類") != PACKED:
        raise RefusedInput("判定の再現のフォルダではありません", code="replay-kind", place=place)
    for name, fingerprint in manifest["ファイル"].items():
        if sha256_of(read_input(folder / name)) != fingerprint:
            raise RefusedInput(
                "中身の指紋が manifest と違います", code="replay-digest", place=Place(file=f"{folder.name}/{name}")
            )
    files = {Path(name).stem: folder / name for name in manifest["ファイル"] if Path(name).suffix == ".parquet"}
    text = (folder / PROGRAMME).read_text(encoding="utf-8")
    return _decide_again(text, manifest["入力"], files, manifest["outcomes_sha256"], out)


def _decide_again(
    text: str, described: Mapping[str, Any], files: Mapping[str, Path], expected: str, out: Path | None
) -> Replayed:
    programme = Programme.parse(text, file=PROGRAMME)
    if programme.digest != described["事業の指紋"]:
        raise RefusedInput("事業の文面が、判定の記録と違います", code="replay-programme")
    frames = {
        kind: pl.read_parquet(files[kind]) if kind in files else rule_facts.empty(kind) for kind in rule_facts.SCHEMAS
    }
    today = date.fromisoformat(described["基準の日"])
    rendered = outcome_file.render(decide(rule_facts.Facts(**frames), programme, today).outcomes)
    if out is not None:
        write_atomic(out / outcome_file.FILE_NAME, rendered)
    now = {"benefit": __version__, "polars": pl.__version__}
    versions = {
        name: (described["版"][name], version) for name, version in now.items() if described["版"][name] != version
    }
    return Replayed(expected, sha256_of(rendered), rendered.count(b"\n") - 1, versions)
