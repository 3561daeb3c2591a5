"""判定の再現: 別の計算機でも、outcomes.csv は一字も違わない。違えば、そう言う。"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from benefit.domain.errors import RefusedInput
from benefit.services import beneficiaries, replay, runs
from benefit.services.files import read_manifest
from tests.services.conftest import JUDGED, MAKER, PROGRAMME, Office
from tests.services.test_changes import bring, change, lonely


def test_a_run_is_replayed_byte_for_byte_even_after_the_facts_changed(office: Office, tmp_path: Path) -> None:
    first = runs.find(office.home, PROGRAMME, "latest")
    kept = (office.root / "build" / "outcomes.csv").read_bytes()
    row = lonely(office)
    bring(office, "residents", change(row["payee_number"], 消除日="2024-07-20", 消除事由="死亡"))
    beneficiaries.build(office.home, PROGRAMME, JUDGED, out=tmp_path / "b", clock=office.clock, actor=MAKER)
    second = runs.find(office.home, PROGRAMME, "latest")
    assert second.id != first.id
    for run, expected in ((first, kept), (second, (tmp_path / "b" / "outcomes.csv").read_bytes())):
        done = replay.replay(office.home, run, out=tmp_path / f"out-{run.id}")
        assert done.same
        assert done.rows == expected.count(b"\n") - 1
        assert (tmp_path / f"out-{run.id}" / "outcomes.csv").read_bytes() == expected


def test_a_packed_folder_needs_neither_the_store_nor_the_home(office: Office, tmp_path: Path) -> None:
    run = runs.find(office.home, PROGRAMME, "latest")
    assert replay.pack(office.home, run, tmp_path / "pack") >= 6
    again = shutil.copytree(tmp_path / "pack", tmp_path / "elsewhere")
    done = replay.replay_folder(Path(again), out=tmp_path / "out")
    assert done.same
    assert done.versions == {}
    assert (tmp_path / "out" / "outcomes.csv").read_bytes() == (office.root / "build" / "outcomes.csv").read_bytes()
    assert {path.stat().st_mode & 0o077 for path in Path(again).iterdir()} == {0}


@pytest.mark.parametrize("damage", ["flip", "missing", "programme", "kind", "facts"])
def test_what_was_touched_is_not_passed_off_as_the_same(office: Office, tmp_path: Path, damage: str) -> None:
    run = runs.find(office.home, PROGRAMME, "latest")
    folder = tmp_path / "pack"
    replay.pack(office.home, run, folder)
    taxes = folder / "taxes.parquet"
    if damage == "flip":
        data = bytearray(taxes.read_bytes())
        data[len(data) // 2] ^= 1
        taxes.write_bytes(bytes(data))
    elif damage == "missing":
        taxes.unlink()
    elif damage == "programme":
        text = (folder / "programme.toml").read_text(encoding="utf-8")
        (folder / "programme.toml").write_text(text.replace("18050000", "18050001"), encoding="utf-8")
        retell(folder, "programme.toml")
    elif damage == "kind":
        retell(folder, None, 種類="支給対象者")
    else:
        # 中身も manifest も揃えて書き換えても、結果が記録と違うことは隠せない。
        pl.read_parquet(taxes).with_columns(per_capita_levy_yen=pl.lit(4000, dtype=pl.Int64)).write_parquet(taxes)
        retell(folder, "taxes.parquet")
        assert not replay.replay_folder(folder).same
        return
    with pytest.raises(RefusedInput):
        replay.replay_folder(folder)


def retell(folder: Path, name: str | None, **changes: str) -> None:
    from benefit.services.files import sha256_of, write_manifest

    manifest = read_manifest(folder) | changes
    if name:
        manifest["ファイル"][name] = sha256_of((folder / name).read_bytes())
    write_manifest(folder, manifest)


def test_another_version_is_named(office: Office, tmp_path: Path) -> None:
    run = runs.find(office.home, PROGRAMME, "latest")
    replay.pack(office.home, run, tmp_path / "pack")
    manifest = read_manifest(tmp_path / "pack")
    manifest["入力"]["版"]["polars"] = "1.0.0"
    retell(tmp_path / "pack", None, **manifest)
    done = replay.replay_folder(tmp_path / "pack")
    assert done.same
    assert done.versions == {"polars": ("1.0.0", pl.__version__)}
