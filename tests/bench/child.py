"""測る仕事の本体。一回ごとに新しいプロセスで動く: `python -m tests.bench.child 仕事 抽出フォルダ`。

最後の行に JSON: seconds（読み込み済みの部品での仕事の秒）、rows、peak_mib（このプロセスの最大）。
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

EXTRACTS = ("residents", "taxes", "prior", "accounts", "protected", "braille")
TODAY = date(2024, 6, 20)


def parse(folder: Path) -> int:
    """限界: 同じファイルを Polars で読むだけ（全部文字、検査なし）。"""
    import polars as pl

    return sum(pl.read_csv(folder / f"{kind}.csv", infer_schema=False).height for kind in EXTRACTS)


def outcomes(folder: Path, *, ward_url: str | None = None, register: bool) -> int:
    """全部の検査つきで取り込み、判定し、outcomes.csv を書く。`register` なら支給権利も台帳に入れる。"""
    from benefit.domain.clock import system_clock
    from benefit.domain.programme import Programme
    from benefit.services import beneficiaries, extracts
    from benefit.services.home import Home
    from benefit.services.setup import init_ward

    with tempfile.TemporaryDirectory() as place:
        home = Home.at(Path(place) / "home", ward_url=ward_url)
        init_ward(home)
        started = time.perf_counter()
        programme = Programme.load("r6-2024")
        rows = 0
        for kind in EXTRACTS:
            path = folder / f"{kind}.csv"
            rows += extracts.import_file(home, kind, path, clock=system_clock, levy_year=programme.levy_year).rows_kept
        beneficiaries.build(home, programme, TODAY, out=Path(place) / "out", clock=system_clock, dry_run=not register)
        global seconds  # noqa: PLW0603  # 台帳の用意（移行）を含まない秒
        seconds = time.perf_counter() - started
        home.ward.dispose()
    return rows


seconds = 0.0


def main(job: str, folder: str, url: str = "") -> None:
    started = time.perf_counter()
    if job == "parse":
        import polars  # noqa: F401

        started = time.perf_counter()
        rows = parse(Path(folder))
        spent = time.perf_counter() - started
    else:
        rows = outcomes(Path(folder), ward_url=url or None, register=job != "outcomes")
        spent = seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": spent, "rows": rows, "peak_mib": round(peak)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
