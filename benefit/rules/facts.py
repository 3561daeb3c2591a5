"""判定に使う事実: 取り込んだ写し（型のついた表）の並び。名前と型はここだけが決める。

金額は円の Int64、番号は Int64、日付は Date。null は「空白」であり、0 ではない。`line` は元のファイルの行
（1 から数え、レコードの始まる行）で、説明（explain）が出どころを言うのに使う。出典: 契約 §1。
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

_I, _S, _D, _B = pl.Int64, pl.String, pl.Date, pl.Boolean

#: 種類 → 列と型。
SCHEMAS: dict[str, pl.Schema] = {
    "residents": pl.Schema(
        {
            "person_number": _I,
            "household_number": _I,
            "residence_card_number": _S,
            "postal_code": _S,
            "address": _S,
            "address2": _S,
            "name": _S,
            "kana_name": _S,
            "former_name": _S,
            "birth": _S,
            "birth_earliest": _D,
            "birth_latest": _D,
            "relation": _S,
            "became_resident_on": _D,
            "became_resident_reason": _S,
            "levy_date_municipality": _S,
            "removed_on": _D,
            "removed_reason": _S,
            "line": _I,
        }
    ),
    "taxes": pl.Schema(
        {
            "person_number": _I,
            "levy_year": _I,
            "levy_kind": _S,
            "declaration": _S,
            "per_capita_levy_yen": _I,
            "income_levy_ward_yen": _I,
            "income_levy_metro_yen": _I,
            "income_levy_after_cut_yen": _I,
            "total_income_yen": _I,
            "gross_income_yen": _I,
            "taxable_income_yen": _I,
            "deduction_difference_yen": _I,
            "separate_income_tax_yen": _I,
            "housing_credit_available_yen": _I,
            "housing_credit_resident_yen": _I,
            "filed_income_tax_yen": _I,
            "estimated_income_tax_yen": _I,
            "same_living_spouse": _B,
            "deductible_spouse": _B,
            "spouse_overseas": _B,
            "dependants_16_and_over": _I,
            "dependants_under_16": _I,
            "dependants_overseas": _I,
            "treaty_exempt": _B,
            "ordinance_relief": _S,
            "supporter_number": _I,
            "supporter_outside": _B,
            "died_on": _D,
            "line": _I,
        }
    ),
    # 不足額給付の算定基礎（`benefit/programmes/r7-shortfall.md`）。null は不明か「賦課がない」で、0 ではない。
    "shortfall": pl.Schema(
        {
            "person_number": _I,
            "levy_year": _I,
            "levy_kind": _S,
            "income_tax_yen": _I,
            "income_tax_total_income_yen": _I,
            "resident_tax_total_income_yen": _I,
            "resident_tax_yen": _I,
            "n_income_tax": _I,
            "n_resident_tax": _I,
            "first_decided_by": _S,
            "first_required_yen": _I,
            "family_worker": _B,
            "dependant": _B,
            "low_income_target": _B,
            "abroad_on_levy_date": _B,
            "died_on": _D,
            "line": _I,
        }
    ),
    "prior": pl.Schema(
        {"benefit_name": _S, "household_number": _I, "person_number": _I, "relation": _S, "state": _S, "line": _I}
    ),
    "accounts": pl.Schema(
        {
            "person_number": _I,
            "account_kind": _S,
            "bank_code": _S,
            "branch_code": _S,
            "account_type": _S,
            "account_number": _S,
            "holder_kana": _S,
            "line": _I,
        }
    ),
    "addresses": pl.Schema(
        {
            "person_number": _I,
            "kind": _S,
            "name": _S,
            "kana_name": _S,
            "postal_code": _S,
            "address": _S,
            "address2": _S,
            "line": _I,
        }
    ),
    "protected": pl.Schema({"person_number": _I, "kind": _S, "line": _I}),
    "braille": pl.Schema({"person_number": _I, "line": _I}),
    "tax_answers": pl.Schema(
        {
            "inquiry_number": _S,
            "person_number": _I,
            "answer": _S,
            "per_capita_levy_yen": _I,
            "income_levy_before_cut_yen": _I,
            "income_levy_after_cut_yen": _I,
            "treaty_exempt": _B,
            "line": _I,
        }
    ),
    "account_answers": pl.Schema(
        {
            "inquiry_number": _S,
            "person_number": _I,
            "registered": _S,
            "bank_code": _S,
            "branch_code": _S,
            "account_type": _S,
            "account_number": _S,
            "holder_kana": _S,
            "line": _I,
        }
    ),
    # 終わりの二つは、受理した申請が変えた事実（`benefit.rules.claims`）。抽出データではない。
    # 住民税の更正: 抽出データの区分が seen_class のままの人だけ、世帯の給付で corrected_class とみる。
    "tax_corrections": pl.Schema({"person_number": _I, "seen_class": _S, "corrected_class": _S}),
    # 受給者の死亡: 対象区分（世帯・納税者）の一つごとに、代わりの受給者。heir は相続人か（承継した世帯主でないか）。
    "payee_changes": pl.Schema({"subject_kind": _S, "subject_number": _I, "new_payee": _I, "heir": _B}),
}


def empty(kind: str) -> pl.DataFrame:
    """この種類の、行のない表。"""
    return pl.DataFrame(schema=SCHEMAS[kind])


@dataclass(frozen=True)
class Facts:
    """判定に使う事実の全部。回答は、人ごとに一番新しいものだけが入っている。終わりの二つは、申請が変えた事実。"""

    residents: pl.DataFrame
    taxes: pl.DataFrame
    shortfall: pl.DataFrame
    prior: pl.DataFrame
    accounts: pl.DataFrame
    addresses: pl.DataFrame
    protected: pl.DataFrame
    braille: pl.DataFrame
    tax_answers: pl.DataFrame
    account_answers: pl.DataFrame
    tax_corrections: pl.DataFrame = field(default_factory=lambda: empty("tax_corrections"))
    payee_changes: pl.DataFrame = field(default_factory=lambda: empty("payee_changes"))

    def new_payee(self, subject_kind: str, subject: str) -> pl.Expr:
        """`subject` の列の対象番号の、代わりの受給者。いなければ null。"""
        chosen = self.payee_changes.filter(pl.col("subject_kind") == subject_kind)
        if chosen.is_empty():
            return pl.lit(None, dtype=pl.Int64)
        # 申請は多くても数千件。幅の広い表をつながずに、番号から引く。
        return pl.col(subject).replace_strict(
            chosen["subject_number"], chosen["new_payee"], default=None, return_dtype=pl.Int64
        )
