"""架空の区にいなければならない人: 特別な事情の名前 → その人たちを探す式。"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from benefit.rules.facts import Facts

BASE, LEVY = date(2024, 6, 3), date(2024, 1, 1)
Look = Callable[[Facts], pl.DataFrame]
removed, became, birth = pl.col("removed_on"), pl.col("became_resident_on"), pl.col("birth")


def residents(*conditions: pl.Expr) -> Look:
    return lambda facts: facts.residents.filter(*conditions)


def taxes(*conditions: pl.Expr) -> Look:
    return lambda facts: facts.taxes.filter(*conditions)


def reason(word: str) -> pl.Expr:
    return pl.col("became_resident_reason") == word


def gone(word: str) -> pl.Expr:
    return pl.col("removed_reason") == word


def kana(pattern: str) -> pl.Expr:
    return pl.col("kana_name").str.contains(pattern)


SPECIAL: dict[str, Look] = {
    "平成18年4月1日生まれ": residents(birth == "2006-04-01"),
    "平成18年4月2日生まれ": residents(birth == "2006-04-02"),
    "平成20年1月1日生まれ（16 歳以上）": residents(birth == "2008-01-01"),
    "平成20年1月2日生まれ（16 歳未満）": residents(birth == "2008-01-02"),
    "日の不詳": residents(birth.str.contains(r"-(0[1-9]|1[0-2])-00$")),
    "月日の不詳": residents(birth.str.ends_with("-00-00")),
    "賦課期日の前日の転入": residents(became == date(2023, 12, 31)),
    "賦課期日の転入": residents(became == LEVY),
    "賦課期日の翌日の転入": residents(became == date(2024, 1, 2), reason("転入")),
    "基準日の前日の転入": residents(became == date(2024, 6, 2)),
    "基準日の転入": residents(became == BASE),
    "基準日の翌日の転入": residents(became == date(2024, 6, 4)),
    "区の外に 1 月 1 日の住所": residents(pl.col("levy_date_municipality").is_not_null()),
    "国外からの転入": residents(reason("国外転入"), became > LEVY),
    "職権の記載": residents(reason("職権")),
    "今年の出生": residents(reason("出生"), became > LEVY),
    "基準日の出生": residents(reason("出生"), became == BASE),
    "基準日の後の出生": residents(reason("出生"), became > BASE),
    "基準日の前日の消除": residents(removed == date(2024, 6, 2)),
    "基準日の消除": residents(removed == BASE),
    "基準日の翌日の消除": residents(removed == date(2024, 6, 4)),
    "転出": residents(gone("転出")),
    "国外転出": residents(gone("国外転出")),
    "職権の消除": residents(gone("職権")),
    "世帯主の死亡（基準日より前）": residents(gone("死亡"), pl.col("relation") == "世帯主", removed < BASE),
    "世帯主の死亡（基準日）": residents(gone("死亡"), pl.col("relation") == "世帯主", removed == BASE),
    "世帯主の死亡（基準日より後）": residents(gone("死亡"), pl.col("relation") == "世帯主", removed > BASE),
    "旧氏": residents(pl.col("former_name").is_not_null()),
    "異体字": residents(pl.col("name").str.contains("[髙﨑濵德]")),
    "ローマ字の名前": residents(pl.col("name").str.contains("^[Ａ-Ｚ　]+$")),
    "カナの欄が半角のローマ字": residents(kana("^[A-Z ]+$")),
    "カナの欄が全角のローマ字": residents(kana("^[Ａ-Ｚ　]+$")),
    "30 桁を超える名前": residents(kana("^[A-ZＡ-Ｚ 　]{31,}$")),
    "在留カードのない外国人": residents(pl.col("residence_card_number").is_null(), kana("^グルン")),
    "住登外": taxes(pl.col("levy_kind") == "住登外"),
    "家屋敷": taxes(pl.col("levy_kind") == "家屋敷"),
    "未申告": taxes(pl.col("declaration") == "未申告"),
    "条例減免（一部）": taxes(pl.col("ordinance_relief") == "一部"),
    "条例減免（全部）": taxes(pl.col("ordinance_relief") == "全部"),
    "租税条約": taxes(pl.col("treaty_exempt")),
    "区外の人の扶養": taxes(pl.col("supporter_outside")),
    "合計所得 18,050,000 円超": taxes(pl.col("total_income_yen") > 18_050_000),
    "国外の扶養親族": taxes(pl.col("dependants_overseas") > 0),
    "国外の配偶者": taxes(pl.col("spouse_overseas")),
    "配偶者は同一生計だが控除の対象でない": taxes(pl.col("same_living_spouse"), ~pl.col("deductible_spouse")),
    "分離課税": taxes(pl.col("separate_income_tax_yen") > 0),
    "住宅ローン控除（所得税だけ）": taxes(
        pl.col("housing_credit_available_yen") > 0, pl.col("housing_credit_resident_yen") == 0
    ),
    "確定申告の所得税": taxes(pl.col("filed_income_tax_yen").is_not_null()),
    "国の算定ツールの所得税": taxes(pl.col("estimated_income_tax_yen").is_not_null()),
    "住民税の側だけが知る死亡": lambda facts: facts.taxes.filter(pl.col("died_on").is_not_null()).join(
        facts.residents.filter(gone("死亡")), on="person_number", how="anti"
    ),
    **{
        f"昨年度の状態 {state}": lambda facts, state=state: facts.prior.filter(pl.col("state") == state)  # type: ignore[misc]
        for state in ("支給済", "未申請", "辞退", "対象外")
    },
    **{
        f"保護 {kind}": lambda facts, kind=kind: facts.protected.filter(pl.col("kind") == kind)  # type: ignore[misc]
        for kind in ("DV", "児童施設", "障害者施設", "高齢者施設")
    },
    **{
        f"口座 {kind}": lambda facts, kind=kind: facts.accounts.filter(pl.col("account_kind") == kind)  # type: ignore[misc]
        for kind in ("生活保護", "過去給付", "公金受取")
    },
    **{
        f"預金種目 {kind}": lambda facts, kind=kind: facts.accounts.filter(pl.col("account_type") == kind)  # type: ignore[misc]
        for kind in "124"
    },
    **{
        f"送付先 {kind}": lambda facts, kind=kind: facts.addresses.filter(pl.col("kind") == kind)  # type: ignore[misc]
        for kind in ("住登外", "転出先", "法定代理人")
    },
}
