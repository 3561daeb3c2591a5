"""給付管理システムの一件を進める: 期限の経過、収受、審査完了。

進み方は `benefit.domain.case.TRANSITIONS` だけ。ない進み方は RefusedByRule。進むたびに、誰が・いつ・なぜが残る。
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from benefit.domain.access import Actor
from benefit.domain.case import EVENT_NAMES, STATE_WORDS, next_state
from benefit.domain.clock import Clock
from benefit.domain.entitlement import is_case_number
from benefit.domain.errors import RefusedByRule, RefusedInput
from benefit.services.home import Home
from benefit.store import audit, desk


@dataclass(frozen=True)
class ReceivedForm:
    """返送された確認書一枚を、入力したもの。口座は受給者が書いたもの。

    `outcome`: 完了（審査が済んだ）、不備、辞退。不備のときは `deficiency` に理由。
    """

    case_number: str
    received_on: date
    outcome: str
    reviewed_on: date | None = None
    deficiency: str = ""
    bank_code: str | None = None
    branch_code: str | None = None
    account_type: str | None = None
    account_number: str | None = None
    holder_kana: str | None = None


OUTCOMES = ("完了", "不備", "辞退")


def pass_deadlines(home: Home, today: date, *, actor: Actor, clock: Clock) -> dict[str, int]:
    """期限の過ぎた件を進める: お知らせは支給準備へ、返送のない確認書は期限経過へ。数を返す。"""
    table = desk.benefit_case
    counts: dict[str, int] = {}
    with home.desk.begin() as connection:
        for state, event in (("P20", "notice_deadline_passed"), ("C20", "deadline_passed")):
            numbers = connection.execute(
                select(table.c.case_number).where(table.c.state == state, table.c.due_on < today)
            ).scalars()
            steps = [(number, state, event) for number in numbers]
            advance(connection, steps, actor=actor, at=clock(), reason="期限の経過")
            counts[EVENT_NAMES[event]] = len(steps)
    return counts


def advance(
    connection: Connection, steps: Sequence[tuple[str, str, str]], *, actor: Actor, at: Any, reason: str
) -> None:
    """(給付管理番号, 今の状態, 出来事) を進める。許されない進み方が一つでもあれば、全部を断る。"""
    events, updates = [], []
    for number, state, event in steps:
        then = next_state(state, event)
        if then is None:
            raise RefusedByRule(
                f"給付管理番号 {number} は「{STATE_WORDS[state].name}」なので、「{EVENT_NAMES[event]}」はできません",
                code="transition",
            )
        events.append(
            {
                "case_number": number,
                "at": at,
                "actor": actor.id,
                "event": event,
                "from_state": state,
                "to_state": then,
                "reason": reason,
            }
        )
        updates.append({"b_number": number, "b_before": state, "state": then, "changed_at": at})
    if not events:
        return
    table = desk.benefit_case
    connection.execute(desk.case_event.insert(), events)
    changed = connection.execute(
        update(table).where(table.c.case_number == bindparam("b_number"), table.c.state == bindparam("b_before")),
        updates,
    )
    assert changed.rowcount in {len(updates), -1}


def receive_forms(home: Home, forms: Sequence[ReceivedForm], *, actor: Actor, clock: Clock) -> dict[str, int]:
    """入力された確認書を収受し、審査の結果まで進める。一枚でも進められなければ、一枚も進めない。

    同じ確認書の二枚目は断る（木津川市: 同じ紙を二度入力）。振込不能の後の口座再届出も、ここで受ける。
    """
    table = desk.benefit_case
    counts = dict.fromkeys(OUTCOMES, 0)
    seen: set[str] = set()
    for form in forms:
        if not is_case_number(form.case_number):
            raise RefusedInput("給付管理番号の形が違います", code="case-number", found=form.case_number)
        if form.case_number in seen:
            raise RefusedByRule(f"給付管理番号 {form.case_number} の確認書が二枚あります", code="form-twice")
        seen.add(form.case_number)
        if form.outcome not in OUTCOMES:
            raise RefusedInput("結果の言葉が違います", code="outcome", found=form.outcome, allowed="、".join(OUTCOMES))
        if form.outcome == "完了" and (form.reviewed_on is None or form.reviewed_on < form.received_on):
            raise RefusedInput(
                f"給付管理番号 {form.case_number}: 審査完了日は、収受日以後の日を書きます", code="reviewed-on"
            )
        if form.outcome == "完了" and not form.account_number:
            raise RefusedInput(f"給付管理番号 {form.case_number}: 審査完了には口座が要ります", code="account")
    with home.desk.begin() as connection:
        query = select(table.c.case_number, table.c.state).where(table.c.case_number.in_(seen))
        states = {row.case_number: row.state for row in connection.execute(query)}
        now = clock()
        for form in forms:
            state = states.get(form.case_number)
            if state is None:
                raise RefusedByRule(
                    f"給付管理番号 {form.case_number} はここにありません。区で確認します", code="unknown-case"
                )
            for event in _events(form, state):
                advance(connection, [(form.case_number, state, event)], actor=actor, at=now, reason="確認書の入力")
                state = next_state(state, event) or state
            values: dict[str, Any] = {"received_on": form.received_on, "changed_at": now}
            if form.outcome == "完了":
                values |= {
                    "reviewed_on": form.reviewed_on,
                    "bank_code": form.bank_code,
                    "branch_code": form.branch_code,
                    "account_type": form.account_type,
                    "account_number": form.account_number,
                    "holder_kana": form.holder_kana,
                    "deficiency": None,
                }
            elif form.outcome == "不備":
                values["deficiency"] = form.deficiency
            connection.execute(table.update().where(table.c.case_number == form.case_number).values(**values))
            counts[form.outcome] += 1
        audit.record(connection, desk.audit_log, at=now, actor=actor, action="forms.receive", detail=counts)
    return counts


def _events(form: ReceivedForm, state: str) -> tuple[str, ...]:
    if state in {"F43", "F44"}:
        return ("account_received",)
    if form.outcome == "辞退":
        return ("refusal_received",)
    # 不備のあとの二枚目は補正として受ける。
    first = "correction_received" if state == "C24" else "form_received"
    return (first, "review_finished" if form.outcome == "完了" else "deficiency_found")
