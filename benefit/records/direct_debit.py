"""預金口座振替（全銀協規定フォーマット、種別 91、120 バイト）の請求と結果。formats §2。

請求と結果は同じ様式で、値だけが違う。結果コードは一字のまま読む: 知らない字も見えるまま残し、決して「振替済」にしない。
"""

from __future__ import annotations

from datetime import date

import polars as pl

from benefit.domain.errors import WrongUse
from benefit.records.fields import Field
from benefit.records.file_layout import RECORD, FileLayout, Part, Total
from benefit.records.layout import Layout, const, digits, filler, number, text
from benefit.records.zengin_text import ANY_JISX0201, BANK_NAME, PARTY_NAME

LENGTH = 120
SOURCES = (
    "全国銀行協会「適用業務およびレコード・フォーマット」令和元年12月 §15–16（zengin4j の引用による）",
    "大分銀行・北洋システム開発の公開資料（同上の引用による）",
)
READ_ON = date(2026, 11, 21)
PAID = "0"
#: 結果コードの意味（formats §2.4）。ここにない字は「未定義」であり、振替済ではない。
RESULT_CODES = {
    "0": "振替済",
    "1": "資金不足",
    "2": "取引なし",
    "3": "預金者の都合による振替停止",
    "4": "預金口座振替依頼書なし",
    "8": "委託者の都合による振替停止",
    "9": "その他",
    "N": "結果未着（決済代行会社の案内にある。標準にはない）",
    "E": "データエラー（金融機関による。確かめていない）",
}
UNDECIDED = "N"
#: 顧客番号 20 桁の詰め方 [OWN CONVENTION]: 科目 2、年度 4、期別 2、通知書番号 12。
KEY_WIDTHS = {"account_title": 2, "fiscal_year": 4, "term": 2, "notice_number": 12}
_KEY_LABELS = ("科目コード", "調定年度", "期別", "納入通知書番号")
#: 結果が請求と一つも違ってはならない項目。
SAME = ("bank_code", "branch_code", "account_type", "account_number", "amount_yen", "customer_number")


def _layout(name: str, *fields: Field) -> Layout:
    return Layout(name, LENGTH, fields, sources=SOURCES, verified=True, read_on=READ_ON)


_HEADER = _layout(
    "預金口座振替ヘッダ",
    const("1", "データ区分"),
    const("91", "種別コード", "預金口座振替"),
    const("0", "コード区分", "JIS"),
    digits("client_code", "委託者コード", 10),
    text("client_name", "委託者名", 40, PARTY_NAME, blank_ok=False),
    digits("debit_month_day", "引落日", 4, form="month_day", note="MMDD（年はない）"),
    digits("bank_code", "取引銀行番号", 4),
    text("bank_name", "取引銀行名", 15, BANK_NAME, note="任意"),
    digits("branch_code", "取引支店番号", 3),
    text("branch_name", "取引支店名", 15, BANK_NAME, note="任意"),
    digits("account_type", "預金種目（委託者）", 1, choices=("1", "2", "9"), note="1 普通、2 当座、9 その他"),
    digits("account_number", "口座番号（委託者）", 7, sensitive=True),
    filler(17),
)


def _data(name: str, result: Field) -> Layout:
    return _layout(
        name,
        const("2", "データ区分"),
        digits("bank_code", "引落銀行番号", 4),
        text("bank_name", "引落銀行名", 15, BANK_NAME, note="任意"),
        digits("branch_code", "引落支店番号", 3),
        text("branch_name", "引落支店名", 15, BANK_NAME, note="任意"),
        filler(4),
        digits(
            "account_type", "預金種目", 1, choices=("1", "2", "3", "9"), note="1 普通、2 当座、3 納税準備、9 その他"
        ),
        digits("account_number", "口座番号", 7, sensitive=True),
        text("holder_kana", "預金者名", 30, PARTY_NAME, blank_ok=False, sensitive=True),
        number("amount_yen", "引落金額", 10, minimum=1, note="円"),
        digits("new_code", "新規コード", 1, choices=("0", "1", "2"), note="1 第1回、2 変更、0 その他"),
        text("customer_number", "顧客番号", 20, ANY_JISX0201, blank_ok=False, sensitive=True, note="そのまま返る"),
        result,
        filler(8),
    )


def _trailer(name: str, *results: Field) -> Layout:
    return _layout(
        name,
        const("8", "データ区分"),
        number("count", "合計件数", 6),
        number("total_yen", "合計金額", 12, note="円"),
        *results,
        filler(65),
    )


_END = _layout("預金口座振替エンド", const("9", "データ区分"), filler(119))
_ALL = Total("count", "total_yen", "amount_yen")


def _key_parts() -> tuple[Part, ...]:
    parts, at = [], 1
    for (name, width), label in zip(KEY_WIDTHS.items(), _KEY_LABELS, strict=True):
        parts.append(Part(name, label, "customer_number", at, width, note="顧客番号の詰め方は取り決め"))
        at += width
    return tuple(parts)


REQUEST = FileLayout(
    "direct-debit-request",
    "口座振替 請求データ",
    data=_data("預金口座振替 請求データ", const("0", "振替結果コード", "請求では 0")),
    header=_HEADER,
    trailer=_trailer(
        "預金口座振替 請求トレーラ",
        const("0" * 6, "振替済件数"),
        const("0" * 12, "振替済金額"),
        const("0" * 6, "振替不能件数"),
        const("0" * 12, "振替不能金額"),
    ),
    end=_END,
    totals=(_ALL,),
    parts=_key_parts(),
    groups=True,
)
RESULT = FileLayout(
    "direct-debit-result",
    "口座振替 結果データ",
    data=_data(
        "預金口座振替 結果データ",
        text(
            "result_code",
            "振替結果コード",
            1,
            ANY_JISX0201,
            blank_ok=False,
            note="、".join(f"{code} {meaning}" for code, meaning in RESULT_CODES.items()),
        ),
    ),
    header=_HEADER,
    trailer=_trailer(
        "預金口座振替 結果トレーラ",
        number("paid_count", "振替済件数", 6),
        number("paid_yen", "振替済金額", 12, note="円"),
        number("failed_count", "振替不能件数", 6),
        number("failed_yen", "振替不能金額", 12, note="円"),
    ),
    end=_END,
    totals=(
        _ALL,
        Total("paid_count", "paid_yen", "amount_yen", "result_code", (PAID,)),
        Total("failed_count", "failed_yen", "amount_yen", "result_code", (PAID,), other=True),
    ),
    parts=_key_parts(),
    groups=True,
)


def pack_key(account_title: str, fiscal_year: str, term: str, notice_number: str) -> str:
    """顧客番号 20 桁にする。桁の合わない番号は断る（黙って切らない、0 を補わない）。"""
    values = (account_title, fiscal_year, term, notice_number)
    for value, width, label in zip(values, KEY_WIDTHS.values(), _KEY_LABELS, strict=True):
        if len(value) != width or not (value.isascii() and value.isdigit()):
            raise WrongUse(f"顧客番号に詰める{label}の桁が合いません", found=f"{len(value)} 桁", allowed=f"{width} 桁")
    return "".join(values)


def outcomes(result: pl.DataFrame) -> pl.DataFrame:
    """結果の明細に、意味と収納額を付ける: `outcome`（paid・failed・undecided・unknown）、`meaning`、`collected_yen`。

    収納額は、結果コードが 0 のときの引落金額だけ。0 でない行の引落金額は請求の額がそのまま残っているので、0 円とする。
    """
    code = pl.col("result_code")
    return result.with_columns(
        pl.when(code == PAID)
        .then(pl.lit("paid"))
        .when(code == UNDECIDED)
        .then(pl.lit("undecided"))
        .when(code.is_in(list(RESULT_CODES)))
        .then(pl.lit("failed"))
        .otherwise(pl.lit("unknown"))
        .alias("outcome"),
        code.replace_strict(RESULT_CODES, default="未定義の結果コード", return_dtype=pl.String).alias("meaning"),
        pl.when(code == PAID).then(pl.col("amount_yen")).otherwise(0).alias("collected_yen"),
    )


def differences(request: pl.DataFrame, result: pl.DataFrame) -> pl.DataFrame:
    """請求と結果の食い違い: 一方にしかない行（`side` 請求だけ・結果だけ、`record`、余りの数 `count`）。

    空なら、全件が一対一である。
    同じ鍵の行が二つあれば、数まで比べる（一件が二度返っても見つかる）。
    """
    keys = list(SAME)
    asked = request.group_by(keys).agg(pl.len().alias("asked"), pl.col(RECORD).max().alias("asked_at"))
    told = result.group_by(keys).agg(pl.len().alias("told"), pl.col(RECORD).max().alias("told_at"))
    joined = asked.join(told, on=keys, how="full", coalesce=True).with_columns(
        pl.col("asked").fill_null(0).cast(pl.Int64), pl.col("told").fill_null(0).cast(pl.Int64)
    )
    more = pl.col("asked") > pl.col("told")
    return (
        joined.filter(pl.col("asked") != pl.col("told"))
        .select(
            pl.when(more).then(pl.lit("請求だけ")).otherwise(pl.lit("結果だけ")).alias("side"),
            pl.when(more).then(pl.col("asked_at")).otherwise(pl.col("told_at")).alias(RECORD),
            (pl.col("asked") - pl.col("told")).abs().alias("count"),
        )
        .sort("side", RECORD)
    )
