"""不足額給付（令和7年度）: 住民税を賦課した人に一回。I は足りなかった額、II は定額（benefit-rules B.7）。

I と II は、所得税も所得割もない人かどうかで分かれるので、一人が両方を受けることはない（slot も一つ）。
I の初回の額は、2024 年に計算した所要額であり、実際に払った額ではない。だから、申請しなかった人の初回分は
よみがえらず、払いすぎた初回分を引き戻すこともない。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.check import Check, Verdict
from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.verdicts import verdict_columns

_SHORTFALL_CHECKS = (
    Check("LEVIED", "令和7年度の住民税を区が賦課している（住所・住登外）", "benefit-rules B.7"),
    Check("ALIVE", "基準日に存命である", "benefit-rules B.7（死亡者は対象外）"),
    Check("CAP", "令和6年分所得税と令和6年度住民税の合計所得金額が、どちらも上限以下である", "benefit-rules B.7"),
    Check("ACTUAL", "令和6年分の所得税額が分かっている", "benefit-rules B.7"),
    Check("FIRST", "当初調整給付の所要額が分かっている", "benefit-rules B.7（他団体で計算した人は照会・申告）"),
    Check("TAXPAYER", "定額減税の前の所得税か所得割がある（I）", "benefit-rules B.7 I"),
    Check("SHORTFALL", "計算し直した所要額が、当初の所要額より多い（I）", "benefit-rules B.7 I"),
    Check("NOT_DEPENDANT", "誰の扶養親族でもない（II）", "benefit-rules B.7 II"),
    Check("OUTSIDE", "専従者か、合計所得が扶養に入れる額を超えている（II）", "benefit-rules B.7 II"),
    Check("NOT_TARGET", "低所得世帯向け給付の対象世帯の人でない（II）", "benefit-rules B.7 II"),
    Check("PAYEE", "本人が存命である（判定の日）", "benefit-rules B.7"),
)


def shortfall_checks(programme: Programme) -> tuple[Check, ...]:
    """この事業の、納税者の検査（不足額給付）。I と II にだけある検査は、他方では該当とみなす。"""
    return _SHORTFALL_CHECKS if programme.shortfall is not None else ()


def decide_shortfalls(facts: Facts, programme: Programme, today: date) -> pl.LazyFrame:
    """不足額の算定基礎の行ごとに一行: 検査の列、A'・B'・所要額、amount_yen。すべて円と人。"""
    terms = programme.shortfall
    first, fixed = programme.benefit_for("shortfall"), programme.benefit_for("shortfall_fixed")
    assert terms is not None
    assert first is not None
    died_here = (
        facts.residents.lazy()
        .filter((pl.col("removed_reason") == "死亡") & pl.col("removed_on").is_not_null())
        .select("person_number", died_here="removed_on")
    )
    new_payee = facts.new_payee("納税者", "person_number")
    unit, true, null = terms.rounding_yen, pl.lit(value=True), pl.lit(None, dtype=pl.Boolean)
    income_tax, resident_tax = pl.col("income_tax_yen"), pl.col("resident_tax_yen")

    def dead_by(day: date) -> pl.Expr:
        return (pl.col("died_here") <= day).fill_null(value=False) | (pl.col("died_on") <= day).fill_null(value=False)

    # 所得税も所得割もない人は II。II のない事業では、みな I。所得税が分からない人も I（ACTUAL が不明になる）。
    untaxed = (income_tax == 0).fill_null(value=False) & (resident_tax.fill_null(0) == 0)
    is_fixed = untaxed if fixed is not None else pl.lit(value=False)
    outside = pl.col("family_worker") | (
        pl.max_horizontal("income_tax_total_income_yen", "resident_tax_total_income_yen") > terms.dependant_income_yen
    )
    return (
        facts.shortfall.lazy()
        .join(died_here, on="person_number", how="left")
        .with_columns(
            fixed=is_fixed,
            shortfall_income_tax_yen=pl.max_horizontal(
                pl.lit(0), terms.income_tax_unit_yen * pl.col("n_income_tax") - income_tax
            ),
            # 令和6年度の住民税がどこからも賦課されていない人（海外からの転入者）の住民税分は 0（船橋市の事例）。
            shortfall_resident_tax_yen=pl.when(resident_tax.is_null())
            .then(pl.lit(0, dtype=pl.Int64))
            .otherwise(
                pl.max_horizontal(pl.lit(0), terms.resident_tax_unit_yen * pl.col("n_resident_tax") - resident_tax)
            ),
            first_yen=pl.when(pl.col("first_decided_by") == "なし")
            .then(pl.lit(0, dtype=pl.Int64))
            .otherwise("first_required_yen"),
        )
        .with_columns(
            # max_horizontal は null を飛ばすので、所得税が分からない人の不足額を 0 にしてしまう。null に戻す。
            shortfall_income_tax_yen=pl.when(income_tax.is_not_null()).then("shortfall_income_tax_yen"),
        )
        .with_columns(
            required_yen=(
                (pl.col("shortfall_income_tax_yen") + pl.col("shortfall_resident_tax_yen") + unit - 1) // unit * unit
            )
        )
        .with_columns(more_yen=pl.col("required_yen") - pl.col("first_yen"))
        .with_columns(
            LEVIED=pl.col("levy_kind").is_in(["住所", "住登外"]),
            ALIVE=~dead_by(programme.base_date),
            CAP=(pl.col("income_tax_total_income_yen") <= terms.income_cap_yen)
            & (pl.col("resident_tax_total_income_yen") <= terms.income_cap_yen).fill_null(value=True),
            ACTUAL=pl.when(income_tax.is_not_null()).then(true).otherwise(null),
            FIRST=pl.when(pl.col("fixed") | pl.col("first_yen").is_not_null()).then(true).otherwise(null),
            TAXPAYER=pl.when("fixed").then(true).otherwise((income_tax > 0) | (resident_tax.fill_null(0) > 0)),
            SHORTFALL=pl.when("fixed").then(true).otherwise(pl.col("more_yen") > 0),
            NOT_DEPENDANT=pl.when("fixed").then(~pl.col("dependant")).otherwise(true),
            OUTSIDE=pl.when("fixed").then(outside).otherwise(true),
            NOT_TARGET=pl.when("fixed").then(~pl.col("low_income_target")).otherwise(true),
            PAYEE=~dead_by(today) | new_payee.is_not_null(),
        )
        .with_columns(verdict_columns(_SHORTFALL_CHECKS))
        .with_columns(
            benefit=pl.when("fixed").then(pl.lit(fixed.id if fixed else first.id)).otherwise(pl.lit(first.id)),
            payee_number=pl.when(dead_by(today))
            .then(pl.coalesce(new_payee, "person_number"))
            .otherwise("person_number"),
            amount_yen=pl.when(pl.col("verdict") != Verdict.ELIGIBLE.value)
            .then(0)
            .when(pl.col("fixed") & pl.col("abroad_on_levy_date"))
            .then(terms.abroad_amount_yen)
            .when("fixed")
            .then(fixed.amount_yen if fixed else 0)
            .otherwise("more_yen")
            .cast(pl.Int64),
        )
    )
