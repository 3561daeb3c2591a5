"""届いた収納データの一行を、入金の名（`event`）と鍵（`pay_key`）にする。

入金の名は、経路・鍵・店・日・時刻・金額をつないだもの。どのファイルで何度届いても、同じ入金は同じ名になる。
時刻のない経路（納付書の OCR など）では、同じ中身の行が一つのファイルに二つあれば別々の入金なので、何番目かを足す。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.collection import Channel

#: 収納データの一行。どの様式から読んでも、この列になる。
NOTICE = {
    "line_number": pl.Int64,
    "channel": pl.String,
    "kind": pl.String,
    "pay_key": pl.String,
    "paid_on": pl.Date,
    "paid_time": pl.String,
    "place": pl.String,
    "amount_yen": pl.Int64,
    "settle_on": pl.Date,
}
#: 時刻と店で一つに決まる経路。ほかの経路の同じ行は、数で見分ける。
TIMED = (Channel.CONVENIENCE, Channel.E_MONEY, Channel.MOBILE_BANKING, Channel.CREDIT, Channel.PAYEASY)


def receivable_key(subject: pl.Expr, fiscal_year: pl.Expr, term: pl.Expr, notice_number: pl.Expr) -> pl.Expr:
    """調定そのものの鍵: 科目・年度・期別・通知書番号（前の 0 は様式の幅しだいなので除く）。"""
    return pl.format(
        "KEY:{}-{}-{}-{}",
        subject.cast(pl.String),
        fiscal_year.cast(pl.String),
        term.cast(pl.String).str.zfill(2),
        notice_number.cast(pl.String).str.strip_chars_start("0"),
    )


def barcode_key(barcode: pl.Expr) -> pl.Expr:
    """バーコードの鍵: メーカーコードと自由使用欄の 27 桁（再発行・期限・金額が違っても、同じ納付書番号）。"""
    return pl.concat_str([pl.lit("CVS:"), barcode.str.slice(2, 27)])


def payment_number_key(number: pl.Expr) -> pl.Expr:
    """ペイジーの納付番号の鍵。"""
    return pl.concat_str([pl.lit("MPN:"), number.str.strip_chars()])


def debit_key(customer_number: pl.Expr) -> pl.Expr:
    """口座振替の顧客番号の鍵。"""
    return pl.concat_str([pl.lit("DD:"), customer_number.str.strip_chars()])


def named(notices: pl.DataFrame) -> pl.DataFrame:
    """`NOTICE` の行に `event` を足す。"""
    order = {channel.value: str(place) for place, channel in enumerate(Channel)}
    whole = pl.concat_str(
        [
            pl.col("channel").replace_strict(order, return_dtype=pl.String),
            pl.col("pay_key"),
            pl.col("place"),
            pl.col("paid_on").dt.strftime("%Y%m%d"),
            pl.col("paid_time"),
            pl.col("amount_yen").cast(pl.String),
        ],
        separator="|",
    )
    frame = notices.with_columns(event=whole)
    turn = pl.int_range(pl.len()).over("event", "kind")
    untimed = ~pl.col("channel").is_in([channel.value for channel in TIMED])
    return frame.with_columns(
        event=pl.when(untimed & (turn > 0))
        .then(pl.format("{}#{}", pl.col("event"), turn + 1))
        .otherwise(pl.col("event"))
    )
