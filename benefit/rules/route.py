"""届け方（契約 §2 Route）: 区が直接（WARD）、お知らせだけで振込（PUSH）、確認書（CONFIRM）。

WARD は、世帯の誰か（調整給付は本人か、その人の基準日の世帯の誰か）が区の直接扱う人であるとき。WARD の行は
区の台帳の外へ決して出ない。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.facts import Facts
from benefit.rules.name_agreement import agrees

#: 口座種別と口座フラグ（契約 §2）。
FLAG_OF_KIND = {"生活保護": "1", "過去給付": "2", "公金受取": "3"}


def accounts_in_use(facts: Facts) -> pl.LazyFrame:
    """今の口座。公金受取口座の照会の回答があれば、「有」は置き換え、「無」と「提供停止」は取り去る。"""
    answers = facts.account_answers.lazy()
    columns = ["person_number", "account_kind", "holder_kana"]
    kept = (
        facts.accounts.lazy()
        .join(answers.select("person_number", answered=pl.lit(value=True)), on="person_number", how="left")
        .filter((pl.col("account_kind") != "公金受取") | pl.col("answered").is_null())
        .select(columns)
    )
    given = answers.filter(pl.col("registered") == "有").with_columns(account_kind=pl.lit("公金受取"))
    return pl.concat([kept, given.select(columns)])


def payee_accounts(facts: Facts, payees: pl.LazyFrame, programme: Programme) -> pl.LazyFrame:
    """受給者（person_number、重複なし）ごとの口座: account_flag（1・2・3、なければ 0）、account_kind、name_agrees。"""
    # 優先の順は、事業のファイルが決める（K8）。
    order = {kind: place for place, kind in enumerate(programme.route.account_precedence)}
    written = (
        facts.addresses.lazy()
        # 法定代理人の氏名は、受給者の氏名ではない。読みのない行は、読みのある行を隠さない。
        .filter((pl.col("kind") != "法定代理人") & pl.col("kana_name").is_not_null())
        .sort("line")
        .select("person_number", outside_kana="kana_name")
        .unique("person_number", keep="last", maintain_order=True)
    )
    chosen = (
        payees.join(accounts_in_use(facts), on="person_number")
        .with_columns(
            account_flag=pl.col("account_kind").replace_strict(FLAG_OF_KIND, default=None, return_dtype=pl.String),
            place=pl.col("account_kind").replace_strict(order, default=None, return_dtype=pl.Int64),
        )
        .sort("place")
        .unique("person_number", keep="first", maintain_order=True)
        .join(facts.residents.lazy().select("person_number", "kana_name"), on="person_number", how="left")
        .join(written, on="person_number", how="left")
        .select(
            "person_number",
            "account_flag",
            "account_kind",
            name_agrees=agrees(pl.col("holder_kana"), pl.coalesce("kana_name", "outside_kana")),
        )
    )
    return payees.join(chosen, on="person_number", how="left").with_columns(
        pl.col("account_flag").fill_null("0"), pl.col("name_agrees").fill_null(value=False)
    )


def ward_households(protected: pl.DataFrame, members: pl.LazyFrame) -> pl.LazyFrame:
    """区の直接扱う人（person_number）がいる、基準日の世帯: household_number、ward。"""
    return (
        members.join(protected.lazy().select("person_number").unique(), on="person_number", how="semi")
        .select("household_number", ward=pl.lit(value=True))
        .unique("household_number")
    )


def route_columns(in_ward: pl.Expr) -> list[pl.Expr]:
    """`route`・`account_flag`・`account_kind`・`name_agrees`。対象でない行は空。"""
    eligible = pl.col("verdict") == "対象"
    return [
        pl.when(eligible)
        .then(
            pl.when(in_ward).then(pl.lit("WARD")).when("name_agrees").then(pl.lit("PUSH")).otherwise(pl.lit("CONFIRM"))
        )
        .alias("route"),
        pl.when(eligible).then("account_flag").alias("account_flag"),
        pl.when(eligible).then("account_kind").alias("account_kind"),
        # 区が直接扱う人にも、口座が分かっていればお知らせだけで払える。経路は WARD のままなので、ここに残す。
        pl.when(eligible).then("name_agrees").alias("name_agrees"),
    ]
