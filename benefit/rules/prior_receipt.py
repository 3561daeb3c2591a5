"""「新たに」: 昨年度の対象世帯か（契約 §2 PRIOR、benefit-rules A.3）。人で突き合わせ、世帯番号だけでは見ない。

P1 同じ世帯番号で、同じ人がいる　P2 昨年度の世帯主が、いまの世帯にいる
P3 昨年度の世帯主はもうどの世帯にもおらず、残った人の全員がこの世帯にいる（上峰町の事例）
P5 同じ人がいるが、上のどれでもない（分からない）
"""

from __future__ import annotations

import polars as pl

from benefit.rules.facts import Facts


def prior_hits(facts: Facts, members: pl.LazyFrame) -> pl.LazyFrame:
    """世帯ごとの当たり: household_number、P1、P2、P3、P5。当たりのない世帯は行がない。"""
    now = members.select("person_number", now_in="household_number")
    last_year = (
        facts.prior.lazy()
        .filter(pl.col("state") != "対象外")
        .select("benefit_name", "household_number", "person_number", head=pl.col("relation") == "世帯主")
        .join(now, on="person_number", how="left")
    )
    present = last_year.filter(pl.col("now_in").is_not_null())
    shared = present.group_by(household_number="now_in").agg(
        P1=(pl.col("household_number") == pl.col("now_in")).any(),
        P2=pl.col("head").any(),
    )
    continued = (
        last_year.group_by("benefit_name", "household_number")
        .agg(
            heads=pl.col("head").sum(),
            heads_here=(pl.col("head") & pl.col("now_in").is_not_null()).sum(),
            places=pl.col("now_in").drop_nulls().n_unique(),
            place=pl.col("now_in").drop_nulls().first(),
        )
        .filter((pl.col("heads") > 0) & (pl.col("heads_here") == 0) & (pl.col("places") == 1))
        .select(household_number="place", P3=pl.lit(value=True))
        .unique("household_number")
    )
    return (
        shared.join(continued, on="household_number", how="left")
        .with_columns(pl.col("P3").fill_null(value=False))
        .with_columns(P5=~(pl.col("P1") | pl.col("P2") | pl.col("P3")))
    )
