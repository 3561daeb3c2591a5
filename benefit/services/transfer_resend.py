"""ほかの課の不能の再振込: 承認された回答から、振込にできる行を選ぶ（formats §3.5-3・4）。"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.errors import RefusedByRule
from benefit.records.bank_master import BankMaster
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward


def answers_in_force(connection: Connection) -> dict[int, dict[str, Any]]:
    """不能の番号 → いま効いている回答（承認されたもののうち、一番新しいもの）。"""
    answer, approval = ward.failure_answer, ward.failure_answer_approval
    query = (
        select(answer, approval.c.approved_by, approval.c.approved_at)
        .join(approval, approval.c.release_id == answer.c.id)
        .order_by(answer.c.id)
    )
    return {row["failure_id"]: dict(row) for row in connection.execute(query).mappings()}


def resendable(connection: Connection) -> list[dict[str, Any]]:
    """再振込の回答が効いていて、まだ生きた支払のない不能の行。不能の番号の順。"""
    failure, payment = ward.failure, ward.payment
    wanted = {key: row for key, row in answers_in_force(connection).items() if row["kind"] == "再振込"}
    own, matched = matched_to_own(connection), matched_failures(connection)
    last: dict[str, Any] = {}
    for old in connection.execute(
        select(payment.c.slot, payment.c.attempt, payment.c.state, payment.c.failure_id)
        .where(payment.c.failure_id.is_not(None))
        .order_by(payment.c.id)
    ):
        last[old.slot] = old
    newest = set(connection.execute(select(func.max(failure.c.id)).group_by(failure.c.slot)).scalars())
    found = []
    for row in connection.execute(select(failure).order_by(failure.c.id)).mappings():
        answer, before = wanted.get(row["id"]), last.get(row["slot"])
        # 同じお金の、一番新しい不能だけ。前の不能は、もう一度振り込んで返ってきたことで終わっている。
        if answer is None or row["id"] not in newest or row["id"] in own:
            continue
        # この不能からもう作ったなら、取り消したときだけ作り直せる。
        if before is not None and before.state not in {"F43", "F49"}:
            continue
        if before is not None and before.state == "F43" and before.failure_id == row["id"]:
            continue
        found.append(
            {
                "failure_id": row["id"],
                "failure_answer_id": answer["id"],
                "slot": row["slot"],
                "amount_yen": row["amount_yen"],
                "attempts": before.attempt if before else 0,
                # 人が前の再振込に結んだ不能のお金は、もう預かっている。
                "last_state": before.state if before else "F43" if row["id"] in matched else None,
                **{name: answer[name] for name in ACCOUNT},
            }
        )
    return found


def matched_failures(connection: Connection) -> dict[int, int]:
    """人が支払に結んだ不能: 不能の番号 → 支払の番号。"""
    match, approval, failure = ward.report_match, ward.report_match_approval, ward.failure
    query = (
        select(failure.c.id, match.c.payment_id)
        .join(
            match,
            (match.c.bank_report_id == failure.c.bank_report_id) & (match.c.line_number == failure.c.line_number),
        )
        .join(approval, approval.c.release_id == match.c.id)
    )
    return {row.id: row.payment_id for row in connection.execute(query)}


def _bound_failures(connection: Connection) -> dict[int, int]:
    """機械がこの給付の支払に結んだ不能: 不能の番号 → 支払の番号。"""
    line, failure, payment = ward.bank_report_line, ward.failure, ward.payment
    query = (
        select(failure.c.id, payment.c.id.label("payment_id"))
        .join(line, (line.c.bank_report_id == failure.c.bank_report_id) & (line.c.line_number == failure.c.line_number))
        .join(payment, payment.c.id == line.c.payment_id)
        .where(payment.c.entitlement_id.is_not(None))
    )
    return {row.id: row.payment_id for row in connection.execute(query)}


def matched_to_own(connection: Connection) -> set[int]:
    """この給付の支払に、機械か人が結んだ不能。再振込は、給付の道（判定）から行う。"""
    return set(own_failures(connection))


def own_failures(connection: Connection) -> dict[int, int]:
    """この給付の支払に結ばれた不能: 不能の番号 → 支払の番号。"""
    matched, payment = matched_failures(connection), ward.payment
    own = connection.execute(
        select(payment.c.id).where(payment.c.entitlement_id.is_not(None), payment.c.id.in_(matched.values()))
    ).scalars()
    paid = set(own)
    by_people = {number: payment_id for number, payment_id in matched.items() if payment_id in paid}
    return {**_bound_failures(connection), **by_people}


def withdrawn(connection: Connection, lines: Sequence[dict[str, Any]]) -> list[str]:
    """作った後に、回答が変わった・支払に結ばれた再振込の行の説明。"""
    ours = [line for line in lines if line["failure_id"] is not None]
    if not ours:
        return []
    answers, matched = answers_in_force(connection), matched_to_own(connection)
    return [
        f"不能 {line['failure_id']}（{'支払に結ばれた' if line['failure_id'] in matched else '回答が変わった'}）"
        for line in ours
        if line["failure_id"] in matched or answers[line["failure_id"]]["id"] != line["failure_answer_id"]
    ]


def refuse_unknown_branches(lines: Sequence[dict[str, Any]], bank_master: BankMaster) -> None:
    """金融機関・店舗の表にない口座へは振り込まない（CHK80 と同じ）。"""
    unknown = [line["failure_id"] for line in lines if bank_master.find(line["bank_code"], line["branch_code"]) is None]
    if unknown:
        raise RefusedByRule(
            f"金融機関・店舗の表にない口座の再振込が {len(unknown)} 件あります（不能 {unknown[0]} ほか）。"
            "回答を直してください",
            code="no-branch",
        )
