"""振込ファイルを作る: 行を選び、支払（F40）を台帳に載せ、バイト列を作る。

行の出どころは二つ: 支給可の判定（この給付）と、承認された回答（ほかの課の不能の再振込）。
一つのファイルには一方だけが入る。
銀行の受け付ける件数と合計を超える分は、次のファイルになる。予算を超えるファイルは作らない。
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from typing import Any

from sqlalchemy import Connection, DateTime, func, literal, select
from sqlalchemy.exc import IntegrityError

from benefit.domain.access import Actor
from benefit.domain.errors import RefusedByRule
from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES, POSTINGS
from benefit.records.bank_master import BankMaster
from benefit.services.files import sha256_of
from benefit.services.transfer_file import content_key, lines_where, render
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import audit, ward

#: 同じお金の前の支払の状態 → 先に立てる仕訳。取り消した後の作り直しは未払がもう立っている。
#: 全額が返ってきた後は初めから立てる。
OPENINGS = {None: ("decide",), "F43": ("retry",), "F48": ("decide",), "F49": ()}
#: ほかの課のお金は、初めに預かる。
OPENINGS_OF_OTHERS = {None: ("accept", "retry"), "F43": ("retry",), "F49": ()}


def within_file(lines: Sequence[dict[str, Any]], programme: Programme) -> list[dict[str, Any]]:
    """初めから、銀行の一つのファイルに入るところまで。一件で合計を超える行は断る。"""
    terms = programme.transfer
    totals = accumulate(line["amount_yen"] for line in lines)
    kept = sum(total <= terms.file_total_max_yen for total in totals)
    if lines and not kept:
        raise RefusedByRule(
            "一件で、一つのファイルに入る合計を超えています",
            code="file-ceiling",
            found=f"{lines[0]['amount_yen']:,} 円",
            allowed=f"{terms.file_total_max_yen:,} 円まで",
        )
    return list(lines[: min(kept, terms.file_line_max)])


def within_budget(connection: Connection, lines: Sequence[dict[str, Any]], programme: Programme) -> None:
    """払った分と途中の分を足して、予算を超えるなら断る（阿武町の事例）。"""
    budget_yen = programme.transfer.budget_yen
    if budget_yen is None:
        return
    payment, entitlement = ward.payment, ward.entitlement
    spent_yen = int(
        connection.execute(
            select(func.coalesce(func.sum(payment.c.amount_yen), 0))
            .join(entitlement, entitlement.c.id == payment.c.entitlement_id)
            .where(payment.c.state.in_(LIVE_STATES), entitlement.c.programme == programme.id)
        ).scalar_one()
    )
    total_yen = sum(line["amount_yen"] for line in lines)
    if spent_yen + total_yen > budget_yen:
        raise RefusedByRule(
            "このファイルを作ると、この給付の予算を超えます",
            code="budget",
            found=f"{total_yen:,} 円",
            allowed=f"残りの予算 {budget_yen - spent_yen:,} 円まで",
        )


def register(
    connection: Connection,
    lines: Sequence[dict[str, Any]],
    programme: Programme,
    *,
    pay_date: date,
    bank_master: BankMaster,
    actor: Actor,
    now: Any,
) -> tuple[int, bytes]:
    """支払と振込を台帳に載せる。(振込の番号, バイト列)。お金の列（in_turn）の中で呼ぶ。"""
    first = (connection.execute(select(func.max(ward.payment.c.id))).scalar() or 0) + 1
    number = (connection.execute(select(func.max(ward.transfer.c.id))).scalar() or 0) + 1
    _add_payments(connection, lines, first)
    mine = ward.payment.c.id >= first
    filed = lines_where(connection, mine)
    data = render(filed, programme, pay_date, bank_master)
    connection.execute(
        ward.transfer.insert().values(
            id=number,
            programme=programme.id,
            pay_date=pay_date,
            sha256=sha256_of(data),
            content_key=content_key(filed),
            line_count=len(filed),
            total_yen=sum(line["amount_yen"] for line in filed),
            largest_yen=max(line["amount_yen"] for line in filed),
            made_by=actor.id,
            made_at=now,
        )
    )
    connection.execute(
        ward.transfer_line.insert().from_select(
            ["transfer_id", "line_number", "payment_id"],
            select(literal(number), ward.payment.c.id - (first - 1), ward.payment.c.id).where(mine),
        )
    )
    _post(connection, lines, first, now)
    audit.record(
        connection,
        ward.audit_log,
        at=now,
        actor=actor,
        action="transfer.make",
        subject=f"{number}",
        detail={"lines": len(filed), "sha256": sha256_of(data)},
    )
    return number, data


def _add_payments(connection: Connection, lines: Sequence[dict[str, Any]], first: int) -> None:
    """支払を台帳に載せる。ここで slot の一意索引が、二重の支払を断る。"""
    origins = ("entitlement_id", "planned_file_id", "line_number", "failure_id", "failure_answer_id")
    rows = [
        {
            "id": first + offset,
            "slot": line["slot"],
            "attempt": line["attempts"] + 1,
            "amount_yen": line["amount_yen"],
            "state": "F40",
            **{name: line.get(name) for name in origins},
            **{name: line[name] for name in ACCOUNT},
        }
        for offset, line in enumerate(lines)
    ]
    try:
        connection.execute(ward.payment.insert(), rows)
    except IntegrityError:
        raise RefusedByRule(
            "すでに振り込んだ、または振込の途中の権利が含まれているため、作れません。支給判定をやり直してください",
            code="paid-once",
        ) from None


def _post(connection: Connection, lines: Sequence[dict[str, Any]], first: int, now: Any) -> None:
    """仕訳を立てる。同じ仕訳の支払をまとめて、台帳の中で写す。"""
    kinds: dict[str, list[int]] = {"file": list(range(first, first + len(lines)))}
    for offset, line in enumerate(lines):
        openings = OPENINGS if line.get("failure_id") is None else OPENINGS_OF_OTHERS
        for kind in openings[line["last_state"]]:
            kinds.setdefault(kind, []).append(first + offset)
    for kind in sorted(kinds, key=list(POSTINGS).index):
        post(connection, kind, kinds[kind], now)


def post(connection: Connection, kind: str, payments: Sequence[int], now: Any) -> None:
    """この支払に、この種類の仕訳を立てる。番号の並びは分けて渡す（SQLite の変数の上限）。"""
    for start in range(0, len(payments), 500):
        post_where(connection, kind, ward.payment.c.id.in_(payments[start : start + 500]), now)


def post_where(connection: Connection, kind: str, chosen: Any, now: Any) -> None:
    """選んだ支払の全部に、この種類の仕訳を立てる。"""
    debit, credit = POSTINGS[kind]
    payment = ward.payment
    connection.execute(
        ward.posting.insert().from_select(
            ["at", "entitlement_id", "payment_id", "kind", "debit", "credit", "amount_yen"],
            select(
                literal(now, DateTime(timezone=True)),
                payment.c.entitlement_id,
                payment.c.id,
                literal(kind),
                literal(debit),
                literal(credit),
                payment.c.amount_yen,
            )
            .where(chosen)
            .order_by(payment.c.id),
        )
    )
