"""塊ごとに読めば、使う記憶は件数によらない。"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = int(os.environ.get("BENEFIT_MEMORY_ROWS", "200000"))
#: 四倍の件数を読んでも、増えてよいのはここまで。全部を表に持てば、百 MiB を超えて増える。
MOST_MIB = 64
CHILD = """
import json, resource, sys
from benefit.records.convenience_store import CONVENIENCE_STORE
from benefit.records.file_reader import Reader
from tests.bench.collection_records import made

pieces = made(2000).split(b"\\r\\n")
header, block, end = pieces[0], b"\\r\\n".join(pieces[1:-3]) + b"\\r\\n", pieces[-2]
broken = sys.argv[2] == "broken"
if broken:
    block = b"".join(raw[:-1] + b"\\xff\\r\\n" for raw in pieces[1:-3])

def blocks(times):
    half = times * 1000
    both = b"%06d%012d" % (half, half * 12300) * 2
    yield header + b"\\r\\n"
    for _ in range(times):
        yield block
    yield b"8" + both + b"0" * 18 + b" " * 65 + b"\\r\\n"
    yield b"9%08d" % (half * 2 + 3) + b" " * 111 + b"\\r\\n"

told = []
for rows in (int(sys.argv[1]), 4 * int(sys.argv[1])):
    reader = Reader(CONVENIENCE_STORE)
    for _table in reader.tables(blocks(rows // 2000)):
        pass
    reading = reader.reading()
    assert broken or not reading.faults, reading.faults
    assert (reading.good, reading.rejected) == ((0, rows) if broken else (rows, 0))
    assert len(reading.faults) <= 10_000
    told.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
print(json.dumps(told))
"""


@pytest.mark.parametrize("what", ["good", "broken"])
def test_four_times_the_records_take_no_more_memory(what):
    """良いレコードでも、一つ残らず壊れたレコードでも（悪い所の一覧は、初めの一万で止まる）。"""
    rows = ROWS if what == "good" else ROWS // 4
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(rows), what], cwd=ROOT, check=True, capture_output=True, text=True
    )
    few, many = json.loads(done.stdout)
    assert many - few < MOST_MIB, f"{few} MiB → {many} MiB"
