"""不備と補正: 見つけた不備の符号、不備のお知らせ、補正期限。補正の紙は desk_intake が受ける。"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from benefit.domain.access import Actor
from benefit.domain.deficiency import CORRECTION_DAYS, DEFECTS, LETTER_DEEDS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_cases import Move, advance, allowed, ask_letter, case_of
from benefit.store import desk
from benefit.store.bulk import insert_one


def find(
    connection: Connection, number: str, codes: Sequence[str], *, note: str = "", actor: Actor, at: datetime
) -> int:
    """不備（DEFECTS の符号、一つ以上）を書き、件を不備にする（C23・P23 → C24）。不備のお知らせを送るべき手紙に足す。

    受付済・補正受付済の件は、審査を始めてから不備にする。何回目の不備かを返す。
    """
    listed = list(dict.fromkeys(codes))
    strange = [code for code in listed if code not in DEFECTS]
    if not listed or strange:
        raise RefusedInput("不備の符号が違います", code="defect", found="、".join(strange), allowed="、".join(DEFECTS))
    case = case_of(connection, number)
    state = case["state"]
    if state in {"C22", "C26"}:
        advance(connection, [Move(number, state, "review_started")], actor=actor, at=at, reason="審査")
        state = "C23"
    allowed(actor, number, state, "deficiency_found")
    table, form = desk.deficiency, desk.received_form
    last = select(func.max(table.c.round)).where(table.c.case_number == number, table.c.branch == case["branch"])
    count = (connection.execute(last).scalar() or 0) + 1
    form_id = connection.execute(
        select(func.max(form.c.id)).where(form.c.case_number == number, form.c.branch == case["branch"])
    ).scalar()
    connection.execute(
        table.insert(),
        [
            {
                "case_number": number,
                "branch": case["branch"],
                "round": count,
                "code": code,
                "note": note.strip(),
                "received_form_id": form_id,
                "found_by": actor.id,
                "at": at,
            }
            for code in listed
        ],
    )
    names = "、".join(DEFECTS[code].name for code in listed)
    values = {"deficiency": names, "correction_due_on": None}
    move = Move(number, state, "deficiency_found", names, f"deficiency:{case['branch']}-{count}", values)
    advance(connection, [move], actor=actor, at=at, reason="不備")
    ask_letter(connection, [(number, case["branch"], "deficiency", names)], actor=actor, at=at)
    return count


def notify(
    connection: Connection,
    number: str,
    *,
    on: date,
    deed: str = "posted",
    days: int = CORRECTION_DAYS,
    note: str = "",
    actor: Actor,
    at: datetime,
) -> date:
    """不備を知らせた（C24 → C25）: 送るべき手紙に「発送」（posted）か「口頭」（told）を付け、補正期限を決めて返す。

    補正期限は、知らせた日 `on` から `days` 日後（当日を含めて補正できる）。
    """
    if deed not in {"posted", "handed", "told"}:
        raise RefusedInput(
            "知らせ方が違います", code="word", found=LETTER_DEEDS.get(deed, deed), allowed="発送、手渡し、口頭"
        )
    if days < 1:
        raise RefusedInput("補正期限までの日数は、1 日からです", code="days", found=f"{days}")
    case = case_of(connection, number)
    allowed(actor, number, case["state"], "deficiency_notified")
    letter, done = desk.letter_due, desk.letter_done
    ended = select(done.c.letter_due_id).where(done.c.deed.in_(("posted", "handed", "told", "cancelled")))
    letter_id = connection.execute(
        select(func.max(letter.c.id)).where(
            letter.c.case_number == number,
            letter.c.branch == case["branch"],
            letter.c.kind == "deficiency",
            letter.c.id.not_in(ended),
        )
    ).scalar()
    if letter_id is None:
        raise RefusedByRule("送るべき不備のお知らせがありません。先に、手紙を頼んでください", code="no-letter")
    due = on + timedelta(days=days)
    done_id = insert_one(
        connection,
        done,
        letter_due_id=letter_id,
        case_number=number,
        deed=deed,
        due_on=due,
        note=note.strip(),
        done_by=actor.id,
        at=at,
    )
    move = Move(
        number,
        case["state"],
        "deficiency_notified",
        LETTER_DEEDS[deed],
        f"letter_done:{done_id}",
        {"correction_due_on": due},
    )
    advance(connection, [move], actor=actor, at=at, reason="不備の通知")
    return due


def deficiencies_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件の不備の全部（古い順）。`name` は短い名、`asks` は本人にしてもらうこと。"""
    table = desk.deficiency
    query = select(table).where(table.c.case_number == case_number).order_by(table.c.id)
    return [
        {**row, "name": DEFECTS[row["code"]].name, "asks": DEFECTS[row["code"]].asks}
        for row in connection.execute(query).mappings()
    ]
