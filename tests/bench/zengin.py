"""全銀 100 万件を書いて、ディスクから読み直す秒と、同じバイト列を写す秒: `python -m tests.bench.zengin [件数]`。

最後の行に JSON: writing（作って書く）・reading（読んで台帳と比べる）・copying（写す）の秒の並び、rows、bytes、peak_mib。
どれも fsync まで。氏名・口座・番号は、どの行も違う。
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from benefit.records.zengin import FileHeader, build_columns
from benefit.records.zengin_reader import ExpectedHeader, findings
from benefit.services.files import write_atomic

KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポャュョッ"
#: トレーラの合計件数は 6 桁なので、一つのファイルに百万件は入らない。二つに分ける（本番も同じ）。
FILE_LINES = 500_000
RUNS = 3
HEADER = FileHeader(
    "9000000001", "ｼﾝｼﾞﾕｸｸ ｶｲｹｲｶﾝﾘｼﾔ", date(2026, 7, 31), "9999", "001", "1", "9000001", "ｶｸｳｷﾞﾝｺｳ", "ﾎﾝﾃﾝ"
)
TOLD = ExpectedHeader(
    HEADER.client_code, HEADER.client_name, f"{HEADER.transfer_on:%m%d}", HEADER.bank_code, HEADER.bank_name,
    HEADER.branch_code, HEADER.branch_name, HEADER.account_type, HEADER.account_number,
)  # fmt: skip


def ledger(count: int, seed: int = 4) -> dict[str, list[str] | list[int]]:
    """台帳の行（列のまま）。"""
    rng = random.Random(seed)
    names = ["".join(rng.choices(KANA, k=9)) for _ in range(count)]
    return {
        "bank_code": ["9999"] * count,
        "bank_name": ["ｶｸｳｷﾞﾝｺｳ"] * count,
        "branch_code": [("101", "102", "201", "301")[at % 4] for at in range(count)],
        "branch_name": [("ﾐﾅﾐｼﾃﾝ", "ﾐﾅﾐｼﾃﾝ", "ｷﾀｼﾃﾝ", "ﾆｼｼﾃﾝ")[at % 4] for at in range(count)],
        "account_type": ["1"] * count,
        "account_number": [f"{at % 10**7:07d}" for at in range(count)],
        "holder_kana": [f"{name[:4]}　{name[4:]}" for name in names],
        "amount_yen": [100_000 + 10_000 * (at % 30) for at in range(count)],
        "new_code": ["1"] * count,
        "customer_code1": [f"{at:010d}" for at in range(count)],
        "customer_code2": ["0010100000"] * count,
    }


def write(path: Path, columns: dict[str, list[str] | list[int]]) -> None:
    write_atomic(path, build_columns(HEADER, columns).content)


def read_back(path: Path, columns: dict[str, list[str] | list[int]]) -> None:
    """ディスクから読み、台帳の行と一つずつ比べる。"""
    found = findings(path.read_bytes(), TOLD, list(zip(*columns.values(), strict=True)))
    assert not found, found[0]


def copy(path: Path, to: Path) -> None:
    shutil.copyfile(path, to)
    with to.open("rb") as file:
        os.fsync(file.fileno())


def main(count: int) -> None:
    parts = [ledger(min(FILE_LINES, count - start), start) for start in range(0, count, FILE_LINES)]
    spent: dict[str, list[float]] = {"writing": [], "reading": [], "copying": []}
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place) / f"sogo-{at}.txt" for at in range(len(parts))]
        for turn in range(RUNS + 1):
            moments = [time.perf_counter()]
            for path, columns in zip(files, parts, strict=True):
                write(path, columns)
            moments.append(time.perf_counter())
            for path, columns in zip(files, parts, strict=True):
                read_back(path, columns)
            moments.append(time.perf_counter())
            for path in files:
                copy(path, path.with_suffix(".copy"))
            moments.append(time.perf_counter())
            if turn:
                for at, seconds in enumerate(spent.values()):
                    seconds.append(moments[at + 1] - moments[at])
        size = sum(path.stat().st_size for path in files)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    sys.stdout.write(json.dumps({**spent, "rows": count, "bytes": size, "peak_mib": peak}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
