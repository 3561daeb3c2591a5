"""口座振替で請求するもの・しないものを、事実の表から決める。どの調定にも、請求する額か、しないわけの一つが付く。"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from benefit.domain.direct_debit import LEFT_OUT

#: 決めるのに見る事実（調定一つに一行）。`last` は前の請求の行き先（なければ null、結果がまだなら「待ち」）。
FACTS = {
    "receivable_id": pl.Int64,
    "due_yen": pl.Int64,
    "settled_yen": pl.Int64,
    "promised_yen": pl.Int64,
    "due_on": pl.Date,
    "last": pl.String,
    "failures": pl.Int64,
    "last_code": pl.String,
    "same_account": pl.Boolean,
    "lettered": pl.Boolean,
    "instalments": pl.Boolean,
    "deceased": pl.Boolean,
    "kind": pl.String,
    "started_on": pl.Date,
    "account_ok": pl.Boolean,
    "number_ok": pl.Boolean,
}
WAITING = "待ち"


def decide(facts: pl.DataFrame, *, requests_max: int, no_use_codes: Sequence[str]) -> pl.DataFrame:
    """`FACTS` の表に、残り `left_yen` と、請求しないわけ `left_out`（請求するなら null）を足す。

    速報（決済待ち）も納めたものとして数える: 納めた人から、もう一度引き落とさない。
    """
    owed = pl.col("due_yen") - pl.col("settled_yen")
    left = owed - pl.col("promised_yen")
    failed = pl.col("last") == "振替不能"
    tests = {
        "paid": owed <= 0,
        "promised": left <= 0,
        "waiting": pl.col("last") == WAITING,
        "debited": pl.col("last") == "振替済",
        "letter": pl.col("lettered"),
        "attempts": pl.col("failures") >= requests_max,
        "no_use": failed & pl.col("last_code").is_in(list(no_use_codes)) & pl.col("same_account"),
        "instalments": pl.col("instalments"),
        "deceased": pl.col("deceased"),
        "stopped": pl.col("kind") == "停止",
        "before_start": pl.col("started_on").is_null() | (pl.col("due_on") < pl.col("started_on")),
        "bad_account": ~pl.col("account_ok"),
        "bad_number": ~pl.col("number_ok"),
    }
    why: pl.Expr = pl.lit(None, dtype=pl.String)
    for one in reversed(LEFT_OUT):
        why = pl.when(tests[one.code].fill_null(value=False)).then(pl.lit(one.code)).otherwise(why)
    return facts.with_columns(left_yen=left, left_out=why)


#: 納付書を送るべきわけ: 振替不能の後で、もう請求しないもの。
LETTER_REASONS = ("attempts", "no_use", "stopped", "deceased", "before_start", "bad_account", "bad_number")


def letters_due() -> pl.Expr:
    """`decide` の後で、納付書を送るべきもの。"""
    return (pl.col("last") == "振替不能") & pl.col("left_out").is_in(LETTER_REASONS)
