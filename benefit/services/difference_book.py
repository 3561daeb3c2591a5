"""判定の差を、表計算で見る形（xlsx）にする。"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from benefit.rules.difference import Difference
from benefit.services.sheet import render as render_sheets

#: 差の行の列: 中の名前 → 見出し。
COLUMNS = {
    "subject_kind": "対象区分",
    "subject_number": "対象番号",
    "kind": "差",
    "moved_yen": "増減（円）",
    "benefit_before": "前の給付",
    "benefit_now": "今の給付",
    "verdict_before": "前の判定",
    "verdict_now": "今の判定",
    "reasons_before": "前の理由",
    "reasons_now": "今の理由",
    "amount_yen_before": "前の額（円）",
    "amount_yen_now": "今の額（円）",
    "payee_number_before": "前の受給者",
    "payee_number_now": "今の受給者",
    "route_before": "前の経路",
    "route_now": "今の経路",
}
BENEFITS = {
    "benefit": "給付種別",
    "before_rows": "前の件数",
    "now_rows": "今の件数",
    "entering_rows": "入る",
    "leaving_rows": "外れる",
    "before_yen": "前の額（円）",
    "now_yen": "今の額（円）",
    "entering_yen": "入る額（円）",
    "leaving_yen": "外れる額（円）",
}
_NUMBERS = ("subject_number", "payee_number_before", "payee_number_now")


def render(
    difference: Difference,
    *,
    title: str,
    names: dict[str, str],
    checks: Sequence[tuple[str, str, int, int]],
    made: datetime,
) -> bytes:
    """Excel のバイト列。`checks` は（区分、検査、前に外した数、今外した数）。`made` は作った時刻として残る。"""
    return render_sheets(sheets(difference, names=names, checks=checks), made=made, title=title)


def sheets(
    difference: Difference, *, names: dict[str, str], checks: Sequence[tuple[str, str, int, int]]
) -> dict[str, pl.DataFrame]:
    """まとめ、差の種類、検査と、差の種類ごとの行。"""
    told = [(*row, "誰も外していません" if row[3] == 0 else "") for row in checks]
    pages = {
        "まとめ": difference.benefits.select(list(BENEFITS))
        .with_columns(pl.col("benefit").replace_strict(names, default=pl.col("benefit")))
        .rename(BENEFITS),
        "差の種類": difference.moves.rename({"kind": "差", "rows": "件数", "yen": "増減（円）"}),
        "検査": pl.DataFrame(
            told,
            schema={
                "区分": pl.String,
                "検査": pl.String,
                "前に外した数": pl.Int64,
                "今外した数": pl.Int64,
                "注意": pl.String,
            },
            orient="row",
        ),
    }
    padded = difference.rows.with_columns(
        [pl.col(name).cast(pl.String).str.zfill(10).alias(name) for name in _NUMBERS]
    ).select(list(COLUMNS))
    for kind in difference.moves.filter(pl.col("rows") > 0)["kind"].to_list():
        pages[kind] = padded.filter(pl.col("kind") == kind).rename(COLUMNS)
    return pages
