"""一件を見る。本人確認が足りた電話にだけ、ログが台帳に残ってから、返る（reliability P16、画面の指針 15・16）。

コールセンターの人に渡る形（`CaseSeen`）には、番地・生年月日・点字の列そのものがない。ほかの役割には `register` が付く。
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from benefit.domain.access import Actor, DeskRole
from benefit.domain.case import EVENT_NAMES, STATE_WORDS
from benefit.domain.clock import tokyo_date
from benefit.domain.deficiency import LETTER_KINDS
from benefit.domain.entitlement import ACCOUNT_FLAG_NAMES
from benefit.domain.errors import RefusedByRule
from benefit.domain.masking import town_of
from benefit.services.desk_calls import Call
from benefit.services.desk_identity import Standing
from benefit.services.desk_letters_due import ENDING
from benefit.services.desk_lookup import ASK_WARD
from benefit.services.desk_spoken import Spoken, spoken
from benefit.services.desk_timeline import Entry, timeline
from benefit.services.desk_why import Why, why
from benefit.store import audit, desk

CONDOLENCE = "お悔やみ申し上げます。お手続きについては、区からあらためてご案内します。"
CONDOLENCE_ENGLISH = "We are very sorry for your loss. The ward office will contact you about the procedure."


@dataclass(frozen=True)
class Register:
    """住民登録の項目のうち、コールセンターには渡らないもの。"""

    birth: str
    former_name: str
    postal_code: str
    address: str
    braille: bool


@dataclass(frozen=True)
class Letter:
    """送るべき手紙のうち、まだ送っていないもの。"""

    kind: str
    asked_at: datetime


@dataclass(frozen=True)
class CaseSeen:
    """画面と API に出す一件。税・続柄・世帯・口座番号の全体は、ここに列がない。"""

    case_number: str
    branch: int
    benefit: str
    name: str
    kana_name: str
    town: str
    state: str
    state_name: str
    spoken: Spoken
    why: Why
    account: str
    has_account: bool
    sent_on: date | None
    due_on: date | None
    received_on: date | None
    reviewed_on: date | None
    correct_by: date | None
    transferred_on: date | None
    letters: tuple[Letter, ...]
    timeline: tuple[Entry, ...]
    register: Register | None


def look(connection: Connection, *, call: Call, standing: Standing, actor: Actor, at: datetime) -> CaseSeen | None:
    """開いている件を見る。引き上げられた件、本人確認の足りない件は None（ログには、その試みが残る）。"""
    table, names = desk.benefit_case, desk.benefit_name
    query = (
        select(table, names.c.name.label("benefit_name"))
        .select_from(table.outerjoin(names, names.c.benefit == table.c.benefit))
        .where(table.c.case_number == call.case_number)
    )
    row = connection.execute(query).mappings().first()
    told = row is not None and standing.tells
    case = _seen(connection, dict(row), actor, tokyo_date(at)) if row is not None and told else None
    # ログは一列に並んで書くので、読み終えてから書く（確定してから返るのは同じで、ほかの人を待たせない）。
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action="case.view",
        subject=call.case_number,
        reason=call.purpose,
        detail={"call": call.reference, "found": row is not None, "told": told},
    )
    return case


def state_of(connection: Connection, case_number: str) -> str:
    """いまの状態の符号。件がなければ RefusedByRule。"""
    found = state_or_none(connection, case_number)
    if found is None:
        raise RefusedByRule(ASK_WARD, code="unknown-case")
    return found


def state_or_none(connection: Connection, case_number: str) -> str | None:
    """いまの状態の符号。件がなければ None。"""
    table = desk.benefit_case
    return connection.execute(select(table.c.state).where(table.c.case_number == case_number)).scalar()


def defects_of(connection: Connection, case: Mapping[str, Any]) -> tuple[str, ...]:
    """いまの不備の符号（この枝番の、最後の回）。"""
    table = desk.deficiency
    rows = connection.execute(
        select(table.c.round, table.c.code)
        .where(table.c.case_number == case["case_number"], table.c.branch == case["branch"])
        .order_by(table.c.id)
    ).all()
    last = max((row.round for row in rows), default=0)
    return tuple(row.code for row in rows if row.round == last) if case["state"] in {"C24", "C25"} else ()


def _seen(connection: Connection, row: dict[str, Any], actor: Actor, today: date) -> CaseSeen:
    defects = defects_of(connection, row)
    entries = timeline(connection, row["case_number"])
    last = next(
        (one for one in entries if one.state and not one.undone_by and one.title != EVENT_NAMES["reversed"]), None
    )
    return CaseSeen(
        case_number=row["case_number"],
        branch=row["branch"],
        benefit=row["benefit_name"] or row["benefit"],
        name=row["name"],
        kana_name=row["kana_name"] or "",
        town=town_of(row["address"]),
        state=row["state"],
        state_name=STATE_WORDS[row["state"]].name,
        spoken=spoken(row, defects, today),
        why=why(row, defects, (tokyo_date(last.at), last.title) if last else None),
        account=masked_account(row),
        has_account=bool(row["account_number"] or row["past_account_number"]),
        sent_on=row["sent_on"],
        due_on=row["due_on"],
        received_on=row["received_on"],
        reviewed_on=row["reviewed_on"],
        correct_by=row["correction_due_on"],
        transferred_on=row["transferred_on"],
        letters=_letters(connection, row["case_number"]),
        timeline=entries,
        register=_register(row) if actor.role != DeskRole.OPERATOR else None,
    )


def masked_account(row: Mapping[str, Any]) -> str:
    """口座は下三桁だけ。公金受取口座と生活保護費の口座は、番号がここにない。"""
    if row["account_number"]:
        return f"届け出られた口座 ****{row['account_number'][-3:]}"
    if row["account_flag"] == "2" and row["past_account_number"]:
        return f"過去の給付金の口座 ****{row['past_account_number'][-3:]}"
    return ACCOUNT_FLAG_NAMES[row["account_flag"]]


def _register(row: Mapping[str, Any]) -> Register:
    return Register(
        birth=row["birth"],
        former_name=row["former_name"] or "",
        postal_code=f"{row['postal_code'][:3]}-{row['postal_code'][3:]}",
        address="　".join(part for part in (row["address"], row["address2"]) if part),
        braille=row["braille"],
    )


def _letters(connection: Connection, case_number: str) -> tuple[Letter, ...]:
    due, done = desk.letter_due, desk.letter_done
    gone = select(done.c.letter_due_id).where(done.c.case_number == case_number, done.c.deed.in_(ENDING))
    rows: Sequence[Any] = connection.execute(
        select(due).where(due.c.case_number == case_number, due.c.id.not_in(gone)).order_by(due.c.id)
    ).all()
    return tuple(Letter(LETTER_KINDS[row.kind], row.at) for row in rows)
