"""判定結果のファイル（契約 §4 Verdicts）と、検査ごとの件数、消えた行、委託先への返事。

委託先への返事は、給付管理番号・判定・粗い理由だけ。どの検査に当たったか、税、昨年度の受給、支援措置は言わない。
"""

from __future__ import annotations

import polars as pl

FILE_NAME = "verdicts.csv"
REPLY_NAME = "reply.csv"
#: 区の中だけの報告。
CHECKS_NAME, VANISHED_NAME, BOOK_NAME = "checks.csv", "vanished.csv", "judgment.xlsx"


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


def checks_table(counted: pl.DataFrame) -> pl.DataFrame:
    """検査ごとの件数の表（列は日本語）。"""
    return counted.rename({"group": "区分", "number": "番号", "severity": "重さ", "says": "内容", "rows": "件数"})


def render_checks(counted: pl.DataFrame) -> bytes:
    """区の checks.csv: 読んだ行・判定した行と、かけた検査の全部の件数。UTF-8、LF、検査の番号の順。"""
    return checks_table(counted).write_csv(quote_style="necessary").encode()


def vanished_table(gone: pl.DataFrame) -> pl.DataFrame:
    """消えた行の表（列は日本語）。"""
    return gone.select(
        給付管理番号="case_number",
        給付種別="benefit",
        支給額="amount_yen",
        前のファイル番号="file_number",
        前の行番号="line_number",
        前の判定="verdict",
        前の検査=pl.col("checks").replace("", None),
        いま="standing",
    )


def render_vanished(gone: pl.DataFrame) -> bytes:
    """区の vanished.csv: 前に申し出があり、払われていないのに、このファイルにない権利。"""
    return vanished_table(gone).write_csv(quote_style="necessary").encode()


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
