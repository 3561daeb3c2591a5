"""口座名義と受給者のカナ氏名が一致するか（契約 §2 Route、benefit-rules D.2）。列の計算。

鍵の決まりは `benefit.domain.kana` の表と同じもので、同じであることは試験が確かめる。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.kana import KEPT_SIGNS, TABLE

#: 全銀の受取人名の長さ（半角の文字数）。formats.md §1.2。
HOLDER_LENGTH = 30
_DROPPED = rf"[^\p{{L}}\p{{N}}{KEPT_SIGNS.replace('-', '')}\-]"


def key(text: pl.Expr) -> pl.Expr:
    """比べる鍵の列。"""
    return text.str.replace_many(list(TABLE), list(TABLE.values())).str.replace_all(_DROPPED, "")


def _half_width(text: pl.Expr) -> pl.Expr:
    """半角にしたときの桁を数える形: 濁点・半濁点を一桁に分け、空白と記号は残す。"""
    return text.str.replace_many(list(TABLE), list(TABLE.values())).str.replace_all("　", " ", literal=True)


def agrees(holder: pl.Expr, kana_name: pl.Expr) -> pl.Expr:
    """一致なら真、違えば偽。どちらかがないときは偽（分からない名義を、一致とはしない）。

    30 桁で切られた名義（30 桁以上、または 30 桁目が空白になるための 29 桁）は、氏名の先頭との一致でよい。
    """
    wanted, given = key(kana_name), key(holder)
    # 置き換えの式は、鍵と桁とで同じものにする。Polars は同じ式を一度しか計算しない。
    holder_width = _half_width(holder).str.strip_chars_end(" ").str.len_chars()
    cut = (holder_width >= HOLDER_LENGTH) | (
        (holder_width == HOLDER_LENGTH - 1) & (_half_width(kana_name).str.slice(HOLDER_LENGTH - 1, 1) == " ")
    )
    same = (given == wanted) | (cut & wanted.str.starts_with(given))
    return (same & (given.str.len_chars() > 0)).fill_null(value=False)
