"""口座振替で請求するかを決めるための事実を、台帳と住民記録から集める。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import Connection

from benefit.domain.debit_terms import DebitTerms
from benefit.records.bank_master import BankMaster
from benefit.records.direct_debit import KEY_WIDTHS
from benefit.rules import debit_selection
from benefit.services import bank_master, receivables, restricted_queue
from benefit.services.debit_accounts import person_column
from benefit.services.home import Home
from benefit.store import debit_queries

_ACCOUNT = tuple(debit_queries.ACCOUNT)
#: 名義だけの直しは、口座の変更ではない。
_WHERE = _ACCOUNT[:4]


@dataclass(frozen=True)
class Around:
    """台帳の外の事実: 亡くなった人（宛名番号）と、金融機関の表。書く前に集めておく。"""

    deceased: frozenset[str]
    master: BankMaster


def around(home: Home) -> Around:
    """住民記録と金融機関の表から。"""
    frame = restricted_queue.residents(home)
    dead: frozenset[str] = frozenset()
    if frame is not None:
        found = frame.filter(pl.col("removed_reason") == "死亡").select("person_number").collect()
        dead = frozenset(f"{number:010d}" for number in found["person_number"])
    return Around(dead, bank_master.in_use(home))


def decided(
    connection: Connection, terms: DebitTerms, debit_on: date, near: Around, *, within: int | None = None
) -> pl.DataFrame:
    """口座振替の依頼のある人の、納期限が引落日までに来る調定と、請求する・しない（`debit_selection.decide`）。

    `within` は、いま見直している請求の番号: その請求の行は、待ちと数えず、その前の姿に戻して決める。
    """
    owed = (
        receivables.standing(connection)
        .filter(pl.col("subject").is_in(list(terms.subjects)) & (pl.col("due_on") <= debit_on))
        .rename({"id": "receivable_id"})
        .with_columns(person=person_column("person_number"))
    )
    accounts = debit_queries.enrolments(connection, debit_on)
    last = debit_queries.last_orders(connection)
    if within is not None:
        last = debit_queries.before(connection, last, within)
    rows = owed.join(accounts, on=["person", "subject"], how="inner").join(last, on="receivable_id", how="left")
    same = pl.all_horizontal(pl.col(name) == pl.col(f"last_{name}") for name in _WHERE)
    known = {
        f"{bank}-{branch}"
        for bank, branch in rows.select("bank_code", "branch_code").unique().iter_rows()
        if bank and branch and near.master.find(bank, branch)
    }
    digits = pl.col("notice_number").str.contains(r"^[0-9]+$")
    short = pl.col("notice_number").str.strip_chars_start("0").str.len_chars() <= KEY_WIDTHS["notice_number"]
    planned = debit_queries.instalment_receivables(connection)["receivable_id"].to_list()
    facts = rows.with_columns(
        pl.col("failures").fill_null(0),
        pl.col("lettered").fill_null(value=False),
        same_account=same.fill_null(value=False),
        instalments=pl.col("receivable_id").is_in(planned),
        deceased=pl.col("person").is_in(list(near.deceased)),
        account_ok=pl.concat_str("bank_code", pl.lit("-"), "branch_code").is_in(list(known)).fill_null(value=False),
        number_ok=digits & short,
    )
    return debit_selection.decide(facts, requests_max=terms.requests_max, no_use_codes=terms.no_use_codes).sort(
        "receivable_id"
    )
