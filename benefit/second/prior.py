"""「新たに」: 昨年度の対象世帯か（契約 §2 PRIOR、P1・P2・P3・P5）。"""

from __future__ import annotations

from typing import Literal

from benefit.second.ward_rows import WardRows

Hit = Literal["P1", "P2", "P3", "P5"]


def prior_hits(ward: WardRows, household: int) -> set[Hit]:
    """この世帯に当たるもの。P5 は、同じ人がいて、ほかのどれでもないとき。"""
    here = set(ward.households[household])
    touched = {key for number in here for key in ward.prior_of.get(number, ())}
    hits: set[Hit] = set()
    for key in touched:
        rows = ward.prior_households[key]
        everyone = {row["person_number"] for row in rows}
        heads = {row["person_number"] for row in rows if row["relation"] == "世帯主"}
        # P1: 世帯番号が同じで、同じ人がいる。
        if key[1] == household:
            hits.add("P1")
        # P2: 昨年度の世帯主が、いまこの世帯にいる。
        if heads & here:
            hits.add("P2")
        # P3: 昨年度の世帯主はもうどの世帯にもおらず、残る人の全員がこの世帯にいる（一人以上）。
        remaining = {number for number in everyone if number in ward.household_of}
        if heads and not heads & remaining and remaining <= here:
            hits.add("P3")
    if touched and not hits:
        hits.add("P5")
    return hits
