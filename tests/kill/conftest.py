"""強制終了の試験の作業場所: あれば主記憶の上に置く。

SIGKILL の後に残るものは、ディスクでも主記憶でも同じ（カーネルが持っている）。電源断は、別の試験が模型で見る。
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

#: 主記憶の上を使うのに要る空き。足りなければ、ふつうの仮の場所。
ROOM = 512 * 1024 * 1024


@pytest.fixture(scope="module")
def fast_place() -> Iterator[Path]:
    """速い場所。"""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM
    place = Path(tempfile.mkdtemp(prefix="kill-", dir=memory if roomy else None))
    yield place
    shutil.rmtree(place)
