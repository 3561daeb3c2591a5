"""一つの権利に関わる、区の台帳の行を集める: 手紙、支給判定、支払、終わり、出し直し、給付管理から届いた進み。"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from benefit.services.ward_case import Trail
from benefit.store import ward


def trails(connection: Connection, cases: Sequence[Mapping[str, Any]]) -> list[Trail]:
    """`ward.entitlement` の行（登録の日 built_at と、承認の日 approved_at を足したもの）から、跡を集める。"""
    found = {case["id"]: Trail(dict(case)) for case in cases}
    ids = list(found)
    queries = (
        ("letters", _letters(ids)),
        ("verdicts", _verdicts(ids)),
        ("payments", _payments(ids)),
        ("endings", _endings(ids)),
        ("reissues", _reissues(ids)),
        ("desk", _desk(ids)),
        ("events", _events(ids)),
        ("contacts", _contacts(ids)),
    )
    for name, query in queries:
        for row in connection.execute(query).mappings():
            getattr(found[row["entitlement_id"]], name).append(dict(row))
    return list(found.values())


def cases_query() -> Select[Any]:
    """権利の行と、登録・承認した判定の時刻。"""
    table, valid, run, approval = ward.entitlement, ward.valid_entitlement, ward.run, ward.run_approval
    return (
        select(table, run.c.built_at, run.c.built_by, approval.c.approved_at, approval.c.approved_by)
        .join(run, run.c.id == table.c.run_id)
        .join(valid, valid.c.entitlement_id == table.c.id, isouter=True)
        .join(approval, approval.c.run_id == valid.c.run_id, isouter=True)
        .order_by(table.c.case_number)
    )


def _letters(ids: list[int]) -> Select[Any]:
    table = ward.letter
    return select(table).where(table.c.entitlement_id.in_(ids)).order_by(table.c.id)


def _verdicts(ids: list[int]) -> Select[Any]:
    verdict, file = ward.verdict, ward.planned_file
    return (
        select(verdict, file.c.file_number, file.c.judged_on, file.c.programme)
        .join(file, file.c.id == verdict.c.planned_file_id)
        .where(verdict.c.entitlement_id.in_(ids))
        .order_by(file.c.id)
    )


def _payments(ids: list[int]) -> Select[Any]:
    payment, line, transfer, release = ward.payment, ward.transfer_line, ward.transfer, ward.transfer_release
    answer = ward.bank_report_line
    told = (
        # 結果と知らせの二度届くことがある。支払に一行だけにする。
        select(answer.c.payment_id, func.max(answer.c.reason).label("reason"))
        .where(answer.c.outcome == "failed")
        .group_by(answer.c.payment_id)
        .subquery()
    )
    return (
        select(
            payment,
            line.c.transfer_id,
            transfer.c.pay_date,
            transfer.c.made_at,
            transfer.c.made_by,
            release.c.released_at,
            release.c.released_by,
            told.c.reason,
        )
        .join(line, line.c.payment_id == payment.c.id, isouter=True)
        .join(transfer, transfer.c.id == line.c.transfer_id, isouter=True)
        .join(release, release.c.transfer_id == transfer.c.id, isouter=True)
        .join(told, told.c.payment_id == payment.c.id, isouter=True)
        .where(payment.c.entitlement_id.in_(ids))
        .order_by(payment.c.attempt, payment.c.id)
    )


def _endings(ids: list[int]) -> Select[Any]:
    table, approval = ward.ending, ward.ending_approval
    return (
        select(table, approval.c.approved_by, approval.c.approved_at)
        .join(approval, approval.c.release_id == table.c.id)
        .where(table.c.entitlement_id.in_(ids))
        .order_by(table.c.id)
    )


def _reissues(ids: list[int]) -> Select[Any]:
    table = ward.reissue
    return select(table).where(table.c.entitlement_id.in_(ids)).order_by(table.c.branch)


def _desk(ids: list[int]) -> Select[Any]:
    progress, table = ward.desk_progress, ward.entitlement
    return (
        select(progress, table.c.id.label("entitlement_id"))
        .join(table, table.c.case_number == progress.c.case_number)
        .where(table.c.id.in_(ids))
        .order_by(progress.c.sequence)
    )


def _events(ids: list[int]) -> Select[Any]:
    event, table = ward.desk_event, ward.entitlement
    return (
        select(event, table.c.id.label("entitlement_id"))
        .join(table, table.c.case_number == event.c.case_number)
        .where(table.c.id.in_(ids))
        .order_by(event.c.event_id)
    )


def _contacts(ids: list[int]) -> Select[Any]:
    contact, table = ward.desk_contact, ward.entitlement
    return (
        select(contact, table.c.id.label("entitlement_id"))
        .join(table, table.c.case_number == contact.c.case_number)
        .where(table.c.id.in_(ids))
        .order_by(contact.c.contact_id)
    )
