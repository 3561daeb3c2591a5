"""ほかの課の通知（納入通知書、納付書、督促状、催告書）を刷る元のファイル: 一行が一通（私たちの取り決め）。

文字コードは CP932 か UTF-8（どちらかを中身から決める）。UTF-8 なら CP932 にない字も運べる。刷れない字かどうかは、
書体で決まるので、ここでは見ない（止めて一覧にする: letters.notices）。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import csv_layout
from benefit.records.csv_layout import CsvLayout, Rule
from benefit.records.fields import digits, number, text, wide
from benefit.records.zengin_text import ANY_JISX0201

SEED = "種文書 001（国民健康保険料納入通知書等の印字出力）"


def _only_digits(column: str, shortest: int, longest: int) -> pl.Expr:
    return pl.col(column).str.contains(f"^[0-9]{{{shortest},{longest}}}$")


NOTICE_DATA = CsvLayout(
    id="notice-data",
    title="通知の元のデータ",
    fields=(
        digits("notice_number", "通知書番号", 12, sensitive=True),
        digits("postal_code", "郵便番号", 7, sensitive=True),
        wide("address", "住所", 160, blank_ok=False, sensitive=True),
        wide("address2", "方書", 120, sensitive=True),
        wide("name", "氏名", 120, blank_ok=False, sensitive=True),
        digits("subject", "科目コード", 3, note="課のファイル（slip_issuers）にある科目"),
        digits("fiscal_year", "年度", 4, note="西暦"),
        digits("term", "期別", 2),
        number("amount_yen", "金額", 11, note="円。延滞金を含まない"),
        number("late_charge_yen", "延滞金", 11, note="円"),
        digits("due_on", "納期限", 8, form="date", note="YYYYMMDD"),
        digits("payable_until", "支払期限", 8, form="date", note="YYYYMMDD。この納付書で払える最後の日"),
        digits("reissue", "再発行区分", 1, note="0 が初めて"),
        text("payment_number", "納付番号", 20, ANY_JISX0201, blank_ok=False, sensitive=True),
        text("confirmation_number", "確認番号", 6, ANY_JISX0201, blank_ok=False, sensitive=True),
    ),
    sources=(SEED, "formats §4.3・§5.1 の項目"),
    read_on=date(2026, 11, 21),
    rules=(
        Rule("納付番号", "納付番号は 20 桁までの数字", lambda: _only_digits("payment_number", 1, 20)),
        Rule("確認番号", "確認番号は 4 から 6 桁の数字", lambda: _only_digits("confirmation_number", 4, 6)),
        Rule("金額", "金額と延滞金を合わせて 1 円以上", lambda: pl.col("amount_yen") + pl.col("late_charge_yen") >= 1),
        Rule("支払期限", "支払期限は納期限以後", lambda: pl.col("payable_until") >= pl.col("due_on")),
    ),
    made=lambda: [
        pl.col("due_on", "payable_until").str.to_date("%Y%m%d"),
        pl.col("fiscal_year", "term", "reissue").cast(pl.Int64),
    ],
)
#: 読んだ行の列。record はファイルの行（見出しが 1 行目）。
ROWS = {
    "record": pl.Int64,
    "notice_number": pl.String,
    "postal_code": pl.String,
    "address": pl.String,
    "address2": pl.String,
    "name": pl.String,
    "subject": pl.String,
    "fiscal_year": pl.Int64,
    "term": pl.Int64,
    "amount_yen": pl.Int64,
    "late_charge_yen": pl.Int64,
    "due_on": pl.Date,
    "payable_until": pl.Date,
    "reissue": pl.Int64,
    "payment_number": pl.String,
    "confirmation_number": pl.String,
}
_KEY = ("subject", "fiscal_year", "term", "notice_number")


def read(content: bytes, *, file: str = "") -> pl.DataFrame:
    """全部の行（`ROWS` の列）。形の違う行、同じ調定の二つの行が一つでもあれば、行と項目を挙げてファイルごと断る。"""
    rows = csv_layout.read(content, NOTICE_DATA, file=file, encoding=None).require()
    if rows.is_empty():
        raise RefusedInput("行が一つもありません", code="empty-file", place=Place(file))
    twice = rows.filter(pl.struct(_KEY).is_duplicated())
    if not twice.is_empty():
        second = twice.filter(~pl.struct(_KEY).is_first_distinct())["record"][0]
        raise RefusedInput(
            "同じ科目・年度・期別・通知書番号の行が、前にもあります",
            code="notice-twice",
            place=Place(file, second, "通知書番号"),
            found=f"余り {twice.height - twice.select(_KEY).n_unique():,} 行",
        )
    return rows.select(ROWS.keys()).cast(pl.Schema(ROWS))


def sample() -> str:
    """見出しと、架空の二行（CRLF）。"""
    head = ",".join(field.label for field in NOTICE_DATA.fields)
    one = "000000000123,1690075,みどり区高田三丁目12番4号,コーポさくら203,見本　太郎,011,2026,01,12300,0"
    two = "000000000124,1600022,みどり区新町一丁目2番3号,,見本　花子,011,2026,02,295000,6200"
    lines = (
        head,
        f"{one},20260630,20260731,0,20260110000000000123,654321",
        f"{two},20260630,20260731,1,20260110000000000124,123456",
    )
    return "".join(f"{line}\r\n" for line in lines)
