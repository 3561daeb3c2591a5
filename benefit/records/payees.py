"""受給者の受渡ファイル payees.csv: 区から給付管理システムへ。

列は、seed 002「給付管理システムの記録項目」だけの許可の並び（benefit-rules F.1 の列「委」）。税、課税区分、
昨年度の受給、公金受取口座・生活保護費口座の番号、転入前の住所、支援措置は、列がないので入りようがない。
支給予定額と給付種別は「支給不支給情報」に当たる（docs/decisions/0003）。
"""

from __future__ import annotations

import polars as pl

from benefit.domain.errors import Place, RefusedInput

FILE_NAME = "payees.csv"
#: 見出し → 内の名前。順序は様式の順。
COLUMNS = {
    "給付管理番号": "case_number",
    "枝番": "branch",
    "給付種別": "benefit",
    "支給予定額": "planned_amount_yen",
    "住民番号": "person_number",
    "世帯番号": "household_number",
    "在留カード番号": "residence_card_number",
    "郵便番号": "postal_code",
    "漢字住所": "address",
    "漢字方書": "address2",
    "漢字氏名": "name",
    "カナ氏名": "kana_name",
    "旧氏": "former_name",
    "生年月日": "birth",
    "続柄": "relation",
    "点字利用": "braille",
    "口座フラグ": "account_flag",
    "過去口座_金融機関コード": "past_bank_code",
    "過去口座_支店コード": "past_branch_code",
    "過去口座_預金種目": "past_account_type",
    "過去口座_口座番号": "past_account_number",
    "過去口座_口座名義カナ": "past_holder_kana",
    "確認書発送日": "sent_on",
    "確認書返送期限": "due_on",
    "進捗状況": "state",
    "振込日": "transferred_on",
}
_INTEGERS = {"branch", "planned_amount_yen"}
_DATES = {"sent_on", "due_on", "transferred_on"}


def render(rows: pl.DataFrame) -> bytes:
    """UTF-8、LF、給付管理番号の順。余分な列があっても、許可の並びだけが出る。"""
    ten = {"person_number", "household_number"}
    columns = [
        (pl.col(name).cast(pl.String).str.zfill(10) if name in ten and rows.schema[name].is_integer() else pl.col(name))
        .cast(pl.String)
        .alias(heading)
        for heading, name in COLUMNS.items()
    ]
    return rows.sort("case_number").select(columns).write_csv(quote_style="necessary").encode()


def read(data: bytes, *, file_name: str) -> pl.DataFrame:
    """受け取った側で読む。列が一つでも違えば断る（許可の外の項目は、受け取らない）。"""
    frame = pl.read_csv(data, infer_schema=False, null_values=[""])
    if frame.columns != list(COLUMNS):
        wrong = sorted(set(frame.columns) ^ set(COLUMNS))
        raise RefusedInput(
            "受渡の列が決まりと違います", code="payees-columns", place=Place(file=file_name), found="、".join(wrong)
        )
    return frame.rename(COLUMNS).with_columns(
        [pl.col(name).cast(pl.Int64) for name in _INTEGERS]
        + [pl.col(name).str.to_date("%Y-%m-%d") for name in _DATES]
        + [(pl.col("braille") == "1").alias("braille")]
    )
