"""どの検査にも引っかからない、支給判定の一行。試験は、ここから一つだけ変える。"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

#: 列の型。空の列でも型を失わないように、全部を書く。
SCHEMA: dict[str, Any] = {
    **dict.fromkeys(("line_number", "branch", "person_number", "planned_yen"), pl.Int64),
    **dict.fromkeys(("case_number", "kana_name", "birth", "account_flag"), pl.String),
    **dict.fromkeys(("bank_code", "branch_code", "account_type", "account_number", "holder_kana"), pl.String),
    **dict.fromkeys(("received_on", "reviewed_on", "judged_on", "letter_issued_on"), pl.Date),
    **dict.fromkeys(
        ("entitlement_id", "branch_now", "payee_number", "payee_now", "household_number", "subject_number"), pl.Int64
    ),
    **dict.fromkeys(("amount_yen", "amount_now_yen", "failed_attempts", "returned_attempts"), pl.Int64),
    **dict.fromkeys(("households_on_account", "recipients_on_account"), pl.Int64),
    **dict.fromkeys(("benefit", "slot_kind", "payee_kana", "payee_birth"), pl.String),
    **dict.fromkeys(("verdict_now", "reasons_now", "account_flag_now"), pl.String),
    **dict.fromkeys(("from_ward", "eligible_now", "payee_dead", "ward_only", "account_sent", "ready"), pl.Boolean),
    **dict.fromkeys(("other_programme", "older_paid", "older_received", "has_twin", "paid", "in_flight"), pl.Boolean),
    **dict.fromkeys(("recall_open", "repayment_open", "repaid", "person_in_another", "parent_decided"), pl.Boolean),
    **dict.fromkeys(("person_paid_in_another", "person_judged_in_another", "child_counted"), pl.Boolean),
    **dict.fromkeys(("counted_at_origin", "refused", "not_paid_for_good", "late", "address_changed"), pl.Boolean),
    **dict.fromkeys(("minor_payee", "payee_on_record", "removed_by_office", "moved_out", "sampled"), pl.Boolean),
    **dict.fromkeys(("account_bad", "holder_agrees", "holder_weak", "holder_corporate"), pl.Boolean),
    **dict.fromkeys(("guardian_on_record", "account_changed_after_review", "account_of_origin"), pl.Boolean),
    **dict.fromkeys(("open_defect", "undelivered", "refusal_told", "death_told"), pl.Boolean),
    "account_differs": pl.Boolean,
    "released": pl.List(pl.String),
}
#: 真でなければ引っかかる列。ほかの真偽の列は、偽が清い。
_TRUE = {"eligible_now", "account_sent", "ready", "parent_decided", "payee_on_record", "holder_agrees", "holder_weak"}


def clean_row(**changed: Any) -> dict[str, Any]:
    """世帯の給付（R6-1、10 万円）の、確認書を返した人の行。"""
    row: dict[str, Any] = {name: name in _TRUE for name, kind in SCHEMA.items() if kind == pl.Boolean}
    row |= {
        "line_number": 1,
        "case_number": "12345678901",
        "branch": 1,
        "branch_now": 1,
        "person_number": 1_000_000_001,
        "payee_number": 1_000_000_001,
        "payee_now": 1_000_000_001,
        "subject_number": 2_000_000_001,
        "household_number": 2_000_000_001,
        "entitlement_id": 1,
        "kana_name": "シンジュク　ハナコ",
        "payee_kana": "シンジュク　ハナコ",
        "birth": "1950-04-02",
        "payee_birth": "1950-04-02",
        "planned_yen": 100_000,
        "amount_yen": 100_000,
        "amount_now_yen": 100_000,
        "benefit": "R6-1",
        "slot_kind": "HH100K",
        "verdict_now": "対象",
        "reasons_now": "",
        "account_flag": "0",
        "account_flag_now": "0",
        "bank_code": "9999",
        "branch_code": "001",
        "account_type": "1",
        "account_number": "9000001",
        "holder_kana": "ｼﾝｼﾞﾕｸ ﾊﾅｺ",
        "received_on": date(2024, 7, 20),
        "reviewed_on": date(2024, 7, 21),
        "letter_issued_on": date(2024, 6, 24),
        "judged_on": date(2024, 7, 26),
        "failed_attempts": 0,
        "returned_attempts": 0,
        "households_on_account": 1,
        "recipients_on_account": 1,
        "released": None,
    }
    return row | changed


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """行の表。番号の重なる行は、行番号だけを付け直す。"""
    numbered = [{**row, "line_number": place} for place, row in enumerate(rows, 1)]
    return pl.DataFrame(numbered, schema=SCHEMA)
