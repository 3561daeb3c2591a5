"""大きな見本の区: 本当の関門の答え（Standing）の一人を型にして、何千人分にも並べる。判定は本物を通す。"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from benefit.records.bank_master import BankMaster
from benefit.rules.payment_verdicts import judge_rows
from benefit.services.gate import Standing, stand
from benefit.services.judgment_rows import prepare
from benefit.services.ledger_facts import with_ledger
from benefit.services.transfer_lines import ACCOUNT
from tests.services.conftest import JUDGED, PROGRAMME, Office

FIRST_PERSON, FIRST_HOME, FIRST_RIGHT = 8_000_000_000, 7_000_000_000, 5_000_000
REVIEWED = date(2024, 7, 10)


def tiled(office: Office, names: list[str], *, flag: str = "0", accounts: pl.DataFrame | None = None) -> Standing:
    """`names` の一人一人が、自分の世帯の世帯主で、世帯の給付を待っている区。

    accounts: 区の持つ口座（person_number、account_kind、口座の五列）。
    """
    base = stand(office.home, PROGRAMME, JUDGED)
    one = base.entitlements.filter((pl.col("slot_kind") == "HH100K") & pl.col("open") & ~pl.col("ward_only")).head(1)
    person, home = one["payee_number"][0], one["household_number"][0]
    wide = pl.DataFrame({"i": range(len(names)), "kana": names})
    number, house = pl.col("i") + FIRST_PERSON, pl.col("i") + FIRST_HOME
    entitlements = wide.join(one, how="cross").with_columns(
        id=pl.col("i") + FIRST_RIGHT,
        slot=pl.format("{}/HH100K/{}", pl.lit(PROGRAMME.id), house),
        subject_number=house,
        household_number=house,
        payee_number=number,
        payee_now=number,
        case_number=pl.format("9{}", pl.col("i").cast(pl.String).str.zfill(10)),
        branch=pl.lit(1, dtype=one.schema["branch"]),
        flag=pl.lit(flag),
    )
    residents = wide.join(base.inputs.facts.residents.filter(pl.col("person_number") == person), how="cross")
    persons = wide.join(base.decisions.persons.filter(pl.col("person_number") == person), how="cross")
    assert residents.height == persons.height == len(names), (person, home)
    facts = replace(
        base.inputs.facts,
        residents=residents.with_columns(person_number=number, household_number=house, kana_name="kana").select(
            base.inputs.facts.residents.columns
        ),
        accounts=base.inputs.facts.accounts.clear() if accounts is None else accounts,
    )
    return Standing(
        replace(base.inputs, facts=facts),
        replace(
            base.decisions,
            persons=persons.with_columns(person_number=number, household_number=house).select(
                base.decisions.persons.columns
            ),
        ),
        entitlements.select(base.entitlements.columns),
    )


def planned(standing: Standing, accounts: dict[str, Any] | None = None, *, flag: str = "0") -> pl.DataFrame:
    """委託先の支給予定情報: 区の登録簿どおりの人と額、`accounts` の口座（なければ空）。"""
    known = standing.inputs.facts.residents.select("person_number", "kana_name", "birth")
    rows = standing.entitlements.join(known, left_on="payee_number", right_on="person_number", how="left").select(
        line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        case_number="case_number",
        branch="branch",
        person_number="payee_number",
        kana_name="kana_name",
        birth="birth",
        planned_yen="amount_yen",
        account_flag=pl.lit(flag),
        received_on=pl.lit(REVIEWED if accounts else None, dtype=pl.Date),
        reviewed_on=pl.lit(REVIEWED if accounts else None, dtype=pl.Date),
        from_ward=pl.lit(value=False),
    )
    told = accounts or dict.fromkeys(ACCOUNT)
    return rows.with_columns(
        **{
            name: pl.Series(told[name], dtype=pl.String) if told[name] is not None else pl.lit(None, dtype=pl.String)
            for name in ACCOUNT
        }
    )


def judged(office: Office, standing: Standing, rows: pl.DataFrame, banks: BankMaster) -> pl.DataFrame:
    """本物の支給判定（揃える、台帳の事実を足す、検査する）。台帳には何も残さない。"""
    prepared = prepare(standing, rows, JUDGED, banks, "0" * 64)
    with office.home.ward.begin() as connection:
        done = judge_rows(with_ledger(connection, prepared, PROGRAMME), PROGRAMME)
        connection.rollback()
    return done.sort("line_number")
