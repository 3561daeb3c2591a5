"""人の課税区分（契約 §2 Tax class of a person、benefit-rules A.1）。上から見て、最初に当たったもの。

X 租税条約免除　2 所得割課税　1 均等割のみ　0 非課税　U 未申告　Q 転入で課税が分からない　N 国外からの転入
"""

from __future__ import annotations

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.facts import Facts

#: 課税区分の型。八つの字しかないので、字ではなく番号で比べる（半分の時間で済む）。
CLASSES = pl.Enum(["0", "1", "2", "N", "Q", "U", "X"])


def certainly_under_16(programme: Programme) -> pl.Expr:
    """16 歳未満であることが確か（不詳の誕生日が、どちらともとれるときは違う）。"""
    return pl.col("birth_earliest") >= programme.under_16_born_from


def _of_tax_row() -> pl.Expr:
    income_levy = pl.col("income_levy_ward_yen") + pl.col("income_levy_metro_yen")
    relieved = pl.col("ordinance_relief") == "全部"
    return (
        pl.when(pl.col("treaty_exempt"))
        .then(pl.lit("X"))
        # 定額減税の前の所得割で見る。減税後の 0 を「均等割のみ」と読むのが、一番高くつく誤り。
        .when((income_levy > 0) & ~relieved)
        .then(pl.lit("2"))
        .when((pl.col("per_capita_levy_yen") > 0) & ~relieved)
        .then(pl.lit("1"))
        .when(pl.col("declaration") == "未申告")
        .then(pl.lit("U"))
        .otherwise(pl.lit("0"))
    )


def _of_resident(programme: Programme) -> pl.Expr:
    arrived = pl.col("became_resident_on") >= programme.entered_from
    reason = pl.col("became_resident_reason")
    return (
        pl.when(certainly_under_16(programme))
        .then(pl.lit("0"))
        .when(arrived & (reason == "出生"))
        .then(pl.lit("0"))
        .when(arrived & (reason == "国外転入"))
        .then(pl.lit("N"))
        .when(arrived)
        .then(pl.lit("Q"))
        .otherwise(pl.lit("U"))
    )


def class_of_answer() -> pl.Expr:
    """照会の回答一つの区分（契約 §2）。矛盾する答えと、答えになっていない答えは Q のまま。

    列: answer、income_levy_before_cut_yen、income_levy_after_cut_yen、answer_per_capita_levy_yen、
    answer_treaty_exempt。
    """
    answer, before = pl.col("answer"), pl.col("income_levy_before_cut_yen")
    taxed = answer == "課税"
    return (
        pl.when(pl.col("answer_treaty_exempt"))
        .then(pl.lit("X"))
        .when(taxed & (before > 0))
        .then(pl.lit("2"))
        .when(taxed & (before == 0) & (pl.col("answer_per_capita_levy_yen") > 0))
        .then(pl.lit("1"))
        .when(taxed & before.is_null() & (pl.col("income_levy_after_cut_yen") > 0))
        .then(pl.lit("2"))
        .when(answer == "非課税")
        .then(pl.lit("0"))
        .when(answer == "未申告")
        .then(pl.lit("U"))
        .otherwise(pl.lit("Q"))
    )


def tax_classes(facts: Facts, programme: Programme) -> pl.LazyFrame:
    """住民記録か住民税にいる全員の課税区分: person_number、tax_class。住民であるかどうかは問わない。"""
    rows = facts.taxes.lazy().select("person_number", of_tax=_of_tax_row())
    answers = facts.tax_answers.lazy().select(
        "person_number",
        "answer",
        "income_levy_before_cut_yen",
        "income_levy_after_cut_yen",
        answer_per_capita_levy_yen="per_capita_levy_yen",
        answer_treaty_exempt="treaty_exempt",
    )
    residents = facts.residents.lazy().select("person_number", of_resident=_of_resident(programme))
    classes = (
        residents.join(rows, on="person_number", how="full", coalesce=True)
        .join(answers.select("person_number", of_answer=class_of_answer()), on="person_number", how="left")
        .with_columns(plain=pl.coalesce("of_tax", "of_resident"))
        .select(
            "person_number",
            tax_class=pl.when(pl.col("plain") == "Q")
            .then(pl.coalesce("of_answer", pl.lit("Q")))
            .otherwise(pl.col("plain"))
            .cast(CLASSES),
        )
    )
    return classes.with_columns(_corrected(facts)) if facts.tax_corrections.height else classes


def _corrected(facts: Facts) -> pl.Expr:
    """受理した税の更正を当てる。抽出データの区分が申請のときから変わった人には、新しい抽出データが勝つ。"""

    def of(column: str) -> pl.Expr:
        return pl.col("person_number").replace_strict(
            facts.tax_corrections["person_number"],
            facts.tax_corrections[column].cast(CLASSES),
            default=None,
            return_dtype=CLASSES,
        )

    return (
        pl.when(pl.col("tax_class") == of("seen_class"))
        .then(of("corrected_class"))
        .otherwise("tax_class")
        .alias("tax_class")
    )
