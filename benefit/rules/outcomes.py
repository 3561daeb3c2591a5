"""全員の判定をまとめる。誰も落ちない: 世帯員はちょうど一つの世帯の行に、住民税の行はちょうど一つの納税者の行に。"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from benefit.domain.check import Check, Verdict
from benefit.domain.programme import Programme
from benefit.rules.child_supplement import child_checks, decide_children
from benefit.rules.facts import Facts
from benefit.rules.heirs import with_heirs
from benefit.rules.household_benefits import decide_households, household_checks, members_on
from benefit.rules.route import payee_accounts, route_columns, ward_households
from benefit.rules.taxpayers import decide_taxpayers, taxpayer_checks

_OUTCOME = (
    "subject_kind",
    "subject_number",
    "benefit",
    "verdict",
    "reasons",
    "amount_yen",
    "payee_number",
    "route",
    "account_flag",
    "name_agrees",
    "household_number",
)


@dataclass(frozen=True)
class Decisions:
    """判定の全部。

    persons: 基準日の世帯員（課税区分、扶養、生死）。households・children・taxpayers: 検査ごとの真・偽・null の列を
    持つ幅の広い表。outcomes: 一つの縦長の表（subject_kind 世帯／児童／納税者）。
    claimed: 申請が足した行（outcomes の列と slot・申請番号。`benefit.rules.claims`）。outcomes には入らない。
    """

    persons: pl.DataFrame
    households: pl.DataFrame
    children: pl.DataFrame
    taxpayers: pl.DataFrame
    outcomes: pl.DataFrame
    claimed: pl.DataFrame = field(default_factory=pl.DataFrame)


def decide(facts: Facts, programme: Programme, today: date) -> Decisions:
    """事実と事業と判定の日から、全員を判定する。同じ入力なら同じ結果（行の順は問わない）。"""
    members = members_on(facts, programme, today).collect()
    households = (
        decide_households(facts, programme, members.lazy()).collect() if programme.household else _no_households()
    )
    children = (
        decide_children(facts, programme, members.lazy(), households.lazy()).collect()
        if programme.child
        else _no_children()
    )
    taxpayers = decide_taxpayers(facts, programme, today).collect()
    payees = (
        pl.concat([_of(frame, "verdict", "payee_number") for frame in (households, taxpayers)])
        .lazy()
        .filter(pl.col("verdict") == Verdict.ELIGIBLE.value)
        .select(person_number="payee_number")
        .unique()
        .sort("person_number")
    )
    accounts = payee_accounts(facts, payees, programme).collect().lazy().rename({"person_number": "payee_number"})
    wards = ward_households(facts.protected, members.lazy()).collect().lazy()
    protected = facts.protected.lazy().select("person_number", itself=pl.lit(value=True)).unique("person_number")
    belongs = _of(members, "person_number", "household_number")
    home = _of(taxpayers, "person_number").join(belongs, on="person_number", how="left", maintain_order="left")
    taxpayers = taxpayers.hstack([home["household_number"]])

    def routed(frame: pl.DataFrame, in_ward: pl.Expr) -> pl.DataFrame:
        # 経路があるのは対象の行だけで、全体の一割ほどである。その行だけで求め、もとの行の並びに散らす。
        eligible = frame["verdict"] == Verdict.ELIGIBLE.value
        narrow = (
            pl.DataFrame({name: frame[name] for name in ("verdict", "payee_number", "household_number")})
            .with_columns(itself_number=_person(frame))
            .filter(eligible)
            .lazy()
            .join(accounts, on="payee_number", how="left", maintain_order="left")
            .join(wards, on="household_number", how="left", maintain_order="left")
            .join(protected, left_on="itself_number", right_on="person_number", how="left", maintain_order="left")
            .with_columns(pl.col("name_agrees").fill_null(value=False))
            .select(route_columns(in_ward))
            .collect()
        )
        place = pl.select(pl.when(eligible).then(eligible.cum_sum().cast(pl.Int64) - 1)).to_series()
        return frame.hstack(narrow.select(pl.all().gather(place)))

    in_household = pl.col("ward").fill_null(value=False)
    households = routed(households, in_household)
    children = routed(children, in_household)
    taxpayers = routed(taxpayers, in_household | pl.col("itself").fill_null(value=False))
    outcomes = stacked(
        _outcome(households, "世帯", "household_number"),
        _outcome(children, "児童", "person_number"),
        _outcome(taxpayers, "納税者", "person_number"),
    )
    return with_heirs(Decisions(members, households, children, taxpayers, outcomes), facts)


def stacked(*frames: pl.DataFrame) -> pl.DataFrame:
    """表を縦につなぐ。行のない表はつながない: 空の切れ端から始まる列では、pl.format が落ちる（Polars 2.1）。"""
    return pl.concat([frame for frame in frames if frame.height] or frames[:1])


def checks_of(programme: Programme) -> dict[str, tuple[Check, ...]]:
    """この事業の検査: 対象区分（世帯・児童・納税者）ごとに、理由の並ぶ順で。"""
    return {"世帯": household_checks(programme), "児童": child_checks(programme), "納税者": taxpayer_checks(programme)}


_NOTHING = {
    "household_number": pl.Int64,
    "verdict": pl.String,
    "reasons": pl.String,
    "benefit": pl.String,
    "payee_number": pl.Int64,
    "amount_yen": pl.Int64,
}


def _no_households() -> pl.DataFrame:
    return pl.DataFrame(schema=_NOTHING)


def _no_children() -> pl.DataFrame:
    return pl.DataFrame(schema={"person_number": pl.Int64, **_NOTHING})


def _of(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """この列だけの表。幅の広い表から `select` で取ると、ほかの列まで一続きに写し直される。"""
    return pl.DataFrame([frame[name] for name in names])


def _person(frame: pl.DataFrame) -> pl.Series:
    """その行が人の行なら、その人。世帯の行なら空。"""
    if "person_number" in frame.columns:
        return frame["person_number"]
    return pl.Series([None], dtype=pl.Int64).new_from_index(0, frame.height)


def _outcome(frame: pl.DataFrame, kind: str, subject: str) -> pl.DataFrame:
    renamed = {"subject_number": subject}
    kinds = pl.Series([kind]).new_from_index(0, frame.height)
    return pl.DataFrame(
        {name: kinds if name == "subject_kind" else frame[renamed.get(name, name)] for name in _OUTCOME}
    )
