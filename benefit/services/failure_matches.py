"""機械が決められなかった銀行の行を、人が支払に結ぶ。一人が申し出、別の人が承認した時に、一度だけ、機械と同じに動く。"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import RefusedByRule, WrongUse
from benefit.services import two_people
from benefit.services.bank_report_match import CAME_BACK, can, claimed
from benefit.services.bank_reports import move
from benefit.services.failures import item
from benefit.services.home import Home
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading


def unmatched(home: Home) -> list[dict[str, Any]]:
    """支払に結ばれていない銀行の行（取込の番号、行、結果、金額、候補の支払）。"""
    line, report = ward.bank_report_line, ward.bank_report
    with reading(home.ward) as connection:
        bound = _bound(connection)
        query = (
            select(line, report.c.file_name)
            .join(report, report.c.id == line.c.bank_report_id)
            .where(line.c.payment_id.is_(None))
            .order_by(line.c.bank_report_id, line.c.line_number)
        )
        return [
            {**row, "candidates": candidates(connection, row["candidates"])}
            for row in connection.execute(query).mappings()
            if (row["bank_report_id"], row["line_number"]) not in bound
        ]


def candidates(connection: Connection, numbers: str) -> list[dict[str, Any]]:
    """候補の支払: 支払の番号、給付管理番号（ほかの課の再振込なら不能の番号）、回、状態、振込指定日。"""
    payment, entitlement, line, transfer = ward.payment, ward.entitlement, ward.transfer_line, ward.transfer
    query = (
        select(
            payment.c.id,
            payment.c.attempt,
            payment.c.state,
            payment.c.failure_id,
            entitlement.c.case_number,
            transfer.c.id.label("transfer_id"),
            transfer.c.pay_date,
        )
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .where(payment.c.id.in_([int(number) for number in numbers.split(";") if number]))
        .order_by(payment.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def propose(
    home: Home, report_id: int, line_number: int, payment_id: int, *, reason: str, actor: Actor, clock: Clock
) -> int:
    """この行はこの支払のことだと申し出る。申し出の番号を返す。"""
    reason = two_people.need_reason(reason)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        _refuse(connection, report_id, line_number, payment_id, clock)
        return two_people.ask(
            connection,
            ward.report_match,
            {"bank_report_id": report_id, "line_number": line_number, "payment_id": payment_id},
            action="failure.match_ask",
            subject=f"{report_id}-{line_number}",
            reason=reason,
            actor=actor,
            clock=clock,
        )


def approve(home: Home, number: int, *, actor: Actor, clock: Clock) -> None:
    """結び付けを承認し、機械が結んだときと同じに、支払を進める。もう結ばれた行・回答の出た行は断る。"""
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        asked = connection.execute(select(ward.report_match).where(ward.report_match.c.id == number)).mappings().first()
        if asked is not None:
            _refuse(connection, asked["bank_report_id"], asked["line_number"], asked["payment_id"], clock)
        two_people.approve(
            connection,
            ward.report_match,
            ward.report_match_approval,
            number,
            what="結び付け",
            actor=actor,
            clock=clock,
        )
        assert asked is not None
        line = ward.bank_report_line
        here = (line.c.bank_report_id == asked["bank_report_id"]) & (line.c.line_number == asked["line_number"])
        move(connection, here, clock(), payment_id=asked["payment_id"])
        audit.record(
            connection,
            ward.audit_log,
            at=clock(),
            actor=actor,
            action="failure.match",
            subject=f"{asked['bank_report_id']}-{asked['line_number']}",
            reason=asked["reason"],
            detail={"number": number},
        )


def _bound(connection: Connection) -> set[tuple[int, int]]:
    match, approval = ward.report_match, ward.report_match_approval
    query = select(match.c.bank_report_id, match.c.line_number).join(approval, approval.c.release_id == match.c.id)
    return {(row[0], row[1]) for row in connection.execute(query)}


def _refuse(connection: Connection, report_id: int, line_number: int, payment_id: int, clock: Clock) -> None:
    """この行を、この支払に結んではいけないわけ。"""
    line, failure, payment = ward.bank_report_line, ward.failure, ward.payment
    here = select(line).where(line.c.bank_report_id == report_id, line.c.line_number == line_number)
    row = connection.execute(here).mappings().first()
    here_paid = payment.c.id == payment_id
    paid = connection.execute(select(payment).where(here_paid)).mappings().first()
    place = f"取込 {report_id} の {line_number} 番目の行"
    if row is None or paid is None:
        raise WrongUse(f"{place} か支払 {payment_id} がありません", code="no-line")
    if row["payment_id"] is not None or (report_id, line_number) in _bound(connection):
        raise RefusedByRule(f"{place}は、もう支払に結ばれています", code="matched")
    same = all(row[name] == paid[name] for name in (*ACCOUNT[:4], "amount_yen"))
    if not same:
        raise RefusedByRule(f"{place}と支払 {payment_id} は、口座か金額が違います", code="another-account")
    if not can(paid["state"], row["outcome"]):
        raise RefusedByRule(f"支払 {payment_id} の状態（{paid['state']}）に、この結果は結べません", code="state")
    if row["outcome"] in CAME_BACK and connection.execute(select(payment.c.id).where(here_paid, claimed())).first():
        raise RefusedByRule(
            f"支払 {payment_id} には、返還を請求してあります。銀行から戻ったお金は、返還の入金として数えます"
            "（benefit repayment receive）",
            code="claimed",
        )
    number = connection.execute(
        select(failure.c.id).where(failure.c.bank_report_id == report_id, failure.c.line_number == line_number)
    ).scalar()
    if number is not None:
        found = item(connection, number, tokyo_date(clock()))
        if found["answer_kind"] in {"再振込", "戻入"} or found["next_state"] is not None:
            raise RefusedByRule(
                f"不能 {number} には、もう承認された回答（{found['answer_kind'] or found['status']}）があります",
                code="answered",
            )
