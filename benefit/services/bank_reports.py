"""銀行から届くもの: 結果（入金済・振込不能）と、振込不能の知らせ。台帳の支払と突き合わせる。

突き合わせの鍵の順（formats.md §3.5）: 顧客コード1・2 と金額があれば番号で。なければ口座五項目のうち番号までと
金額（と、あれば振込指定日）で。二つ以上当たる行、一つも当たらない行は、機械が決めずに人へ回す。
行は一つも失われない: 読込 = 突合 + 人が見る。
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.errors import Place, RefusedInput
from benefit.records import transfer_results
from benefit.records.transfer_result_row import REASONS, Outcome, TransferResult
from benefit.services.files import read_input, sha256_of
from benefit.services.home import Home
from benefit.services.transfer_lines import customer_codes, posting_row
from benefit.store import audit, ward
from benefit.store.engine import in_turn, reading

NAMES = {"results": "振込結果", "failures": "振込不能"}
_WORDS = {
    Outcome.CREDITED: "credited",
    Outcome.FAILED: "failed",
    Outcome.INQUIRING: "inquiring",
    Outcome.RECALLED: "recalled",
    Outcome.RECALL_FAILED: "credited",
}


@dataclass(frozen=True)
class Taken:
    """取込一回の結果。to_people は、人が決める行の説明（番号だけ。氏名や口座は含まない）。"""

    rows_read: int
    matched: int
    unmatched: int
    credited: int
    failed: int
    inquiring: int
    to_people: tuple[str, ...]
    repeated: bool


def take(home: Home, kind: str, path: Path, *, clock: Clock) -> Taken:
    """`results`（120 桁）か `failures`（CSV か 120 桁）を取り込む。同じファイルは二度効かない。"""
    data = read_input(path)
    fingerprint = sha256_of(data)
    with reading(home.ward) as connection:
        known = connection.execute(
            select(ward.bank_report.c.id).where(ward.bank_report.c.sha256 == fingerprint)
        ).scalar()
    if known is not None:
        return _summary(home, known, repeated=True)
    rows = transfer_results.read(data, file=path.name).rows
    if kind == "failures" and any(row.outcome is Outcome.CREDITED for row in rows):
        raise RefusedInput(
            "振込不能の知らせに、入金済の行があります。結果のファイルなら benefit transfer results で取り込みます",
            code="failures-credited",
            place=Place(file=path.name),
        )
    now = clock()
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        known = connection.execute(
            select(ward.bank_report.c.id).where(ward.bank_report.c.sha256 == fingerprint)
        ).scalar()
        if known is not None:
            return _summary(home, known, repeated=True)
        lines, moves = _match(connection, rows)
        report_id = connection.execute(
            ward.bank_report.insert().values(
                kind=kind,
                sha256=fingerprint,
                file_name=path.name,
                rows_read=len(lines),
                rows_matched=sum(line["payment_id"] is not None for line in lines),
                rows_unmatched=sum(line["payment_id"] is None for line in lines),
                received_at=now,
            )
        ).inserted_primary_key[0]  # type: ignore[index]
        connection.execute(ward.bank_report_line.insert(), [{"bank_report_id": report_id, **line} for line in lines])
        _move(connection, moves, now)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=BATCH,
            action=f"transfer.{kind}",
            subject=fingerprint[:16],
            detail={"sha256": fingerprint, "rows": len(lines)},
        )
    return _summary(home, report_id, repeated=False)


def _match(
    connection: Connection, rows: Sequence[TransferResult]
) -> tuple[list[dict[str, Any]], list[tuple[dict[str, Any], str]]]:
    """(登録する行, 進める支払と出来事)。"""
    payments = _sent_payments(connection)
    by_number: dict[tuple[str, str], dict[str, Any]] = {customer_codes(p): p for p in payments}
    by_account: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for payment in payments:
        by_account[_account_key(payment)].append(payment)
    taken: set[int] = set()
    lines: list[dict[str, Any]] = []
    moves: list[tuple[dict[str, Any], str]] = []
    for position, row in enumerate(rows, 1):
        candidates = _candidates(row, by_number, by_account)
        one = candidates[0] if len(candidates) == 1 else None
        word = _WORDS[row.outcome]
        line = {
            "line_number": position,
            "payment_id": None,
            "outcome": "unmatched",
            "reason_code": row.reason_code,
            "reason": row.reason or REASONS[row.reason_code].says,
            "amount_yen": row.amount_yen,
            "candidates": ";".join(p["case_number"] for p in candidates),
        }
        if one is not None and one["payment_id"] not in taken and _can(one["state"], word):
            taken.add(one["payment_id"])
            line |= {"payment_id": one["payment_id"], "outcome": word}
            moves.append((one, word))
        lines.append(line)
    return lines, moves


def _sent_payments(connection: Connection) -> list[dict[str, Any]]:
    payment, entitlement, line, transfer = ward.payment, ward.entitlement, ward.transfer_line, ward.transfer
    query = (
        select(
            payment.c.id.label("payment_id"),
            payment.c.entitlement_id,
            payment.c.state,
            payment.c.amount_yen,
            payment.c.bank_code,
            payment.c.branch_code,
            payment.c.account_type,
            payment.c.account_number,
            (payment.c.attempt - 1).label("attempts"),
            entitlement.c.case_number,
            entitlement.c.branch,
            transfer.c.pay_date,
        )
        .join(entitlement, entitlement.c.id == payment.c.entitlement_id)
        .join(line, line.c.payment_id == payment.c.id)
        .join(transfer, transfer.c.id == line.c.transfer_id)
        .where(payment.c.state.in_(["F41", "F42", "F43"]))
        .order_by(payment.c.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _account_key(row: Any) -> tuple[Any, ...]:
    names = ("bank_code", "branch_code", "account_type", "account_number", "amount_yen")
    return tuple(row[name] if isinstance(row, dict) else getattr(row, name) for name in names)


def _candidates(
    row: TransferResult,
    by_number: dict[tuple[str, str], dict[str, Any]],
    by_account: dict[tuple[Any, ...], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    if row.customer_code1 and row.customer_code2:
        found = by_number.get((row.customer_code1, row.customer_code2))
        # 番号が当たっても、口座と金額まで同じでなければ、その支払ではない。
        return [found] if found and _account_key(found) == _account_key(row) else []
    same = [p for p in by_account.get(_account_key(row), []) if p["state"] in {"F41", "F42"}]
    if row.transferred_on is not None:
        same = [p for p in same if p["pay_date"] == row.transferred_on]
    return same


def _can(state: str, word: str) -> bool:
    """この状態の支払に、この結果が来てよいか。"""
    return {
        "credited": state == "F41",
        "failed": state in {"F41", "F42"},
        "recalled": state in {"F41", "F42"},
        "inquiring": state == "F41",
    }[word]


def _move(connection: Connection, moves: Sequence[tuple[dict[str, Any], str]], now: Any) -> None:
    """支払を進め、仕訳を書く。"""
    postings = []
    states: dict[str, list[int]] = defaultdict(list)
    for payment, word in moves:
        if word == "inquiring":
            continue
        kind = "credit" if word == "credited" else "uncredit" if payment["state"] == "F42" else "fail"
        states["F42" if word == "credited" else "F43"].append(payment["payment_id"])
        postings.append(posting_row(kind, payment["entitlement_id"], payment["payment_id"], payment["amount_yen"], now))
    for state, ids in states.items():
        # 何万件もあるので、番号の並びを分けて更新する（SQLite の変数の上限）。
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            connection.execute(ward.payment.update().where(ward.payment.c.id.in_(part)).values(state=state))
    if postings:
        connection.execute(ward.posting.insert(), postings)


def _summary(home: Home, report_id: int, *, repeated: bool) -> Taken:
    line = ward.bank_report_line
    with reading(home.ward) as connection:
        rows = connection.execute(
            select(line.c.line_number, line.c.outcome, line.c.candidates)
            .where(line.c.bank_report_id == report_id)
            .order_by(line.c.line_number)
        ).all()
    said = Counter(row.outcome for row in rows)
    to_people = tuple(
        f"{row.line_number} 番目の行: "
        + (
            f"候補が {row.candidates.count(';') + 1} 件あります"
            if ";" in row.candidates
            else "当たる支払がない、またはもう結果が入っています"
        )
        for row in rows
        if row.outcome == "unmatched"
    )
    return Taken(
        len(rows),
        len(rows) - said["unmatched"],
        said["unmatched"],
        said["credited"],
        said["failed"] + said["recalled"],
        said["inquiring"],
        to_people,
        repeated,
    )
