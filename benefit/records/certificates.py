"""判定証明の写し: 一回の判定の、全員の答えと見た値を一つの表に詰めたもの（Parquet、zstd）。

一行が、人（基準日の世帯員）・世帯・児童・納税者の一つである。検査の答えは、検査の順のビットにする: `met` が該当、
`unknown` が不明で、どちらも立っていなければ非該当。元の値そのものは写さない。行（`line`）と、判定とともに
残る抽出データの指紋とで、いつまでも引ける。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from benefit.domain.check import Check

FILE_NAME = "certificates.parquet"
PERSON, HOUSEHOLD, CHILD, TAXPAYER = "人", "世帯", "児童", "納税者"
HITS = ("P1", "P2", "P3", "P5")
_SECTIONS = pl.Enum([PERSON, HOUSEHOLD, CHILD, TAXPAYER])
_CLASSES = pl.Enum(["0", "1", "2", "N", "Q", "U", "X"])
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "section": _SECTIONS,
    "number": pl.Int64,
    "household_number": pl.Int64,
    "line": pl.Int32,
    "met": pl.UInt16,
    "unknown": pl.UInt16,
    "benefit": pl.String,
    "verdict": pl.String,
    "amount_yen": pl.Int64,
    "payee_number": pl.Int64,
    "route": pl.String,
    "account_flag": pl.String,
    "name_agrees": pl.Boolean,
    # 人
    "tax_class": _CLASSES,
    "supporter_class": _CLASSES,
    # 世帯: PRIOR の当たり（P1・P2・P3・P5 のビット）。児童: 世帯の判定。
    "prior_hits": pl.UInt8,
    "household_verdict": pl.String,
    # 納税者
    "income_tax_yen": pl.Int64,
    "income_tax_engine": pl.String,
    "resident_tax_yen": pl.Int64,
    "n_income_tax": pl.Int32,
    "n_resident_tax": pl.Int32,
    "shortfall_income_tax_yen": pl.Int64,
    "shortfall_resident_tax_yen": pl.Int64,
    "shortfall_yen": pl.Int64,
    "required_yen": pl.Int64,
    "first_yen": pl.Int64,
    "more_yen": pl.Int64,
    "fixed": pl.Boolean,
}
#: 列と型。番号は一行が言うもの（人か世帯）の番号。
SCHEMA = pl.Schema(_COLUMNS)


def _bits(frame: pl.DataFrame, names: Sequence[str], dtype: pl.DataType, *, nulls: bool) -> pl.Expr:
    """真の列（nulls なら null の列）を、並びの順のビットにする。"""
    bits = [
        (pl.col(name).is_null() if nulls else pl.col(name).fill_null(value=False)).cast(dtype) * (1 << place)
        for place, name in enumerate(names)
        if name in frame.columns
    ]
    return pl.sum_horizontal(bits).cast(dtype) if bits else pl.lit(0, dtype=dtype)


def table(sections: Mapping[str, pl.DataFrame], checks: Mapping[str, Sequence[Check]]) -> pl.DataFrame:
    """判定の表から写しへ。並びは決まっている（同じ判定は同じバイト列）。

    sections: 区分ごとの幅の広い表（検査の列を持つ）。checks: 対象区分ごとの検査。
    """
    return pl.concat([_section(name, frame, checks.get(name, ())) for name, frame in sections.items()])


def _section(name: str, frame: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    wanted = SCHEMA.names()
    made: dict[str, pl.Expr] = {
        "section": pl.lit(name, dtype=_SECTIONS),
        "number": pl.col("household_number" if name == HOUSEHOLD else "person_number"),
    }
    if checks:
        ids = [check.id for check in checks]
        made["met"] = _bits(frame, ids, pl.UInt16(), nulls=False)
        made["unknown"] = _bits(frame, ids, pl.UInt16(), nulls=True)
    if name == HOUSEHOLD:
        made["prior_hits"] = _bits(frame, HITS, pl.UInt8(), nulls=False)
    chosen = [
        (made[column] if column in made else pl.col(column) if column in frame.columns else pl.lit(None))
        .cast(SCHEMA[column])
        .alias(column)
        for column in wanted
    ]
    # 選んだ列だけになる前に、使う列だけの表にする。幅の広い表のまま並べ替えない。
    return frame.lazy().select(chosen).collect().sort("number")


def answers(row: Mapping[str, Any], checks: Sequence[Check]) -> dict[str, bool | None]:
    """一行の検査の答え: 該当 True、非該当 False、不明 None。"""
    met, unknown = row["met"], row["unknown"]
    return {check.id: None if unknown >> place & 1 else bool(met >> place & 1) for place, check in enumerate(checks)}


def reasons(row: Mapping[str, Any], checks: Sequence[Check]) -> str:
    """理由: 対象外なら非該当の、未確定なら不明の検査を、順に ; でつなぐ。"""
    wanted = {"対象外": False, "未確定": None}.get(row["verdict"], "なし")
    return ";".join(check for check, answer in answers(row, checks).items() if answer is wanted)


def prior_hits(row: Mapping[str, Any]) -> list[str]:
    """世帯の行の、PRIOR の当たり。"""
    return [name for place, name in enumerate(HITS) if row["prior_hits"] >> place & 1]
