"""消えた行: 前に申し出のあった権利のうち、まだ払われず、終わってもいないのに、このファイルにないもの（宮崎市の事例）。

前のファイルと、前のファイルで消えていた行と、払えずに終わった支払だけを見れば、申し出のあった全部を見たことになる:
どの権利も、申し出のあったファイルの次のファイルでは、そこにあるか、払われたか、消えた行になっているからである。
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, case, exists, func, not_, select, text, union

from benefit.domain.programme import Programme
from benefit.domain.transfer import LIVE_STATES
from benefit.services.transfer_lines import superseded
from benefit.store import ward

#: 区の行のファイル番号の頭と、判定し直した回の印。委託先のファイルの番号には、どちらも使えない。
WARD_FILE, AGAIN = "WARD-", "+"


def by_contractor(file_number: Any) -> Any:
    """委託先から届いたファイルか（区の行でも、判定し直した回でもない）。"""
    return and_(
        not_(file_number.startswith(WARD_FILE, autoescape=True)), not_(file_number.contains(AGAIN, autoescape=True))
    )


def record_vanished(connection: Connection, programme: Programme, file_id: int) -> int:
    """このファイルから消えた行を台帳に残し、その数を返す。判定の登録と同じトランザクションの中で呼ぶ。"""
    file, verdict, payment, vanished = ward.planned_file, ward.verdict, ward.payment, ward.vanished
    mine = connection.execute(select(file.c.file_number).where(file.c.id == file_id, by_contractor(file.c.file_number)))
    if mine.first() is None:
        return 0
    before = connection.execute(
        select(func.max(file.c.id)).where(
            file.c.programme == programme.id, file.c.id < file_id, by_contractor(file.c.file_number)
        )
    ).scalar()
    if before is None:
        return 0
    candidates = union(
        select(verdict.c.entitlement_id).where(
            verdict.c.planned_file_id == before, verdict.c.entitlement_id.is_not(None)
        ),
        select(vanished.c.entitlement_id).where(vanished.c.planned_file_id == before),
        select(payment.c.entitlement_id)
        .join(ward.entitlement, ward.entitlement.c.id == payment.c.entitlement_id)
        # 小さな索引（ix_payment_unpaid）は、条件が字のとおりのときだけ使われる。
        .where(text("payment.state IN ('F43', 'F48', 'F49')"), ward.entitlement.c.programme == programme.id),
    ).subquery()
    here, other, attempt, alive = (
        verdict.alias("here"),
        verdict.alias("other"),
        payment.alias("attempt"),
        payment.alias("alive"),
    )
    present = select(here.c.entitlement_id).where(here.c.planned_file_id == file_id, here.c.entitlement_id.is_not(None))
    live = exists().where(alive.c.entitlement_id == candidates.c.entitlement_id, alive.c.state.in_(LIVE_STATES))
    ending, approved = ward.ending, ward.ending_approval
    ended = exists().where(ending.c.entitlement_id == candidates.c.entitlement_id, approved.c.release_id == ending.c.id)
    newest = (
        select(func.max(other.c.planned_file_id))
        .where(other.c.entitlement_id == candidates.c.entitlement_id, other.c.planned_file_id < file_id)
        .correlate(candidates)
        .scalar_subquery()
    )
    last = (
        select(func.max(attempt.c.attempt))
        .where(attempt.c.entitlement_id == candidates.c.entitlement_id)
        .correlate(candidates)
        .scalar_subquery()
    )
    # 最後の支払が、最後の判定の後なら、支払のありさまを言う。
    paid_after = and_(payment.c.id.is_not(None), payment.c.planned_file_id >= verdict.c.planned_file_id)
    standing = case(
        (and_(paid_after, payment.c.state == "F43"), "振込不能"),
        (and_(paid_after, payment.c.state == "F48"), "返還済"),
        (and_(paid_after, payment.c.state == "F49"), "取消"),
        (superseded(), "出し直し"),
        (verdict.c.verdict == "支給可", "振込待ち"),
        else_=verdict.c.verdict,
    )
    query = (
        select(
            candidates.c.entitlement_id,
            verdict.c.planned_file_id,
            func.max(verdict.c.line_number),
            func.max(standing),
        )
        .select_from(candidates)
        .join(
            verdict,
            and_(verdict.c.entitlement_id == candidates.c.entitlement_id, verdict.c.planned_file_id == newest),
        )
        .join(file, file.c.id == verdict.c.planned_file_id)
        .outerjoin(payment, and_(payment.c.entitlement_id == candidates.c.entitlement_id, payment.c.attempt == last))
        .where(
            candidates.c.entitlement_id.not_in(present),
            ~live,
            ~ended,
            # 区が直接扱うことになった人の行は、区の中で判定されている。
            not_(file.c.file_number.startswith(WARD_FILE, autoescape=True)),
        )
        .group_by(candidates.c.entitlement_id, verdict.c.planned_file_id)
    )
    gone = [
        {
            "planned_file_id": file_id,
            "entitlement_id": row[0],
            "before_file_id": row[1],
            "before_line": row[2],
            "standing": row[3],
        }
        for row in connection.execute(query)
    ]
    if gone:
        connection.execute(vanished.insert(), gone)
    return len(gone)
