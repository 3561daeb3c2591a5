"""収納データ百万件を、全部のバイトを見て読む・書く秒と、同じバイト列をただ切る秒: `python -m tests.bench.collection_records`。

最後の行に JSON: split・read・write（秒の、回ごとの並び）、rows、bytes、base_mib（ファイルを置いた時の最大）、
peak_mib（表を塊のまま捨てながら読み終えた時の最大）、held_mib（全部を一つの表に持った時の最大）。
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

#: 一回温めてから、この回数を測る。
RUNS = 3
GOLDEN = Path(__file__).parents[1] / "records" / "golden" / "formats-4.6-convenience-store.txt"


def made(rows: int) -> bytes:
    """コンビニ収納の速報と確報を半分ずつ。"""
    text = GOLDEN.read_text(encoding="utf-8").replace("·", " ")
    header, prompt, confirmed, trailer, end = (line.encode("cp932") + b"\r\n" for line in text.splitlines())
    half = rows // 2
    both = b"%06d%012d" % (half, half * 12_300) * 2
    return b"".join(
        (header, (prompt + confirmed) * half, trailer[:1] + both + trailer[37:], b"9%08d" % (half * 2 + 3) + end[9:])
    )


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(rows: int) -> None:
    from benefit.records.convenience_store import CONVENIENCE_STORE
    from benefit.records.file_reader import Reader, read
    from benefit.records.file_writer import write

    content = made(rows)
    base = peak_mib()
    step = 1 << 22
    reader = Reader(CONVENIENCE_STORE)
    for _table in reader.tables(content[at : at + step] for at in range(0, len(content), step)):
        pass
    assert reader.reading().good == rows
    assert not reader.reading().faults
    peak = peak_mib()
    split, reading, writing = [], [], []
    for turn in range(RUNS + 1):
        started = time.perf_counter()
        cut = content.split(b"\r\n")
        bare = time.perf_counter() - started
        assert len(cut) == rows + 4
        del cut
        started = time.perf_counter()
        found = read(content, CONVENIENCE_STORE)
        read_in = time.perf_counter() - started
        header = {name: value for name, value in found.headers[0].items() if name not in {"record", "group"}}
        data = found.require()
        started = time.perf_counter()
        again = write(CONVENIENCE_STORE, [(header, data)])
        written_in = time.perf_counter() - started
        assert again == content
        del found, data, again
        if turn:
            split.append(bare)
            reading.append(read_in)
            writing.append(written_in)
    told = {
        "split": split,
        "read": reading,
        "write": writing,
        "rows": rows,
        "bytes": len(content),
        "base_mib": base,
        "peak_mib": peak,
        "held_mib": peak_mib(),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
