"""届いた進捗と、区が知らせたことを比べる。委託先の表は申し出にすぎず、区の台帳が真実である（宮崎市の事例）。"""

from __future__ import annotations

import polars as pl

from benefit.domain.case import CASE_STATES
from benefit.domain.handback import IMPOSSIBLE, NOT_WITHDRAWN, OLD_BRANCH, UNKNOWN, VANISHED, possible_states

_COLUMNS = ("case_number", "kind", "ward_says", "desk_says")


def differences(cases: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """食い違い: case_number、kind、ward_says、desk_says。

    cases: 届いた件（case_number、branch、state）。
    known: その受渡までに区が知らせたこと（case_number、branch、state、given）。
    """
    both = cases.select("case_number", "branch", "state", here=pl.lit(value=True)).join(
        known.rename({"branch": "told_branch", "state": "told_state"}), on="case_number", how="full", coalesce=True
    )
    here, given = pl.col("here").fill_null(value=False), pl.col("given")
    ours = pl.format("枝番 {} {}", "told_branch", "told_state")
    theirs = pl.format("枝番 {} {}", "branch", "state")
    none = pl.lit("なし")
    pairs = [(told, state) for told in CASE_STATES for state in possible_states(told)]
    possible = pl.DataFrame(pairs, schema=["told_state", "state"], orient="row")
    standing = both.filter(here & given.fill_null(value=False))
    same = standing.filter(pl.col("branch") == pl.col("told_branch"))
    found = [
        (VANISHED, both.filter(~here & given), ours, none),
        (UNKNOWN, both.filter(here & given.is_null()), none, theirs),
        (NOT_WITHDRAWN, both.filter(here & ~given), pl.lit("引上げ済み"), theirs),
        (OLD_BRANCH, standing.filter(pl.col("branch") != pl.col("told_branch")), ours, theirs),
        (IMPOSSIBLE, same.join(possible, on=["told_state", "state"], how="anti"), ours, theirs),
    ]
    return pl.concat(
        [
            rows.select("case_number", kind=pl.lit(kind), ward_says=ward_says, desk_says=desk_says)
            for kind, rows, ward_says, desk_says in found
        ]
    ).sort("kind", "case_number")
