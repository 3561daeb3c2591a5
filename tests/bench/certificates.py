"""判定証明の写しを全員分置く秒と、同じ回の判定（写し → outcomes.csv）の秒: `python -m tests.bench.certificates 作業場所`。

最後の行に JSON: judging・seconds（判定・写しの秒の、回ごとの並び）、rows（対象の数）、bytes（写しの大きさ）、peak_mib。
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

TODAY = date(2024, 6, 20)
#: 一回温めてから、この回数を測る。
RUNS = 3


def main(home_folder: str) -> None:
    from benefit.domain.programme import Programme
    from benefit.records import outcomes as outcome_file
    from benefit.services import certificates
    from benefit.services.files import sha256_of, write_atomic
    from benefit.services.home import Home
    from benefit.services.standing import decide_now, gather

    home, programme = Home.at(Path(home_folder)), Programme.load("r6-2024")
    judging, storing, rows, size = [], [], 0, 0
    with tempfile.TemporaryDirectory() as place:
        for turn in range(RUNS + 1):
            started = time.perf_counter()
            inputs = gather(home, programme, TODAY)
            decisions = decide_now(inputs)
            rendered = outcome_file.render(decisions.outcomes)
            sha256_of(rendered)
            write_atomic(Path(place) / outcome_file.FILE_NAME, rendered)
            judged = time.perf_counter()
            path, _sha256 = certificates.store(Home.at(Path(place)), inputs, decisions, inputs.digest)
            stored = time.perf_counter()
            rows, size = decisions.outcomes.height, path.stat().st_size
            if turn:
                judging.append(judged - started)
                storing.append(stored - judged)
    home.ward.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"judging": judging, "seconds": storing, "rows": rows, "bytes": size, "peak_mib": round(peak)}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
