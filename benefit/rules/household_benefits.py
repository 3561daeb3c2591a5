"""世帯の給付（非課税の世帯、均等割のみの世帯）: 基準日の世帯に一回（契約 §2）。方針は事業のファイルが決める。"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.check import Check, Verdict
from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.prior_receipt import prior_hits
from benefit.rules.tax_class import certainly_under_16, tax_classes
from benefit.rules.verdicts import verdict_columns

_HOUSEHOLD_CHECKS = (
    Check("HEAD", "世帯主が一人いる", "契約 §2"),
    Check("PAYEE", "世帯主が存命である（判定の日）", "契約 §2、benefit-rules A.7"),
    Check("TAX", "所得割を課税されている人がいない（定額減税の前）", "seed 002 対象者 1・2、benefit-rules A.1"),
    Check("TREATY", "租税条約の免除を受けている人がいない", "契約 §2、benefit-rules A.1"),
    Check("ENTRANT", "国外からの転入者の世帯でない", "契約 §2、benefit-rules A.1"),
    Check("INQUIRY", "転入者の課税状況が分かっている", "seed 002 照会用データ、benefit-rules E.2"),
    Check("DECLARED", "未申告の人がいない", "契約 §2、benefit-rules A.1"),
    Check("PRIOR", "昨年度の対象世帯でない（新たに対象となった世帯）", "seed 002 対象者 1・2、benefit-rules A.3"),
    Check("DEPENDANTS", "課税されている人の被扶養者だけの世帯でない", "契約 §2、benefit-rules A.4"),
)
#: 均等割のみの世帯への給付がない事業の TAX。
_UNTAXED_ONLY = Check("TAX", "住民税（均等割・所得割）を課税されている人がいない（定額減税の前）", "benefit-rules A.5")


def household_checks(programme: Programme) -> tuple[Check, ...]:
    """この事業の、世帯の検査。順が、理由の並ぶ順である。"""
    terms = programme.household
    if terms is None:
        return ()
    return tuple(
        _UNTAXED_ONLY if check.id == "TAX" and programme.benefit_for("per_capita_household") is None else check
        for check in _HOUSEHOLD_CHECKS
        if check.id != "PRIOR" or terms.prior == "EXCLUDE_TARGETS"
    )


def members_on(facts: Facts, programme: Programme, today: date) -> pl.LazyFrame:
    """基準日の世帯員と、その人の課税区分・扶養・生死。一人一行。

    住民となった日 ≤ 基準日、かつ 消除日がないか 消除日 > 基準日（契約 §2 Member）。
    """
    classes = tax_classes(facts, programme)
    tax_rows = facts.taxes.lazy().select("person_number", "supporter_number", "supporter_outside", "died_on")
    member = (pl.col("became_resident_on") <= programme.base_date) & (
        pl.col("removed_on").is_null() | (pl.col("removed_on") > programme.base_date)
    )
    died_here = pl.when(pl.col("removed_reason") == "死亡").then(pl.col("removed_on"))
    return (
        facts.residents.lazy()
        .filter(member)
        .select(
            "person_number",
            "household_number",
            "birth_earliest",
            "birth_latest",
            head=pl.col("relation") == "世帯主",
            adult=~certainly_under_16(programme),
            died_here=died_here,
        )
        .join(classes, on="person_number", how="left")
        .join(tax_rows, on="person_number", how="left")
        .join(
            classes.select(supporter_number="person_number", supporter_class="tax_class"),
            on="supporter_number",
            how="left",
        )
        .with_columns(
            dead=((pl.col("died_here") <= today) | (pl.col("died_on") <= today)).fill_null(value=False),
            supported=pl.col("supporter_number").is_not_null() | pl.col("supporter_outside").fill_null(value=False),
        )
    )


def decide_households(facts: Facts, programme: Programme, members: pl.LazyFrame) -> pl.LazyFrame:
    """基準日の世帯ごとに一行: 検査の列（真・偽・null）、verdict、reasons、給付と額、payee_number、P1〜P5。"""

    def any_class(letter: str) -> pl.Expr:
        return (pl.col("tax_class") == letter).any()

    terms = programme.household
    assert terms is not None
    taxed = ["1", "2"] if terms.supporter == "PER_CAPITA_LEVY" else ["2"]
    free = ["0", "X", "N"] if terms.supporter == "PER_CAPITA_LEVY" else ["0", "1", "X", "N"]
    # 国外からの転入者を見ない事業では、税のない人として数える。
    untaxed = ["0"] if terms.entrants != "IGNORE" else ["0", "N"]
    taxed_supporter = pl.col("supporter_class").is_in(taxed).fill_null(value=False)
    open_supporter = (
        pl.col("supporter_outside").fill_null(value=False)
        | pl.col("supporter_class").is_null()
        | pl.col("supporter_class").is_in(["Q", "U"]).fill_null(value=False)
    )
    free_supporter = pl.col("supporter_class").is_in(free).fill_null(value=False)
    head = pl.col("head")
    folded = members.group_by("household_number").agg(
        members=pl.len(),
        heads=head.sum(),
        head_number=pl.col("person_number").filter(head).first(),
        head_dead=(head & pl.col("dead")).any(),
        others_living=(~head & ~pl.col("dead")).any(),
        head_entrant=(head & (pl.col("tax_class") == "N")).any(),
        adults=pl.col("adult").sum(),
        entrant_adults=(pl.col("adult") & (pl.col("tax_class") == "N")).sum(),
        any_entrant=any_class("N"),
        any_taxed=any_class("2"),
        any_treaty=any_class("X"),
        any_asked=any_class("Q"),
        any_undeclared=any_class("U"),
        any_per_capita=any_class("1"),
        all_free=pl.col("tax_class").is_in(untaxed).all(),
        all_supported=pl.col("supported").all(),
        all_taxed_supporters=taxed_supporter.all(),
        any_open_supporter=open_supporter.any(),
        any_free_supporter=free_supporter.any(),
    )
    one_head = pl.col("heads") == 1
    new_payee = facts.new_payee("世帯", "household_number")
    null = pl.lit(None, dtype=pl.Boolean)
    true, false = pl.lit(value=True), pl.lit(value=False)
    hits = prior_hits(facts, members)
    untaxed_benefit = programme.benefit_for("untaxed_household")
    assert untaxed_benefit is not None
    light_benefit = programme.benefit_for("per_capita_household")
    all_entrants = (pl.col("adults") > 0) & (pl.col("adults") == pl.col("entrant_adults"))
    entrant = {
        "EXCLUDE_IF_HEAD_OR_ALL": (one_head & pl.col("head_entrant")) | all_entrants,
        "EXCLUDE_IF_ANY": pl.col("any_entrant"),
        "IGNORE": false,
    }[terms.entrants]
    split = {"HOLD": null, "EXCLUDE": false, "ALLOW": true}[terms.prior_split]
    undeclared = {"HOLD": null, "EXCLUDE": false}[terms.undeclared]
    any_taxed = pl.col("any_taxed") if light_benefit else pl.col("any_taxed") | pl.col("any_per_capita")
    checks = [
        pl.when(one_head).then(true).otherwise(null).alias("HEAD"),
        pl.when(one_head & pl.col("head_dead") & new_payee.is_null())
        .then(pl.when("others_living").then(null).otherwise(false))
        .otherwise(true)
        .alias("PAYEE"),
        (~any_taxed).alias("TAX"),
        (~pl.col("any_treaty")).alias("TREATY"),
        pl.when(entrant)
        .then(false)
        .when(pl.col("any_entrant") if terms.entrants != "IGNORE" else false)
        .then(null)
        .otherwise(true)
        .alias("ENTRANT"),
        pl.when("any_asked").then(null).otherwise(true).alias("INQUIRY"),
        pl.when("any_undeclared").then(undeclared).otherwise(true).alias("DECLARED"),
        pl.when(pl.any_horizontal("P1", "P2", "P3")).then(false).when("P5").then(split).otherwise(true).alias("PRIOR"),
        pl.when(~pl.col("all_supported"))
        .then(true)
        .when("all_taxed_supporters")
        .then(false)
        .when(pl.col("any_open_supporter") & ~pl.col("any_free_supporter"))
        .then(null)
        .otherwise(true)
        .alias("DEPENDANTS"),
    ]
    eligible = pl.col("verdict") == Verdict.ELIGIBLE.value
    light = light_benefit or untaxed_benefit
    return (
        folded.join(hits, on="household_number", how="left")
        .with_columns(pl.col("P1", "P2", "P3", "P5").fill_null(value=False))
        .with_columns(checks)
        .with_columns(verdict_columns(household_checks(programme)))
        .with_columns(
            # 世帯主が亡くなり、承継か相続の申請を受理した世帯だけ、受給者が変わる（A.7）。
            payee_number=pl.when(one_head & pl.col("head_dead"))
            .then(pl.coalesce(new_payee, "head_number"))
            .when(one_head)
            .then("head_number"),
            benefit=pl.when(~eligible)
            .then(pl.lit(terms.ineligible_id))
            .when("all_free")
            .then(pl.lit(untaxed_benefit.id))
            .otherwise(pl.lit(light.id)),
            amount_yen=pl.when(~eligible)
            .then(0)
            .when("all_free")
            .then(untaxed_benefit.amount_yen)
            .otherwise(light.amount_yen)
            .cast(pl.Int64),
        )
    )
