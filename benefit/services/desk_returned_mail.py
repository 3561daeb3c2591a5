"""返戻: 届かずに戻った手紙を、番号を読み取って台帳に入れる。再発行は区に頼む。"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.deficiency import RETURN_REASONS
from benefit.domain.errors import BenefitError, RefusedByRule, RefusedInput
from benefit.services.desk_cases import UNKNOWN, Move, advance, allowed, ask_letter, cases_of, chunks
from benefit.services.desk_intake import Refused
from benefit.store import desk


@dataclass(frozen=True)
class Return:
    """戻った手紙一通。`reason` は RETURN_REASONS。`branch` は紙の枝番（読めなければ None）。"""

    case_number: str
    reason: str
    returned_on: date
    branch: int | None = None
    box: str = ""
    note: str = ""


@dataclass(frozen=True)
class Returned:
    """一覧の返戻。読んだ行 = 入れた行 + 断った行。"""

    read: int
    taken: tuple[str, ...]
    refused: tuple[Refused, ...]


def returned(connection: Connection, mail: Return, *, actor: Actor, at: datetime) -> None:
    """一通の返戻を入れる。お知らせなら受け取りのみなしは止まり、再発行を区に頼む手紙の行ができる。"""
    returned_many(connection, [mail], actor=actor, at=at, refuse=True)


def returned_many(
    connection: Connection, mails: Sequence[Return], *, actor: Actor, at: datetime, refuse: bool = False
) -> Returned:
    """読み取った一覧の返戻を入れる。断られる行（前の枝番、もう戻った件、受付の済んだ件）は、わけを付けて返す。"""
    cases = cases_of(connection, (mail.case_number for mail in mails))
    moves: dict[str, tuple[Return, dict[str, Any]]] = {}
    refused: list[Refused] = []
    for line, mail in enumerate(mails, 1):
        try:
            case = _checked(mail, cases.get(mail.case_number), actor)
            if mail.case_number in moves:
                raise RefusedByRule("この一覧に、もう一度あります", code="returned-twice")
            moves[mail.case_number] = mail, case
        except BenefitError as refusal:
            if refuse:
                raise
            refused.append(Refused(line, mail.case_number, str(refusal)))
    _write(connection, list(moves.values()), actor=actor, at=at)
    return Returned(len(mails), tuple(moves), tuple(refused))


def _checked(mail: Return, case: dict[str, Any] | None, actor: Actor) -> dict[str, Any]:
    if mail.reason not in RETURN_REASONS:
        raise RefusedInput("返戻のわけが違います", code="word", found=mail.reason, allowed="、".join(RETURN_REASONS))
    if case is None:
        raise RefusedByRule(UNKNOWN, code="unknown-case")
    if mail.branch is not None and mail.branch != case["branch"]:
        raise RefusedByRule(
            "出し直す前の手紙です", code="branch", found=f"枝番 {mail.branch}", allowed=f"枝番 {case['branch']}"
        )
    allowed(actor, mail.case_number, case["state"], "mail_returned")
    return case


def _write(
    connection: Connection, mails: Sequence[tuple[Return, dict[str, Any]]], *, actor: Actor, at: datetime
) -> None:
    if not mails:
        return
    table, rounds = desk.returned_mail, Counter[tuple[str, int]]()
    for some in chunks(mail.case_number for mail, _case in mails):
        counted = (
            select(table.c.case_number, table.c.branch, func.count())
            .where(table.c.case_number.in_(some))
            .group_by(table.c.case_number, table.c.branch)
        )
        rounds.update({(row[0], row[1]): row[2] for row in connection.execute(counted)})
    rows = [
        {
            "case_number": mail.case_number,
            "branch": case["branch"],
            "round": rounds[mail.case_number, case["branch"]] + 1,
            "reason": mail.reason,
            "returned_on": mail.returned_on,
            "box": mail.box,
            "note": mail.note,
            "recorded_by": actor.id,
            "at": at,
        }
        for mail, case in mails
    ]
    ids = connection.execute(table.insert().returning(table.c.id, sort_by_parameter_order=True), rows).scalars().all()
    advance(
        connection,
        [
            Move(
                mail.case_number,
                case["state"],
                "mail_returned",
                RETURN_REASONS[mail.reason],
                f"returned_mail:{number}",
            )
            for (mail, case), number in zip(mails, ids, strict=True)
        ],
        actor=actor,
        at=at,
        reason="返戻",
    )
    letters = [
        (mail.case_number, case["branch"], "reissue", f"返戻（{RETURN_REASONS[mail.reason]}）") for mail, case in mails
    ]
    ask_letter(connection, letters, actor=actor, at=at)


def mails_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件の返戻の全部（古い順）。"""
    table = desk.returned_mail
    query = select(table).where(table.c.case_number == case_number).order_by(table.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]
