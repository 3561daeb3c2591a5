"""銀行から届くもの: 結果（入金済・振込不能）と、振込不能の知らせ。台帳の支払と突き合わせ、返ったお金を帳簿に載せる。

行は一つも失われない: 読込 = 突合 + 人が見る。返ってきた行は、支払に結べなくても、
みな振込不能の帳簿の一件になる（seed 000）。
同じ一件が結果と知らせの両方で届いても、お金は一度しか動かず、帳簿も一件である。
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, String, cast, func, literal, select

from benefit.domain.access import BATCH
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.errors import Place, RefusedInput, WrongUse
from benefit.records import transfer_results
from benefit.records.transfer_result_row import Outcome, TransferResults
from benefit.services.bank_report_match import CAME_BACK, claimed, match, stored_line
from benefit.services.files import read_input, sha256_of
from benefit.services.home import Home
from benefit.services.transfer_make import post_where
from benefit.store import audit, ward
from benefit.store.bulk import insert_one
from benefit.store.engine import in_turn, reading

NAMES = {"results": "振込結果", "failures": "振込不能"}


@dataclass(frozen=True)
class Taken:
    """取込一回の結果。

    `failed` は新しく返ったと分かった支払、`again` はもう知らせのあった支払の行。`others` は、支払に結べないまま
    帳簿に載った不能。`to_people` は人が決める行の説明、`warnings` は受け付けたが言うべきこと（番号や氏名は含まない）。
    """

    rows_read: int
    matched: int
    unmatched: int
    credited: int
    failed: int
    inquiring: int
    again: int
    others: int
    to_people: tuple[str, ...]
    warnings: tuple[str, ...]
    repeated: bool


def take(home: Home, kind: str, path: Path, *, clock: Clock, transfer: int | None = None) -> Taken:
    """`results`（120 桁）か `failures`（CSV か 120 桁）を取り込む。同じファイルは二度効かない。

    `transfer` は、どの振込ファイルについての知らせか（銀行が言ったとき）。その中の支払だけに当てる。
    """
    data = read_input(path)
    fingerprint = sha256_of(data)
    read = transfer_results.read(data, file=path.name)
    with reading(home.ward) as connection:
        known = _known(connection, fingerprint)
    if known is not None:
        return _summary(home, known, read, repeated=True)
    if kind == "failures" and any(row.outcome is Outcome.CREDITED for row in read.rows):
        raise RefusedInput(
            "振込不能の知らせに、入金済の行があります。結果のファイルなら benefit transfer results で取り込みます",
            code="failures-credited",
            place=Place(file=path.name),
        )
    now = clock()
    today = tokyo_date(now)
    with home.ward.begin() as connection:
        in_turn(connection, "money")
        report_id = _known(connection, fingerprint)
        if report_id is not None:
            return _summary(home, report_id, read, repeated=True)
        if (
            transfer is not None
            and not connection.execute(
                select(ward.transfer_release.c.transfer_id).where(ward.transfer_release.c.transfer_id == transfer)
            ).first()
        ):
            raise WrongUse(f"振込 {transfer} は送り出されていません", code="no-transfer")
        found = match(connection, read.rows, kind=kind, received_on=today, transfer=transfer)
        matched = sum(one.payment_id is not None for one in found)
        report_id = insert_one(
            connection,
            ward.bank_report,
            kind=kind,
            sha256=fingerprint,
            file_name=path.name,
            rows_read=len(found),
            rows_matched=matched,
            rows_unmatched=len(found) - matched,
            received_at=now,
        )
        connection.execute(
            ward.bank_report_line.insert(),
            [
                {"bank_report_id": report_id, **stored_line(position, row, one)}
                for position, (row, one) in enumerate(zip(read.rows, found, strict=True), 1)
            ],
        )
        _register_failures(connection, report_id, today)
        move(connection, ward.bank_report_line.c.bank_report_id == report_id, now)
        audit.record(
            connection,
            ward.audit_log,
            at=now,
            actor=BATCH,
            action=f"transfer.{kind}",
            subject=fingerprint[:16],
            detail={"sha256": fingerprint, "rows": len(found), "matched": matched, "padded": len(read.notices)},
        )
    return _summary(home, report_id, read, repeated=False)


def _known(connection: Connection, fingerprint: str) -> int | None:
    table = ward.bank_report
    return connection.execute(select(table.c.id).where(table.c.sha256 == fingerprint)).scalar()


def _register_failures(connection: Connection, report_id: int, today: date) -> None:
    """返ってきた行を、振込不能の帳簿に載せる。もう知らせのあった支払（F43）の行は、同じ一件なので載せない。"""
    line, payment = ward.bank_report_line, ward.payment
    connection.execute(
        ward.failure.insert().from_select(
            ["bank_report_id", "line_number", "slot", "amount_yen", "received_on"],
            select(
                line.c.bank_report_id,
                line.c.line_number,
                # 結べない行のお金は、その行だけの slot を持つ。
                func.coalesce(payment.c.slot, literal(f"funo/{report_id}/") + cast(line.c.line_number, String)),
                line.c.amount_yen,
                literal(today),
            )
            .join(payment, payment.c.id == line.c.payment_id, isouter=True)
            .where(
                line.c.bank_report_id == report_id,
                line.c.outcome.in_(CAME_BACK),
                line.c.payment_id.is_(None) | (payment.c.state != "F43"),
            )
            .order_by(line.c.line_number),
        )
    )


def move(connection: Connection, lines: Any, now: Any, *, payment_id: int | None = None) -> None:
    """選んだ銀行の行のとおりに、支払を進め、仕訳を立てる。もう進んでいる支払は動かない。

    `payment_id` は、人がその行に結んだ支払（なければ、行に載っている支払）。
    """
    line, payment = ward.bank_report_line, ward.payment
    steps = (
        (("credited", "recall_failed"), "F41", "credit", "F42"),
        (CAME_BACK, "F41", "fail", "F43"),
        (CAME_BACK, "F42", "uncredit", "F43"),
    )
    for words, before, kind, after in steps:
        named = select(line.c.payment_id if payment_id is None else literal(payment_id)).where(
            lines, line.c.outcome.in_(words)
        )
        chosen = payment.c.id.in_(named) & (payment.c.state == before)
        if kind == "uncredit":
            chosen &= ~claimed()
        post_where(connection, kind, chosen, now)
        connection.execute(payment.update().where(chosen).values(state=after))


def _summary(home: Home, report_id: int, read: TransferResults, *, repeated: bool) -> Taken:
    line, failure = ward.bank_report_line, ward.failure
    with reading(home.ward) as connection:
        rows = connection.execute(
            select(line.c.line_number, line.c.outcome, line.c.payment_id, line.c.candidates, failure.c.id)
            .join(
                failure,
                (failure.c.bank_report_id == line.c.bank_report_id) & (failure.c.line_number == line.c.line_number),
                isouter=True,
            )
            .where(line.c.bank_report_id == report_id)
            .order_by(line.c.line_number)
        ).all()
    matched = [row for row in rows if row.payment_id is not None]
    said = Counter(row.outcome for row in matched)
    came_back = [row for row in matched if row.outcome in CAME_BACK]
    new = [row for row in came_back if row.id is not None]
    return Taken(
        rows_read=len(rows),
        matched=len(matched),
        unmatched=len(rows) - len(matched),
        credited=said["credited"] + said["recall_failed"],
        failed=len(new),
        inquiring=said["inquiring"],
        again=len(came_back) - len(new),
        others=sum(row.id is not None and row.payment_id is None for row in rows),
        to_people=tuple(
            f"{row.line_number} 番目の行: {_why(row.candidates)}" for row in rows if row.payment_id is None
        ),
        warnings=tuple(f"{notice.record} 行目「{notice.field}」: {notice.says}" for notice in read.notices),
        repeated=repeated,
    )


def _why(candidates: str) -> str:
    if not candidates:
        return "当たる支払がありません"
    if ";" in candidates:
        return f"候補が {candidates.count(';') + 1} 件あります"
    return "当たる支払には、もう別の結果が入っています"
