"""申請で加わる児童: 新生児、別居児童、避難者の同伴者（benefit-rules A.5、K10、CHK43・CHK44・CHK47）。

一人の児童の加算は一度だけ。同じ番号は slot が一つなので二つにならず、番号の違うよく似た人（カナ氏名と生年月日が
同じ）は、職員が別人だと確かめるまで未確定のままにする。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from benefit.domain.check import Check, Verdict
from benefit.domain.claim import Claim
from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.name_agreement import key
from benefit.rules.outcomes import Decisions
from benefit.rules.verdicts import verdict_columns

CHECKS = (
    Check("BIRTH", "生年月日が対象の間にある", "benefit-rules A.5、K10"),
    Check("FIRST_HOME", "新生児の初めての住民登録が、その世帯にある", "benefit-rules A.5"),
    Check("FACILITY", "児童福祉施設等に入所していない", "契約 §2、benefit-rules A.5"),
    Check("CHILD_ALIVE", "申請を受け付けた日に存命である", "benefit-rules D CHK44"),
    Check("PARENT", "世帯の給付が決まっている", "契約 §2"),
    Check("CHK43", "ほかの世帯の加算に数えられていない", "benefit-rules D CHK43"),
    Check("CHK47", "元の世帯の加算に数えられていない（区の職員が見る）", "benefit-rules D CHK47"),
)
#: 二重かどうかのほかの検査。
_OTHERS = ("BIRTH", "FIRST_HOME", "FACILITY", "CHILD_ALIVE", "PARENT")
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "claim_number": pl.String,
    "kind": pl.String,
    "place": pl.Int64,
    "person_number": pl.Int64,
    "household_number": pl.Int64,
    "evacuee": pl.Int64,
    "received_on": pl.Date,
    "claim_kana": pl.String,
    "claim_birth": pl.Date,
    "cleared": pl.List(pl.Int64),
}
_PEOPLE = pl.Schema(_COLUMNS)


def decide_claimed_children(
    facts: Facts, programme: Programme, decisions: Decisions, evacuees: pl.DataFrame, claims: Sequence[Claim]
) -> pl.DataFrame:
    """児童一人に一行（outcomes の列、slot、申請番号）。`evacuees` は避難者の世帯の行。"""
    terms, benefit = programme.child, programme.benefit_for("child")
    people = _people(claims)
    if terms is None or benefit is None or people.is_empty():
        return pl.DataFrame()
    null, true, false = pl.lit(None, dtype=pl.Boolean), pl.lit(value=True), pl.lit(value=False)
    by_evacuee = pl.col("kind") == "evacuee"
    seen = (
        people.join(_residents(facts, people["person_number"]), on="person_number", how="left", maintain_order="left")
        .with_columns(
            birth_earliest=pl.coalesce("birth_earliest", "claim_birth"),
            birth_latest=pl.coalesce("birth_latest", "claim_birth"),
            kana=pl.coalesce("kana_name", "claim_kana"),
        )
        # 同伴者のうち、児童でありうる人だけが加算の行になる。
        .filter(~by_evacuee | (pl.col("birth_latest") >= terms.born_from).fill_null(value=False))
    )
    seen = _with_parents(seen, decisions, evacuees)
    seen = _with_counted(seen, facts, decisions)
    newborn = pl.col("kind") == "newborn"
    first_day = pl.when(newborn).then(pl.lit(programme.base_date).dt.offset_by("1d")).otherwise(terms.born_from)
    sure = (pl.col("birth_earliest") >= first_day) & (pl.col("birth_latest") <= terms.newborn_until)
    possible = (pl.col("birth_latest") >= first_day) & (pl.col("birth_earliest") <= terms.newborn_until)
    eligible = pl.col("verdict") == Verdict.ELIGIBLE.value
    taken = (
        pl.when(pl.col("counted") == Verdict.ELIGIBLE.value)
        .then(false)
        .when(pl.col("earlier") > 0)
        .then(false)
        .when(pl.col("counted").is_not_null() | pl.col("alike"))
        .then(null)
        .otherwise(true)
    )
    return (
        seen.with_columns(
            BIRTH=pl.when(sure).then(true).when(possible).then(null).otherwise(false),
            FIRST_HOME=pl.when(~newborn)
            .then(true)
            .when(pl.col("lives_in").is_null())
            .then(null)
            .otherwise(
                (pl.col("lives_in") == pl.col("household_number")) & (pl.col("became_resident_reason") == "出生")
            ),
            FACILITY=~pl.col("facility").fill_null(value=False),
            CHILD_ALIVE=~(pl.col("died_on") <= pl.col("received_on")).fill_null(value=False),
            PARENT=pl.when(pl.col("parent_verdict") == Verdict.ELIGIBLE.value)
            .then(true)
            .when(pl.col("parent_verdict") == Verdict.UNDETERMINED.value)
            .then(null)
            .otherwise(false),
        )
        # 同じ番号の申請が二つあれば、対象になれるもののうち、先に決めたものだけが数えられる。
        .with_columns(contender=pl.all_horizontal(*_OTHERS).fill_null(value=True).cast(pl.Int64))
        .with_columns(
            earlier=pl.col("contender").cum_sum().over("person_number", order_by="place") - pl.col("contender")
        )
        .with_columns(
            CHK43=pl.when(by_evacuee).then(true).otherwise(taken),
            # 避難者の子が元の世帯で数えられていても、元の世帯は静かに通り、こちらだけが区の一覧に残る。
            CHK47=pl.when(by_evacuee & ~taken.fill_null(value=False)).then(null).otherwise(true),
        )
        .with_columns(verdict_columns(CHECKS))
        .select(
            subject_kind=pl.lit("児童"),
            subject_number="person_number",
            benefit=pl.lit(benefit.id),
            verdict="verdict",
            reasons="reasons",
            amount_yen=pl.when(eligible).then(benefit.amount_yen).otherwise(0).cast(pl.Int64),
            payee_number="parent_payee",
            # 児童が区の直接扱う人（かその家族）なら、世帯の経路によらず、区の外へ出さない。
            route=pl.when(eligible).then(
                pl.when(pl.col("child_ward").fill_null(value=False)).then(pl.lit("WARD")).otherwise("parent_route")
            ),
            account_flag=pl.when(eligible).then("parent_flag"),
            name_agrees=pl.when(eligible).then("parent_agrees"),
            household_number="household_number",
            slot_kind=pl.lit("CHILD"),
            slot=pl.format("{}/CHILD/{}", pl.lit(programme.id), pl.col("person_number").cast(pl.String).str.zfill(10)),
            claim_number="claim_number",
        )
    )


def _people(claims: Sequence[Claim]) -> pl.DataFrame:
    """申請にいる人: 児童の申請は本人、避難者の申請は同伴者。place は決めた順（先のものが勝つ）。"""
    rows = []
    for place, claim in enumerate(claims):
        numbers = claim.content["companions"] if claim.kind == "evacuee" else [claim.person_number]
        birth = claim.content.get("birth")
        rows += [
            (
                claim.number,
                claim.kind,
                place,
                number,
                claim.household_number,
                claim.person_number if claim.kind == "evacuee" else None,
                claim.received_on,
                claim.content.get("kana_name"),
                date.fromisoformat(birth) if birth else None,
                [int(word) for word in claim.cleared if word.isdigit()],
            )
            for number in numbers
        ]
    return pl.DataFrame(rows, schema=_PEOPLE, orient="row")


def _residents(facts: Facts, numbers: pl.Series) -> pl.DataFrame:
    wanted = numbers.implode()
    facility = facts.protected.filter(pl.col("kind") == "児童施設").select("person_number").unique()
    died = facts.taxes.filter(pl.col("person_number").is_in(wanted)).select("person_number", tax_died="died_on")
    return (
        facts.residents.filter(pl.col("person_number").is_in(wanted))
        .select(
            "person_number",
            "kana_name",
            "birth_earliest",
            "birth_latest",
            "became_resident_reason",
            lives_in="household_number",
            died_here=pl.when(pl.col("removed_reason") == "死亡").then("removed_on"),
        )
        .join(died, on="person_number", how="left")
        .with_columns(died_on=pl.coalesce("died_here", "tax_died"))
        .join(facility.with_columns(facility=pl.lit(value=True)), on="person_number", how="left")
    )


def _with_parents(seen: pl.DataFrame, decisions: Decisions, evacuees: pl.DataFrame) -> pl.DataFrame:
    """世帯の判定（避難者の子は、避難者の世帯の判定）と受給者・経路・口座。"""
    columns = {
        "parent_verdict": "verdict",
        "parent_payee": "payee_number",
        "parent_route": "route",
        "parent_flag": "account_flag",
        "parent_agrees": "name_agrees",
    }
    wanted = seen["household_number"].drop_nulls().implode()
    households = decisions.households.filter(pl.col("household_number").is_in(wanted)).select(
        "household_number", **columns
    )
    own = seen.filter(pl.col("evacuee").is_null()).join(
        households, on="household_number", how="left", maintain_order="left"
    )
    if evacuees.is_empty():
        return own
    fled = seen.filter(pl.col("evacuee").is_not_null()).join(
        evacuees.select(evacuee="subject_number", **columns), on="evacuee", how="left", maintain_order="left"
    )
    return pl.concat([own, fled], how="vertical_relaxed")


def _with_counted(seen: pl.DataFrame, facts: Facts, decisions: Decisions) -> pl.DataFrame:
    """もう数えられているか: counted（判定の児童の行）、alike（よく似た別の番号の人）。"""
    counting = decisions.children.filter(pl.col("verdict") != Verdict.INELIGIBLE.value).select(
        "person_number", counted="verdict"
    )
    protected = facts.protected.select("person_number").unique()
    homes = decisions.persons.join(protected, on="person_number", how="semi").select("household_number").unique()
    near = decisions.persons.join(homes, on="household_number", how="semi").select("person_number")
    ward = pl.concat([protected, near]).unique().with_columns(child_ward=pl.lit(value=True))
    joined = seen.join(counting, on="person_number", how="left", maintain_order="left").join(
        ward, on="person_number", how="left", maintain_order="left"
    )
    joined = joined.with_columns(kana_key=key(pl.col("kana")))
    twins = _twins(joined, facts, counting)
    return joined.join(twins, on=["claim_number", "person_number"], how="left", maintain_order="left").with_columns(
        pl.col("alike").fill_null(value=False)
    )


def _twins(seen: pl.DataFrame, facts: Facts, counting: pl.DataFrame) -> pl.DataFrame:
    """カナ氏名と生年月日が同じで、番号の違う児童。互いの申請のどちらかで別人と確かめてあれば、数えない。"""
    born = pl.col("birth_earliest") == pl.col("birth_latest")
    mine = seen.filter(born & (pl.col("kana_key") != "")).select(
        "claim_number", "person_number", "place", "kana_key", "cleared", birth="birth_earliest"
    )
    births = mine["birth"].unique().implode()
    registered = (
        facts.residents.filter(born & pl.col("birth_earliest").is_in(births))
        .join(counting, on="person_number", how="semi")
        .select(
            other="person_number",
            kana_key=key(pl.col("kana_name")),
            birth="birth_earliest",
            other_place=pl.lit(-1, dtype=pl.Int64),
            other_cleared=pl.lit([], dtype=pl.List(pl.Int64)),
        )
    )
    claimed = mine.select(
        "kana_key", "birth", other="person_number", other_place="place", other_cleared="cleared"
    ).select(registered.columns)
    pairs = mine.join(pl.concat([registered, claimed]), on=["kana_key", "birth"])
    return (
        pairs.filter(
            (pl.col("other") != pl.col("person_number"))
            & (pl.col("other_place") < pl.col("place"))
            & ~pl.col("cleared").list.contains(pl.col("other"))
            & ~pl.col("other_cleared").list.contains(pl.col("person_number"))
        )
        .select("claim_number", "person_number", alike=pl.lit(value=True))
        .unique()
    )


def twins_of(claim: Claim, claims: Sequence[Claim], facts: Facts, decisions: Decisions) -> list[int]:
    """この申請の児童とよく似た、番号の違う児童の番号。決める人に示す（別人なら、その番号を確かめて受理する）。"""
    people = _people([*(one for one in claims if one.number != claim.number), claim])
    seen = people.join(_residents(facts, people["person_number"]), on="person_number", how="left").with_columns(
        kana_key=key(pl.coalesce("kana_name", "claim_kana")), born=pl.coalesce("birth_earliest", "claim_birth")
    )
    mine = seen.filter(pl.col("claim_number") == claim.number).select("person_number", "kana_key", "born")
    counting = decisions.children.filter(pl.col("verdict") != Verdict.INELIGIBLE.value).select("person_number")
    registered = (
        facts.residents.filter(pl.col("birth_earliest").is_in(mine["born"].unique().implode()))
        .join(counting, on="person_number", how="semi")
        .select(other="person_number", kana_key=key(pl.col("kana_name")), born="birth_earliest")
    )
    others = seen.filter(pl.col("claim_number") != claim.number).select("kana_key", "born", other="person_number")
    found = mine.join(pl.concat([registered, others.select(registered.columns)]), on=["kana_key", "born"])
    return sorted(set(found.filter(pl.col("other") != pl.col("person_number"))["other"].to_list()))
