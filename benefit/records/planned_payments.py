"""支給予定情報 planned.csv（契約 §4 Planned payments）: 委託先から区へ。"""

from __future__ import annotations

import polars as pl

from benefit.domain.errors import Place, RefusedInput
from benefit.records import table as tables
from benefit.records.table import Column, Kind, Table

FILE_NAME = "planned.csv"

TABLE = Table(
    "planned",
    "支給予定情報",
    (
        Column("行番号", "line_number", Kind.MONEY),
        Column("給付管理番号", "case_number", Kind.DIGITS, length=11),
        Column("枝番", "branch", Kind.COUNT),
        Column("住民番号", "person_number", Kind.DIGITS, length=10, integer=True),
        Column("カナ氏名", "kana_name", Kind.TEXT, blank="カナの登録なし"),
        Column("生年月日", "birth", Kind.PATTERN, pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}", blank="登録なし"),
        Column("支給予定額", "planned_yen", Kind.MONEY),
        Column("口座フラグ", "account_flag", Kind.DIGITS, length=1, words=("0", "1", "2", "3")),
        # 口座の良し悪しは様式ではなく判定（CHK80）が見る。ここでは文字として受け取る。
        Column("金融機関コード", "bank_code", Kind.TEXT, blank="区が入れる"),
        Column("支店コード", "branch_code", Kind.TEXT, blank="区が入れる"),
        Column("預金種目", "account_type", Kind.TEXT, blank="区が入れる"),
        Column("口座番号", "account_number", Kind.TEXT, blank="区が入れる"),
        Column("口座名義カナ", "holder_kana", Kind.TEXT, blank="区が入れる"),
        Column("収受日", "received_on", Kind.DATE, blank="お知らせの人"),
        Column("審査完了日", "reviewed_on", Kind.DATE, blank="お知らせの人"),
    ),
    "契約 §4 Planned payments",
    key=("行番号",),
)
HEADINGS = tuple(column.heading for column in TABLE.columns)


def render(rows: list[tuple[str | None, ...]]) -> bytes:
    """様式の順に並んだ値（全部が文字）を、UTF-8・LF のファイルにする。"""
    frame = pl.DataFrame(rows, schema=dict.fromkeys(HEADINGS, pl.String), orient="row")
    return frame.write_csv(quote_style="necessary").encode()


def read(data: bytes, *, file_name: str) -> pl.DataFrame:
    """届いた支給予定情報を読む。一行でも様式に合わなければ、ファイルごと RefusedInput。

    決まりにない列があれば、その code は `unexpected-column`（税や支援措置が紛れ込むのを止める、CHK05）。
    """
    reading = tables.read(TABLE, data, file_name=file_name)
    place = Place(file=file_name)
    if reading.warnings:
        raise RefusedInput("、".join(reading.warnings), code="unexpected-column", place=place)
    if reading.rows_rejected:
        first = reading.rejects.row(0, named=True)
        raise RefusedInput(
            f"様式に合わない行が {reading.rows_rejected} 行あります。最初は {first['行']} 行目「{first['列']}」",
            code="planned-rows",
            place=place,
        )
    return reading.frame.drop("line").sort("line_number")
