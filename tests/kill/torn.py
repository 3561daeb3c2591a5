"""書いている最中の子を何度も強制終了し、その間も後も読み続ける。別のプロセスとして動く（スレッドのない所で分かれるため）。

python -m tests.kill.torn フォルダ 回数 種 書き手 読み方
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from tests.kill.writers import NAMES, RECEIVERS, WRITERS, body, hand_over, whole


def keep_writing(root: Path, turn: int, writer: str) -> None:
    """殺されるまで書く: 一つのファイルを何度も置き換え、新しいフォルダを次々に出す。"""
    write = WRITERS[writer]
    for count in itertools.count():
        version = turn * 10_000 + count
        write(root / "latest.csv", body(version))
        hand_over(root / f"out-{turn}-{count}", version, write)


def look(root: Path, turn: int, receiver: str, tally: dict[str, int]) -> None:
    """いま見えるもの。受け取ったものが欠けていれば torn。"""
    latest = root / "latest.csv"
    if latest.is_file():
        tally["read"] += 1
        tally["torn"] += not whole(latest.read_bytes())
    for folder in sorted(root.glob(f"out-{turn}-*"), key=lambda path: path.stat().st_mtime_ns)[-2:]:
        got = RECEIVERS[receiver](folder)
        tally["received"] += got is not None
        tally["refused"] += got is None
        if got is not None:
            alike = len({data[:11] for data in got.values()}) == 1
            tally["torn"] += not (set(got) == set(NAMES) and alike and all(map(whole, got.values())))


def main(root: Path, kills: int, seed: int, writer: str, receiver: str) -> dict[str, int]:
    chance = random.Random(seed)
    tally = {"kills": 0, "read": 0, "received": 0, "refused": 0, "torn": 0, "left": 0}
    for turn in range(kills):
        child = os.fork()
        if not child:
            keep_writing(root, turn, writer)
        # たいていは初めの一つの途中で、ときどきは受渡をいくつか出した後で殺す。
        until = time.monotonic() + chance.uniform(0, 0.012 if turn % 20 else 0.1)
        while time.monotonic() < until:
            look(root, turn, receiver, tally)
        os.kill(child, signal.SIGKILL)
        _pid, status = os.waitpid(child, 0)
        tally["kills"] += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        look(root, turn, receiver, tally)
        for folder in root.glob(f"out-{turn}-*"):
            shutil.rmtree(folder)
        for part in root.glob(".*.part"):
            tally["left"] += 1
            part.unlink()
    return tally


if __name__ == "__main__":
    place, count, number, written, read = sys.argv[1:]
    print(json.dumps(main(Path(place), int(count), int(number), written, read)))
