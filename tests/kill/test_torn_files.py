"""出すファイルは、全部あるか、まったく無いか（reliability P9・T09）。強制終了を実物で、電源断を模型で。"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benefit.services.files import write_atomic
from tests.kill import writers
from tests.kill.crash_fs import crash_states, recording

KILLS = int(os.environ.get("FILE_KILLS", "1000"))
SEED = int(os.environ.get("KILL_SEED", "20240603"))


def killed(root: Path, kills: int, writer: str = "atomic", receiver: str = "manifest") -> dict[str, int]:
    """本物の子プロセスを `kills` 回殺す。"""
    root.mkdir()
    command = [sys.executable, "-m", "tests.kill.torn", str(root), str(kills), str(SEED), writer, receiver]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    tally: dict[str, int] = json.loads(done.stdout)
    print(f"種 {SEED}", writer, receiver, tally)
    return tally


@pytest.mark.kill
def test_a_reader_never_sees_a_torn_file_however_the_writer_is_killed(tmp_path: Path) -> None:
    tally = killed(tmp_path / "out", KILLS)
    assert (tally["kills"], tally["torn"]) == (KILLS, 0)
    # 殺したのは本当に書いている最中だった: 書きかけが残り、断った受渡があり、受け取れたものもある。
    assert min(tally["left"], tally["refused"], tally["received"], tally["read"]) > 0


@pytest.mark.kill
@pytest.mark.parametrize(("writer", "receiver"), [("plain", "manifest"), ("atomic", "no manifest")])
def test_this_test_sees_a_plain_write_and_a_missing_manifest(tmp_path: Path, writer: str, receiver: str) -> None:
    assert any(killed(tmp_path / f"out{turn}", 40, writer, receiver)["torn"] for turn in range(20))


def survivors(
    root: Path, work: Callable[[Path], object], sight: Callable[[Path], object]
) -> tuple[set[object], set[object], int]:
    """`work` のどこで電源が落ちても残りうる姿を `sight` で見る。（途中で見えたもの、終わった後に見えたもの、姿の数）。"""
    real = root / "real"
    real.mkdir(exist_ok=True)
    with recording(real) as recorder:
        work(real)
    during: set[object] = set()
    after: set[object] = set()
    count = 0
    for count, (ended, state) in enumerate(crash_states(recorder.log), 1):
        place = root / f"crash-{count}"
        place.mkdir()
        for name, data in sorted(state.items()):
            if data is None:
                (place / name).mkdir()
            else:
                (place / name).write_bytes(data)
        (after if ended else during).add(sight(place))
    return during, after, count


def latest(place: Path) -> object:
    path = place / "latest.csv"
    if not path.is_file():
        return "無い"
    data = path.read_bytes()
    return int(data[:10]) if writers.whole(data) else "欠け"


def received(place: Path) -> object:
    got = writers.receive(place / "out" / "2024")
    if got is None:
        return "断る"
    return repr({name: writers.whole(data) or name.endswith(".parquet") for name, data in got.items()})


def replaced(root: Path, write: writers.Writer) -> tuple[set[object], set[object], int]:
    """版 1 のあるところへ、版 2 を書く。"""
    (root / "real").mkdir()
    (root / "real" / "latest.csv").write_bytes(writers.body(1))
    return survivors(root, lambda real: write(real / "latest.csv", writers.body(2)), latest)


def test_after_any_power_cut_a_replaced_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    during, after, count = replaced(tmp_path, write_atomic)
    assert during == {1, 2}
    assert after == {2}  # 書き終えたと言ったら、もう失われない
    assert count > 5


@pytest.mark.parametrize("table", [False, True])
def test_after_any_power_cut_a_handover_is_refused_or_whole(tmp_path: Path, table: bool) -> None:
    write = writers.hand_over_table if table else writers.hand_over
    during, after, count = survivors(tmp_path, lambda real: write(real / "out" / "2024", 1), received)
    every = dict.fromkeys(("a.parquet",) if table else writers.NAMES, True)
    assert during == {"断る", repr(every)}
    assert after == {repr(every)}
    print(f"残りうる姿 {count}")


def test_the_model_sees_a_rename_before_its_fsync_and_a_name_never_synced(tmp_path: Path) -> None:
    for place, (write, seen) in enumerate(
        ((writers.rename_before_sync, "欠け"), (writers.plain, "欠け"), (writers.name_not_synced, 1))
    ):
        root = tmp_path / str(place)
        root.mkdir()
        during, after, _count = replaced(root, write)
        assert seen in (after if write is writers.name_not_synced else during), write.__name__
