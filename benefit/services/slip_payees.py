"""納付書と督促の宛名: 宛名番号から、いまの氏名と送り先。作ってはならない人は、わけを言って止める。

送り先の決め方は給付の手紙と同じ（gate.people: 法定代理人、転出先、住民記録の順）。亡くなった人と、区が直接扱う人
（名ざされた人が画面で作る）の紙は、まとめて作る道では作らない。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
from sqlalchemy import select

from benefit.domain.access import Actor
from benefit.records.notice_data import ROWS
from benefit.rules import facts
from benefit.services import extracts, gate, restricted_queue
from benefit.services.home import Home
from benefit.services.standing import Inputs
from benefit.store import ward
from benefit.store.engine import reading

NO_NUMBER = "宛名番号がない、または住民の番号でない"
UNKNOWN = "送付先が分からない（住民記録と addresses.csv にない）"
DEAD = "亡くなっている（相続人を確かめる）"
RESTRICTED = "区が直接扱う人（名ざされた人が画面で作る）"


@dataclass(frozen=True)
class Addressed:
    """rows: `notice_data.ROWS` の列と receivable_id・slip_id。held: 調定の番号 → 止めたわけ。"""

    rows: pl.DataFrame
    held: Mapping[int, str]


def address(home: Home, slips: Sequence[Mapping[str, Any]], *, today: date) -> Addressed:
    """納付書の値（slips.Issued.slips）に、氏名と送り先を付ける。"""
    everyone, dead = _people(home, today)
    hidden = restricted_queue.hidden(home).people
    known = {row["person_number"]: row for row in everyone.iter_rows(named=True)} if slips else {}
    rows: list[tuple[Any, ...]] = []
    held: dict[int, str] = {}
    for slip in slips:
        number = slip["person_number"]
        whole = int(number) if number.isascii() and number.isdigit() else None
        person = known.get(whole)
        if whole is None:
            held[slip["receivable_id"]] = NO_NUMBER
        elif whole in hidden:
            held[slip["receivable_id"]] = RESTRICTED
        elif whole in dead:
            held[slip["receivable_id"]] = DEAD
        elif person is None or not (person["name"] and person["address"]):
            held[slip["receivable_id"]] = UNKNOWN
        else:
            rows.append(_row(slip, person, len(rows) + 1))
    schema = {**ROWS, "receivable_id": pl.Int64, "slip_id": pl.Int64}
    return Addressed(pl.DataFrame(rows, schema=schema, orient="row"), held)


def handed(home: Home, slip: Mapping[str, Any], *, today: date) -> dict[str, Any]:
    """窓口で渡す納付書の一行: 氏名だけで、住所は刷らない（住所は二人で見る。F.3）。分からない氏名は「納付者」。"""
    everyone, _dead = _people(home, today)
    number = slip["person_number"]
    whole = int(number) if number.isascii() and number.isdigit() else -1
    found = everyone.filter(pl.col("person_number") == whole)["name"].to_list()
    nobody = {"postal_code": "", "address": "", "address2": "", "addressee": None}
    return dict(
        zip(ROWS, _row(slip, {"name": found[0] if found and found[0] else "納付者", **nobody}, 1), strict=False)
    )


def may_see(home: Home, receivable: int, actor: Actor) -> bool:
    """この人が見てよい調定か。ない調定と、区が直接扱う人の調定（名ざされた人のほか）は、どちらも偽。"""
    table = ward.receivable
    with reading(home.ward) as connection:
        found = connection.execute(select(table.c.person_number).where(table.c.id == receivable)).first()
        if found is None:
            return False
        number = found.person_number or ""
        if restricted_queue.is_member(connection, actor):
            return True
    return not (number.isascii() and number.isdigit() and int(number) in restricted_queue.hidden(home).people)


def _row(slip: Mapping[str, Any], person: Mapping[str, Any], record: int) -> tuple[Any, ...]:
    given = {
        **slip,
        "record": record,
        "postal_code": person["postal_code"],
        "address": person["address"],
        "address2": person["address2"] or "",
        "name": person["addressee"] or person["name"],
    }
    return (*(given[name] for name in ROWS), slip["receivable_id"], slip["id"])


def _people(home: Home, today: date) -> tuple[pl.DataFrame, frozenset[int]]:
    """いまの全員の氏名と送り先と、亡くなった人。"""
    sources = extracts.current_sources(home, 0)
    tables = {
        kind: extracts.load(home, sources[kind]) if kind in sources else facts.empty(kind)
        for kind in ("residents", "addresses", "taxes")
    }
    # 送り先の決め方は一つの関数が持つ。使うのは事実の三つの表だけである。
    inputs = cast(Inputs, SimpleNamespace(facts=SimpleNamespace(**tables)))
    return gate.people(inputs), frozenset(gate.dead_people(inputs, today)["person_number"])
