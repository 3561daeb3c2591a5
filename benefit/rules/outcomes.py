"""全員の判定をまとめる。誰も落ちない: 世帯員はちょうど一つの世帯の行に、住民税の行はちょうど一つの納税者の行に。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from benefit.domain.check import Check
from benefit.domain.programme import Programme
from benefit.rules.child_supplement import child_checks, decide_children
from benefit.rules.facts import Facts
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
    """

    persons: pl.DataFrame
    households: pl.DataFrame
    children: pl.DataFrame
    taxpayers: pl.DataFrame
    outcomes: pl.DataFrame


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
        pl.concat(
            [
                frame.lazy().filter(pl.col("verdict") == "対象").select(person_number="payee_number")
                for frame in (households, taxpayers)
            ]
        )
        .unique()
        .sort("person_number")
    )
    accounts = payee_accounts(facts, payees, programme).collect().lazy().rename({"person_number": "payee_number"})
    wards = ward_households(facts, members.lazy())
    belongs = members.select("person_number", "household_number")
    protected = facts.protected.lazy().select("person_number", itself=pl.lit(value=True)).unique("person_number")

    def routed(frame: pl.DataFrame, in_ward: pl.Expr) -> pl.DataFrame:
        # 幅の広い表をつなぐと、列の数だけ写しが要る。経路に要る列だけでつないで、横に並べる。
        narrow = (
            frame.lazy()
            .select("verdict", "payee_number", "household_number", itself_number=_person(frame))
            .join(accounts, on="payee_number", how="left", maintain_order="left")
            .join(wards, on="household_number", how="left", maintain_order="left")
            .join(protected, left_on="itself_number", right_on="person_number", how="left", maintain_order="left")
            .with_columns(pl.col("name_agrees").fill_null(value=False))
            .select(route_columns(in_ward))
            .collect()
        )
        return frame.hstack(narrow)

    in_household = pl.col("ward").fill_null(value=False)
    households = routed(households, in_household)
    children = routed(children, in_household)
    taxpayers = routed(
        taxpayers.join(belongs, on="person_number", how="left", maintain_order="left"),
        in_household | pl.col("itself").fill_null(value=False),
    )
    outcomes = pl.concat(
        [
            households.select(
                _outcome("世帯", "household_number"),
            ),
            children.select(_outcome("児童", "person_number")),
            taxpayers.select(_outcome("納税者", "person_number")),
        ]
    )
    return Decisions(members, households, children, taxpayers, outcomes)


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


def _person(frame: pl.DataFrame) -> pl.Expr:
    """その行が人の行なら、その人。世帯の行なら空。"""
    return pl.col("person_number") if "person_number" in frame.columns else pl.lit(None, dtype=pl.Int64)


def _outcome(kind: str, subject: str) -> list[pl.Expr]:
    named = {"subject_kind": pl.lit(kind), "subject_number": pl.col(subject)}
    return [named.get(name, pl.col(name)).alias(name) for name in _OUTCOME]
