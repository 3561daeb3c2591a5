"""審査で開いた一件と、二人の入力の見比べ。見る前に、同じトランザクションでログが残る。

二次入力の人には、一次入力も、台帳のカナも、打ち終わるまで渡さない（見ないで打つから、二人の目になる）。
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.deficiency import DEFECTS
from benefit.domain.errors import RefusedByRule
from benefit.services.desk_queue import QUEUE_KINDS, kind_of
from benefit.services.desk_review import ACCOUNT_NAMES, Account, differing
from benefit.store import audit, desk

OWN_KEYED = "あなたが一次入力した件です。同じ人の二度の入力では、間違いに気づけません。別の人が照合します"


@dataclass(frozen=True)
class ReviewCase:
    """審査の画面の一件。口座は、台帳のものもここにはない。"""

    case_number: str
    branch: int
    kind: str
    kind_name: str
    name: str
    kana_name: str
    benefit: str
    received_on: date | None
    defects: tuple[str, ...]
    differing: str
    review_id: int | None
    refused: str


@dataclass(frozen=True)
class ComparedRow:
    """見比べの一行。"""

    name: str
    first: str
    second: str
    ledger: str
    differs: bool


def view(connection: Connection, number: str, *, actor: Actor, at: datetime) -> ReviewCase:
    """一件を開く。審査を待っていなければ RefusedByRule。"""
    table, names = desk.benefit_case, desk.benefit_name
    kind = kind_of(connection, number)
    if kind is None:
        raise RefusedByRule("審査を待っている件ではありません", code="not-waiting")
    row = (
        connection.execute(
            select(table, names.c.name.label("benefit_name"))
            .outerjoin(names, names.c.benefit == table.c.benefit)
            .where(table.c.case_number == number)
        )
        .mappings()
        .one()
    )
    last = _last_review(connection, number, row["branch"])
    second = kind == "second"
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="case.view",
        subject=number,
        reason=f"審査（{QUEUE_KINDS[kind]}）",
    )
    return ReviewCase(
        case_number=number,
        branch=row["branch"],
        kind=kind,
        kind_name=QUEUE_KINDS[kind],
        name=row["name"],
        kana_name="" if second else row["kana_name"] or "",
        benefit=row["benefit_name"] or row["benefit"],
        received_on=row["received_on"],
        defects=_defects(connection, number, row["branch"]),
        differing=(last["differing"] or "") if last and kind == "again" else "",
        review_id=last["id"] if last and second else None,
        refused=OWN_KEYED if second and last and last["keyed_by"] == actor.id else "",
    )


def comparison(connection: Connection, review_id: int, *, actor: Actor, at: datetime) -> tuple[ComparedRow, ...]:
    """二人の入力を項目ごとに。見られるのは、二人の入力が済んだ後だけ。"""
    review, second, table = desk.form_review, desk.form_review_approval, desk.benefit_case
    row = connection.execute(select(review).where(review.c.id == review_id)).mappings().first()
    other = connection.execute(select(second).where(second.c.review_id == review_id)).mappings().first()
    if row is None or other is None:
        raise RefusedByRule("二人の入力が、まだそろっていません", code="not-keyed")
    if actor.id not in {row["keyed_by"], other["checked_by"]}:
        raise RefusedByRule("入力した二人だけが見比べられます", code="two-people")
    kana = connection.execute(select(table.c.kana_name).where(table.c.case_number == row["case_number"])).scalar()
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="review.compare",
        subject=row["case_number"],
        reason="審査（照合の結果）",
        detail={"review": review_id},
    )
    one, two = (Account(*(found[name] for name in ACCOUNT_NAMES)) for found in (row, other))
    wrong = differing(one, two)
    return tuple(
        ComparedRow(
            called,
            row[name] or "",
            other[name] or "",
            (kana or "未登録") if name == "holder_kana" else "",
            called in wrong,
        )
        for name, called in ACCOUNT_NAMES.items()
    )


def keyed_by(connection: Connection, number: str) -> str:
    """いま二次入力を待っている件の、一次入力をした人。"""
    table = desk.benefit_case
    branch = connection.execute(select(table.c.branch).where(table.c.case_number == number)).scalar_one()
    last = _last_review(connection, number, branch)
    return str(last["keyed_by"]) if last else ""


def _last_review(connection: Connection, number: str, branch: int) -> Any:
    review, second = desk.form_review, desk.form_review_approval
    return (
        connection.execute(
            select(review.c.id, review.c.keyed_by, second.c.differing)
            .outerjoin(second, second.c.review_id == review.c.id)
            .where(review.c.case_number == number, review.c.branch == branch)
            .order_by(review.c.attempt.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )


def _defects(connection: Connection, number: str, branch: int) -> tuple[str, ...]:
    """前の不備の名（一番新しい回）。"""
    table = desk.deficiency
    mine = (table.c.case_number == number) & (table.c.branch == branch)
    last = select(func.max(table.c.round)).where(mine).scalar_subquery()
    codes = connection.execute(select(table.c.code).where(mine, table.c.round == last).order_by(table.c.id)).scalars()
    return tuple(DEFECTS[code].name for code in codes)
