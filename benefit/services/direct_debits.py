"""口座振替の請求: 引落日ごとに作る、別の人が承認する、送り出す、取り消す（seed 004 ⑤）。

- 納めた知らせ（速報）の届いたもの、止めたもの、亡くなった人、結果待ちのものは入らない（`debit_selection`）。
- 作った後にも事実は変わる。承認と送り出しのたびに、全部の行をもう一度決め直し、一つでも変わっていれば出さない。
- 出すのは、作った時の指紋のままのバイト列だけ。第二の読み手が、台帳と一行ずつ比べる。
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.business_days import is_bank_business_day
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.debit_terms import DebitTerms
from benefit.domain.direct_debit import LEFT_SAYS
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.records import direct_debit
from benefit.services import debit_facts, debit_terms_file, two_people
from benefit.services.debit_facts import Around
from benefit.services.debit_request_file import Request, check_file, content, path_of, show
from benefit.services.files import sha256_of, write_atomic
from benefit.services.home import Home
from benefit.store import audit, debit_queries, ward
from benefit.store.bulk import insert_rows
from benefit.store.engine import in_turn

_ACCOUNT = tuple(debit_queries.ACCOUNT)


@dataclass(frozen=True)
class Made:
    """作った結果。`left_out` は、請求しなかったわけ（コード → 件数と残りの額）。"""

    request: Request | None
    left_out: dict[str, tuple[int, int]]


def make(home: Home, *, debit_on: date, reason: str, actor: Actor, clock: Clock) -> Made:
    """引落日に請求するものを集めて、請求ファイルを一つ作る。請求するものがなければ、請求は None。"""
    terms = debit_terms_file.load(home)
    _refuse_day(debit_on, tokyo_date(clock()))
    near = debit_facts.around(home)
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        decided = debit_facts.decided(connection, terms, debit_on, near)
        chosen = decided.filter(pl.col("left_out").is_null())
        left_out = _counted(decided)
        if chosen.is_empty():
            return Made(None, left_out)
        rows = _orders(connection, chosen, terms)
        made = content(rows, terms, near.master, debit_on)
        number = two_people.ask(
            connection,
            ward.debit_request,
            {
                "debit_on": debit_on,
                "sha256": sha256_of(made),
                "content_key": _content_key(rows),
                "line_count": rows.height,
                "total_yen": int(rows["amount_yen"].sum()),
            },
            action="debit.make",
            reason=reason,
            detail={"lines": rows.height, "total_yen": int(rows["amount_yen"].sum()), "sha256": sha256_of(made)},
            actor=actor,
            clock=clock,
        )
        _store(connection, number, rows)
    write_atomic(path_of(home, number), made)
    return Made(show(home, number), left_out)


def _refuse_day(debit_on: date, today: date) -> None:
    if not is_bank_business_day(debit_on):
        raise WrongUse("引落日が銀行の営業日ではありません", code="debit-day", found=debit_on.isoformat())
    if debit_on <= today:
        raise WrongUse(
            "引落日が過ぎているか、今日です", code="debit-day", found=debit_on.isoformat(), allowed=f"{today} より後"
        )


def _counted(decided: pl.DataFrame) -> dict[str, tuple[int, int]]:
    found = decided.filter(pl.col("left_out").is_not_null())
    grouped = found.group_by("left_out").agg(pl.len(), pl.col("left_yen").clip(lower_bound=0).sum()).iter_rows()
    counted = {str(code): (int(count), int(yen)) for code, count, yen in grouped}
    return {code: counted[code] for code in LEFT_SAYS if code in counted}


def _orders(connection: Connection, chosen: pl.DataFrame, terms: DebitTerms) -> pl.DataFrame:
    """請求する行に、請求の番号・何回目か・顧客番号・新規コードを付ける。"""
    first = (connection.execute(select(func.max(ward.debit_order.c.id))).scalar() or 0) + 1
    codes = {subject: one.code for subject, one in terms.subjects.items()}
    number = pl.col("notice_number").str.strip_chars_start("0").str.zfill(direct_debit.KEY_WIDTHS["notice_number"])
    return chosen.with_columns(
        order_id=pl.int_range(first, first + chosen.height, dtype=pl.Int64),
        line_number=pl.int_range(1, chosen.height + 1, dtype=pl.Int64),
        attempt=pl.col("last_attempt").fill_null(0) + 1,
        amount_yen=pl.col("left_yen"),
        customer_number=pl.concat_str(
            pl.col("subject").replace_strict(codes, return_dtype=pl.String),
            pl.col("fiscal_year").cast(pl.String).str.zfill(4),
            pl.col("term").cast(pl.String).str.zfill(2),
            number,
        ),
        new_code=pl.when(pl.col("last").is_null())
        .then(pl.lit("1"))
        .when(pl.col("same_account"))
        .then(pl.lit("0"))
        .otherwise(pl.lit("2")),
        after_attempt=pl.col("last_attempt"),
        after_unpaid=pl.col("last_unpaid"),
    )


def _content_key(rows: pl.DataFrame) -> str:
    """中身の名前: どの調定の何回目に、いくら、どの口座から。引落日を変えても同じになる。"""
    parts = sorted(
        "|".join(map(str, row)) for row in rows.select("receivable_id", "attempt", "amount_yen", *_ACCOUNT).iter_rows()
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _store(connection: Connection, number: int, rows: pl.DataFrame) -> None:
    whole = rows.with_columns(request_id=pl.lit(number), id=pl.col("order_id"), after_order=pl.col("last_order"))
    for table, columns in (
        (ward.debit_order, ("id", "request_id", "receivable_id", "attempt", "amount_yen")),
        (
            ward.debit_line,
            (
                *("order_id", "receivable_id", "attempt", "request_id", "line_number", "customer_number", "new_code"),
                *("enrolment_id", "enrolment_line", *_ACCOUNT, "after_order", "after_attempt", "after_unpaid"),
            ),
        ),
    ):
        insert_rows(connection, table, columns, whole.select(columns).iter_rows())
    _bind(connection, rows)


def _bind(connection: Connection, rows: pl.DataFrame) -> None:
    """顧客番号を、調定の鍵にする（結果は、この鍵で消し込まれる）。二回目の請求では、もう結ばれている。"""
    key = ward.receivable_key
    made = dict(rows.select(pl.format("DD:{}", "customer_number"), "receivable_id").iter_rows())
    names = list(made)
    bound: dict[str, int] = {}
    for start in range(0, len(names), 500):
        query = select(key.c.pay_key, key.c.receivable_id).where(key.c.pay_key.in_(names[start : start + 500]))
        bound |= {row.pay_key: row.receivable_id for row in connection.execute(query)}
    wrong = [name for name, owner in bound.items() if made[name] != owner]
    if wrong:
        raise RefusedByRule(f"顧客番号が、別の調定のものです（{len(wrong)} 件）", code="key-bound")
    new = [(name, owner) for name, owner in made.items() if name not in bound]
    insert_rows(connection, key, ("pay_key", "receivable_id"), new)


def _refuse_changed(connection: Connection, terms: DebitTerms, request: Request, near: Around) -> None:
    """作った後に、納められた・止められた・額や口座が変わった行が一つでもあれば断る。"""
    now = debit_facts.decided(connection, terms, request.debit_on, near, within=request.id)
    mine = debit_queries.lines(connection, request.id)
    joined = mine.join(
        now.select("receivable_id", "left_out", "left_yen", *(pl.col(name).alias(f"{name}_now") for name in _ACCOUNT)),
        on="receivable_id",
        how="left",
    )
    moved = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_now") for name in _ACCOUNT)
    why = (
        pl.when(pl.col("left_out").is_not_null())
        .then(pl.col("left_out"))
        .when(pl.col("left_yen").is_null() | (pl.col("left_yen") != pl.col("amount_yen")))
        .then(pl.lit("額か納期限が変わった"))
        .when(moved)
        .then(pl.lit("口座が変わった"))
    )
    wrong = joined.select(why=why).drop_nulls()
    if wrong.is_empty():
        return
    counts = wrong["why"].value_counts(sort=True).rows()
    said = "、".join(f"{LEFT_SAYS.get(code, code)} {count:,} 件" for code, count in counts)
    raise RefusedByRule(
        f"作った後に、請求できなくなった行が {wrong.height:,} 件あります（{said}）。"
        f"取り消して（benefit direct-debit request cancel {request.id}）、作り直してください",
        code="changed",
    )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> Request:
    """いまの指紋の請求を承認する。作った人は承認できない。"""
    terms, near, request = debit_terms_file.load(home), debit_facts.around(home), show(home, number)
    _refuse_ended(request)
    check_file(home, terms, request, near)
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        _refuse_fate(connection, number)
        _refuse_changed(connection, terms, request, near)
        two_people.approve(
            connection,
            ward.debit_request,
            ward.debit_request_approval,
            number,
            what="口座振替の請求",
            actor=actor,
            clock=clock,
        )
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="debit.approve",
            subject=f"{number}",
            detail={"sha256": request.sha256, "lines": request.line_count, "total_yen": request.total_yen},
        )
    return show(home, number)


def _refuse_ended(request: Request) -> None:
    if request.fate:
        done = {"送出": "もう送り出されています", "取消": "取り消されています"}[request.fate]
        raise RefusedByRule(f"口座振替の請求 {request.id} は、{done}", code="ended")


def _refuse_fate(connection: Connection, number: int) -> None:
    table = ward.debit_fate
    if connection.execute(select(table.c.fate).where(table.c.request_id == number)).first():
        raise RefusedByRule(f"口座振替の請求 {number} は、もう終わっています", code="ended")


def release(home: Home, number: int, *, out: Path, again: bool = False, actor: Actor, clock: Clock) -> Path:
    """承認された請求を `out` に出す。台帳に載ってから、ファイルが出る。

    二度目は断る。出した直後に止まってファイルがないときだけ、`again` で同じバイト列をもう一度書く。
    """
    terms, near, request = debit_terms_file.load(home), debit_facts.around(home), show(home, number)
    target = out / request.path.name
    if request.fate == "送出" and again and not target.exists():
        write_atomic(target, check_file(home, terms, request, near))
        return target
    _refuse_ended(request)
    if not request.approved_by:
        raise RefusedByRule(f"口座振替の請求 {number} は、別の人の承認が要ります", code="two-people")
    today = tokyo_date(clock())
    if today >= request.debit_on:
        raise RefusedByRule("引落日になりました。取り消して、次の引落日で作り直してください", code="debit-day")
    data = check_file(home, terms, request, near)
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        in_turn(connection, "money")
        _refuse_fate(connection, number)
        _refuse_changed(connection, terms, request, near)
        _end(connection, request, "送出", reason="承認された請求", approval=number, actor=actor, now=clock())
        _hand_over(connection, request, terms, actor, clock())
    write_atomic(target, data)
    return target


def _hand_over(connection: Connection, request: Request, terms: DebitTerms, actor: Actor, now: Any) -> None:
    table = ward.handover
    last = connection.execute(select(func.max(table.c.sequence)).where(table.c.crossing == "bank_out")).scalar() or 0
    connection.execute(
        table.insert().values(
            crossing="bank_out",
            counterpart=f"銀行 {terms.bank_code}（口座振替）",
            folder=request.path.name,
            sequence=last + 1,
            sha256=request.sha256,
            row_count=request.line_count,
            total_yen=request.total_yen,
            actor=actor.id,
            at=now,
        )
    )


def _end(
    connection: Connection, request: Request, fate: str, *, reason: str, approval: int | None, actor: Actor, now: Any
) -> None:
    connection.execute(
        ward.debit_fate.insert().values(
            request_id=request.id,
            sha256=request.sha256,
            fate=fate,
            approval_id=approval,
            reason=reason,
            done_by=actor.id,
            done_at=now,
        )
    )
    audit.record(
        connection,
        ward.audit_log,
        at=now,
        actor=actor,
        action="debit.release" if fate == "送出" else "debit.cancel",
        subject=f"{request.id}",
        reason=reason,
        detail={"sha256": request.sha256, "lines": request.line_count},
    )


def cancel(home: Home, number: int, *, reason: str, actor: Actor, clock: Clock) -> int:
    """送り出す前の請求を取り消す。行は、取消で終わった回として残る。取り消した行の数を返す。"""
    request = show(home, number)
    _refuse_ended(request)
    with home.ward.begin() as connection:
        in_turn(connection, "collections")
        _refuse_fate(connection, number)
        reason = two_people.need_reason(reason)
        _end(connection, request, "取消", reason=reason, approval=None, actor=actor, now=clock())
        rows = debit_queries.lines(connection, number)
        columns: Sequence[str] = ("order_id", "receivable_id", "attempt", "outcome", "unpaid")
        ended = rows.with_columns(outcome=pl.lit("取消"), unpaid=pl.lit(1)).select(columns)
        insert_rows(connection, ward.debit_outcome, columns, ended.iter_rows())
    return rows.height
