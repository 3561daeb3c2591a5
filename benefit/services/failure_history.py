"""振込不能の一件の歩み（照会、通知、回答、承認）を、人の読む行にする。お知らせの一覧も、ここで書く。"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import select

from benefit.services.failure_facts import day_of
from benefit.services.failures import item, register_in
from benefit.services.files import write_atomic
from benefit.services.home import Home
from benefit.store import ward
from benefit.store.engine import reading

#: お知らせの一覧の列 → 帳簿の列。
NOTICES = {"給付管理番号": "case_number", "経路": "route", "再届出の期限": "due_on", "不能理由": "reason_code"}


def of(home: Home, number: int, today: date) -> tuple[pl.DataFrame, list[str]]:
    """帳簿の一行と、したこと・回答の行（日付の順）。"""
    step, answer, approval = ward.failure_step, ward.failure_answer, ward.failure_answer_approval
    with reading(home.ward) as connection:
        item(connection, number, today)
        row = register_in(connection, today).filter(pl.col("id") == number)
        steps = connection.execute(select(step).where(step.c.failure_id == number).order_by(step.c.id)).mappings().all()
        answers = (
            connection.execute(
                select(answer, approval.c.approved_by)
                .join(approval, approval.c.release_id == answer.c.id, isouter=True)
                .where(answer.c.failure_id == number)
                .order_by(answer.c.id)
            )
            .mappings()
            .all()
        )
    told = [(one["made_at"], _step(one)) for one in steps] + [(one["asked_at"], _answer(one)) for one in answers]
    return row, [f"{day_of(at)} {says}" for at, says in sorted(told, key=lambda pair: pair[0])]


def _step(one: Any) -> str:
    parts = [one["kind"], one["section"], f"期限 {one['due_on']}" if one["due_on"] else "", one["note"]]
    return " ".join([*(part for part in parts if part), f"（{one['made_by']}）"])


def _answer(one: Any) -> str:
    review = f" 見直す日 {one['review_on']}" if one["review_on"] else ""
    account = f" 口座 ****{one['account_number'][-3:]}" if one["account_number"] else ""
    seen = f"承認 {one['approved_by']}" if one["approved_by"] else "承認待ち"
    return f"回答 {one['id']} {one['kind']}{account}{review}: {one['reason']}（{one['asked_by']}、{seen}）"


def write_notices(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """振込不能のお知らせの一覧（給付管理番号、経路、期限、理由）。手紙はここから作る。

    区が直接扱う人は、経路が WARD。
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(list(NOTICES))
    writer.writerows(
        [row[name] for name in NOTICES.values()] for row in sorted(rows, key=lambda row: str(row["case_number"]))
    )
    data = buffer.getvalue().encode()
    path = folder / f"funo-oshirase-{rows[0]['due_on']}.csv"
    if path.exists() and path.read_bytes() != data:
        path = folder / f"funo-oshirase-{rows[0]['due_on']}-{min(row['id'] for row in rows)}.csv"
    write_atomic(path, data)
    return path
