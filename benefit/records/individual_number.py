"""個人番号の仕掛け線: この仕組みは個人番号を持たない（契約 §1、seed 002 の記録項目にない）。

12 桁の数字で検査用数字が合う値が、空でない値の半分より多い列があれば、ファイルごと断る。値は見せない。
検査用数字: 総務省令第85号（平成26年）第5条。
"""

from __future__ import annotations

import polars as pl

_DIGITS = 12


def _is_individual_number(digits: pl.Expr) -> pl.Expr:
    """12 桁の数字の列について、検査用数字が合うか。"""
    number = digits.cast(pl.Int64)
    total = pl.lit(0, dtype=pl.Int64)
    for place in range(1, _DIGITS):
        # place は検査用数字を除く、下からの桁。重みは 6 桁目まで +1、その上は −5。
        weight = place + 1 if place <= 6 else place - 5
        total = total + number // 10**place % 10 * weight
    rest = total % 11
    return (pl.when(rest <= 1).then(0).otherwise(11 - rest)) == number % 10


def suspected_columns(frame: pl.DataFrame) -> list[str]:
    """個人番号らしい列の名前。空でない値の半分より多くが、正しい個人番号の形をしている列。"""
    names = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if frame.is_empty() or not names:
        return []
    # まず、12 バイト以上で数字から始まる値が半分を超えるかだけを見る。ほとんどの列は、ここで外れる。
    long_enough = [
        name
        for name, most in zip(
            names,
            frame.select(
                (pl.col(name).str.len_bytes() >= _DIGITS).sum() * 2 > pl.col(name).count() for name in names
            ).row(0),
            strict=True,
        )
        if most
    ]
    if not long_enough:
        return []
    digits_first = frame.select(
        pl.col(name).str.head(1).is_in(list("0123456789")).sum() * 2 > pl.col(name).count() for name in long_enough
    ).row(0)
    found = []
    for name, candidate in zip(long_enough, digits_first, strict=True):
        if not candidate:
            continue
        values = frame.select(pl.col(name).drop_nulls().str.replace_all(r"[\s\-－‐　]", ""))
        digits = values.filter(pl.col(name).str.contains(r"^[0-9]{12}$"))
        if digits.is_empty():
            continue
        valid = digits.select(_is_individual_number(pl.col(name)).sum()).item()
        if valid * 2 > values.height:
            found.append(name)
    return found
