"""判定の結果ファイル outcomes.csv と entitlements.csv（契約 §4）。UTF-8（BOM なし）、LF、先頭の三列の順。"""

from __future__ import annotations

import io

import polars as pl

FILE_NAME = "outcomes.csv"
ENTITLEMENTS_NAME = "entitlements.csv"
CLAIMS_NAME = "claim_outcomes.csv"
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
_TEN_DIGITS = ("subject_number", "payee_number")
#: 種類の少ない言葉の列。字のままでは、数百万行を並べ替えるのに何倍もかかる。
_WORDS = ("subject_kind", "benefit", "verdict", "reasons", "route", "account_flag")
#: 一度に書く行の数。
_BATCH = 65_536


def _columns() -> list[pl.Expr]:
    padded = {name: pl.col(name).cast(pl.String).str.zfill(10) for name in _TEN_DIGITS}
    return [padded.get(name, pl.col(name)).alias(heading) for heading, name in COLUMNS.items()]


def _sorted(rows: pl.DataFrame, *more: str) -> pl.DataFrame:
    """先頭の三列の順。対象区分と給付種別は文字の順、番号は 10 桁に補えば数の順と同じ。

    三つを一つの数にまとめて並べる。言葉は、字の順に番号の付いた Enum にする。空の文字列は "" と書かれるので、
    空（null）にして、何も書かない。
    """
    words = {name: pl.Enum(sorted(set(rows[name].drop_nulls().unique()) - {""})) for name in _WORDS}
    coded = rows.select(
        *(pl.col(name).cast(words[name], strict=False) if name in words else name for name in COLUMNS.values()), *more
    ).rechunk()
    kind, benefit = (pl.col(name).to_physical().cast(pl.Int64) for name in ("subject_kind", "benefit"))
    benefits = words["benefit"].categories.len()
    place = coded.select((kind * 10**10 + pl.col("subject_number")) * benefits + benefit).to_series().arg_sort()
    return coded.select(pl.all().gather(place))


def _csv(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_csv(buffer, quote_style="necessary", batch_size=_BATCH)
    return buffer.getvalue()


def render(outcomes: pl.DataFrame) -> bytes:
    """outcomes.csv。番号は 10 桁に補い、空は空のまま。同じ結果なら一字も違わない。"""
    return _csv(_sorted(outcomes).select(_columns()))


def render_entitlements(eligible: pl.DataFrame) -> bytes:
    """entitlements.csv: 対象の行に、給付管理番号と枝番を足したもの。"""
    return _csv(
        _sorted(eligible, "case_number", "branch").select(
            pl.col("case_number").alias("給付管理番号"), pl.col("branch").alias("枝番"), *_columns()
        )
    )


def render_claims(claimed: pl.DataFrame) -> bytes:
    """claim_outcomes.csv: 申請が足した行。outcomes.csv の列と申請番号。"""
    return _csv(_sorted(claimed, "claim_number").select(*_columns(), pl.col("claim_number").alias("申請番号")))
