"""調整給付: 区が住民税を賦課した人に一回。世帯は見ない（契約 §2、benefit-rules A.6・B）。"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.check import Check, Verdict
from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.income_tax import income_tax_columns
from benefit.rules.verdicts import verdict_columns

_ADJUSTMENT_CHECKS = (
    Check("LEVIED", "令和6年度の住民税を区が賦課している（住所・住登外）", "seed 002 対象者、benefit-rules A.6"),
    Check("ALIVE", "基準日に存命である", "契約 §2、benefit-rules A.6"),
    Check("CAP", "合計所得金額が上限以下である", "契約 §2、benefit-rules A.6"),
    Check("TAXPAYER", "定額減税の前の所得税か所得割がある", "契約 §2、benefit-rules A.6"),
    Check("SHORTFALL", "定額減税しきれない額がある", "seed 002 対象者 4"),
    Check("PAYEE", "本人が存命である（判定の日）", "契約 §2"),
)


def adjustment_checks(programme: Programme) -> tuple[Check, ...]:
    """この事業の、納税者の検査（調整給付）。"""
    return _ADJUSTMENT_CHECKS if programme.adjustment is not None else ()


def decide_adjustments(facts: Facts, programme: Programme, today: date) -> pl.LazyFrame:
    """住民税の行ごとに一行: 検査の列、IT・RT・人数・A・B、amount_yen。すべて円と人。"""
    terms, benefit = programme.adjustment, programme.benefit_for("taxpayer")
    assert terms is not None
    assert benefit is not None
    died_here = (
        facts.residents.lazy()
        .filter((pl.col("removed_reason") == "死亡") & pl.col("removed_on").is_not_null())
        .select("person_number", died_here="removed_on")
    )
    # 均等割も所得割もない人（人的非課税など）。所得税だけがある人を入れるかは、事業の方針（K4）。
    non_levied = (pl.col("per_capita_levy_yen") == 0) & (pl.col("resident_tax_yen") == 0)
    spouse_here = ~pl.col("spouse_overseas")
    dependants = pl.col("dependants_16_and_over") + pl.col("dependants_under_16") - pl.col("dependants_overseas")
    unit = terms.rounding_yen
    # 受諾の後に亡くなった人の、相続人（A.7）。
    new_payee = facts.new_payee("納税者", "person_number")

    def dead_by(day: date) -> pl.Expr:
        return (pl.col("died_here") <= day).fill_null(value=False) | (pl.col("died_on") <= day).fill_null(value=False)

    return (
        facts.taxes.lazy()
        .join(died_here, on="person_number", how="left")
        .with_columns(
            *income_tax_columns(terms.quick_table),
            resident_tax_yen=pl.col("income_levy_ward_yen") + pl.col("income_levy_metro_yen"),
            n_income_tax=1 + (pl.col("same_living_spouse") & spouse_here).cast(pl.Int64) + dependants,
            n_resident_tax=1 + (pl.col("deductible_spouse") & spouse_here).cast(pl.Int64) + dependants,
        )
        .with_columns(
            # A と B は、別々に 0 で止めてから足す。片方の余りで、もう片方の不足を埋めない。
            shortfall_income_tax_yen=pl.max_horizontal(
                pl.lit(0), terms.income_tax_unit_yen * pl.col("n_income_tax") - pl.col("income_tax_yen")
            ),
            # 所得割がない人の住民税分を数えるかは、事業の方針（K3）。
            shortfall_resident_tax_yen=pl.when(pl.lit(terms.zero_levy == "NONE") & (pl.col("resident_tax_yen") == 0))
            .then(pl.lit(0, dtype=pl.Int64))
            .otherwise(
                pl.max_horizontal(
                    pl.lit(0), terms.resident_tax_unit_yen * pl.col("n_resident_tax") - pl.col("resident_tax_yen")
                )
            ),
        )
        .with_columns(shortfall_yen=pl.col("shortfall_income_tax_yen") + pl.col("shortfall_resident_tax_yen"))
        .with_columns(
            LEVIED=pl.col("levy_kind").is_in(["住所", "住登外"]),
            ALIVE=~dead_by(programme.base_date),
            CAP=pl.col("total_income_yen") <= terms.income_cap_yen,
            TAXPAYER=(pl.col("resident_tax_yen") > 0)
            | ((pl.col("income_tax_yen") > 0) & (pl.lit(terms.non_levied == "INCLUDE") | ~non_levied)),
            non_levied=non_levied & (pl.col("income_tax_yen") > 0),
            SHORTFALL=pl.col("shortfall_yen") > 0,
            PAYEE=~dead_by(today) | new_payee.is_not_null(),
        )
        .with_columns(verdict_columns(_ADJUSTMENT_CHECKS))
        .with_columns(
            benefit=pl.lit(benefit.id),
            payee_number=pl.when(dead_by(today))
            .then(pl.coalesce(new_payee, "person_number"))
            .otherwise("person_number"),
            # 切り上げは、合計に一回だけ（碧南市の公表、benefit-rules B.1）。
            amount_yen=pl.when(pl.col("verdict") == Verdict.ELIGIBLE.value)
            .then((pl.col("shortfall_yen") + unit - 1) // unit * unit)
            .otherwise(0)
            .cast(pl.Int64),
        )
    )
