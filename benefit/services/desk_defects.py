"""不備の画面の問い: 開いている不備の一覧（氏名はない）と、開いた一件（ログを残して見せる）。"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal, or_, select

from benefit.domain.access import Actor
from benefit.domain.case import STATE_WORDS
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import LETTER_DEEDS, LETTER_KINDS
from benefit.domain.errors import RefusedByRule
from benefit.services.desk_deficiencies import deficiencies_of
from benefit.services.desk_letters_due import letters_of
from benefit.store import audit, desk

MOST = 200
#: 一覧の段: 名と、この日から見た条件の順。
STAGES = {"overdue": "補正期限を過ぎた", "letter": "知らせる前", "waiting": "補正を待っている"}


@dataclass(frozen=True)
class OpenDefect:
    """開いている不備一件。氏名はない。"""

    case_number: str
    stage: str
    defects: str
    since: date
    due_on: date | None
    days_left: int | None


@dataclass(frozen=True)
class DefectCase:
    """開いた一件。"""

    case_number: str
    name: str
    kana_name: str
    benefit: str
    state: str
    state_name: str
    due_on: date | None
    defects: tuple[tuple[str, str, str], ...]
    letters: tuple[tuple[str, str, str], ...]


def open_defects(connection: Connection, today: date) -> tuple[dict[str, int], tuple[OpenDefect, ...]]:
    """段ごとの件数と、急ぐものから 200 件。"""
    table = desk.benefit_case
    stage = case(
        (table.c.state == "C24", literal("letter")),
        (table.c.correction_due_on < today, literal("overdue")),
        else_=literal("waiting"),
    )
    where = or_(table.c.state == "C24", table.c.state == "C25")
    counted = connection.execute(select(stage.label("stage"), func.count()).where(where).group_by(stage)).all()
    order = case((stage == "overdue", 0), (stage == "letter", 1), else_=2)
    rows = connection.execute(
        select(
            table.c.case_number, stage.label("stage"), table.c.deficiency, table.c.changed_at, table.c.correction_due_on
        )
        .where(where)
        .order_by(order, table.c.correction_due_on, table.c.changed_at, table.c.case_number)
        .limit(MOST)
    )
    counts = dict.fromkeys(STAGES, 0) | {str(row[0]): int(row[1]) for row in counted}
    return counts, tuple(
        OpenDefect(
            row.case_number,
            STAGES[row.stage],
            row.deficiency or "",
            tokyo_date(_aware(row.changed_at)),
            row.correction_due_on,
            (row.correction_due_on - today).days if row.correction_due_on else None,
        )
        for row in rows
    )


def open_one(connection: Connection, number: str, *, actor: Actor, at: datetime) -> DefectCase:
    """一件を開く。ない番号と、不備でない件は RefusedByRule。ログが同じトランザクションに残る。"""
    table, names = desk.benefit_case, desk.benefit_name
    row: Any = (
        connection.execute(
            select(table, names.c.name.label("benefit_name"))
            .outerjoin(names, names.c.benefit == table.c.benefit)
            .where(and_(table.c.case_number == number, table.c.state.in_(("C24", "C25"))))
        )
        .mappings()
        .first()
    )
    if row is None:
        raise RefusedByRule("不備の開いている件ではありません。番号を確かめてください", code="not-deficient")
    audit.record(
        connection, desk.audit_log, at=at, actor=actor, action="case.view", subject=number, reason="不備・補正"
    )
    defects = [one for one in deficiencies_of(connection, number) if one["branch"] == row["branch"]]
    last = max((one["round"] for one in defects), default=0)
    return DefectCase(
        number,
        row["name"],
        row["kana_name"] or "",
        row["benefit_name"] or row["benefit"],
        row["state"],
        STATE_WORDS[row["state"]].name,
        row["correction_due_on"],
        tuple((one["name"], one["asks"], one["note"]) for one in defects if one["round"] == last),
        tuple(
            (
                LETTER_KINDS[letter["kind"]],
                tokyo_date(_aware(letter["at"])).isoformat(),
                "、".join(LETTER_DEEDS[deed] for deed, _, _ in letter["deeds"]) or "まだ",
            )
            for letter in letters_of(connection, number)
        ),
    )


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
