"""銀行の行と台帳の支払の突き合わせ（formats §3.5-1）。決められない行は、候補とともに人へ回す。

- 顧客コードがあれば、それが言う支払。ただし口座と金額（と、あれば振込指定日とファイル）まで同じときだけ。
- なければ口座の四項目と金額、振込指定日（なければ直近の営業日の間）、言われたファイル。一つだけ当たるときだけ。
- もう振込不能になっている支払に同じ知らせが別の種類のファイルで来たら、同じ一件である。お金は二度動かない。
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select

from benefit.domain.business_days import is_bank_business_day
from benefit.records.transfer_result_row import REASONS, Outcome, TransferResult
from benefit.services.transfer_file import Origin, origin_of
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import ward

WORDS = {
    Outcome.CREDITED: "credited",
    Outcome.FAILED: "failed",
    Outcome.INQUIRING: "inquiring",
    Outcome.RECALLED: "recalled",
    Outcome.RECALL_FAILED: "recall_failed",
}
#: お金が返ってきた知らせ。
CAME_BACK = ("failed", "recalled")
#: 日付のない知らせで、遡って探す銀行営業日の数（formats §3.5-1 の N。私たちの決まり）。
WINDOW_DAYS = 20
_KEY = (*ACCOUNT[:4], "amount_yen")


@dataclass(frozen=True)
class Found:
    """一行の突き合わせ。`payment_id` がなければ人が見る。`candidates` は当たりうる支払の番号。"""

    payment_id: int | None
    candidates: tuple[int, ...]


def can(state: str, word: str) -> bool:
    """この状態の支払に、この知らせが来てよいか（もう入っている同じ知らせも、来てよい）。"""
    return {
        "credited": state in {"F41", "F42"},
        # 組戻しが成り立たなければ、お金は相手に渡ったままである。
        "recall_failed": state in {"F41", "F42"},
        "failed": state in {"F41", "F42", "F43"},
        "recalled": state in {"F41", "F42", "F43"},
        "inquiring": state == "F41",
    }[word]


def claimed() -> ColumnElement[bool]:
    """この支払（`payment`）には、返還を請求してあるか。支給済のお金が債権に移っているので、後から届いた不能では戻せない。"""
    table, approval = ward.repayment, ward.repayment_approval
    return exists().where(table.c.payment_id == ward.payment.c.id, approval.c.release_id == table.c.id)


def earliest_day(received_on: date) -> date:
    """日付のない知らせで、遡って探す最初の振込指定日。"""
    day, left = received_on, WINDOW_DAYS
    while left:
        day -= timedelta(days=1)
        left -= is_bank_business_day(day)
    return day


def match(
    connection: Connection, rows: Sequence[TransferResult], *, kind: str, received_on: date, transfer: int | None
) -> list[Found]:
    """行の順に、当たった支払。一つの支払は、一つのファイルの中で一つの行にしか当たらない。"""
    by_number = _by_number(connection, rows)
    by_account = _by_account(connection, rows, earliest_day(received_on))
    told = _told_in(connection, kind, [one["payment_id"] for many in by_account.values() for one in many])
    taken: set[int] = set()
    found = []
    for row in rows:
        word = WORDS[row.outcome]
        numbered = bool(row.customer_code1 and row.customer_code2)
        hits = (
            by_number.get((row.customer_code1, row.customer_code2), []) if numbered else by_account.get(_key(row), [])
        )
        same = [one for one in hits if _agrees(one, row, transfer)]
        one = same[0] if len(same) == 1 else None
        if one is not None and (
            one["payment_id"] in taken
            or not can(one["state"], word)
            # 返還を請求した支払に届いた不能は、請求をどうするかを人が決める。
            or (word in CAME_BACK and one["claimed"])
            # 番号のない同じ知らせが、同じ種類のファイルで二度来たら、別の支払かもしれない。
            or (not numbered and one["state"] == "F43" and one["payment_id"] in told)
        ):
            one = None
        if one is not None:
            taken.add(one["payment_id"])
        found.append(Found(one["payment_id"] if one is not None else None, tuple(hit["payment_id"] for hit in same)))
    return found


def _agrees(payment: Any, row: TransferResult, transfer: int | None) -> bool:
    """口座・金額・（あれば）振込指定日・（言われれば）ファイルが同じか。"""
    return (
        tuple(payment[name] for name in _KEY) == _key(row)
        and (row.transferred_on is None or payment["pay_date"] == row.transferred_on)
        and (transfer is None or payment["transfer_id"] == transfer)
    )


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _KEY)


def _by_number(connection: Connection, rows: Sequence[TransferResult]) -> dict[tuple[Any, Any], list[Any]]:
    """顧客コード → 支払。枝番は、出し直しで変わるので見ない。"""
    wanted = {
        (row.customer_code1, row.customer_code2): origin
        for row in rows
        if row.customer_code1 and row.customer_code2 and (origin := origin_of(row.customer_code1, row.customer_code2))
    }
    payment, entitlement = ward.payment, ward.entitlement
    known: dict[Origin, Any] = {}
    cases = [origin.number for origin in wanted.values() if origin.own]
    for one in _payments(connection, cases, entitlement.c.case_number.in_):
        known[Origin(own=True, number=one["case_number"], attempt=one["attempt"])] = one
    failures = [int(origin.number) for origin in wanted.values() if not origin.own]
    for one in _payments(connection, failures, payment.c.failure_id.in_):
        known[Origin(own=False, number=str(one["failure_id"]), attempt=one["attempt"])] = one
    return {codes: [known[origin]] for codes, origin in wanted.items() if origin in known}


def _by_account(
    connection: Connection, rows: Sequence[TransferResult], since: date
) -> dict[tuple[Any, ...], list[Any]]:
    """口座の四項目と金額 → 送った支払。"""
    numbers = [row.account_number for row in rows if not (row.customer_code1 and row.customer_code2)]
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    payment, transfer = ward.payment, ward.transfer
    for one in _payments(
        connection,
        numbers,
        lambda part: (
            payment.c.account_number.in_(part)
            & payment.c.state.in_(["F41", "F42", "F43"])
            & (transfer.c.pay_date >= since)
        ),
    ):
        found[tuple(one[name] for name in _KEY)].append(one)
    return found


def _payments(
    connection: Connection, wanted: Iterable[Any], chosen: Callable[[list[Any]], ColumnElement[bool]]
) -> list[Any]:
    """送った支払を、番号の並びを分けて引く（SQLite の変数の上限。台帳の全部は読まない）。"""
    payment, entitlement, line, transfer = ward.payment, ward.entitlement, ward.transfer_line, ward.transfer
    query = (
        select(
            payment.c.id.label("payment_id"),
            payment.c.failure_id,
            payment.c.attempt,
            payment.c.state,
            claimed().label("claimed"),
            *(payment.c[name] for name in _KEY),
            entitlement.c.case_number,
            line.c.transfer_id,
            transfer.c.pay_date,
        )
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id, isouter=True)
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .order_by(payment.c.id)
    )
    keys = sorted(set(wanted))
    return [
        row
        for start in range(0, len(keys), 500)
        for row in connection.execute(query.where(chosen(keys[start : start + 500]))).mappings()
    ]


def _told_in(connection: Connection, kind: str, payments: Sequence[int]) -> set[int]:
    """この種類のファイルで、もう返ったと知らせのあった支払。"""
    line, report = ward.bank_report_line, ward.bank_report
    keys = sorted(set(payments))
    match, approval = ward.report_match, ward.report_match_approval
    same_line = (match.c.bank_report_id == line.c.bank_report_id) & (match.c.line_number == line.c.line_number)
    came_back = (report.c.kind == kind) & line.c.outcome.in_(CAME_BACK)
    by_machine = select(line.c.payment_id).join(report, report.c.id == line.c.bank_report_id).where(came_back)
    by_people = (
        select(match.c.payment_id)
        .join(approval, approval.c.release_id == match.c.id)
        .join(line, same_line)
        .join(report, report.c.id == line.c.bank_report_id)
        .where(came_back)
    )
    found: set[int] = set()
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        found |= set(connection.execute(by_machine.where(line.c.payment_id.in_(part))).scalars())
        found |= set(connection.execute(by_people.where(match.c.payment_id.in_(part))).scalars())
    return found


def stored_line(position: int, row: TransferResult, found: Found) -> dict[str, Any]:
    """台帳に残す一行。口座と日付は、銀行の書いたとおり（seed 000 の六項目）。"""
    return {
        "line_number": position,
        "payment_id": found.payment_id,
        "outcome": WORDS[row.outcome],
        "reason_code": row.reason_code,
        "reason": row.reason or REASONS[row.reason_code].says,
        "amount_yen": row.amount_yen,
        "candidates": ";".join(map(str, found.candidates)),
        **{name: getattr(row, name) for name in ACCOUNT},
        "transferred_on": row.transferred_on,
    }
