"""判定結果のファイル（契約 §4 Verdicts）と、委託先への返事。

委託先への返事は、給付管理番号・判定・粗い理由だけ。どの検査に当たったか、税、昨年度の受給、支援措置は言わない。
"""

from __future__ import annotations

import polars as pl

FILE_NAME = "verdicts.csv"
REPLY_NAME = "reply.csv"


def render(rows: pl.DataFrame) -> bytes:
    """区の verdicts.csv: 行番号、給付管理番号、判定、検査。UTF-8、LF、行番号の順。"""
    return (
        rows.sort("line_number")
        .select(
            pl.col("line_number").alias("行番号"),
            pl.col("case_number").alias("給付管理番号"),
            pl.col("verdict").alias("判定"),
            pl.col("checks").replace("", None).alias("検査"),
        )
        .write_csv(quote_style="necessary")
        .encode()
    )


def render_reply(rows: pl.DataFrame, coarse: dict[str, str]) -> bytes:
    """委託先への reply.csv: 給付管理番号、判定、理由（`coarse`: 検査の番号 → 不備／区確認／支給済／対象外）。"""
    first = (
        pl.col("checks")
        .str.split(";")
        .list.eval(pl.element().replace_strict(coarse, default=None, return_dtype=pl.String).drop_nulls())
        .list.first()
    )
    return (
        rows.sort("line_number")
        .select(
            pl.col("case_number").alias("給付管理番号"),
            pl.col("verdict").alias("判定"),
            pl.when(pl.col("verdict") != "支給可").then(first).alias("理由"),
        )
        .write_csv(quote_style="necessary")
        .encode()
    )
