"""職員が目を通す行: 間違いではないが、黙って通さない（benefit-rules K4・K12・B.1 の上限の警報）。"""

from __future__ import annotations

import polars as pl

from benefit.domain.programme import Programme
from benefit.rules.outcomes import Decisions

#: 注意の符号 → 職員が読む文。
SAYS = {
    "NON_LEVIED": "均等割も所得割もなく、所得税だけがある（K4: 対象に入れている）",
    "ESTIMATE": "国の算定ツールの所得税と、EST-1 の推計が大きく違う（K12）",
    "LARGE": "一件の額が、保留の額を超える（CHK72 で止まる）",
}
SCHEMA = {"subject_kind": pl.String, "subject_number": pl.Int64, "code": pl.String, "detail": pl.String}


def attention(decisions: Decisions, programme: Programme) -> pl.DataFrame:
    """注意する対象の行: SCHEMA の列。対象区分・番号・符号の順。"""
    large = decisions.outcomes.filter(pl.col("amount_yen") > programme.transfer.line_hold_yen).select(
        "subject_kind", "subject_number", code=pl.lit("LARGE"), detail=pl.format("{} 円", "amount_yen")
    )
    parts = [pl.DataFrame(schema=SCHEMA), large]
    terms = programme.adjustment
    if terms is not None:
        eligible = decisions.taxpayers.filter(pl.col("verdict") == "対象")
        subject = {"subject_kind": pl.lit("納税者"), "subject_number": pl.col("person_number")}
        parts.append(
            eligible.filter("non_levied").select(
                **subject, code=pl.lit("NON_LEVIED"), detail=pl.format("所得税 {} 円", "income_tax_yen")
            )
        )
        far = (pl.col("income_tax_yen") - pl.col("income_tax_shadow_yen")).abs() > terms.estimate_alarm_yen
        parts.append(
            eligible.filter((pl.col("income_tax_engine") == "NATIONAL_TOOL") & far).select(
                **subject,
                code=pl.lit("ESTIMATE"),
                detail=pl.format("ツール {} 円、EST-1 {} 円", "income_tax_yen", "income_tax_shadow_yen"),
            )
        )
    return pl.concat(parts).sort("subject_kind", "subject_number", "code")


def render(rows: pl.DataFrame) -> bytes:
    """attention.csv（UTF-8、LF）。"""
    return (
        rows.select(
            pl.col("subject_kind").alias("対象区分"),
            pl.col("subject_number").cast(pl.String).str.zfill(10).alias("対象番号"),
            pl.col("code").replace_strict(SAYS, return_dtype=pl.String).alias("注意"),
            pl.col("detail").alias("内容"),
        )
        .write_csv(quote_style="necessary")
        .encode()
    )
