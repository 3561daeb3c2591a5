"""情報提供ネットワークシステムへの照会ファイル（契約 §4、formats.md §7.5）。

公開された様式は一社のものしか見つからないので（formats §0.3 7b、確かさ 低〜中）、契約の列に、照会に必ず
要る符号だけを足した CSV とする。個人番号と符号は団体内統合宛名・中間サーバーが付ける。ここには無い。
"""

from __future__ import annotations

from datetime import date

import polars as pl

FILE_NAMES = {"tax": "tax_inquiry.csv", "account": "account_inquiry.csv"}
#: 特定個人情報名コード（formats.md §7.5、KYUFU）。
SUBJECT_CODES = {"tax": "TM00000000000002", "account": "TM00000000000089"}
#: 公金受取口座の事務手続コード（同）。
PROCEDURE_CODE = "JT01010000000001"


def render(kind: str, rows: pl.DataFrame, *, levy_year: int, asked_on: date) -> bytes:
    """照会の行（person_number、inquiry_number、destination）をファイルにする。UTF-8、LF。"""
    person = pl.col("person_number").cast(pl.String).str.zfill(10)
    columns = [pl.col("inquiry_number").alias("照会番号"), person.alias("住民番号")]
    if kind == "tax":
        columns += [pl.col("destination").alias("照会先団体コード"), pl.lit(str(levy_year)).alias("年度")]
    columns += [pl.lit(SUBJECT_CODES[kind]).alias("特定個人情報名コード")]
    if kind == "account":
        columns += [pl.lit(PROCEDURE_CODE).alias("事務手続コード")]
    columns += [pl.lit(asked_on.isoformat()).alias("照会依頼日")]
    return rows.select(columns).write_csv(quote_style="necessary").encode()
