"""振込にできる判定の行と、仕訳の一行。ファイルの行とバイト列は transfer_file。"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from benefit.domain.transfer import POSTINGS
from benefit.store import ward

ACCOUNT = ("bank_code", "branch_code", "account_type", "account_number", "holder_kana")


def superseded() -> ColumnElement[bool]:
    """この判定（`verdict` と `planned_file`）の後に、手紙を出し直したか。古い枝番の申し出は、もう使えない（CHK12）。"""
    reissue = ward.reissue
    return exists().where(
        reissue.c.entitlement_id == ward.verdict.c.entitlement_id,
        reissue.c.made_at >= ward.planned_file.c.judged_at,
    )


def ended() -> ColumnElement[bool]:
    """この判定の権利は、二人の職員が終わらせたか（不支給・辞退・契約不成立）。終わった権利には、もう払わない。"""
    ending, approval = ward.ending, ward.ending_approval
    return exists().where(
        ending.c.entitlement_id == ward.verdict.c.entitlement_id, approval.c.release_id == ending.c.id
    )


def pending_verdicts(connection: Connection, among: Select[tuple[int]] | None = None) -> list[dict[str, Any]]:
    """支給可で、まだ生きた支払になっていない判定の行。権利ごとに一番新しい一つ、給付管理番号の順。

    振込不能の後と全額が返ってきた後は、その後に判定し直した行だけが使える（古い口座の判定で、もう一度払わない）。取り消した
    後は、同じ判定の行から作り直せる。支払が生きている権利は、何度判定されていても出てこない。判定の後に出し直した権利も、
    終わった権利も出てこない。`among` は、この権利だけを見るとき（台帳の全部を読まない）。
    """
    verdict, payment, entitlement = ward.verdict, ward.payment, ward.entitlement
    attempt = payment.alias("attempt")
    newest = (
        select(func.max(attempt.c.attempt))
        .where(attempt.c.entitlement_id == verdict.c.entitlement_id)
        .correlate(verdict)
        .scalar_subquery()
    )
    last = and_(payment.c.entitlement_id == verdict.c.entitlement_id, payment.c.attempt == newest)
    usable = or_(
        payment.c.id.is_(None),
        and_(payment.c.state.in_(["F43", "F48"]), verdict.c.planned_file_id > payment.c.planned_file_id),
        and_(payment.c.state == "F49", verdict.c.planned_file_id >= payment.c.planned_file_id),
    )
    query = (
        select(
            verdict.c.planned_file_id,
            verdict.c.line_number,
            *(verdict.c[name] for name in ACCOUNT),
            entitlement.c.id.label("entitlement_id"),
            entitlement.c.slot,
            entitlement.c.amount_yen,
            entitlement.c.case_number,
            entitlement.c.branch,
            func.coalesce(payment.c.attempt, 0).label("attempts"),
            payment.c.state.label("last_state"),
        )
        .join(entitlement, entitlement.c.id == verdict.c.entitlement_id)
        .join(ward.planned_file, ward.planned_file.c.id == verdict.c.planned_file_id)
        .outerjoin(payment, last)
        .where(verdict.c.verdict == "支給可", usable, ~superseded(), ~ended())
        .order_by(entitlement.c.case_number, verdict.c.planned_file_id)
    )
    if among is not None:
        query = query.where(verdict.c.entitlement_id.in_(among))
    chosen = {row["entitlement_id"]: dict(row) for row in connection.execute(query).mappings()}
    return list(chosen.values())


def posting_row(kind: str, entitlement_id: int, payment_id: int, amount_yen: int, at: Any) -> dict[str, Any]:
    """仕訳一行。"""
    debit, credit = POSTINGS[kind]
    return {
        "at": at,
        "entitlement_id": entitlement_id,
        "payment_id": payment_id,
        "kind": kind,
        "debit": debit,
        "credit": credit,
        "amount_yen": amount_yen,
    }
