"""会計室の見る振込不能の帳簿（seed 000）: 端末の表と、表計算（xlsx）。口座番号は、末尾三桁だけを見せる。"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from benefit.domain.transfer import PAYMENT_STATE_NAMES
from benefit.services.failure_chart import by_age
from benefit.services.failures import STATUSES
from benefit.services.sheet import render as render_sheets

#: 一件ごとの表の列。
COLUMNS = {
    "id": "不能番号",
    "received_on": "届いた日",
    "section": "担当課",
    "status": "状態",
    "days_open": "日数",
    "late": "遅れ",
    "returned_yen": "返った額（円）",
    "resent_yen": "再振込（円）",
    "reversed_yen": "戻入（円）",
    "open_yen": "未処理（円）",
    "reason": "銀行の理由",
    "masked": "口座",
    "case_number": "給付管理番号",
    "order_number": "支出命令番号",
    "due_on": "回答・再届出の期限",
    "review_on": "見直す日",
    "closed_on": "終わった日",
    "received_line": "銀行の行",
    "next_step": "次の振込",
}
SUMS = ("returned_yen", "resent_yen", "reversed_yen", "open_yen")


def shown(book: pl.DataFrame) -> pl.DataFrame:
    """人に見せる列。口座は、金融機関・店舗・種目と、番号の末尾三桁。"""
    tail = pl.lit("****") + pl.col("account_number").str.slice(-3)
    return book.with_columns(
        masked=pl.concat_str("bank_code", "branch_code", "account_type", tail, separator="-"),
        late=pl.when("overdue").then(pl.lit("期限を過ぎた")).otherwise(pl.lit("")),
        received_line=pl.format("{}-{}", "bank_report_id", "line_number"),
        next_step=pl.col("next_state").replace_strict(PAYMENT_STATE_NAMES, default=""),
        **{name: pl.col(name).cast(pl.String).fill_null("") for name in _DAYS},
    ).select([pl.col(name).fill_null("") if name in _TEXTS else pl.col(name) for name in COLUMNS])


_DAYS = ("received_on", "due_on", "review_on", "closed_on")
_TEXTS = ("case_number", "order_number", "next_step", "reason")


def totals(book: pl.DataFrame, by: str) -> pl.DataFrame:
    """状態（status）か担当課（section）ごとの件数と額。最後の行が合計で、返った額 = 再振込 + 戻入 + 未処理。"""
    rows = (
        book.group_by(by)
        .agg(rows=pl.len(), late=pl.col("overdue").sum(), **{name: pl.col(name).sum() for name in SUMS})
        .sort(pl.col(by).replace_strict({word: place for place, word in enumerate(STATUSES)}, default=99), by)
    )
    end = book.select(
        pl.lit("合計").alias(by),
        rows=pl.len(),
        late=pl.col("overdue").sum(),
        **{name: pl.col(name).sum() for name in SUMS},
    )
    numbers = [pl.col(name).cast(pl.Int64) for name in ("rows", "late", *SUMS)]
    names = {"status": "状態", "section": "担当課", "rows": "件数", "late": "期限を過ぎた"}
    return (
        pl.concat([rows.with_columns(numbers), end.with_columns(numbers)])
        .rename({by: names[by], "rows": names["rows"], "late": names["late"]})
        .rename({name: COLUMNS[name] for name in SUMS})
    )


def render(book: pl.DataFrame, *, made: datetime, title: str) -> bytes:
    """Excel のバイト列。式は一つもない。"""
    sheets = {
        "状態ごと": totals(book, "status"),
        "担当課ごと": totals(book, "section"),
        "日数ごと": by_age(book),
        "一件ごと": shown(book).rename(COLUMNS),
    }
    note = "返った額 = 再振込 + 戻入 + 未処理。同じ一件の重複の知らせは、額に数えません。"
    return render_sheets(sheets, made=made, title=title, notes=[note])
