"""避難者の世帯: 避難した人と同伴者だけを一つの世帯として、同じ世帯の規則で判定する（benefit-rules A.8、K11）。

元の世帯の判定には触れない。昨年度の給付との突き合わせ（PRIOR）は、元の世帯に残る人が今も世帯員であることを
見なければならない（見ないと、昨年度の世帯主が「もういない」ことになり、避難者が P3 で外れる）。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from benefit.domain.check import Verdict
from benefit.domain.claim import Claim
from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.household_benefits import decide_households, members_on

#: 避難者の行の対象区分。世帯番号を持たないので、「世帯」とは別の言葉にする。
SUBJECT = "避難世帯"


def decide_evacuees(facts: Facts, programme: Programme, claims: Sequence[Claim], today: date) -> pl.DataFrame:
    """避難者の世帯一つに一行（outcomes の列、slot、申請番号）。経路はいつも WARD。

    避難者の世帯の番号は、避難した人の番号を負にしたもので、計算の中だけにある。台帳には世帯番号が残らない。
    """
    evacuations = [claim for claim in claims if claim.kind == "evacuee"]
    if not evacuations:
        return pl.DataFrame()
    people = pl.DataFrame(
        [
            (person, -number, person == number, "P5" in claim.cleared)
            for claim in evacuations
            if (number := claim.person_number) is not None
            for person in (number, *claim.content["companions"])
        ],
        schema={"person_number": pl.Int64, "home": pl.Int64, "leads": pl.Boolean, "p5_cleared": pl.Boolean},
        orient="row",
    )
    decided = _decide(facts, programme, people, today)
    # P5（昨年度の世帯から分かれた）は、決めた人が確かめて外せる。P1〜P3 に当たる人は外れない。
    split = decided.filter("P5")["household_number"].implode()
    cleared = people.filter(pl.col("p5_cleared") & pl.col("home").is_in(split))
    if cleared.height:
        prior = facts.prior.join(cleared, on="person_number", how="anti")
        again = _decide(replace(facts, prior=prior), programme, people, today)
        homes = cleared["home"].implode()
        decided = pl.concat(
            [
                decided.filter(~pl.col("household_number").is_in(homes)),
                again.filter(pl.col("household_number").is_in(homes)),
            ]
        )
    numbers = pl.DataFrame(
        [(-claim.person_number, claim.number) for claim in evacuations if claim.person_number is not None],
        schema={"household_number": pl.Int64, "claim_number": pl.String},
        orient="row",
    )
    eligible = pl.col("verdict") == Verdict.ELIGIBLE.value
    return numbers.join(decided, on="household_number", how="left").select(
        subject_kind=pl.lit(SUBJECT),
        subject_number=-pl.col("household_number"),
        benefit=pl.col("benefit").fill_null(programme.household.ineligible_id if programme.household else ""),
        verdict=pl.col("verdict").fill_null(Verdict.UNDETERMINED.value),
        # 基準日の世帯員が一人もいない申請は、世帯主がいないことになる。
        reasons=pl.col("reasons").fill_null("HEAD"),
        amount_yen=pl.col("amount_yen").fill_null(0),
        payee_number=-pl.col("household_number"),
        route=pl.when(eligible).then(pl.lit("WARD")),
        account_flag=pl.when(eligible).then(pl.lit("0")),
        name_agrees=pl.when(eligible).then(pl.lit(value=False)),
        household_number=pl.lit(None, dtype=pl.Int64),
        slot_kind=pl.lit("EVACUEE"),
        slot=pl.format(
            "{}/EVACUEE/{}",
            pl.lit(programme.id),
            (-pl.col("household_number")).cast(pl.String).str.zfill(10),
        ),
        claim_number="claim_number",
    )


def _decide(facts: Facts, programme: Programme, people: pl.DataFrame, today: date) -> pl.DataFrame:
    """避難者の世帯だけの判定。要る人だけの小さな事実で計算する。"""
    together = facts.prior.join(
        facts.prior.join(people, on="person_number", how="semi"), on=["benefit_name", "household_number"], how="semi"
    )
    supporters = facts.taxes.join(people, on="person_number", how="semi")["supporter_number"].drop_nulls()
    wanted = pl.concat([people["person_number"], together["person_number"], supporters]).unique().implode()

    def of(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(pl.col("person_number").is_in(wanted))

    near = replace(
        facts,
        residents=of(facts.residents),
        taxes=of(facts.taxes),
        tax_answers=of(facts.tax_answers),
        prior=together,
        # 元の世帯の承継は、避難者の世帯の受給者を変えない。
        payee_changes=facts.payee_changes.clear(),
    )
    members = (
        members_on(near, programme, today)
        .join(people.lazy().select("person_number", "home", "leads"), on="person_number", how="left")
        .with_columns(
            household_number=pl.coalesce("home", "household_number"),
            head=pl.coalesce("leads", "head"),
        )
        .drop("home", "leads")
    )
    return decide_households(near, programme, members).filter(pl.col("household_number") < 0).collect()
