"""標準システムから届いた調定のファイルを、調定と鍵（納付番号）にする。"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from sqlalchemy import select

from benefit.domain.clock import Clock
from benefit.records import file_reader, standard_system
from benefit.rules.collection_notices import payment_number_key
from benefit.services import receivables
from benefit.services.files import read_input
from benefit.services.home import Home
from benefit.services.receivables import Registered
from benefit.store import ward
from benefit.store.engine import reading


def register(home: Home, path: Path, *, reason: str, clock: Clock) -> Registered:
    """様式 `standard-levies` のファイルを登録する。様式に合わなければ、ファイルごと断る。二度目は何も変えない。"""
    rows = file_reader.read(read_input(path), standard_system.LEVIES, file=path.name).require()
    made = rows.select(
        subject=pl.col("account_title"),
        fiscal_year=pl.col("fiscal_year").cast(pl.Int64),
        term=pl.col("term").cast(pl.Int64),
        notice_number=pl.col("notice_number"),
        person_number=pl.col("person_number"),
        principal_yen=pl.col("amount_yen"),
        late_charge_yen=pl.col("late_fee_yen"),
        due_on=pl.col("due_on").str.to_date("%Y%m%d"),
        pay_key=payment_number_key(pl.col("payment_number")),
    )
    done = receivables.register(home, made.drop("pay_key"), reason=reason, clock=clock)
    table = ward.receivable
    key = ["subject", "fiscal_year", "term", "notice_number"]
    with reading(home.ward) as connection:
        known = pl.DataFrame(
            [tuple(row) for row in connection.execute(select(table.c.id, *(table.c[name] for name in key)))],
            schema={"receivable_id": pl.Int64, **{name: receivables.RECEIVABLE[name] for name in key}},
            orient="row",
        )
    bound = made.join(known, on=key).select("pay_key", "receivable_id").filter(pl.col("pay_key") != "MPN:")
    receivables.add_keys(home, bound, clock=clock)
    return done
