"""人が表計算ソフトで開く CSV。式に見える字は、頭に ' を付けて字のままにする（機械が読む様式では、しない）。"""

from __future__ import annotations

import polars as pl

#: 表計算ソフトが式とみる、値の初め。全角も、日本語の表計算ソフトは半角とみる。改行の後も、開き方によっては初めになる。
_FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """文字の列の、式に見える値を無害にする。数の列（負の数）は、そのまま。"""
    return frame.with_columns(pl.col(pl.String).str.replace(_FORMULA, "'${1}"))


def render(frame: pl.DataFrame) -> bytes:
    """一覧の CSV（UTF-8）。"""
    return harmless(frame).write_csv(quote_style="necessary").encode()
