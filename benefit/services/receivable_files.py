"""標準システムから届いた調定のファイルを、調定と鍵（納付番号）にする。"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import func, select

from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedByRule
from benefit.records import file_reader, standard_system
from benefit.rules.collection_notices import payment_number_key
from benefit.services import receivables
from benefit.services.files import read_input, sha256_of
from benefit.services.home import Home
from benefit.services.receivables import Registered
from benefit.store import ward
from benefit.store.engine import in_turn, reading


def register(home: Home, path: Path, *, reason: str, clock: Clock) -> Registered:
    """様式 `standard-levies` のファイルを登録する。様式に合わなければ、ファイルごと断る。二度目は何も変えない。

    同じ科目の、もっと新しいファイルを登録した後の、前の日のファイルは断る（新しい額を、古い額に戻さない）。
    """
    data = read_input(path)
    found = file_reader.read(data, standard_system.LEVIES, file=path.name)
    rows = found.require()
    place = Place(file=path.name)
    if any(header.get("usage") == "0" for header in found.headers):
        raise RefusedByRule("テストのファイルです（利用区分 0）", code="test-file", place=place)
    made_on = datetime.strptime(str(found.headers[0]["made_on"]), "%Y%m%d").date()  # noqa: DTZ007  # 時刻も時差もない
    subjects = sorted(set(rows["account_title"].to_list()))
    _refuse_older(home, subjects, made_on, place)
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
    _remember(home, sha256_of(data), path.name, subjects, made_on, clock)
    return done


def _refuse_older(home: Home, subjects: Sequence[str], made_on: date, place: Place) -> None:
    table = ward.receivable_file
    query = select(func.max(table.c.made_on)).where(table.c.subject.in_(subjects))
    with reading(home.ward) as connection:
        newest = connection.execute(query).scalar()
    if newest is not None and made_on < newest:
        raise RefusedByRule(
            "この科目の、もっと新しい調定のファイルを登録した後です。額が古いものに戻るので、登録しません",
            code="older-file",
            place=place,
            found=f"ファイル作成日 {made_on}",
            allowed=f"{newest} から",
        )


def _remember(home: Home, sha256: str, name: str, subjects: Sequence[str], made_on: date, clock: Clock) -> None:
    """登録したファイルを残す。途中で止まっても、登録はやり直せて、何も変わらない。"""
    table = ward.receivable_file
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        known = set(connection.execute(select(table.c.subject).where(table.c.sha256 == sha256)).scalars())
        for subject in subjects:
            if subject not in known:
                connection.execute(
                    table.insert().values(
                        sha256=sha256, subject=subject, file_name=name, made_on=made_on, registered_at=clock()
                    )
                )
