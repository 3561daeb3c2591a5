"""送るべき手紙: 頼む、したこと（印刷・発送・手渡し・口頭・取りやめ）を書き足す、勧奨の一覧を作る。"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, literal, select

from benefit.domain.access import Actor, DeskRole
from benefit.domain.deficiency import LETTER_DEEDS, LETTER_KINDS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.desk_cases import case_of, need_reason, noted
from benefit.store import audit, desk
from benefit.store.bulk import insert_one

#: これが付けば、もう送らなくてよい。
ENDING = ("posted", "handed", "told", "cancelled")
#: 期限の何日前から勧奨するか（benefit-rules C.4: 四〜六週間前）。一件に二度まで、間をあける。
REMIND_DAYS, REMIND_MOST, REMIND_AGAIN_DAYS = 42, 2, 14
_ASKING = frozenset({DeskRole.OPERATOR, DeskRole.COUNTER, DeskRole.REVIEWER, DeskRole.SUPERVISOR, DeskRole.WARD_CLERK})
#: 再発行を頼める状態: 手紙を出した後で、まだ返送を受けていない。
REISSUE_FROM = frozenset({"P20", "P21", "C20", "C21", "C24", "C25", "F43", "F44"})


def ask(connection: Connection, number: str, kind: str, *, reason: str, actor: Actor, at: datetime) -> int:
    """手紙を頼む（`kind` は LETTER_KINDS）。同じ手紙をまだ送っていなければ断る。番号を返す。"""
    if kind not in LETTER_KINDS:
        raise RefusedInput("手紙の種類が違います", code="word", found=kind, allowed="、".join(LETTER_KINDS.values()))
    _need_role(actor)
    case, why = case_of(connection, number), need_reason(reason)
    if kind == "reissue" and case["state"] not in REISSUE_FROM:
        raise RefusedByRule("再発行を頼める状態ではありません", code="transition")
    due = desk.letter_due
    same = _waiting().where(due.c.case_number == number, due.c.kind == kind, due.c.branch == case["branch"])
    if connection.execute(same).first():
        raise RefusedByRule(f"{LETTER_KINDS[kind]}は、もう頼んであります（まだ送っていません）", code="letter-twice")
    letter_id = insert_one(
        connection, due, case_number=number, branch=case["branch"], kind=kind, reason=why, asked_by=actor.id, at=at
    )
    _log(connection, "letter.ask", number, why, {"letter": letter_id, "kind": kind}, actor, at)
    return letter_id


def done(
    connection: Connection,
    letter_id: int,
    deed: str,
    *,
    note: str = "",
    due_on: date | None = None,
    actor: Actor,
    at: datetime,
) -> None:
    """手紙にしたこと（LETTER_DEEDS）を書き足す。終わった手紙と、二度目の印刷は断る。

    不備のお知らせを送ったことは、補正期限と一緒に desk_deficiencies.notify が書く。
    """
    if deed not in LETTER_DEEDS:
        raise RefusedInput("手紙にしたことの言葉が違います", code="word", found=deed)
    _need_role(actor)
    due, did = desk.letter_due, desk.letter_done
    letter = connection.execute(select(due).where(due.c.id == letter_id)).mappings().first()
    if letter is None:
        raise RefusedByRule("この手紙の申し出はありません", code="no-letter")
    case_of(connection, letter["case_number"])
    deeds = set(connection.execute(select(did.c.deed).where(did.c.letter_due_id == letter_id)).scalars())
    if deed in deeds or deeds & set(ENDING):
        raise RefusedByRule("この手紙は、もう済んでいます", code="letter-done")
    if letter["kind"] == "deficiency" and deed in {"posted", "handed", "told"}:
        raise RefusedByRule("不備のお知らせは、補正期限と一緒に「不備を知らせた」から書きます", code="notify")
    connection.execute(
        did.insert().values(
            letter_due_id=letter_id,
            case_number=letter["case_number"],
            deed=deed,
            due_on=due_on,
            note=note.strip(),
            done_by=actor.id,
            at=at,
        )
    )
    _log(connection, "letter.done", letter["case_number"], note.strip(), {"letter": letter_id, "deed": deed}, actor, at)


def remind(
    connection: Connection,
    *,
    today: date,
    days: int = REMIND_DAYS,
    most: int = REMIND_MOST,
    again_days: int = REMIND_AGAIN_DAYS,
    actor: Actor,
    at: datetime,
) -> int:
    """期限まで `days` 日を切ったのに返送のない件に、勧奨の手紙を頼む。頼んだ数を返す。

    返戻・辞退・収受・死亡の申出の件は、状態が違うので入らない。一件に `most` 度まで、前の勧奨から
    `again_days` 日はあける。送っていない勧奨か再発行があれば頼まない。
    """
    case, due = desk.benefit_case, desk.letter_due
    waiting = _waiting().with_only_columns(due.c.case_number).where(due.c.kind.in_(("reminder", "reissue")))
    lately = select(due.c.case_number).where(due.c.kind == "reminder", due.c.at > at - timedelta(days=again_days))
    often = (
        select(due.c.case_number)
        .join(case, (case.c.case_number == due.c.case_number) & (case.c.branch == due.c.branch))
        .where(due.c.kind == "reminder")
        .group_by(due.c.case_number)
        .having(func.count() >= most)
    )
    chosen = select(
        case.c.case_number,
        case.c.branch,
        literal("reminder"),
        literal("期限が近いのに返送がない"),
        literal(actor.id),
        literal(at, due.c.at.type),
    ).where(
        case.c.state == "C20",
        case.c.due_on >= today,
        case.c.due_on < today + timedelta(days=days),
        case.c.case_number.not_in(waiting),
        case.c.case_number.not_in(lately),
        case.c.case_number.not_in(often),
    )
    count = connection.execute(select(func.count()).select_from(chosen.subquery())).scalar_one()
    connection.execute(insert(due).from_select(["case_number", "branch", "kind", "reason", "asked_by", "at"], chosen))
    _log(connection, "letter.remind", "", "", {"count": count, "today": today.isoformat()}, actor, at)
    return int(count)


def waiting(connection: Connection, *, kind: str | None = None) -> list[dict[str, Any]]:
    """まだ送っていない手紙（頼んだ順）: id、case_number、branch、kind、reason、asked_by、at。"""
    query = _waiting().order_by(desk.letter_due.c.id)
    if kind is not None:
        query = query.where(desk.letter_due.c.kind == kind)
    return [dict(row) for row in connection.execute(query).mappings()]


def letters_of(connection: Connection, case_number: str) -> list[dict[str, Any]]:
    """一件の手紙の全部（古い順）。`deeds` は（したこと、いつ、期限）の並び。"""
    due, did = desk.letter_due, desk.letter_done
    found = {
        row["id"]: {**row, "deeds": []}
        for row in connection.execute(select(due).where(due.c.case_number == case_number).order_by(due.c.id)).mappings()
    }
    for row in connection.execute(select(did).where(did.c.case_number == case_number).order_by(did.c.id)):
        found[row.letter_due_id]["deeds"].append((row.deed, row.at, row.due_on))
    return list(found.values())


def _waiting() -> Select[Any]:
    due, did = desk.letter_due, desk.letter_done
    return select(due).where(due.c.id.not_in(select(did.c.letter_due_id).where(did.c.deed.in_(ENDING))))


def _need_role(actor: Actor) -> None:
    if actor.role not in _ASKING and actor.role != "batch":
        raise RefusedByRule("手紙は、この役割では扱えません", code="role")


def _log(
    connection: Connection, action: str, number: str, reason: str, detail: dict[str, Any], actor: Actor, at: datetime
) -> None:
    why = noted(reason) if reason else ""
    audit.record(
        connection, desk.audit_log, at=at, actor=actor, action=action, subject=number, reason=why, detail=detail
    )
