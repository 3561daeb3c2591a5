"""抽出データ七種と、照会の回答二種の様式（契約 §1、一字もそのまま）。"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from benefit.records import table as tables
from benefit.records.table import Column, Kind, Reading, Table, Together, rejects_csv

__all__ = ["TABLES", "Reading", "read", "rejects_csv"]

_SOURCE = "契約 §1（2024 年度）、seed 002 記録項目"


def _number(heading: str, name: str, blank: str = "") -> Column:
    return Column(heading, name, Kind.DIGITS, length=10, integer=True, blank=blank)


def _money(heading: str, name: str, blank: str = "") -> Column:
    return Column(heading, name, Kind.MONEY, blank=blank)


def _text(heading: str, name: str, blank: str = "") -> Column:
    return Column(heading, name, Kind.TEXT, blank=blank)


def _word(heading: str, name: str, *words: str, blank: str = "") -> Column:
    return Column(heading, name, Kind.WORD, words=words, blank=blank)


def _flag(heading: str, name: str) -> Column:
    return Column(heading, name, Kind.FLAG)


def _account(blank: str = "") -> tuple[Column, ...]:
    return (
        Column("金融機関コード", "bank_code", Kind.DIGITS, length=4, blank=blank),
        Column("支店コード", "branch_code", Kind.DIGITS, length=3, blank=blank),
        Column("預金種目", "account_type", Kind.DIGITS, length=1, words=("1", "2", "4"), blank=blank),
        Column("口座番号", "account_number", Kind.DIGITS, length=7, blank=blank),
        Column("口座名義カナ", "holder_kana", Kind.TEXT, blank=blank),
    )


RESIDENTS = Table(
    "residents",
    "住民記録",
    (
        _number("住民番号", "person_number"),
        _number("世帯番号", "household_number"),
        Column(
            "在留カード番号",
            "residence_card_number",
            Kind.PATTERN,
            pattern="[A-Z]{2}[0-9]{8}[A-Z]{2}",
            blank="日本人・特別永住者",
        ),
        Column("郵便番号", "postal_code", Kind.DIGITS, length=7),
        _text("漢字住所", "address"),
        _text("漢字方書", "address2", "方書なし"),
        _text("漢字氏名", "name"),
        _text("カナ氏名", "kana_name", "カナの登録なし"),
        _text("旧氏", "former_name", "旧氏なし"),
        Column("生年月日", "birth", Kind.BIRTH),
        _text("続柄", "relation"),
        Column("住民となった日", "became_resident_on", Kind.DATE),
        _word("住民となった事由", "became_resident_reason", "転入", "国外転入", "出生", "職権", "その他"),
        Column("1月1日住所地", "levy_date_municipality", Kind.DIGITS, length=5, blank="区内、または国外"),
        Column("消除日", "removed_on", Kind.DATE, blank="住民である"),
        _word("消除事由", "removed_reason", "転出", "国外転出", "死亡", "職権", blank="住民である"),
    ),
    _SOURCE,
    key=("住民番号",),
)

TAXES = Table(
    "taxes",
    "個人住民税",
    (
        _number("宛名番号", "person_number"),
        Column("賦課年度", "levy_year", Kind.DIGITS, length=4, words=("2024",), integer=True),
        _word("賦課区分", "levy_kind", "住所", "住登外", "家屋敷"),
        _word("申告区分", "declaration", "申告済", "未申告", "扶養"),
        _money("均等割額", "per_capita_levy_yen"),
        _money("減税前所得割額_区", "income_levy_ward_yen"),
        _money("減税前所得割額_都", "income_levy_metro_yen"),
        _money("減税後所得割額", "income_levy_after_cut_yen"),
        Column("合計所得金額", "total_income_yen", Kind.SIGNED_MONEY),
        Column("総所得金額等", "gross_income_yen", Kind.SIGNED_MONEY),
        _money("課税総所得金額", "taxable_income_yen"),
        _money("人的控除差額", "deduction_difference_yen"),
        _money("分離課税所得税額", "separate_income_tax_yen"),
        _money("住宅ローン控除可能額", "housing_credit_available_yen", "控除なし"),
        _money("住宅ローン控除額_住民税", "housing_credit_resident_yen"),
        _money("確定申告所得税額", "filed_income_tax_yen", "確定申告なし"),
        _money("推計所得税額", "estimated_income_tax_yen", "国の算定ツールの答えなし"),
        _flag("同一生計配偶者", "same_living_spouse"),
        _flag("控除対象配偶者", "deductible_spouse"),
        _flag("配偶者国外居住", "spouse_overseas"),
        Column("扶養親族数_16歳以上", "dependants_16_and_over", Kind.COUNT),
        Column("扶養親族数_16歳未満", "dependants_under_16", Kind.COUNT),
        Column("国外居住扶養親族数", "dependants_overseas", Kind.COUNT),
        _flag("租税条約免除", "treaty_exempt"),
        _word("条例減免", "ordinance_relief", "なし", "一部", "全部"),
        Column("扶養者宛名番号", "supporter", Kind.SUPPORTER, blank="誰の扶養でもない"),
        Column("死亡日", "died_on", Kind.DATE, blank="分かっていない"),
    ),
    _SOURCE,
    key=("宛名番号",),
    together=(
        Together(
            "国外居住扶養親族数",
            "国外居住扶養親族数が、扶養親族数の合計より多い",
            pl.col("国外居住扶養親族数").cast(pl.Int64, strict=False)
            > pl.col("扶養親族数_16歳以上").cast(pl.Int64, strict=False)
            + pl.col("扶養親族数_16歳未満").cast(pl.Int64, strict=False),
        ),
    ),
)

SHORTFALL = Table(
    "shortfall",
    "不足額の算定基礎",
    (
        _number("宛名番号", "person_number"),
        Column("賦課年度", "levy_year", Kind.DIGITS, length=4, words=("2025",), integer=True),
        _word("賦課区分", "levy_kind", "住所", "住登外", "家屋敷"),
        _money("令和6年分所得税額", "income_tax_yen", "まだ分からない"),
        Column("令和6年分合計所得金額", "income_tax_total_income_yen", Kind.SIGNED_MONEY),
        Column(
            "令和6年度合計所得金額", "resident_tax_total_income_yen", Kind.SIGNED_MONEY, blank="令和6年度の賦課がない"
        ),
        _money("令和6年度所得割額", "resident_tax_yen", "令和6年度の賦課がない"),
        Column("所得税分人数", "n_income_tax", Kind.COUNT),
        Column("住民税分人数", "n_resident_tax", Kind.COUNT, blank="令和6年度の賦課がない"),
        _word("当初算定", "first_decided_by", "本区", "他団体", "なし"),
        _money("当初所要額", "first_required_yen", "当初の算定がない、または他団体から分からない"),
        _flag("専従者", "family_worker"),
        _flag("被扶養", "dependant"),
        _flag("低所得世帯給付対象", "low_income_target"),
        _flag("1月1日国外", "abroad_on_levy_date"),
        Column("死亡日", "died_on", Kind.DATE, blank="分かっていない"),
    ),
    "benefit/programmes/r7-shortfall.md（この事業の様式。benefit-rules B.7 の項目から定めた）",
    key=("宛名番号",),
    together=(
        Together(
            "住民税分人数",
            "令和6年度の賦課がないのに人数がある、または賦課があるのに人数がない",
            (pl.col("令和6年度所得割額").fill_null("") == "") != (pl.col("住民税分人数").fill_null("") == ""),
        ),
        Together(
            "当初所要額",
            "当初算定が「本区」なのに当初所要額がない、または「なし」なのにある",
            ((pl.col("当初算定") == "本区") & (pl.col("当初所要額").fill_null("") == ""))
            | ((pl.col("当初算定") == "なし") & (pl.col("当初所要額").fill_null("") != "")),
        ),
    ),
)

PRIOR = Table(
    "prior",
    "昨年度の対象世帯",
    (
        _text("給付名", "benefit_name"),
        _number("世帯番号", "household_number"),
        _number("住民番号", "person_number"),
        _text("続柄", "relation"),
        _word("状態", "state", "支給済", "未申請", "辞退", "対象外"),
    ),
    _SOURCE,
)

ACCOUNTS = Table(
    "accounts",
    "口座",
    (
        _number("宛名番号", "person_number"),
        _word("口座種別", "account_kind", "生活保護", "過去給付", "公金受取"),
        *_account(),
    ),
    _SOURCE,
    key=("宛名番号", "口座種別"),
)

ADDRESSES = Table(
    "addresses",
    "送付先",
    (
        _number("宛名番号", "person_number"),
        _word("種別", "kind", "住登外", "転出先", "法定代理人"),
        _text("漢字氏名", "name"),
        _text("カナ氏名", "kana_name", "カナの登録なし"),
        Column("郵便番号", "postal_code", Kind.DIGITS, length=7),
        _text("漢字住所", "address"),
        _text("漢字方書", "address2", "方書なし"),
    ),
    _SOURCE,
)

PROTECTED = Table(
    "protected",
    "区が直接扱う人",
    (_number("住民番号", "person_number"), _word("区分", "kind", "DV", "児童施設", "障害者施設", "高齢者施設")),
    _SOURCE,
)

BRAILLE = Table("braille", "点字利用者", (_number("住民番号", "person_number"),), _SOURCE)

_INQUIRY = Column("照会番号", "inquiry_number", Kind.PATTERN, pattern="[A-Z0-9]{1,12}")

TAX_ANSWERS = Table(
    "tax_answers",
    "課税照会の回答",
    (
        _INQUIRY,
        _number("住民番号", "person_number"),
        _word("回答", "answer", "課税", "非課税", "未申告", "該当なし", "提供不可", "エラー"),
        _money("均等割額", "per_capita_levy_yen", "回答に額がない"),
        _money("所得割額_減税前", "income_levy_before_cut_yen", "回答に額がない"),
        _money("所得割額_減税後", "income_levy_after_cut_yen", "回答に額がない"),
        _flag("租税条約免除", "treaty_exempt"),
    ),
    _SOURCE,
    key=("照会番号",),
)

#: 口座の欄ごとに、空白か。空白の字だけの名義も空白である。
_BLANK_ACCOUNT = [pl.col(column.heading).str.strip_chars().fill_null("") == "" for column in _account()]

ACCOUNT_ANSWERS = Table(
    "account_answers",
    "公金受取口座照会の回答",
    (
        _INQUIRY,
        _number("住民番号", "person_number"),
        _word("登録", "registered", "有", "無", "提供停止"),
        *_account("登録が「有」でない"),
    ),
    _SOURCE,
    key=("照会番号",),
    together=(
        Together(
            "口座番号",
            "登録が「有」なのに、口座の欄が空いている",
            (pl.col("登録") == "有") & pl.any_horizontal(_BLANK_ACCOUNT),
        ),
        # 使わない口座を写しに残さないためでもある。無・提供停止の回答は、口座を除くだけである（契約 §2）。
        Together(
            "口座番号",
            "登録が「有」でないのに、口座の欄に値がある",
            (pl.col("登録") != "有") & ~pl.all_horizontal(_BLANK_ACCOUNT),
        ),
    ),
)

TABLES: dict[str, Table] = {
    table.kind: table
    for table in (
        RESIDENTS,
        TAXES,
        SHORTFALL,
        PRIOR,
        ACCOUNTS,
        ADDRESSES,
        PROTECTED,
        BRAILLE,
        TAX_ANSWERS,
        ACCOUNT_ANSWERS,
    )
}


def read(
    table: Table, data: bytes, *, file_name: str, encoding: str | None = None, levy_year: int | None = None
) -> Reading:
    """抽出データを読む。`levy_year` は事業の賦課年度（違う年度の行は不採用）。言わなければ、様式にある年度。"""
    columns = tuple(
        replace(column, words=(str(levy_year),)) if levy_year and column.name == "levy_year" else column
        for column in table.columns
    )
    return tables.read(replace(table, columns=columns), data, file_name=file_name, encoding=encoding)
