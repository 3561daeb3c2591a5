"""変わったもの十件: その並びの中で、めずらしいものほど上に来る。誰が見ても同じ順になり、なぜ上に来たかが言える。

一行のめずらしさは、見る項目ごとの log2(全部の数 ÷ 同じ値の数) の和である。千件に一件の値は約 10、二件に一件の値は 1。
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

#: 同じ値がこの割合より少なければ、めずらしい値として言う。
RARE = 0.05


def strangest(frame: pl.DataFrame, features: Mapping[str, str], *, key: str, most: int = 10) -> pl.DataFrame:
    """上から `most` 件と、めずらしい所を言う `odd` の列。`features` は 列 → 見出し。めずらしさが同じなら key の順。"""
    total = frame.height
    if not total:
        return frame.with_columns(odd=pl.lit(""))
    counts = [pl.len().over(pl.col(name).cast(pl.String).fill_null("")).alias(f"_{name}") for name in features]
    scored = frame.with_columns(counts).with_columns(
        _score=pl.sum_horizontal([(total / pl.col(f"_{name}")).log(2) for name in features])
    )
    chosen = scored.sort("_score", key, descending=[True, False]).head(most)
    told = [
        pl.when(pl.col(f"_{name}") <= max(1, int(total * RARE))).then(
            pl.format(
                f"{heading}「{{}}」は {total:,} 件に {{}} 件",
                pl.col(name).cast(pl.String).fill_null("なし").replace("", "なし"),
                f"_{name}",
            )
        )
        for name, heading in features.items()
    ]
    return chosen.with_columns(odd=pl.concat_str(told, separator="。", ignore_nulls=True)).drop(
        "_score", *(f"_{name}" for name in features)
    )
