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


def import_only(folder: Path, place: Path) -> int:
    """全部の検査つきで取り込むまで。写しは `place` の作業場所に残る。"""
    from benefit.domain.clock import system_clock
    from benefit.domain.programme import Programme
    from benefit.services import extracts
    from benefit.services.home import Home
    from benefit.services.setup import init_ward

    global seconds  # noqa: PLW0603  # 台帳の用意（移行）を含まない秒
    home = Home.at(place)
    init_ward(home)
    levy_year = Programme.load("r6-2024").levy_year
    started = time.perf_counter()
    rows = 0
    for kind in EXTRACTS:
        done = extracts.import_file(home, kind, folder / f"{kind}.csv", clock=system_clock, levy_year=levy_year)
        assert not done.already
        rows += done.rows_kept
    seconds = time.perf_counter() - started
    home.ward.dispose()
    return rows


def judge(home_folder: Path, out: Path) -> int:
    """判定だけ: 取り込んだ写しから outcomes.csv まで。"""
    from benefit.domain.programme import Programme
    from benefit.records import outcomes as outcome_file
    from benefit.services.files import sha256_of, write_atomic
    from benefit.services.home import Home
    from benefit.services.standing import decide_now, gather

    global seconds  # noqa: PLW0603
    home = Home.at(home_folder)
    programme = Programme.load("r6-2024")
    started = time.perf_counter()
    decisions = decide_now(gather(home, programme, TODAY))
    rendered = outcome_file.render(decisions.outcomes)
    sha256_of(rendered)
    write_atomic(out / outcome_file.FILE_NAME, rendered)
    seconds = time.perf_counter() - started
    home.ward.dispose()
    return int(decisions.outcomes.height)


def build_only(home_folder: Path, out: Path) -> int:
    """`build --dry-run` の全部: 判定、今の権利との差、数、全部のファイル。"""
    from benefit.domain.clock import system_clock
    from benefit.domain.programme import Programme
    from benefit.services import beneficiaries
    from benefit.services.home import Home

    global seconds  # noqa: PLW0603
    home = Home.at(home_folder)
    started = time.perf_counter()
    built = beneficiaries.build(home, Programme.load("r6-2024"), TODAY, out=out, clock=system_clock, dry_run=True)
    seconds = time.perf_counter() - started
    home.ward.dispose()
    return built.rows


seconds = 0.0


def main(job: str, folder: str, url: str = "") -> None:
    started = time.perf_counter()
    if job == "parse":
        import polars  # noqa: F401

        started = time.perf_counter()
        rows = parse(Path(folder))
        spent = time.perf_counter() - started
    elif job in {"import", "judge", "build"}:
        with tempfile.TemporaryDirectory() as place:
            work = {"import": import_only, "judge": judge, "build": build_only}[job]
            rows = work(Path(folder), Path(place) / "home")
        spent = seconds
    elif job == "prepare":
        rows, spent = import_only(Path(folder), Path(url)), seconds
    else:
        rows = outcomes(Path(folder), ward_url=url or None, register=job != "outcomes")
        spent = seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": spent, "rows": rows, "peak_mib": round(peak)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
