"""一覧: 判定、振込ファイル、保留。承認の画面の入口になる。"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl
from sqlalchemy import Connection, func, select

from benefit.domain.programme import Programme
from benefit.rules.payment_verdicts import payment_checks
from benefit.services import holds, runs, second
from benefit.services.approvals_view_facts import masked
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading


@dataclass(frozen=True)
class BuildLine:
    """判定の一覧の一行。"""

    id: int
    programme: str
    today: date
    built_by: str
    built_at: datetime
    total_yen: int
    second: str
    approved_by: str


@dataclass(frozen=True)
class TransferLine:
    """振込ファイルの一覧の一行。"""

    id: int
    pay_date: date
    line_count: int
    total_yen: int
    largest_yen: int
    made_by: str
    approvers: Sequence[str]
    state: str


@dataclass(frozen=True)
class Held:
    """保留の一行。`checks` は（番号、言葉、解除できるか、もう申し出があるか）。"""

    case_number: str
    file_number: str
    amount_yen: int
    account: str
    checks: Sequence[tuple[str, str, bool, int | None]]


def programmes(home: Home) -> list[Programme]:
    """判定のある給付事業。"""
    with reading(home.ward) as connection:
        names = connection.execute(select(ward.run.c.programme).distinct().order_by(ward.run.c.programme)).scalars()
        return [home.programme(name) for name in names]


def builds(home: Home) -> list[BuildLine]:
    """判定の一覧、新しい順。"""
    lines: list[BuildLine] = []
    with reading(home.ward) as connection:
        for programme in programmes(home):
            for run in runs.all_runs(connection, programme.id):
                seen = second.last_seen(connection, programme, run.input_digest)
                lines.append(
                    BuildLine(
                        run.id,
                        programme.name,
                        run.today,
                        run.built_by,
                        run.built_at,
                        int(run.counts["支給額合計"]),
                        "まだ" if seen is None else f"違い {seen.differences:,}",
                        run.approved_by,
                    )
                )
    return sorted(lines, key=lambda line: -line.id)


def transfer_files(connection: Connection) -> list[TransferLine]:
    """振込ファイルの一覧、新しい順。"""
    transfer, release, approval = ward.transfer, ward.transfer_release, ward.approval
    line, payment = ward.transfer_line, ward.payment
    cancelled = (
        select(func.count())
        .select_from(line)
        .join(payment, payment.c.id == line.c.payment_id)
        .where(line.c.transfer_id == transfer.c.id, payment.c.state == "F49")
        .scalar_subquery()
    )
    given: dict[int, list[str]] = {}
    for number, staff_id in connection.execute(
        select(approval.c.transfer_id, approval.c.staff_id).order_by(approval.c.approved_at)
    ):
        given.setdefault(number, []).append(staff_id)
    query = (
        select(transfer, release.c.released_at, cancelled.label("cancelled"))
        .outerjoin(release, release.c.transfer_id == transfer.c.id)
        .order_by(transfer.c.id.desc())
    )
    return [
        TransferLine(
            row["id"],
            row["pay_date"],
            row["line_count"],
            row["total_yen"],
            row["largest_yen"],
            row["made_by"],
            given.get(row["id"], []),
            "送り出した"
            if row["released_at"]
            else "取り消した"
            if row["cancelled"]
            else ("承認待ち（あと 2 人）", "承認待ち（あと 1 人）", "送り出し待ち")[
                min(2, len(given.get(row["id"], [])))
            ],
        )
        for row in connection.execute(query).mappings()
    ]


def held(home: Home, programme: Programme) -> list[Held]:
    """保留の一覧と、検査ごとの申し出。"""
    rows, free = holds.held(home, programme), holds.releasable(programme)
    words = {check.number: check.says for check in payment_checks(programme)}
    release, approval = ward.hold_release, ward.hold_release_approval
    with reading(home.ward) as connection:
        query = (
            select(release.c.entitlement_id, release.c.check_id, release.c.line_digest, func.max(release.c.id))
            .group_by(release.c.entitlement_id, release.c.check_id, release.c.line_digest)
            .outerjoin(approval, approval.c.release_id == release.c.id)
        )
        asked = {(row[0], row[1], row[2]): int(row[3]) for row in connection.execute(query)}
    return [
        Held(
            row["case_number"],
            row["file_number"],
            row["amount_yen"],
            masked(row),
            [
                (one, words.get(one, ""), one in free, asked.get((row["entitlement_id"], one, holds.line_digest(row))))
                for one in row["checks"].split(";")
                if one
            ],
        )
        for row in rows.iter_rows(named=True)
    ]


def held_book(lines: Sequence[Held]) -> pl.DataFrame:
    """保留の一覧を、表計算の形に。"""
    return pl.DataFrame(
        [
            (
                one.case_number,
                one.file_number,
                one.amount_yen,
                one.account,
                "、".join(f"{c[0]} {c[1]}" for c in one.checks),
            )
            for one in lines
        ],
        schema={
            "給付管理番号": pl.String,
            "申し出のファイル": pl.String,
            "額（円）": pl.Int64,
            "口座": pl.String,
            "検査": pl.String,
        },
        orient="row",
    )
