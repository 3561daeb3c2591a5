"""判定して台帳に登録する: 台帳の事実を足し、検査をかけ、判定結果と消えた行を残す。一つのトランザクションの中で呼ぶ。"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date

import polars as pl
from sqlalchemy import Connection

from benefit import __version__
from benefit.domain.access import BATCH
from benefit.domain.clock import Clock
from benefit.domain.programme import Programme
from benefit.rules.payment_verdicts import judge_rows
from benefit.services.judgment_rows import Prepared
from benefit.services.judgment_vanished import record_vanished
from benefit.services.ledger_facts import with_ledger
from benefit.services.transfer_lines import ACCOUNT
from benefit.store import audit, ward
from benefit.store.bulk import insert_one, insert_rows

_VERDICT_COLUMNS = (
    "planned_file_id",
    "line_number",
    "case_number",
    "entitlement_id",
    "verdict",
    "checks",
    "amount_yen",
    *ACCOUNT,
    "received_on",
    "reviewed_on",
)


def register(
    connection: Connection,
    prepared: Prepared,
    programme: Programme,
    *,
    file_number: str,
    fingerprint: str,
    today: date,
    clock: Clock,
) -> None:
    """行を判定して登録する。読んだ行と判定した行が違えば、何も残さずに落ちる。"""
    judged = judge_rows(with_ledger(connection, prepared, programme), programme)
    if judged["line_number"].to_list() != prepared.rows["line_number"].to_list():
        raise RuntimeError("読んだ行と判定した行が違います")
    file_id = insert_one(
        connection,
        ward.planned_file,
        programme=programme.id,
        file_number=file_number,
        sha256=fingerprint,
        row_count=judged.height,
        total_yen=int(judged["planned_yen"].sum()),
        judged_on=today,
        rule_version=_rule_version(programme),
        judged_at=clock(),
    )
    lines = judged.with_columns(
        pl.col("received_on", "reviewed_on").dt.strftime("%Y-%m-%d"),
        planned_file_id=pl.lit(file_id),
        amount_yen=pl.col("planned_yen"),
    ).select(_VERDICT_COLUMNS)
    insert_rows(connection, ward.verdict, _VERDICT_COLUMNS, lines.iter_rows())
    vanished = record_vanished(connection, programme, file_id)
    audit.record(
        connection,
        ward.audit_log,
        at=clock(),
        actor=BATCH,
        action="payments.judge",
        subject=file_number,
        detail={
            "rows": judged.height,
            "verdicts": Counter(judged["verdict"].to_list()),
            "vanished": vanished,
            "sha256": fingerprint,
        },
    )


def _rule_version(programme: Programme) -> str:
    return hashlib.sha256(f"{__version__}:{programme.digest}".encode()).hexdigest()
