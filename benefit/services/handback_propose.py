"""届いた辞退を、権利の終わり（辞退）として申し出る。

別の職員が承認して、初めて終わる（benefit-rules C.3 P22「区が確かめる」）。
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.services import endings
from benefit.services.handback_lists import refusals, ward_refusals
from benefit.services.home import Home
from benefit.store.engine import reading


@dataclass(frozen=True)
class Proposed:
    """申し出た件（番号 → 申し出の番号）と、申し出られなかった件（番号 → わけ）。"""

    asked: dict[str, int]
    refused: dict[str, str]


def propose_refusals(
    home: Home, programme: Programme, *, actor: Actor, clock: Clock, only: Collection[str] | None = None
) -> Proposed:
    """まだ申し出ていない辞退を申し出る。`only` は、この番号だけのとき。払った件などは、わけを付けて返す。"""
    with reading(home.ward) as connection:
        waiting = refusals(connection, programme).filter(pl.col("asked").is_null())
    return _ask(home, waiting, "委託先が辞退を受け付けた", actor=actor, clock=clock, only=only)


def propose_ward_refusals(
    home: Home, programme: Programme, *, actor: Actor, clock: Clock, only: Collection[str] | None = None
) -> Proposed:
    """区直轄の人の、まだ申し出ていない辞退（replies_ward）を申し出る。"""
    with reading(home.ward) as connection:
        waiting = ward_refusals(connection, programme).filter(pl.col("asked").is_null())
    return _ask(home, waiting, "辞退の届出を、区の二人が確かめた", actor=actor, clock=clock, only=only)


def _ask(
    home: Home, waiting: pl.DataFrame, why: str, *, actor: Actor, clock: Clock, only: Collection[str] | None
) -> Proposed:
    done, refused = dict[str, int](), dict[str, str]()
    for number, refused_on in waiting.select("case_number", "refused_on").iter_rows():
        if only is not None and number not in only:
            continue
        try:
            done[number] = endings.ask(home, number, "辞退", reason=f"{why}（{refused_on}）", actor=actor, clock=clock)
        except RefusedByRule as refusal:
            refused[number] = str(refusal)
    return Proposed(done, refused)
