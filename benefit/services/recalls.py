"""組戻し: 送り出した振込のうち、銀行に返してくれるよう頼む支払。

頼めるのは、送付済（F41）の支払だけである。別の人の承認で頼んだことになり、銀行へ渡す一覧（組戻依頼一覧）ができる。
一覧は振込の指図ではない。返事は銀行の結果（組戻済・組戻不成立）で届き、台帳はその時に動く。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import recalls_list, two_people
from benefit.services.home import Home
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading


@dataclass(frozen=True)
class Recall:
    """組戻しの依頼一つの姿。`left_out` は、その振込のうち頼まない（頼めない）支払の数。"""

    id: int
    transfer_id: int
    pay_date: date
    line_count: int
    total_yen: int
    largest_yen: int
    left_out: int
    asked_by: str
    approved_by: str | None


def advice(pay_date: date, today: date) -> str:
    """間に合いそうかを、頼む人に言う。"""
    if today < pay_date:
        return f"振込指定日（{pay_date}）の前です。すぐに銀行へ電話をし、一覧を渡してください"
    if today == pay_date:
        return "今日が振込指定日です。間に合わないおそれがあります。すぐに銀行へ電話をしてください"
    return (
        f"振込指定日（{pay_date}）を過ぎています。もう入金されているおそれが大きく、組戻しには受取人の承諾が要ります。"
        "不成立なら、次は返還の請求です（benefit repayment ask）"
    )


def ask(
    home: Home, transfer_id: int, *, case_numbers: Sequence[str] | None, reason: str, actor: Actor, clock: Clock
) -> Recall:
    """この振込の全部（`case_numbers` がないとき）か、言われた権利の支払の、組戻しを申し出る。"""
    reason = two_people.need_reason(reason)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        payments = chosen(connection, transfer_id, case_numbers)
        number = two_people.ask(
            connection, ward.recall, described(transfer_id, payments),
            action="recall.ask", subject=f"{transfer_id}", reason=reason, detail={"lines": len(payments)},
            actor=actor, clock=clock,
        )  # fmt: skip
    return show(home, number)


def described(transfer_id: int, payments: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """依頼の行の、中身の列。"""
    return {
        "transfer_id": transfer_id,
        "payments": ",".join(str(row["payment_id"]) for row in payments),
        "line_count": len(payments),
        "total_yen": sum(row["amount_yen"] for row in payments),
        "largest_yen": max(row["amount_yen"] for row in payments),
    }


def lines(connection: Connection, transfer_id: int) -> list[dict[str, Any]]:
    """この振込の行: 支払、状態、給付管理番号、もう頼んだ組戻し（`recall_id`）。"""
    payment, entitlement, line, asked = ward.payment, ward.entitlement, ward.transfer_line, ward.recall_line
    query = (
        select(
            line.c.line_number,
            payment.c.id.label("payment_id"),
            payment.c.state,
            payment.c.amount_yen,
            entitlement.c.case_number,
            asked.c.recall_id,
        )
        .join(payment, payment.c.id == line.c.payment_id)
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .join(asked, asked.c.payment_id == payment.c.id, isouter=True)
        .where(line.c.transfer_id == transfer_id)
        .order_by(line.c.line_number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def chosen(connection: Connection, transfer_id: int, case_numbers: Sequence[str] | None) -> list[dict[str, Any]]:
    """頼む支払。名を挙げた支払は、みな送付済で、まだ頼んでいないものでなければ断る。"""
    released = ward.transfer_release
    if not connection.execute(select(released.c.sha256).where(released.c.transfer_id == transfer_id)).first():
        raise RefusedByRule(
            f"振込 {transfer_id} は送り出していません。送り出す前なら benefit transfer cancel で取り消せます",
            code="not-released",
        )
    every = lines(connection, transfer_id)
    if case_numbers is None:
        found = [row for row in every if row["state"] == "F41" and row["recall_id"] is None]
        if not found:
            raise RefusedByRule(
                f"振込 {transfer_id} に、組戻しを頼める支払（銀行送付済）はありません", code="nothing-to-recall"
            )
        return found
    by_number = {row["case_number"]: row for row in every}
    picked = []
    for number in dict.fromkeys(case_numbers):
        row = by_number.get(number)
        if row is None:
            raise WrongUse(f"給付管理番号 {number} は、振込 {transfer_id} に入っていません", code="no-line")
        if row["recall_id"] is not None:
            raise RefusedByRule(
                f"給付管理番号 {number} の組戻しは、もう頼んであります（依頼 {row['recall_id']}）", code="recalled"
            )
        _refuse_state(row)
        picked.append(row)
    if not picked:
        raise WrongUse("組戻しを頼む給付管理番号がありません", code="no-line")
    return sorted(picked, key=lambda row: row["line_number"])


def _refuse_state(row: dict[str, Any]) -> None:
    instead = {
        "F40": "まだ送り出していません",
        "F42": "もう入金されています。返還を請求します（benefit repayment ask）",
        "F43": "もう振込不能で戻っています",
        "F48": "もう返還されています",
        "F49": "取り消されています",
    }.get(row["state"])
    if instead:
        raise RefusedByRule(
            f"給付管理番号 {row['case_number']} の支払は、{instead}", code="not-sent", found=row["state"], allowed="F41"
        )


def approve(home: Home, number: int, *, out: Path, actor: Actor, clock: Clock) -> Recall:
    """依頼を承認し、銀行へ渡す一覧を `out` に書く。申し出の後に結果が届いていたら断る。"""
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        asked = two_people.approve(
            connection, ward.recall, ward.recall_approval, number, what="組戻し", actor=actor, clock=clock
        )
        wanted = {int(text) for text in asked["payments"].split(",")}
        now_lines = [row for row in lines(connection, asked["transfer_id"]) if row["payment_id"] in wanted]
        for row in now_lines:
            if row["recall_id"] is not None:
                raise RefusedByRule(
                    f"給付管理番号 {row['case_number']} の組戻しは、もう頼んであります", code="recalled"
                )
            _refuse_state(row)
        sent(connection, asked, actor=actor, now=clock(), home=home)
    recalls_list.write(home, number, out)
    return show(home, number)


def sent(connection: Connection, asked: dict[str, Any], *, actor: Actor, now: Any, home: Home) -> None:
    """承認された依頼の行を立て、受渡管理簿に載せる。"""
    number = asked["id"]
    connection.execute(
        ward.recall_line.insert(),
        [{"recall_id": number, "payment_id": int(text)} for text in asked["payments"].split(",")],
    )
    data, programme = recalls_list.render(connection, home, number)
    handover = ward.handover
    last = connection.execute(select(func.max(handover.c.sequence)).where(handover.c.crossing == "recall_out")).scalar()
    connection.execute(
        handover.insert().values(
            crossing="recall_out",
            counterpart=f"銀行 {programme.transfer.sending_bank_code}",
            folder=recalls_list.file_name(number),
            sequence=(last or 0) + 1,
            sha256=recalls_list.sha256_of(data),
            row_count=asked["line_count"],
            total_yen=asked["total_yen"],
            actor=actor.id,
            at=now,
        )
    )
    audit.record(
        connection, ward.audit_log, at=now, actor=actor, action="recall.approve", subject=f"{asked['transfer_id']}",
        reason=asked["reason"],
        detail={"recall": number, "lines": asked["line_count"], "total_yen": asked["total_yen"]},
    )  # fmt: skip


def show(home: Home, number: int) -> Recall:
    """依頼一つ。"""
    recall, approval, transfer = ward.recall, ward.recall_approval, ward.transfer
    with reading(home.ward) as connection:
        row = (
            connection.execute(
                select(recall, transfer.c.pay_date, transfer.c.line_count.label("in_file"), approval.c.approved_by)
                .join(transfer, transfer.c.id == recall.c.transfer_id)
                .join(approval, approval.c.release_id == recall.c.id, isouter=True)
                .where(recall.c.id == number)
            )
            .mappings()
            .first()
        )
    if row is None:
        raise WrongUse(f"組戻しの依頼 {number} はありません", code="no-recall")
    return Recall(
        row["id"],
        row["transfer_id"],
        row["pay_date"],
        row["line_count"],
        row["total_yen"],
        row["largest_yen"],
        row["in_file"] - row["line_count"],
        row["asked_by"],
        row["approved_by"],
    )


def waiting(home: Home, *, today: date) -> pl.DataFrame:
    """頼んだ支払の一覧: 返事を何日待っているか。"""
    return recalls_list.waiting(home, today=today)
