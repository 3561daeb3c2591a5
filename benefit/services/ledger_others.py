"""支給判定が見る、ほかの権利の台帳の事実: 人の重なる権利（CHK41〜CHK43・CHK47）と、同じ口座（CHK23・CHK82）。"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, and_, exists, select, union_all

from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.services import judgment_people
from benefit.services.judged_lines import LINE, ids, numbers
from benefit.services.judgment_accounts import ACCOUNT_NUMBER
from benefit.services.judgment_rows import Prepared
from benefit.services.transfer_lines import superseded
from benefit.store import ward
from benefit.store.frames import fetch


def with_overlaps(connection: Connection, rows: pl.DataFrame, prepared: Prepared, states: pl.DataFrame) -> pl.DataFrame:
    """人の重なるほかの権利を、払ったか、判定したか（CHK41〜CHK43・CHK47）。"""
    verdict, file = ward.verdict, ward.planned_file
    others = prepared.overlaps
    told = pl.Series([], dtype=pl.Int64)
    if others.height:
        query = (
            select(verdict.c.entitlement_id)
            .join(file, file.c.id == verdict.c.planned_file_id)
            .where(verdict.c.entitlement_id.in_(ids()), verdict.c.verdict != "不可", ~superseded())
            .distinct()
        )
        told = numbers(connection, query)
    live = states.select(
        other_id="entitlement_id",
        other_live=pl.any_horizontal(pl.col("paid", "moving").fill_null(value=False)),
        other_waiting=pl.col("waiting").fill_null(value=False),
    )
    # 同じファイルに並んでいれば、それも申し出（J30 から先）である。
    here = rows["entitlement_id"].drop_nulls().implode()
    seen = others.join(live, on="other_id", how="left").with_columns(
        live=pl.col("other_live").fill_null(value=False),
        judged=pl.col("other_waiting").fill_null(value=False)
        | pl.col("other_id").is_in(told.implode())
        | pl.col("other_id").is_in(here),
    )
    person, child = pl.col("kind") == judgment_people.PERSON, pl.col("kind") == judgment_people.CHILD
    origin, any_state = pl.col("kind") == judgment_people.ORIGIN, pl.col("live") | pl.col("judged")
    folded = seen.group_by("line_number").agg(
        person_paid_in_another=(person & pl.col("live")).any(),
        person_judged_in_another=(person & ~pl.col("live") & pl.col("judged")).any(),
        person_in_another=(person & ~any_state & pl.col("other_open")).any(),
        child_counted=(child & any_state).any(),
        counted_at_origin=(origin & (any_state | pl.col("other_open"))).any(),
    )
    names = [name for name in folded.columns if name != "line_number"]
    return rows.join(folded, on="line_number", how="left", maintain_order="left").with_columns(
        pl.col(*names).fill_null(value=False)
    )


def with_sharing(connection: Connection, rows: pl.DataFrame, prepared: Prepared, programme: Programme) -> pl.DataFrame:
    """同じ口座のほかの受給者: このファイルの中と、台帳（払った行、判定が最後に不可でなかった行）。CHK23・CHK82。"""
    known = prepared.known.select(payee_number="person_number", kana_name="payee_kana", birth="payee_birth")
    ledger = fetch(
        connection,
        _users(programme, ward_rows=bool(rows["from_ward"].any())),
        {**dict.fromkeys(ACCOUNT_NUMBER, pl.String), "household_number": pl.Int64, "payee_number": pl.Int64},
    ).unique()
    ledger = ledger.join(known, on="payee_number", how="left").with_columns(
        line_number=pl.lit(None, dtype=pl.Int64), person_number=pl.col("payee_number")
    )
    uses = pl.concat([rows.select(ledger.columns), ledger]).filter(pl.col("account_number").is_not_null())
    # 同じ受給者が、世帯の番号のある権利とない権利を持つことがある。受給者ごとに、一つの世帯とみる。
    home = pl.col("household_number").max().over(*ACCOUNT_NUMBER, "payee_number")
    shared = (
        uses.with_columns(home=pl.coalesce(home, -pl.col("payee_number")))
        .with_columns(
            households_on_account=pl.col("home").n_unique().over(ACCOUNT_NUMBER),
            recipients_on_account=pl.col("payee_number").n_unique().over(ACCOUNT_NUMBER),
            # 同じ読み・同じ生年月日・同じ口座の、番号の違う人（双子や、番号の付け直し）。
            has_twin=pl.col("person_number").n_unique().over("kana_name", "birth", *ACCOUNT_NUMBER) > 1,
        )
        .filter(pl.col("line_number").is_not_null())
        .select("line_number", "households_on_account", "recipients_on_account", "has_twin")
    )
    return rows.join(shared, on="line_number", how="left", maintain_order="left").with_columns(
        households_on_account=pl.col("households_on_account").fill_null(0),
        recipients_on_account=pl.col("recipients_on_account").fill_null(0),
        has_twin=pl.col("entitlement_id").is_not_null() & pl.col("has_twin").fill_null(value=False),
    )


def _users(programme: Programme, *, ward_rows: bool) -> Any:
    """この事業で、判定する行と同じ口座を使った権利の、世帯と受給者。

    避難した人の権利は、区の行を判定する時にだけ数える。委託先の行の判定が、避難した人のいることで変わってはならない。
    """
    lines = select(*(LINE[name] for name in ACCOUNT_NUMBER)).where(LINE.account_number.is_not(None)).distinct()
    accounts = lines.cte("accounts")
    entitlement, payment, verdict = ward.entitlement, ward.payment, ward.verdict
    later = verdict.alias("later")
    last = ~exists().where(
        later.c.entitlement_id == verdict.c.entitlement_id, later.c.planned_file_id > verdict.c.planned_file_id
    )

    def using(table: Any, condition: Callable[[], Any]) -> Select[Any]:
        same = and_(*(table.c[name] == accounts.c[name] for name in ACCOUNT_NUMBER))
        fled = (entitlement.c.slot_kind == "EVACUEE") | (
            (entitlement.c.slot_kind == "CHILD") & entitlement.c.household_number.is_(None)
        )
        seen = entitlement.c.programme == programme.id
        return (
            select(
                *(accounts.c[name] for name in ACCOUNT_NUMBER),
                entitlement.c.household_number,
                entitlement.c.payee_number,
            )
            .select_from(accounts)
            .join(table, same)
            .join(entitlement, entitlement.c.id == table.c.entitlement_id)
            .where(condition(), seen if ward_rows else seen & ~fled)
        )

    return union_all(
        using(payment, lambda: payment.c.state.in_(LIVE_STATES)),
        using(verdict, lambda: and_(verdict.c.verdict != "不可", last)),
    )
