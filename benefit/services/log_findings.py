"""検知の言葉: 一つの検知（Detector）と、見つかった一件（Finding）。"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from benefit.services.log_frames import Logs

#: 検知の関数が返す表の列。`who` は職員の ID・端末の名・番号、`says` は何がいくつあったか。氏名は載せない。
FOUND = {"day": pl.Date, "who": pl.String, "says": pl.String}
NOTHING = pl.DataFrame(schema=FOUND)


@dataclass(frozen=True)
class Finding:
    """見つかった一件。"""

    detector: str
    day: date
    who: str
    says: str


@dataclass(frozen=True)
class Detector:
    """検知の一行: 何を見るか、どこからを知らせるか、どの台帳のログか、どう探すか。"""

    id: str
    says: str
    threshold: str
    stores: tuple[str, ...]
    find: Callable[[Logs], pl.DataFrame]

    def run(self, logs: Logs) -> tuple[Finding, ...]:
        """この材料から探す。その台帳に関わらない検知は、何も見つけない。"""
        if logs.store not in self.stores:
            return ()
        found = self.find(logs).select(*FOUND).sort("day", "who", "says")
        return tuple(Finding(self.id, *row) for row in found.iter_rows())


def told(frame: pl.DataFrame, who: str, text: str, *values: str) -> pl.DataFrame:
    """`who` の列と、`text` に `values` の列を差し込んだ文で、見つかった表にする。"""
    if frame.is_empty():
        return NOTHING
    return frame.select("day", pl.col(who).cast(pl.String).alias("who"), pl.format(text, *values).alias("says"))
