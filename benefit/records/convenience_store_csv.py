"""コンビニ収納の CSV（電算システム DSK の公開された形。formats §4.7）。

一行に速報・確報・速報取消のほか、郵便振替（12）・その訂正（22）・リアル（81）が混ざる。金額・印紙・再発行区分は
バーコードの中身と二重に書かれているので、食い違う行は断る。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.records.csv_layout import CsvLayout, Rule
from benefit.records.fields import digits, number, text, wide
from benefit.records.forms import FORMS
from benefit.records.zengin_text import ANY_JISX0201

KINDS = {"01": "速報", "02": "確報", "03": "速報取消", "12": "郵便振替", "22": "郵便振替訂正", "81": "リアル"}
CHAINS = {
    "010": "セブン-イレブン",
    "020": "ローソン",
    "030": "ファミリーマート",
    "050": "ヤマザキ",
    "080": "ミニストップ",
    "530": "PayB",
    "680": "クレジット(自治体)",
    "730": "ポプラ",
    "750": "J-Coin",
    "760": "セイコーマート",
    "780": "auPAY",
    "800": "d払い",
    "810": "LINE Pay",
    "820": "PayPay",
    "830": "楽天銀行",
    "840": "銀行Pay",
    "890": "MMK",
    "910": "郵便",
    "911": "郵便",
}


def _inside(start: int, length: int) -> pl.Expr:
    """バーコードの中（`EAN` の後の 44 桁の、1 から数えた位置）。"""
    return pl.col("barcode_text").str.slice(2 + start, length)


def _is_day(name: str) -> pl.Expr:
    column = pl.col(name)
    return column.str.contains("^[0-9]{8}$") & column.str.to_date("%Y%m%d", strict=False).is_not_null()


def _is_barcode() -> pl.Expr:
    check = FORMS["barcode"].expr
    assert check is not None
    return pl.col("barcode_text").str.starts_with("EAN") & check(pl.col("barcode_text").str.slice(3))


DSK = CsvLayout(
    "convenience-store-csv",
    "コンビニ収納データ（CSV）",
    (
        digits("data_kind", "種別", 2, choices=tuple(KINDS), note="、".join(f"{k} {v}" for k, v in KINDS.items())),
        digits("paid_on", "収納日", 8, form="date"),
        digits("paid_at", "収納時刻", 4, form="time"),
        text("barcode_text", "バーコード情報", 47, ANY_JISX0201, blank_ok=False, sensitive=True, note="EAN と 44 桁"),
        text("user1", "ユーザー使用欄1", 6, ANY_JISX0201, sensitive=True),
        text("user2", "ユーザー使用欄2", 11, ANY_JISX0201, sensitive=True, note="再発行区分を含む"),
        digits("stamp", "印紙フラグ", 1, choices=("0", "1")),
        number("amount_yen", "金額", 6, note="円"),
        digits("chain_code", "コンビニ本部コード", 3, note="、".join(f"{k} {v}" for k, v in CHAINS.items())),
        wide("chain_name", "コンビニ名", 40),
        text("store_code", "店舗コード", 10, ANY_JISX0201),
        text("settled", "振込日", 8, ANY_JISX0201, blank_ok=False, note="YYYYMMDD。ないときは 0"),
        digits("received_on", "データ作成日", 8, form="date"),
    ),
    sources=("shimoning/dsk-cvs（MIT、公開の試験データ）",),
    read_on=date(2026, 11, 21),
    rules=(
        Rule("バーコード情報（4 列目）", "EAN と、検査数字の合う 44 桁でなければならない", _is_barcode),
        Rule(
            "金額（8 列目）",
            "バーコードの金額と同じでなければならない",
            lambda: _inside(38, 6).cast(pl.Int64, strict=False) == pl.col("amount_yen"),
        ),
        Rule(
            "印紙フラグ（7 列目）",
            "バーコードの印紙フラグと同じでなければならない",
            lambda: _inside(37, 1) == pl.col("stamp"),
        ),
        Rule(
            "振込日（12 列目）",
            "暦にある年月日か 0 でなければならない",
            lambda: (pl.col("settled") == "0") | _is_day("settled"),
        ),
    ),
    # 固定長のコンビニ収納と同じ名の列にする。振込日の 0 は空白に。
    made=lambda: [
        pl.col("barcode_text").str.slice(3).alias("barcode"),
        pl.when(pl.col("settled") == "0").then(pl.lit("")).otherwise(pl.col("settled")).alias("settles_on"),
    ],
)
