"""判定の結果ファイル outcomes.csv と entitlements.csv（契約 §4）。UTF-8（BOM なし）、LF、先頭の三列の順。"""

from __future__ import annotations

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


def render(outcomes: pl.DataFrame) -> bytes:
    """outcomes.csv。番号は 10 桁に補い、空は空のまま。同じ結果なら一字も違わない。"""
    rows = outcomes.select(_columns()).sort("対象区分", "対象番号", "給付種別")
    return rows.write_csv(quote_style="necessary").encode()


def render_entitlements(eligible: pl.DataFrame) -> bytes:
    """entitlements.csv: 対象の行に、給付管理番号と枝番を足したもの。"""
    rows = eligible.select(
        pl.col("case_number").alias("給付管理番号"), pl.col("branch").alias("枝番"), *_columns()
    ).sort("対象区分", "対象番号", "給付種別")
    return rows.write_csv(quote_style="necessary").encode()
