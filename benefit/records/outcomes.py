"""判定の結果ファイル outcomes.csv と entitlements.csv（契約 §4）。UTF-8（BOM なし）、LF、先頭の三列の順。"""

from __future__ import annotations

import io

import polars as pl

FILE_NAME = "outcomes.csv"
ENTITLEMENTS_NAME = "entitlements.csv"
COLUMNS = {
    "対象区分": "subject_kind",
    "対象番号": "subject_number",
    "給付種別": "benefit",
    "判定": "verdict",
    "理由": "reasons",
    "支給額": "amount_yen",
    "受給者番号": "payee_number",
    "経路": "route",
    "口座フラグ": "account_flag",
}
_TEN_DIGITS = {"subject_number", "payee_number"}


def _columns() -> list[pl.Expr]:
    # 空の文字列は "" と書かれるので、空（null）にして、何も書かない。
    cells = {
        **{name: pl.col(name).cast(pl.String).str.zfill(10) for name in _TEN_DIGITS},
        "reasons": pl.col("reasons").replace("", None),
    }
    return [cells.get(name, pl.col(name)).alias(heading) for heading, name in COLUMNS.items()]


def _sorted(rows: pl.DataFrame) -> pl.DataFrame:
    """先頭の三列の順。対象区分は「世帯」「児童」「納税者」が文字の順そのもので、番号は 10 桁に補えば数の順と同じ。"""
    kinds = pl.Enum(sorted(rows["subject_kind"].unique().to_list()))
    return rows.with_columns(pl.col("subject_kind").cast(kinds)).sort("subject_kind", "subject_number", "benefit")


def _csv(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_csv(buffer, quote_style="necessary")
    return buffer.getvalue()


def render(outcomes: pl.DataFrame) -> bytes:
    """outcomes.csv。番号は 10 桁に補い、空は空のまま。同じ結果なら一字も違わない。"""
    return _csv(_sorted(outcomes).select(_columns()))


def render_entitlements(eligible: pl.DataFrame) -> bytes:
    """entitlements.csv: 対象の行に、給付管理番号と枝番を足したもの。"""
    return _csv(
        _sorted(eligible).select(
            pl.col("case_number").alias("給付管理番号"), pl.col("branch").alias("枝番"), *_columns()
        )
    )
