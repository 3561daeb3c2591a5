"""受信フォルダ: どの瞬間に電源が落ちても、届いたファイルは失われず、二度数えず、もう一度打てば終わる（seed 001）。"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
from pathlib import Path

import pytest

from benefit.services import collection_inbox
from benefit.services.home import Home
from benefit.store import ward
from tests.collection import inbox_child
from tests.collection.conftest import accounts
from tests.conftest import StepClock
from tests.records.collection_samples import sample
from tests.support.forked import entry_hidden

SEED = int(os.environ.get("INBOX_SEED", "7"))
#: 止める瞬間の数（書く文は多いので、いくつかを引く。ファイルの前後は全部）。
KILLS = 5
_SERVER = multiprocessing.get_context("forkserver")
# 電源断の試験（tests/kill）の部品も一緒に読む（後から言った方が勝つため）。
_SERVER.set_forkserver_preload(["tests.kill.steps", "tests.collection.inbox_child"])
LAYOUT = "payeasy-paid"


def child(place: Path, at: int | None) -> int:
    """子を走らせる。止めた後の終了コード。"""
    made = _SERVER.Process(target=inbox_child.run, args=(place / "home", place / "inbox", at, place / "told"))
    with entry_hidden():
        made.start()
    made.join(60)
    assert made.exitcode is not None
    return made.exitcode


@pytest.fixture
def arrived(sqlite_template: Path, tmp_path: Path) -> Path:
    shutil.copytree(sqlite_template, tmp_path / "kept" / "home")
    file = tmp_path / "kept" / "inbox" / LAYOUT / "todoita.dat"
    file.parent.mkdir(parents=True)
    file.write_bytes(sample(LAYOUT))
    return tmp_path / "kept"


def copied(arrived: Path, name: str) -> Path:
    return Path(shutil.copytree(arrived, arrived.parent / name))


def test_killed_at_any_moment_the_file_is_neither_lost_nor_counted_twice(arrived: Path, clock: StepClock) -> None:
    whole = copied(arrived, "whole")
    assert child(whole, None) == 0
    labels = json.loads((whole / "told").read_text())
    files = [place for place, label in enumerate(labels, 1) if "replace" in label or "commit" in label]
    rest = sorted(set(range(1, len(labels))) - set(files))
    print(f"INBOX_SEED={SEED}")
    chosen = sorted({*files, *random.Random(SEED).sample(rest, KILLS)})
    for at in chosen:
        place = copied(arrived, f"at-{at}")
        assert child(place, at) == -9, labels[at - 1]
        terminal = place / "inbox" / LAYOUT / "todoita.dat"
        copies = list((place / "home" / "received").rglob("*.dat"))
        assert terminal.exists() or [one.read_bytes() for one in copies] == [sample(LAYOUT)], "失われた"
        home = Home.at(place / "home")
        told = list(collection_inbox.sweep(home, place / "inbox", clock=clock))
        assert "受け取りました" in told[0] or "届いたファイルはありません" in told[0]
        assert not terminal.exists()
        assert [one.read_bytes() for one in (place / "home" / "received").rglob("*.dat")] == [sample(LAYOUT)]
        [receipt] = (place / "inbox" / "受領票" / LAYOUT).glob("*.txt")
        assert "受け取りました（受付番号 1）" in receipt.read_text()
        assert accounts(home) == {"預金": 12_300, "不明金": -12_300}
        with home.ward.connect() as connection:
            assert len(connection.execute(ward.collection_file.select()).all()) == 1
        home.ward.dispose()


def test_what_is_refused_stays_with_a_note_and_what_is_replaced_meanwhile_is_not_removed(
    arrived: Path, clock: StepClock
) -> None:
    """空のファイル、途中までのファイルは、断って残す。隠れたファイル（書きかけ）は見ない。"""
    folder = arrived / "inbox"
    (folder / LAYOUT / ".kaki-kake").write_bytes(b"x")
    (folder / LAYOUT / "kara.dat").write_bytes(b"")
    (folder / LAYOUT / "hanbun.dat").write_bytes(sample(LAYOUT)[:300])
    home = Home.at(arrived / "home")
    told = list(collection_inbox.sweep(home, folder, clock=clock))
    assert [line.split()[0] for line in told] == ["断りました", "断りました", "受け取りました"]
    assert {path.name for path in (folder / LAYOUT).iterdir()} == {".kaki-kake", "kara.dat", "hanbun.dat"}
    notes = {path.read_text().splitlines()[-1] for path in (folder / "受領票" / LAYOUT).glob("*.dat-*.txt")}
    assert any(note.startswith("断りました: ファイルが空") for note in notes)
    home.ward.dispose()
