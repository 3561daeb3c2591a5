"""試験の事業: 方針の言葉と値を引いた、いろいろな事業。"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from benefit.domain.programme import Programme
from benefit.domain.programme_parts import HouseholdTerms

R6, R7 = Programme.load("r6-2024"), Programme.load("r7-shortfall")
DAY = timedelta(days=1)


def town() -> Programme:
    """町の事業: 非課税世帯に 7 万円、子ども一人 2 万円だけ。均等割のみの世帯への給付も、調整給付もない。"""
    benefits = {
        "R6-1": replace(R6.benefits["R6-1"], amount_yen=70_000),
        "R6-3": replace(R6.benefits["R6-3"], amount_yen=20_000),
    }
    return replace(R6, id="town-7man", base_date=date(2024, 6, 20), benefits=benefits, adjustment=None)


def without_children() -> Programme:
    """世帯と納税者だけの事業。"""
    benefits = {name: benefit for name, benefit in R6.benefits.items() if benefit.who != "child"}
    return replace(R6, benefits=benefits, child=None)


def only_computed() -> Programme:
    """不足額給付の I だけの事業。"""
    return replace(R7, benefits={"R7-1": R7.benefits["R7-1"]})


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    """どれかの事業の、方針と値を引き直したもの。"""
    chosen: Programme = draw(st.sampled_from([R6, R6, R6, town(), without_children(), R7, R7, only_computed()]))
    base = draw(st.sampled_from([chosen.base_date, chosen.base_date + DAY, date(2024, 2, 29)]))
    given: dict[str, Any] = {"base_date": base}
    given["entered_from"] = draw(st.sampled_from([chosen.entered_from, chosen.levy_date + 2 * DAY]))
    given["under_16_born_from"] = draw(st.sampled_from([chosen.under_16_born_from, date(2008, 1, 1)]))
    order = draw(st.permutations(chosen.route.account_precedence))
    given["route"] = replace(chosen.route, account_precedence=tuple(order))
    if chosen.household is not None:
        given["household"] = draw(st.builds(HouseholdTerms, ineligible_id=st.just("R6-H")))
    if chosen.child is not None:
        given["child"] = replace(chosen.child, born_from=draw(st.sampled_from([date(2006, 4, 2), date(2006, 1, 1)])))
    units = {"rounding_yen": st.sampled_from([1, 1_000, 10_000]), "income_tax_unit_yen": st.sampled_from([30_000, 1])}
    units["resident_tax_unit_yen"] = st.sampled_from([10_000, 1])
    units["income_cap_yen"] = st.sampled_from([18_050_000, 18_050_001, 2_000_000])
    if chosen.adjustment is not None:
        words = {"zero_levy": st.sampled_from(["FULL", "NONE"]), "non_levied": st.sampled_from(["INCLUDE", "EXCLUDE"])}
        drawn = {name: draw(values) for name, values in (units | words).items()}
        given["adjustment"] = replace(chosen.adjustment, **drawn)
    if chosen.shortfall is not None:
        given["shortfall"] = replace(chosen.shortfall, **{name: draw(values) for name, values in units.items()})
    return replace(chosen, **given)
