"""情報提供ネットワークシステムへの照会ファイル（契約 §4、formats.md §7.5）と、照会できない人の一覧。

公開された様式は一社のものしか見つからないので（formats §0.3 7b、確かさ 低〜中）、契約の列に、照会に必ず
要る符号だけを足した CSV とする。個人番号と符号は団体内統合宛名・中間サーバーが付ける。ここには無い。

列: 照会番号、住民番号、（課税照会だけ）照会先団体コード・年度、特定個人情報名コード、
（口座照会だけ）事務手続コード、照会依頼日。
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

FILE_NAMES = {"tax": "tax_inquiry.csv", "account": "account_inquiry.csv"}
#: 機械の照会に載らない人の一覧。区の外へ出さない。
NOT_ASKED = "not_asked.csv"
#: 特定個人情報名コード（formats.md §7.5、KYUFU）。
SUBJECT_CODES = {"tax": "TM00000000000002", "account": "TM00000000000089"}
#: 公金受取口座の事務手続コード（同）。
PROCEDURE_CODE = "JT01010000000001"

#: 政令指定都市の団体コード（総務省「全国地方公共団体コード」＝ JIS X 0402、検査数字を除く五桁。2024-01-01 現在）。
#: 区の番号は、その市の番号のすぐ後に続く（横浜市 14100 の区は 14101〜、川崎市 14130 の区は 14131〜）。
DESIGNATED_CITIES = (
    "01100",
    "04100",
    "11100",
    "12100",
    "14100",
    "14130",
    "14150",
    "15100",
    "22100",
    "22130",
    "23100",
    "26100",
    "27100",
    "27140",
    "28100",
    "33100",
    "34100",
    "40100",
    "40130",
    "43100",
)
_TOKYO = "13"


def asked_at(code: str | None) -> str | None:
    """1月1日住所地の団体コードから、照会先の団体コード。尋ねる先がなければ None。

    政令指定都市の区の人は、市に尋ねる（formats §7.5）。空白、国外（99999）、都道府県や特別区部のような
    市区町村でない番号には、尋ねる先がない。東京の特別区は、区そのものが市町村税を課すので、区に尋ねる。
    """
    if code is None or len(code) != 5 or not (code.isascii() and code.isdigit()):
        return None
    prefecture, number = code[:2], int(code[2:])
    if not 1 <= int(prefecture) <= 47 or not 100 <= number <= 799:
        return None
    if number >= 200:
        return code
    if prefecture == _TOKYO:
        return code if number > 100 else None
    cities = [city for city in DESIGNATED_CITIES if city[:2] == prefecture and city <= code]
    return cities[-1] if cities else None


def destinations(codes: Iterable[str | None]) -> dict[str, str]:
    """1月1日住所地 → 照会先（尋ねる先のあるものだけ）。人ごとでなく、番号ごとに一度だけ読む。"""
    found = {code: asked_at(code) for code in set(codes) if code is not None}
    return {code: city for code, city in found.items() if city is not None}


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.zfill(10)


def render(kind: str, rows: pl.DataFrame, *, levy_year: int, asked_on: date) -> bytes:
    """照会の行（person_number、inquiry_number、destination）をファイルにする。UTF-8、LF。"""
    columns = [pl.col("inquiry_number").alias("照会番号"), _number("person_number").alias("住民番号")]
    if kind == "tax":
        columns += [pl.col("destination").alias("照会先団体コード"), pl.lit(str(levy_year)).alias("年度")]
    columns += [pl.lit(SUBJECT_CODES[kind]).alias("特定個人情報名コード")]
    if kind == "account":
        columns += [pl.lit(PROCEDURE_CODE).alias("事務手続コード")]
    columns += [pl.lit(asked_on.isoformat()).alias("照会依頼日")]
    return rows.select(columns).write_csv(quote_style="necessary").encode()


def render_not_asked(rows: pl.DataFrame) -> bytes:
    """機械の照会に載らない人（person_number、inquiry_number、reason、next_step）。どの行にも区限りの印。"""
    return (
        rows.select(
            _number("person_number").alias("住民番号"),
            pl.col("reason").alias("理由"),
            pl.col("next_step").alias("次にすること"),
            pl.col("inquiry_number").alias("照会番号"),
            pl.lit("区限り").alias("取扱"),
        )
        .write_csv(quote_style="necessary")
        .encode()
    )
