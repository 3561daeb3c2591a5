"""競争する側: 別々のプロセスで、同じ仕事を同時にする職員たち。"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier

from benefit.domain.access import Actor
from benefit.domain.programme import Programme
from benefit.services import bank_master, bank_reports, judgment, transfers
from benefit.services.home import Home


def work(
    home: Path,
    ward_url: str,
    gate: Barrier,
    worker: int,
    *,
    planned: Path,
    report: Path | None,
    today: date,
    pay_date: date,
) -> None:
    """結果の取込、判定、振込の作成を、みんなで一斉に始める。`report` がなければ、判定から。"""
    made = Home.at(home, ward_url=ward_url)
    programme, banks = Programme.load("r6-2024"), bank_master.in_use(made)
    at = datetime(today.year, today.month, today.day, tzinfo=UTC)
    gate.wait(120)
    if report is not None:
        bank_reports.take(made, "results", report, clock=lambda: at)
    judgment.judge_folder(
        made,
        programme,
        planned,
        out=home.parent / f"race-{worker}-{planned.name}",
        today=today,
        bank_master=banks,
        clock=lambda: at,
    )
    transfers.make(
        made,
        programme,
        pay_date=pay_date,
        today=today,
        bank_master=banks,
        actor=Actor("tanto", "clerk"),
        clock=lambda: at,
    )
    made.ward.dispose()
