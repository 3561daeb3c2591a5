"""給付管理システムの一件を進める、ただ一つの道。

進み方と役割は `benefit.domain.case.STEPS` だけが決める。ない進み方・役割の違う人・先に進んだ件は、RefusedByRule。
進むたびに、誰が・どの役割で・いつ・なぜ・何を根拠に、が case_event に残り、監査ログにも残る。
呼んだ側のトランザクションの中で動く（同じトランザクションに、済んだ書込みの控えを入れられるように）。
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from benefit.domain.access import BATCH, ROLE_NAMES, Actor
from benefit.domain.case import EVENT_NAMES, STATE_WORDS, next_state, step_of
from benefit.domain.clock import Clock, tokyo_date
from benefit.domain.deficiency import MAIL_GRACE_DAYS
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.domain.written import without_secrets, written
from benefit.services.home import Home
from benefit.store import audit, desk

UNKNOWN = "ここにありません。区で確認します"
_CHUNK = 500
_ROLES = {str(role): name for role, name in ROLE_NAMES.items()} | {BATCH.role: "夜間処理"}


class Move(NamedTuple):
    """一件の一歩。`values` は、その一歩で変わる列。"""

    case_number: str
    state: str
    event: str
    reason: str = ""
    evidence: str = ""
    values: Mapping[str, Any] | None = None


def chunks(numbers: Iterable[str]) -> list[list[str]]:
    """IN に並べられる数ずつ（SQLite の上限より小さく）。"""
    listed = sorted(set(numbers))
    return [listed[at : at + _CHUNK] for at in range(0, len(listed), _CHUNK)]


def cases_of(connection: Connection, numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """この番号の件。ほかの人が同時に進めないように、終わるまで押さえる（ない番号は、返さない）。"""
    table, found = desk.benefit_case, dict[str, dict[str, Any]]()
    for some in chunks(numbers):
        query = select(table).where(table.c.case_number.in_(some)).order_by(table.c.case_number).with_for_update()
        found |= {row["case_number"]: dict(row) for row in connection.execute(query).mappings()}
    return found


def case_of(connection: Connection, number: str) -> dict[str, Any]:
    """一件。ない番号（区だけが知る人も同じ）は RefusedByRule。"""
    found = cases_of(connection, [number]).get(number)
    if found is None:
        raise RefusedByRule(f"給付管理番号 {number} は{UNKNOWN}", code="unknown-case")
    return found


def allowed(actor: Actor, number: str, state: str, event: str) -> str:
    """次の状態。進み方がない・役割が違うときは RefusedByRule。"""
    then = next_state(state, event)
    if then is None:
        raise RefusedByRule(
            f"給付管理番号 {number} は「{STATE_WORDS[state].name}」なので、「{EVENT_NAMES[event]}」はできません",
            code="transition",
        )
    step = step_of(state, event)
    if step is not None and actor.role not in step.roles:
        raise RefusedByRule(
            f"「{EVENT_NAMES[event]}」は、この役割ではできません",
            code="role",
            found=_ROLES.get(actor.role, actor.role),
            allowed="、".join(sorted(_ROLES[role] for role in step.roles)),
        )
    return then


def advance(
    connection: Connection,
    steps: Sequence[Move | tuple[str, str, str]],
    *,
    actor: Actor,
    at: datetime,
    reason: str,
) -> None:
    """(給付管理番号, 今の状態, 出来事) を進める。許されない進み方が一つでもあれば、全部を断る。"""
    moves = [Move(*step) for step in steps]
    if not moves:
        return
    events: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for move in moves:
        then = allowed(actor, move.case_number, move.state, move.event)
        events.append(
            {
                "case_number": move.case_number,
                "at": at,
                "actor": actor.id,
                "role": actor.role,
                "event": move.event,
                "from_state": move.state,
                "to_state": then,
                "reason": move.reason or reason,
                "evidence": move.evidence,
            }
        )
        values = {**(move.values or {}), "state": then, "changed_at": at}
        rows.append({"b_number": move.case_number, "b_before": move.state, **values})
    write_rows(connection, rows)
    connection.execute(desk.case_event.insert(), events)
    one = events[0] if len(events) == 1 else None
    audit.record(
        connection,
        desk.audit_log,
        at=at,
        actor=actor,
        action=f"case.{one['event']}" if one else "case.advance",
        subject=one["case_number"] if one else "",
        reason=noted(moves[0].reason) if one and moves[0].reason else reason,
        detail={"from": one["from_state"], "to": one["to_state"], "evidence": one["evidence"]}
        if one
        else dict(Counter(event["event"] for event in events)),
    )


#: 同じ書き換えがこれより多ければ、番号を並べて一度に書く。
_TOGETHER = 10


def write_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """件の列を書き換える（b_number の件が、b_before の状態のときだけ）。先に進められていたら RefusedByRule。"""
    table, changed = desk.benefit_case, 0
    alike: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for row in rows:
        alike[tuple(item for item in row.items() if item[0] != "b_number")].append(row["b_number"])
    single: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for items, numbers in alike.items():
        values = dict(items)
        if len(numbers) <= _TOGETHER:
            single[tuple(values)] += [{"b_number": number, **values} for number in numbers]
            continue
        before = values.pop("b_before")
        for some in chunks(numbers):
            here = table.c.case_number.in_(some) & (table.c.state == before)
            changed += connection.execute(update(table).where(here).values(**values)).rowcount
    statement = update(table).where(
        table.c.case_number == bindparam("b_number"), table.c.state == bindparam("b_before")
    )
    for listed in single.values():
        changed += connection.execute(statement, listed).rowcount
    if changed != len(rows):
        raise RefusedByRule("ほかの人が先に進めました。もう一度開いてください", code="moved")


def noted(reason: str) -> str:
    """人の書いた理由を、監査ログに指紋で残す。文は件に付いた行にあり、区が引き上げた人の文は件と一緒に消える（F.3）。

    監査ログは消せないので、そこに文を写せば、避難した人の名や事情が委託先に残ってしまう。
    """
    return f"sha256:{hashlib.sha256(reason.encode()).hexdigest()[:16]}"


def need_reason(reason: str) -> str:
    """書かれた理由。空なら RefusedInput。"""
    told = written(reason)
    if not told:
        raise RefusedInput("理由を書いてください", code="reason")
    return without_secrets(told)


#: 聞いたことだけで進む一歩（紙がない）。電話の辞退、辞退の取りやめ、死亡の申出、区の受理、口座の再届出のお願い。
TOLD_EVENTS = ("refusal_received", "refusal_withdrawn", "death_told", "appeal_accepted", "account_asked")
#: 期限（due_on）の内だけの一歩。
_BEFORE_DUE = frozenset({"refusal_received", "refusal_withdrawn"})


def tell(
    connection: Connection, number: str, event: str, *, reason: str, evidence: str = "", actor: Actor, at: datetime
) -> str:
    """聞いたことだけで一件を進め、次の状態を返す。`event` は TOLD_EVENTS のどれか、`evidence` は電話の受付番号など。

    辞退と、その取りやめは期限の日まで（当日を含む）。取りやめた人には、確認書の再発行を頼む。
    """
    if event not in TOLD_EVENTS:
        raise RefusedInput(
            "この出来事は、聞いただけでは進められません", code="told", found=EVENT_NAMES.get(event, event)
        )
    case, why, today = case_of(connection, number), need_reason(reason), tokyo_date(at)
    then = allowed(actor, number, case["state"], event)
    if event in _BEFORE_DUE and case["due_on"] is not None and case["due_on"] < today:
        raise RefusedByRule(
            "期限を過ぎています。区へつないでください", code="after-due", found=f"期限 {case['due_on']}"
        )
    values: dict[str, Any] = {}
    if event == "refusal_withdrawn":
        values = {"received_on": None}
    elif event == "appeal_accepted":
        values = {"received_on": case["received_on"] or today}
    advance(connection, [Move(number, case["state"], event, why, evidence, values)], actor=actor, at=at, reason=why)
    if event == "refusal_withdrawn":
        ask_letter(connection, [(number, case["branch"], "reissue", "辞退の取りやめ")], actor=actor, at=at)
    return then


def ask_letter(
    connection: Connection, letters: Collection[tuple[str, int, str, str]], *, actor: Actor, at: datetime
) -> None:
    """送るべき手紙（給付管理番号, 枝番, 種類, わけ）を書き足す。"""
    if letters:
        connection.execute(
            desk.letter_due.insert(),
            [
                {"case_number": number, "branch": branch, "kind": kind, "reason": why, "asked_by": actor.id, "at": at}
                for number, branch, kind, why in letters
            ],
        )


#: 日付で進む状態: 出来事、見る日、郵便を待つ日数を足すか。
_DEADLINES = (
    ("P20", "notice_deadline_passed", "due_on", False),
    ("P21", "deadline_passed", "due_on", True),
    ("C20", "deadline_passed", "due_on", True),
    ("C21", "deadline_passed", "due_on", True),
    ("C25", "correction_deadline_passed", "correction_due_on", True),
)


def pass_deadlines(
    home: Home, today: date, *, actor: Actor, clock: Clock, grace_days: int = MAIL_GRACE_DAYS
) -> dict[str, int]:
    """期限の過ぎた件を進める: お知らせは支給準備へ、返送・補正のない件は期限経過へ。数を返す。

    期限の当日は、まだ過ぎていない。返送と補正は、期限までの消印の郵便が届く `grace_days` 日を待つ。
    """
    table, counts = desk.benefit_case, Counter[str]()
    with home.desk.begin() as connection:
        for state, event, column, by_post in _DEADLINES:
            last = today - timedelta(days=grace_days) if by_post else today
            query = select(table.c.case_number).where(table.c.state == state, table.c[column] < last)
            numbers = connection.execute(query.order_by(table.c.case_number).with_for_update()).scalars().all()
            advance(
                connection,
                [Move(number, state, event) for number in numbers],
                actor=actor,
                at=clock(),
                reason="期限の経過",
            )
            counts[EVENT_NAMES[event]] += len(numbers)
    return dict(counts)
